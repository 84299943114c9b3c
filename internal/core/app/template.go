package app

import (
	"encoding/json"
	"slices"
	"strings"

	"limen/internal/fold"
)

// Kinds of applications.
const (
	Web     = "Web"
	Desktop = "Desktop"
)

// Types of web applications.
const (
	SAML          = "Saml"
	OpenIDConnect = "OpenIDConnect"
	OAuth         = "OAuth"
	Bookmark      = "Bookmark"
	UserPassword  = "UsernamePassword"
	Browser       = "BrowserExtension"
	NTLM          = "NtlmBasic"
)

// labels are the types of web applications as people read them.
var labels = map[string]string{
	SAML: "SAML", OpenIDConnect: "OpenID Connect", OAuth: "OAuth 2.0", Bookmark: "Bookmark", UserPassword: "User-Password",
	Browser: "Browser Extension", NTLM: "NTLM and Basic",
}

// TypeLabel is the type of a web application as people read it; empty where there is none.
func TypeLabel(typ string) string { return labels[typ] }

// KindLabel is the kind of an application with its type, for example "Web - SAML".
func KindLabel(kind, typ string) string {
	if l := labels[typ]; l != "" {
		return kind + " - " + l
	}
	return kind
}

// Template is what applications are made from.
type Template struct {
	ID          string // as ImportAppFromTemplate takes it
	Name        string // also the first name of what is made from it
	Description string
	Kind        string
	Type        string
	Category    string
	Generic     bool // of no particular product
	Icon        string
	Members     map[string]json.RawMessage // what the record begins with
	Profile     *Profile
}

const (
	custom   = "Custom"
	noScript = `"@Empty"`
)

// generic is a template of no particular product.
func generic(id, name, kind, typ, description string, members map[string]json.RawMessage, p *Profile) Template {
	return Template{ID: id, Name: name, Description: description, Kind: kind, Type: typ, Category: custom, Generic: true, Icon: icon(id), Members: members, Profile: p}
}

// product is a SAML template of a product: what differs from the generic one is left to who sets it up.
func product(id, name, category string) Template {
	return Template{
		ID: id, Name: name, Description: "Sign in to " + name + " with SAML.", Kind: Web, Type: SAML, Category: category, Icon: icon(id), Members: samlMembers(),
	}
}

func icon(id string) string {
	return "/vfslow/lib/application/icons/" + strings.ReplaceAll(id, " ", "") + ".png"
}

// fields of what every template begins with.
func samlMembers() map[string]json.RawMessage {
	return map[string]json.RawMessage{
		"SamlScript": json.RawMessage(noScript), "NameIDFormat": json.RawMessage(`"unspecified"`), "AuthnContextClass": json.RawMessage(`"unspecified"`),
		"RecipientSameAsAcsUrl": json.RawMessage(`true`), "WantAssertionsSigned": json.RawMessage(`true`), "SpConfigMethod": json.RawMessage(`0`),
		"IdpConfigMethod": json.RawMessage(`0`), "SamlVersion": json.RawMessage(`2`), "UserNameStrategy": json.RawMessage(`"ADAttribute"`),
		"UserNameArg": json.RawMessage(`"userprincipalname"`),
	}
}

func scripted(script string) map[string]json.RawMessage {
	return map[string]json.RawMessage{"OpenIDConnectScript": json.RawMessage(script)}
}

func filled() map[string]json.RawMessage {
	return map[string]json.RawMessage{"UserPassScript": json.RawMessage(`"@GenericUserPass"`), "UserNameStrategy": json.RawMessage(`"SetByUser"`)}
}

// Templates is the catalogue, the generic ones first.
func Templates() []Template {
	const life = "0.05:00:00"
	openID := &Profile{
		ClientIDType: 1, TokenType: JWT, AllowedAuth: "AuthorizationCode", TokenLifetimeString: life, RefreshLifetimeString: "365.00:00:00", KnownScopes: []Scope{},
	}
	server := &Profile{
		ClientIDType: 1, MustBeOauthClient: true, TokenType: JWT, AllowedAuth: "AuthorizationCode,ClientCreds", TokenLifetimeString: life,
		RefreshLifetimeString: "365.00:00:00", KnownScopes: []Scope{},
	}
	client := *server
	client.TargetIsUs, client.Confirm = true, true
	return []Template{
		generic("Generic SAML", "SAML", Web, SAML, "Sign in to any service provider with SAML 2.0.", samlMembers(), nil),
		generic("Generic OpenID Connect", "OpenID Connect", Web, OpenIDConnect, "Sign in to any relying party with OpenID Connect.", scripted(noScript), openID),
		generic("OAuth2Server", "OAuth2 Server", Web, OAuth, "Tokens for an API of your own.", scripted(noScript), server),
		generic("OAuth2ServerClient", "OAuth2 Client", Web, OAuth, "Tokens for the API of this platform, limited by scopes.", scripted(noScript), &client),
		generic("Generic Bookmark", "Bookmark", Web, Bookmark, "A link.", nil, nil),
		generic("Generic User-Password", "User-Password", Web, UserPassword, "A page with a form for name and password.", filled(), nil),
		generic("Generic Browser Extension", "Browser Extension", Web, Browser, "A page that the browser extension fills in.", filled(), nil),
		generic("GenericBrowserExtensionScript", "Browser Extension (advanced)", Web, Browser, "A page that a script of the browser extension fills in.", filled(), nil),
		generic("GenericNTLMBasic", "NTLM and Basic", Web, NTLM, "A page that asks for NTLM or Basic authentication.", filled(), nil),
		generic("GenericDesktopApplication", "Desktop Application", Desktop, "", "A program on a desktop.", nil, nil),
		product("AWSConsoleSAML", "AWS Console", "Development"),
		product("ClouderaSAML", "Cloudera", "Analytics"),
		product("CloudLock SAML", "CloudLock", "Security"),
		product("ConfluenceServerSAML", "Confluence Server", "Collaboration"),
		product("Dome9Saml", "Dome9", "Security"),
		product("GitHubEnterpriseSAML", "GitHub Enterprise", "Development"),
		product("JIRACloudSAML", "JIRA Cloud", "Collaboration"),
		product("JIRAServerSAML", "JIRA Server", "Collaboration"),
		product("PaloAltoNetworksSAML", "Palo Alto Networks", "Security"),
		product("SplunkOnPremSAML", "Splunk", "Analytics"),
		product("SumoLogicSAML", "Sumo Logic", "Analytics"),
		{
			ID: "Amazon AWS", Name: "Amazon AWS", Description: "Sign in to Amazon AWS with a name and a password.", Kind: Web, Type: UserPassword, Category: "Development",
			Icon: icon("Amazon AWS"), Members: filled(),
		},
	}
}

// Categories are those of the templates, sorted.
func Categories() []string {
	var out []string
	for _, t := range Templates() {
		out = append(out, t.Category)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// FindTemplate finds a template by its id, whatever its case.
func FindTemplate(id string) (Template, bool) {
	for _, t := range Templates() {
		if fold.Key(t.ID) == fold.Key(strings.TrimSpace(id)) {
			return t, true
		}
	}
	return Template{}, false
}
