// Package duo is the protocol of Duo's Universal Prompt (https://duo.com/docs/oauthapi): OpenID Connect with a secret that both sides have. A
// request to authorize, and whatever asks Duo itself, is a token signed with HS512; so is what Duo says of the person.
package duo

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Sizes that Duo's clients insist on.
const (
	IDLength     = 20 // of a client id
	SecretLength = 40 // of its secret
	minState     = 22
	maxState     = 1024
	maxToken     = 64 << 10 // bytes of an ID token
)

const (
	life          = 5 * time.Minute // of what is signed
	leeway        = time.Minute     // by which clocks may differ
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
)

// Application is the one that an administrator of Duo's made for this server.
type Application struct {
	Host     string // of the API, without a scheme
	ID       string // client id
	Secret   string
	Redirect string // address to which browsers come back
}

// Duo's addresses.
func (a Application) base() string { return "https://" + a.Host }

// HealthURL is what is asked whether Duo can be reached.
func (a Application) HealthURL() string { return a.base() + "/oauth/v1/health_check" }

// TokenURL is what takes codes.
func (a Application) TokenURL() string { return a.base() + "/oauth/v1/token" }

func (a Application) authorizeURL() string { return a.base() + "/oauth/v1/authorize" }

// key is the secret with zeros behind it, of the length that the library wants: HMAC puts them there itself (RFC 2104 section 2).
func (a Application) key() ([]byte, error) {
	if len(a.Secret) != SecretLength {
		return nil, errors.New("the client secret has another length than 40")
	}
	return append([]byte(a.Secret), make([]byte, 64-SecretLength)...), nil
}

// sign makes a token of claims.
func (a Application) sign(claims any) (string, error) {
	key, err := a.key()
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS512, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	return jwt.Signed(signer).Claims(claims).Serialize()
}

// assertion shows an endpoint that this server has the secret; id is drawn for it.
func (a Application) assertion(endpoint, id string, now time.Time) (string, error) {
	return a.sign(jwt.Claims{
		Issuer: a.ID, Subject: a.ID, Audience: jwt.Audience{endpoint}, ID: id, IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(life)),
	})
}

// Health is the form that asks HealthURL; id is drawn for it.
func (a Application) Health(id string, now time.Time) (url.Values, error) {
	text, err := a.assertion(a.HealthURL(), id, now)
	return url.Values{"client_id": {a.ID}, "client_assertion": {text}}, err
}

// Token is the form that has TokenURL take a code; id is drawn for it.
func (a Application) Token(code, id string, now time.Time) (url.Values, error) {
	text, err := a.assertion(a.TokenURL(), id, now)
	return url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {a.Redirect}, "client_id": {a.ID},
		"client_assertion_type": {assertionType}, "client_assertion": {text},
	}, err
}

// Wish is whom Duo is to ask.
type Wish struct {
	User  string // name at Duo
	State string // comes back with the browser
	Nonce string // comes back in the ID token
}

type request struct {
	ResponseType string `json:"response_type"`
	Scope        string `json:"scope"`
	Client       string `json:"client_id"`
	Redirect     string `json:"redirect_uri"`
	State        string `json:"state"`
	Nonce        string `json:"nonce"`
	User         string `json:"duo_uname"`
	Issuer       string `json:"iss"`
	Audience     string `json:"aud"`
	Issued       int64  `json:"iat"`
	Expires      int64  `json:"exp"`
	DuoCode      bool   `json:"use_duo_code_attribute"`
}

// Authorize is the address at which Duo asks the person.
func (a Application) Authorize(w Wish, now time.Time) (string, error) {
	if w.User == "" || len(w.State) < minState || len(w.State) > maxState || len(w.Nonce) < minState || len(w.Nonce) > maxState {
		return "", errors.New("a request needs a user, and a state and a nonce of 22 to 1024 characters")
	}
	text, err := a.sign(request{
		ResponseType: "code", Scope: "openid", Client: a.ID, Redirect: a.Redirect, State: w.State, Nonce: w.Nonce, User: w.User, Issuer: a.ID,
		Audience: a.base(), Issued: now.Unix(), Expires: now.Add(life).Unix(), DuoCode: true,
	})
	q := url.Values{
		"response_type": {"code"}, "client_id": {a.ID}, "request": {text}, "redirect_uri": {a.Redirect}, "scope": {"openid"}, "nonce": {w.Nonce},
	}
	return a.authorizeURL() + "?" + q.Encode(), err
}

// ParseHealth says what is wrong according to the answer of HealthURL; nil: nothing is.
func ParseHealth(body []byte) error {
	var in struct {
		Stat    string `json:"stat"`
		Message string `json:"message"`
		Detail  string `json:"message_detail"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return err
	}
	if in.Stat != "OK" {
		return fmt.Errorf("the health check says %q: %q: %q", in.Stat, in.Message, in.Detail)
	}
	return nil
}

// ParseToken finds the ID token in the answer of TokenURL.
func ParseToken(body []byte) (string, error) {
	var in struct {
		ID    string `json:"id_token"`
		Type  string `json:"token_type"`
		Error string `json:"error"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return "", err
	}
	switch {
	case in.Error != "":
		return "", fmt.Errorf("the token endpoint says %q", in.Error)
	case in.ID == "" || in.Type != "Bearer":
		return "", errors.New("the token endpoint gave no ID token")
	}
	return in.ID, nil
}

type said struct {
	jwt.Claims
	User   string `json:"preferred_username"`
	Nonce  string `json:"nonce"`
	Result *struct {
		Result string `json:"result"`
	} `json:"auth_result"`
}

// Proves says what keeps an ID token from proving the person of a wish; nil: nothing does. It is signed with the application's secret and HS512 and
// no other algorithm, of the token endpoint, for the application, of the wish, of these minutes, and says that the person was let in.
func (a Application) Proves(text string, w Wish, now time.Time) error {
	if len(text) > maxToken {
		return errors.New("the ID token is too long")
	}
	token, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.HS512})
	if err != nil {
		return err
	}
	key, err := a.key()
	if err != nil {
		return err
	}
	var in said
	if err := token.Claims(key, &in); err != nil {
		return err
	}
	if in.Expiry == nil || in.IssuedAt == nil {
		return errors.New("the ID token does not say from when and until when it is good")
	}
	err = in.ValidateWithLeeway(jwt.Expected{Issuer: a.TokenURL(), AnyAudience: jwt.Audience{a.ID}, Time: now}, leeway)
	switch {
	case err != nil:
		return err
	case len(in.Audience) != 1:
		return errors.New("the ID token is for several applications")
	case in.User == "" || in.User != w.User || in.Subject != "" && in.Subject != w.User:
		return fmt.Errorf("the ID token is of %q", in.User)
	case in.Nonce == "" || in.Nonce != w.Nonce:
		return errors.New("the ID token is of another sign-in")
	case in.Result == nil || in.Result.Result != "allow":
		return errors.New("the ID token does not say that the person was let in")
	}
	return nil
}

// Back is what a browser brings from Duo.
type Back struct{ Code, State string }

// maxBack bounds what a browser brings, in bytes.
const maxBack = 4 << 10

// ParseBack reads a query with which a browser came back, or the whole address; false where it is none. Duo says error where nobody was let in.
func ParseBack(text string) (Back, bool) {
	if len(text) > maxBack {
		return Back{}, false
	}
	if u, err := url.Parse(text); err == nil && u.Host != "" {
		text = u.RawQuery
	}
	q, err := url.ParseQuery(text)
	if err != nil || len(q["state"]) != 1 || len(q["duo_code"]) != 1 {
		return Back{}, false
	}
	out := Back{Code: q.Get("duo_code"), State: q.Get("state")}
	return out, out.Code != "" && len(out.State) >= minState && len(out.State) <= maxState
}

// Query is the text that ParseBack reads.
func (b Back) Query() string {
	return url.Values{"duo_code": {b.Code}, "state": {b.State}}.Encode()
}
