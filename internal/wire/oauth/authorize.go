package oauth

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ResponseType is what an authorization request asks for: any of code, token and id_token, or none (OAuth 2.0 Multiple
// Response Type Encoding Practices).
type ResponseType struct{ Code, Token, IDToken bool }

// ReadResponseType reads the words of response_type, in any order.
func ReadResponseType(s string) (ResponseType, error) {
	var r ResponseType
	words := strings.Fields(s)
	for _, w := range words {
		at := map[string]*bool{"code": &r.Code, "token": &r.Token, "id_token": &r.IDToken}[w]
		if at == nil || *at {
			return r, bad(UnsupportedResponseType, "response_type is none that is known")
		}
		*at = true
	}
	if len(words) == 0 {
		return r, bad(InvalidRequest, "missing response_type")
	}
	return r, nil
}

// String is the type with its words in the order of the metadata.
func (r ResponseType) String() string {
	var out []string
	for _, w := range []struct {
		on   bool
		word string
	}{{r.Code, "code"}, {r.IDToken, "id_token"}, {r.Token, "token"}} {
		if w.on {
			out = append(out, w.word)
		}
	}
	return strings.Join(out, " ")
}

// Front says whether tokens come back through the browser.
func (r ResponseType) Front() bool { return r.Token || r.IDToken }

// Mode is how an authorization answer travels.
type Mode string

// The modes; those that end in jwt sign the answer (JWT Secured Authorization Response Mode section 2.3).
const (
	Query       Mode = "query"
	Fragment    Mode = "fragment"
	FormPost    Mode = "form_post"
	JWT         Mode = "jwt" // the mode that fits the response type, signed
	QueryJWT    Mode = "query.jwt"
	FragmentJWT Mode = "fragment.jwt"
	FormPostJWT Mode = "form_post.jwt"
)

// ReadMode reads response_mode for a response type. Tokens never travel in a query (Multiple Response Types section 2.1).
func ReadMode(s string, r ResponseType) (Mode, error) {
	m := Mode(s)
	fits, signed := Query, QueryJWT
	if r.Front() {
		fits, signed = Fragment, FragmentJWT
	}
	switch m {
	case "":
		return fits, nil
	case JWT:
		return signed, nil
	case Fragment, FormPost, FragmentJWT, FormPostJWT:
		return m, nil
	case Query, QueryJWT:
		if r.Front() {
			return m, bad(InvalidRequest, "response_mode query is not for tokens")
		}
		return m, nil
	}
	return m, bad(InvalidRequest, "response_mode is none that is known")
}

// Signed says whether the answer is one JWT.
func (m Mode) Signed() bool { return strings.HasSuffix(string(m), "jwt") }

// Prompt is what the client wants people to be asked (OpenID Connect Core section 3.1.2.1).
type Prompt struct{ None, Login, Consent, SelectAccount, Create bool }

func readPrompt(s string) (Prompt, error) {
	var p Prompt
	words := strings.Fields(s)
	for _, w := range words {
		switch w {
		case "none":
			p.None = true
		case "login":
			p.Login = true
		case "consent":
			p.Consent = true
		case "select_account":
			p.SelectAccount = true
		case "create": // Initiating User Registration via OpenID Connect 1.0
			p.Create = true
		default:
			return p, bad(InvalidRequest, "prompt has a value that is not known")
		}
	}
	if p.None && len(words) > 1 {
		return p, bad(InvalidRequest, "prompt none goes with nothing else")
	}
	return p, nil
}

// Authorization is an authorization request, read but not yet believed: who the client is and what it may ask for is
// decided by others. Lengths and forms are right.
type Authorization struct {
	ClientID    string
	RedirectURI string // empty: the only one that is registered
	Type        ResponseType
	Mode        Mode
	Scope       Scope
	State       string
	Nonce       string
	Prompt      Prompt
	MaxAge      time.Duration // negative: any
	ACR         []string      // acr_values, the best first
	Locales     []string      // ui_locales, the best first
	LoginHint   string
	IDTokenHint string
	Display     string
	Challenge   Challenge
	Resource    []string // RFC 8707
	DPoPKey     string   // dpop_jkt, thumbprint of the key that the code will be bound to (RFC 9449 section 10)
	Claims      *Claims  // nil when not sent
}

// ReadAuthorization reads an authorization request, or the content of a request object. The client and where the answer
// goes are read first and are there in the answer whatever error comes, so that the caller can tell whether the client may
// be told of it.
func ReadAuthorization(p Params) (Authorization, error) {
	a := Authorization{
		ClientID: p.Get("client_id"), RedirectURI: p.Get("redirect_uri"), State: p.Get("state"), Nonce: p.Get("nonce"), MaxAge: -1,
		ACR: strings.Fields(p.Get("acr_values")), Locales: strings.Fields(p.Get("ui_locales")), LoginHint: p.Get("login_hint"),
		IDTokenHint: p.Get("id_token_hint"), Display: p.Get("display"), Resource: p["resource"], DPoPKey: p.Get("dpop_jkt"), Mode: Query,
	}
	if a.ClientID == "" {
		return a, bad(InvalidRequest, "missing client_id")
	}
	t, err := ReadResponseType(p.Get("response_type"))
	a.Type = t
	mode, wrong := ReadMode(p.Get("response_mode"), t) // first, so that an error travels as the client wants it
	if wrong == nil {
		a.Mode = mode
	} else if t.Front() {
		a.Mode = Fragment
	}
	if err = cmp.Or(err, wrong); err != nil {
		return a, err
	}
	return a, a.rest(p)
}

func (a *Authorization) rest(p Params) (err error) {
	if a.Scope, err = ReadScope(p.Get("scope")); err != nil {
		return err
	}
	if a.Prompt, err = readPrompt(p.Get("prompt")); err != nil {
		return err
	}
	if a.Challenge, err = ReadChallenge(p); err != nil {
		return err
	}
	if age := p.Get("max_age"); age != "" {
		seconds, err := strconv.ParseInt(age, 10, 32)
		if err != nil || seconds < 0 {
			return bad(InvalidRequest, "max_age is no number of seconds")
		}
		a.MaxAge = time.Duration(seconds) * time.Second
	}
	if err := checkResources(a.Resource); err != nil {
		return err
	}
	if a.Claims, err = readClaims(p.Get("claims")); err != nil {
		return err
	}
	switch {
	case a.Type.IDToken && !a.Scope.Has("openid"):
		return bad(InvalidScope, "response_type id_token needs the scope openid")
	case a.DPoPKey != "" && len(a.DPoPKey) != 43:
		return bad(InvalidRequest, "dpop_jkt is no SHA-256 in base64url")
	}
	return nil
}

func checkResources(all []string) error {
	for _, r := range all {
		if _, err := readURI(r); err != nil {
			return bad(InvalidTarget, "resource must be an absolute URI without a fragment")
		}
	}
	return nil
}

// Claims is the parameter claims (OpenID Connect Core section 5.5): what is asked for in the ID token and from UserInfo.
type Claims struct {
	IDToken  map[string]*Wanted `json:"id_token"`
	UserInfo map[string]*Wanted `json:"userinfo"`
}

// Wanted is how a claim is asked for; nil asks for it as one of many.
type Wanted struct {
	Essential bool  `json:"essential"`
	Value     any   `json:"value"`
	Values    []any `json:"values"`
}

// Accepts says whether a claim with this text is what was asked for.
func (w *Wanted) Accepts(value string) bool {
	switch {
	case w == nil:
		return true
	case w.Value != nil:
		return w.Value == value
	case len(w.Values) > 0:
		return slices.Contains(w.Values, any(value))
	}
	return true
}

const maxClaims = 200

func readClaims(s string) (*Claims, error) {
	if s == "" {
		return nil, nil //nolint:nilnil // absence is no error
	}
	var c Claims
	if err := json.Unmarshal([]byte(s), &c); err != nil {
		return nil, bad(InvalidRequest, "claims is no JSON of the form that is wanted")
	}
	if len(c.IDToken)+len(c.UserInfo) > maxClaims {
		return nil, bad(InvalidRequest, "claims asks for more than %d", maxClaims)
	}
	return &c, nil
}
