// Package upstreamtest has a double of identity providers for tests: it speaks discovery, the code flow with proof keys and OpenID Connect
// as they do, with the quirks of each, and refuses what they refuse. Tests bend what it says.
package upstreamtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"limen/internal/core/upstream"
)

// What the tenant's application is called there.
const (
	Client = "limen-at-the-provider"
	Secret = "s3cret-at-the-provider" //nolint:gosec // of a double
)

// Provider is a double. Fields are set between requests.
type Provider struct {
	URL   string // the issuer
	Roots *x509.CertPool

	Subject, Mail, Name string
	Verified            any            // email_verified
	More                map[string]any // further claims
	Bend                func(claims map[string]any)
	Key                 *ecdsa.PrivateKey // that signs, where it is not the published one
	Denies              string            // error in place of a code
	Says                string            // iss in the answer; empty: it is left out
	Redeemed            func()            // called for each code that is redeemed; codes are good more than once then

	t      *testing.T
	kind   string
	server *httptest.Server
	key    *ecdsa.PrivateKey
	apple  *ecdsa.PrivateKey
	mu     sync.Mutex
	codes  map[string]given  // by the codes
	tokens map[string]string // subjects
}

// given is what a code was given for, and whose account it is.
type given struct {
	request url.Values
	subject string
}

// Run starts a double of one of the catalogue's providers, or of any issuer where the name is none of them. Its account's subject is sub-1.
func Run(t *testing.T, kind string) *Provider {
	t.Helper()
	p := &Provider{t: t, kind: kind, Subject: "sub-1", Mail: "ada@example.com", Name: "Ada Example", Verified: true, codes: map[string]given{}, tokens: map[string]string{}}
	p.key, p.apple = newKey(t), newKey(t)
	path := "/" + hex.EncodeToString(draw(t)) // what programs remember of issuers is never that of another test
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+path+"/.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET "+path+"/keys", p.keys)
	mux.HandleFunc("GET "+path+"/authorize", p.authorize)
	mux.HandleFunc("POST "+path+"/token", p.token)
	mux.HandleFunc("GET "+path+"/info", p.info)
	p.server = httptest.NewTLSServer(mux)
	t.Cleanup(p.server.Close)
	p.URL, p.Roots = p.server.URL+path, x509.NewCertPool()
	p.Roots.AddCert(p.server.Certificate())
	return p
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func draw(t *testing.T) []byte {
	b := make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return b
}

// Known is the catalogue with this double in the place of the provider.
func (p *Provider) Known(catalog []upstream.Known) []upstream.Known {
	out := slices.Clone(catalog)
	for i := range out {
		k := &out[i]
		if k.Name != p.kind {
			continue
		}
		k.Issuer = p.URL
		if k.Authorize != "" {
			k.Authorize, k.Token, k.Info = p.URL+"/authorize", p.URL+"/token", p.URL+"/info"
			if p.kind == upstream.Twitter {
				k.Info += "?user.fields=confirmed_email"
			}
		}
		if k.Template != "" {
			k.Template = p.URL + "/{tenantid}/v2.0"
		}
	}
	return out
}

// Certificate is that of the double's server, in PEM, for programs that trust it.
func (p *Provider) Certificate() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.server.Certificate().Raw})
}

// Custom says whether it is none of the catalogue's.
func (p *Provider) Custom() bool {
	return !slices.ContainsFunc(upstream.Catalog(), func(k upstream.Known) bool { return k.Name == p.kind })
}

// Issuer is whose ID tokens are.
func (p *Provider) Issuer() string {
	if p.kind == upstream.Microsoft {
		return p.URL + "/" + Directory + "/v2.0"
	}
	return p.URL
}

// Directory is the one at Microsoft of which the account is.
const Directory = "9188040d-6c67-4c5b-b112-36a304b66dad"

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	out := map[string]any{
		"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
		"id_token_signing_alg_values_supported": []string{"ES256"}, "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_post"}, "code_challenge_methods_supported": []string{"S256"},
	}
	if p.kind == upstream.Microsoft {
		out["issuer"] = p.URL + "/{tenantid}/v2.0"
	}
	if p.kind == upstream.LinkedIn { // its ID tokens say no address
		out["userinfo_endpoint"] = p.URL + "/info"
	}
	p.write(w, http.StatusOK, out)
}

func (p *Provider) keys(w http.ResponseWriter, _ *http.Request) {
	p.write(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: "1", Algorithm: "ES256", Use: "sig"}}})
}

func (p *Provider) write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		p.t.Error(err)
	}
}

// authorize is the page of a person who is signed in there and agrees.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || q.Get("client_id") != Client || q.Get("response_type") != "code" || q.Get("state") == "" {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	answer := url.Values{"state": {q.Get("state")}}
	switch {
	case p.Denies != "":
		answer.Set("error", p.Denies)
	default:
		code := hex.EncodeToString(draw(p.t))
		p.mu.Lock()
		p.codes[code] = given{q, p.Subject}
		p.mu.Unlock()
		answer.Set("code", code)
	}
	if p.Says != "" {
		answer.Set("iss", p.Says)
	}
	back.RawQuery = answer.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound) //nolint:gosec // a double leads where it is told
}

// Visit opens an address of the provider as a person's browser does who agrees there, and gives what comes back.
func (p *Provider) Visit(at string) (path string, answer url.Values) {
	p.t.Helper()
	c := p.server.Client()
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, at, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	res, err := c.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	back, err := res.Location()
	if err != nil {
		p.t.Fatalf("the provider answers %d at %s", res.StatusCode, at)
	}
	return back.Path, back.Query()
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	fail := func(code string) { p.write(w, http.StatusBadRequest, map[string]string{"error": code}) }
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	if id != Client || basic != (p.kind == upstream.Twitter) || !p.shows(secret) {
		fail("invalid_client")
		return
	}
	p.mu.Lock()
	g, ok := p.codes[r.PostFormValue("code")]
	if p.Redeemed == nil {
		delete(p.codes, r.PostFormValue("code"))
	}
	p.mu.Unlock()
	if p.Redeemed != nil {
		p.Redeemed()
	}
	q := g.request
	if !ok || r.PostFormValue("grant_type") != "authorization_code" || r.PostFormValue("redirect_uri") != q.Get("redirect_uri") || !proved(q, r.PostFormValue("code_verifier")) {
		fail("invalid_grant")
		return
	}
	token := hex.EncodeToString(draw(p.t))
	p.mu.Lock()
	p.tokens[token] = g.subject
	p.mu.Unlock()
	out := map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": 3600}
	if strings.Contains(" "+q.Get("scope")+" ", " openid ") {
		out["id_token"] = p.sign(g, token)
	}
	p.write(w, http.StatusOK, out)
}

// proved says whether the verifier is that of the request (RFC 7636 section 4.6).
func proved(q url.Values, verifier string) bool {
	if q.Get("code_challenge") == "" {
		return verifier == ""
	}
	sum := sha256.Sum256([]byte(verifier))
	return q.Get("code_challenge_method") == "S256" && q.Get("code_challenge") == base64.RawURLEncoding.EncodeToString(sum[:])
}

// shows says whether a secret is the application's.
func (p *Provider) shows(secret string) bool {
	if p.kind != upstream.Apple {
		return secret == Secret
	}
	tok, err := jwt.ParseSigned(secret, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil || tok.Headers[0].KeyID != AppleKeyID {
		return false
	}
	var c jwt.Claims
	return tok.Claims(p.apple.Public(), &c) == nil && c.Validate(jwt.Expected{Issuer: AppleTeam, Subject: Client, AnyAudience: jwt.Audience{"https://appleid.apple.com"}, Time: time.Now()}) == nil &&
		c.Expiry.Time().Before(time.Now().AddDate(0, 6, 0))
}

// The developer team and key of the application at Apple.
const (
	AppleTeam  = "TEAM123456"
	AppleKeyID = "KEY1234567"
)

// AppleKey is the application's private key, as Apple gives it out.
func (p *Provider) AppleKey() string {
	raw, err := x509.MarshalPKCS8PrivateKey(p.apple)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}))
}

func (p *Provider) sign(g given, token string) string {
	sum := sha256.Sum256([]byte(token))
	claims := map[string]any{
		"iss": p.Issuer(), "sub": g.subject, "aud": Client, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(), "nonce": g.request.Get("nonce"),
		"email": p.Mail, "email_verified": p.Verified, "name": p.Name, "at_hash": base64.RawURLEncoding.EncodeToString(sum[:16]),
	}
	switch p.kind {
	case upstream.Microsoft:
		claims["tid"] = Directory
		delete(claims, "email_verified")
	case upstream.LinkedIn:
		delete(claims, "nonce")
		delete(claims, "email")
		delete(claims, "email_verified")
	case upstream.Apple:
		delete(claims, "name")
	}
	for name, v := range p.More {
		claims[name] = v
	}
	if p.Bend != nil {
		p.Bend(claims)
	}
	key := p.key
	if p.Key != nil {
		key = p.Key
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "1"}}, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	out, err := jwt.Signed(s).Claims(claims).Serialize()
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

func (p *Provider) info(w http.ResponseWriter, r *http.Request) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	p.mu.Lock()
	subject, ok := p.tokens[token]
	p.mu.Unlock()
	mac := hmac.New(sha256.New, []byte(Secret))
	mac.Write([]byte(token))
	if !ok || p.kind == upstream.Facebook && r.URL.Query().Get("appsecret_proof") != hex.EncodeToString(mac.Sum(nil)) {
		p.write(w, http.StatusUnauthorized, map[string]string{"error": "invalid_token"})
		return
	}
	switch p.kind {
	case upstream.Facebook:
		p.write(w, http.StatusOK, map[string]any{"id": subject, "name": p.Name, "email": p.Mail})
	case upstream.Twitter:
		data := map[string]any{"id": subject, "name": p.Name, "username": "ada"}
		if p.Verified == true && r.URL.Query().Get("user.fields") == "confirmed_email" {
			data["confirmed_email"] = p.Mail
		}
		p.write(w, http.StatusOK, map[string]any{"data": data})
	default:
		p.write(w, http.StatusOK, map[string]any{"sub": subject, "email": p.Mail, "email_verified": p.Verified})
	}
}
