package upstream

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"

	"limen/internal/fold"
)

// Known is a provider that the program knows how to ask, and with which quirks.
type Known struct {
	Name    string
	Display string
	Issuer  string // of OpenID Connect, or what stands for it where the provider speaks OAuth 2.0 alone
	Scopes  []string

	// Of those that speak OAuth 2.0 alone; empty: it is OpenID Connect, whose discovery tells.
	Authorize, Token, Info string
	Basic                  bool // the client's secret goes into a header, not into the form

	PKCE     bool // RFC 7636, S256
	NoNonce  bool // its ID tokens do not repeat the nonce
	FormPost bool // its answer is a form that the browser sends
	Extra    bool // set up beside the five of the contract
	// Template is what the issuer of ID tokens looks like where each directory has one of its own: {tenantid} is the claim tid.
	Template string

	read func(raw []byte) (Identity, error) // of Info
	// proof gives what shows that the program itself asks Info; nil: nothing is wanted.
	proof func(secret, token string) url.Values
	// owns says whether the provider shows that the address is the person's, by the ID token's claims; nil: email_verified does.
	owns func(c claims) bool
}

// Names of those that the contract lists, in its order, and of Apple.
const (
	Facebook  = "Facebook"
	Google    = "Google"
	LinkedIn  = "LinkedIn"
	Microsoft = "Microsoft"
	Twitter   = "Twitter"
	Apple     = "Apple"
)

// Catalog are the providers that the program knows.
func Catalog() []Known {
	oidc := []string{"openid", "email", "profile"}
	return []Known{
		{
			Name: Facebook, Display: "Facebook", Issuer: "https://www.facebook.com", Scopes: []string{"public_profile", "email"},
			Authorize: "https://www.facebook.com/dialog/oauth", Token: "https://graph.facebook.com/oauth/access_token",
			Info: "https://graph.facebook.com/me?fields=id,name,email,first_name,last_name", read: readFacebook, proof: facebookProof,
		},
		{Name: Google, Display: "Google", Issuer: "https://accounts.google.com", Scopes: oidc, PKCE: true, owns: ownsGoogle},
		{Name: LinkedIn, Display: "LinkedIn", Issuer: "https://www.linkedin.com/oauth", Scopes: oidc, NoNonce: true},
		{
			Name: Microsoft, Display: "Microsoft", Issuer: "https://login.microsoftonline.com/common/v2.0", Scopes: oidc, PKCE: true,
			Template: "https://login.microsoftonline.com/{tenantid}/v2.0", owns: ownsMicrosoft,
		},
		{
			Name: Twitter, Display: "X", Issuer: "https://x.com", Scopes: []string{"users.read", "tweet.read", "users.email"}, PKCE: true, Basic: true,
			Authorize: "https://x.com/i/oauth2/authorize", Token: "https://api.x.com/2/oauth2/token",
			Info: "https://api.x.com/2/users/me?user.fields=confirmed_email", read: readX,
		},
		{Name: Apple, Display: "Apple", Issuer: "https://appleid.apple.com", Scopes: []string{"openid", "email", "name"}, FormPost: true, Extra: true},
	}
}

// any issuer of OpenID Connect that a tenant names.
func custom(p Provider) Known {
	return Known{Name: p.Name, Display: p.Display, Issuer: p.Issuer, Scopes: []string{"openid", "email", "profile"}, PKCE: true, Extra: true}
}

// plain says whether the provider speaks OAuth 2.0 alone.
func (k Known) plain() bool { return k.Authorize != "" }

// claims are what is read of an ID token, or of the userinfo endpoint.
type claims struct {
	Subject  string `json:"sub"`
	Nonce    string `json:"nonce"`
	Party    string `json:"azp"`
	Mail     string `json:"email"`
	Verified flag   `json:"email_verified"`
	Name     string `json:"name"`
	Given    string `json:"given_name"`
	Family   string `json:"family_name"`
	User     string `json:"preferred_username"`
	Hosted   string `json:"hd"`       // Google: the organization whose account it is
	Tenant   string `json:"tid"`      // Microsoft: the directory
	Owner    flag   `json:"xms_edov"` // Microsoft: the directory has proved the domain of the address
}

// flag is a boolean that some providers write as a text or a number.
type flag bool

// UnmarshalJSON reads it.
func (f *flag) UnmarshalJSON(raw []byte) error {
	text := strings.Trim(string(raw), `"`)
	*f = flag(text == "true" || text == "1")
	return nil
}

func (c claims) identity() Identity {
	return Identity{Subject: c.Subject, Mail: c.Mail, Name: c.Name, Given: c.Given, Family: c.Family, User: c.User}
}

// ownsGoogle follows Google's advice: the address is the account's owner's where Google runs the mailbox or an organization vouches for
// it; another was theirs once, when they registered.
func ownsGoogle(c claims) bool {
	return bool(c.Verified) && (c.Hosted != "" || strings.HasSuffix(fold.Key(c.Mail), "@gmail.com"))
}

// ownsMicrosoft does not believe the address, which a directory's administrators write as they like, unless the domain was proved.
func ownsMicrosoft(c claims) bool { return bool(c.Owner) }

func readFacebook(raw []byte) (Identity, error) {
	var in struct {
		ID, Name, Email string
		First           string `json:"first_name"`
		Last            string `json:"last_name"`
	}
	err := json.Unmarshal(raw, &in)
	return Identity{Subject: in.ID, Mail: in.Email, Name: in.Name, Given: in.First, Family: in.Last}, err // whose the address is it does not say
}

// facebookProof shows that who asks with a token knows the application's secret.
func facebookProof(secret, token string) url.Values {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(token))
	return url.Values{"appsecret_proof": {hex.EncodeToString(mac.Sum(nil))}}
}

func readX(raw []byte) (Identity, error) {
	var in struct {
		Data struct {
			ID, Name, Username string
			Mail               string `json:"confirmed_email"`
		}
	}
	err := json.Unmarshal(raw, &in)
	d := in.Data
	return Identity{Subject: d.ID, Mail: d.Mail, Verified: d.Mail != "", Name: d.Name, User: d.Username}, err
}
