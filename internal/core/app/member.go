package app

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"limen/internal/core/policy"
	"limen/internal/fold"
)

// Shape is what a member of a record can be.
type Shape uint8

// The shapes.
const (
	Text  Shape = iota
	Flag        // true or false
	Whole       // a whole number
	List        // a JSON list of objects or texts
	Rules       // a RowSet of rules of conditions, as policies have them
)

// Member is a member of an application's record that clients may write. Those not listed are read only, or belong to how a
// client draws its forms: clients send back all that they have read, so they are ignored.
type Member struct {
	Name  string
	Shape Shape
	Max   int // bytes of a text, or of the JSON of a list or rules; of a number the largest
}

const (
	short  = 500
	long   = 4000
	script = 64 << 10
)

func of(shape Shape, most int, names ...string) (out []Member) {
	for _, n := range names {
		out = append(out, Member{n, shape, most})
	}
	return out
}

// Catalogue lists the members beside Name, DisplayName, Description, Category, ServiceName, OAuthProfile and Password
// (apps.yaml n 196). What is kept here is for whoever serves the kind of application. AuthRules and DefaultAuthProfile are decided
// where people sign in to it, and PolicyScript in their place; see guarded and closed.
func Catalogue() (out []Member) {
	for _, group := range [][]Member{
		of(Flag, 0, "ShowInUP", "BypassLoginMFA", "UseLoginPwAdAttr", "UseLoginPwUseScript", "AllowViewFixedCredentials", "WorkflowEnabled",
			"RecipientSameAsAcsUrl", "WantAssertionsSigned", "EncryptAssertion", "UseDefaultSigningCert", "IsPrivilegedApp", "IsScaEnabled", "IsSwsEnabled",
			"NotSelfService", "Featured", "Popular", "OnPrem"),
		of(Whole, 100, "SpConfigMethod", "IdpConfigMethod", "SamlVersion"),
		of(Whole, 60_000, "SelectorTimeout"),
		of(Text, short, "AdminTag", "Icon", "IconUri", "CatalogVisibility", "DefaultAuthProfile", "WebAppLoginType", "UserNameStrategy", "UserNameArg", "Username",
			"ADAttribute", "NameIDFormat", "AuthnContextClass", "CorpIdentifier", "AdditionalField1", "AdditionalIdentifierValue", "HostNameSuffix",
			"UsernameField", "PasswordField", "SubmitField", "FormField", "CorpIdField", "Safe", "AccountName", "ExtAccountId", "EncryptionThumbprint",
			"Thumbprint", "DesktopAppProgramName", "DesktopAppRunAccountType", "DesktopAppType", "Handler", "MobileAppType", "Version"),
		of(Text, long, "Issuer", "Audience", "Url", "MobileUrl", "Recipient", "SpSingleLogoutUrl", "RelayState", "SpMetadataUrl", "Order"),
		of(Text, script, "PolicyScript", "UserMapScript", "UserPassScript", "SamlScript", "OpenIDConnectScript", "Script", "SpMetadataXml", "WorkflowSettings"),
		of(List, script, "SamlAttributes"),
		of(Rules, script, "AuthRules"),
	} {
		out = append(out, group...)
	}
	return out
}

// members are the catalogue by folded name.
var members = func() map[string]Member {
	out := map[string]Member{}
	for _, m := range Catalogue() {
		out[fold.Key(m.Name)] = m
	}
	return out
}()

func misfit(m Member, why string, args ...any) error {
	return ErrMember.At(m.Name).Say("The member %s %s.", m.Name, fmt.Sprintf(why, args...))
}

// read checks a value and brings it into its form.
func (m Member) read(v any) (json.RawMessage, error) {
	switch m.Shape {
	case Flag:
		if s, ok := v.(string); ok {
			v = map[string]any{"true": true, "false": false}[strings.ToLower(s)]
		}
		if _, ok := v.(bool); !ok {
			return nil, misfit(m, "must be true or false")
		}
	case Whole:
		n, err := whole(v)
		if err != nil || n < 0 || n > int64(m.Max) {
			return nil, misfit(m, "must be a whole number from 0 to %d", m.Max)
		}
		v = n
	case Text:
		s, ok := v.(string)
		if !ok || len(s) > m.Max || !utf8.ValidString(s) {
			return nil, misfit(m, "must be a text of %d bytes at most", m.Max)
		}
	case List:
		if _, ok := v.([]any); !ok {
			return nil, misfit(m, "must be a list")
		}
	case Rules:
		return m.rules(v)
	}
	raw, err := json.Marshal(v)
	if err == nil && len(raw) > 2*m.Max+2 && m.Shape >= List {
		err = misfit(m, "may have %d bytes", 2*m.Max)
	}
	return raw, err
}

// rules keeps what counts of a RowSet: some clients send everything twice, with and without an underscore.
func (m Member) rules(v any) (json.RawMessage, error) {
	rows, ok := v.(map[string]any)
	if !ok {
		return nil, misfit(m, "must be an object with a list _Value of rules")
	}
	kept := map[string]any{"_Type": "RowSet", "_UniqueKey": "Condition", "Enabled": true, "_Value": []any{}}
	for _, name := range []string{"_UniqueKey", "Enabled", "_Value"} {
		if x, ok := rows[name]; ok && x != nil {
			kept[name] = x
		}
	}
	raw, err := json.Marshal(kept)
	if err != nil {
		return nil, err
	}
	if len(raw) > m.Max {
		return nil, misfit(m, "may have %d bytes", m.Max)
	}
	if why := policy.MisfitRules(raw); why != "" {
		return nil, misfit(m, "%s", why)
	}
	return raw, nil
}

// whole reads a number as clients and their JSON readers spell it.
func whole(v any) (int64, error) {
	switch n := v.(type) {
	case json.Number:
		return n.Int64()
	case float64:
		if n == math.Trunc(n) && math.Abs(n) < 1<<53 {
			return int64(n), nil
		}
	case int64:
		return n, nil
	case string:
		return json.Number(strings.TrimSpace(n)).Int64()
	}
	return 0, fmt.Errorf("%v is no whole number", v)
}
