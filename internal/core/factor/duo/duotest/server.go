// Package duotest is Duo as its clients meet it: it speaks the published protocol of the Universal Prompt, and takes nothing that does not keep
// to it. It shares no code with what it tests.
package duotest

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// What an administrator of Duo's made.
const (
	ClientID = "DIABCDEFGHIJ12345678"
	Secret   = "0123456789abcdefghijklmnopqrstuvwxyzABCD"
)

// Server is one.
type Server struct {
	Host  string // with its port
	Roots *x509.CertPool
	PEM   []byte // the same
	// Now is its clock; nil: the machine's.
	Now func() time.Time
	// Tamper changes the header and the claims of an ID token before it is signed; nil: nothing does.
	Tamper func(header, claims map[string]any)
	// Sign signs ID tokens in place of HS512 with the secret; nil: nothing does.
	Sign func(input string) []byte
	// Down has it answer nothing but 503.
	Down bool

	mu      sync.Mutex
	seen    map[string]bool   // ids of assertions
	codes   map[string]asking // that were not taken yet
	Refused []string          // why requests were refused
	Tokens  int               // codes that were taken
}

// asking is a request to authorize.
type asking struct{ user, nonce, redirect string }

// New starts one.
func New(t testing.TB) *Server {
	s := &Server{seen: map[string]bool{}, codes: map[string]asking{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /oauth/v1/health_check", s.health)
	mux.HandleFunc("GET /oauth/v1/authorize", s.authorize)
	mux.HandleFunc("POST /oauth/v1/token", s.token)
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.Down {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	s.Host, s.Roots = srv.Listener.Addr().String(), x509.NewCertPool()
	s.Roots.AddCert(srv.Certificate())
	s.PEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	return s
}

func (s *Server) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

var encoding = base64.RawURLEncoding

// read verifies a token of the client, and that it is good now, and no longer than a while.
func (s *Server) read(token string) (map[string]any, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, errors.New("no token")
	}
	mac := hmac.New(sha512.New, []byte(Secret))
	mac.Write([]byte(parts[0] + "." + parts[1]))
	sum, err := encoding.DecodeString(parts[2])
	if err != nil || !hmac.Equal(sum, mac.Sum(nil)) {
		return nil, errors.New("a wrong signature")
	}
	var header struct{ Alg string }
	claims := map[string]any{}
	for i, into := range []any{&header, &claims} {
		raw, err := encoding.DecodeString(parts[i])
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(raw, into); err != nil {
			return nil, err
		}
	}
	exp, ok := claims["exp"].(float64)
	now := float64(s.now().Unix())
	switch {
	case header.Alg != "HS512":
		return nil, fmt.Errorf("the algorithm %q", header.Alg)
	case !ok || exp <= now || exp > now+600:
		return nil, fmt.Errorf("exp is %v", claims["exp"])
	}
	return claims, nil
}

// assertion checks what shows the client at an endpoint.
func (s *Server) assertion(form url.Values, endpoint string) error {
	claims, err := s.read(form.Get("client_assertion"))
	if err != nil {
		return err
	}
	id, _ := claims["jti"].(string)
	switch {
	case form.Get("client_id") != ClientID, claims["iss"] != ClientID, claims["sub"] != ClientID:
		return errors.New("another client")
	case !one(claims["aud"], "https://"+s.Host+endpoint):
		return fmt.Errorf("aud is %v", claims["aud"])
	case len(id) < 22 || s.seen[id]:
		return errors.New("the id of the assertion is short, or was seen before")
	}
	s.seen[id] = true
	return nil
}

// one says whether an audience is this one alone; clients write it as a text or as a list.
func one(aud any, want string) bool {
	if list, ok := aud.([]any); ok && len(list) == 1 {
		aud = list[0]
	}
	return aud == want
}

func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	err := r.ParseForm()
	if err == nil {
		err = s.assertion(r.Form, "/oauth/v1/health_check")
	}
	if err != nil {
		s.refuse(w, err, map[string]any{"stat": "FAIL", "code": 40002, "message": "invalid_client", "message_detail": err.Error()})
		return
	}
	answer(w, http.StatusOK, map[string]any{"stat": "OK", "response": map[string]any{"timestamp": s.now().Unix()}})
}

// authorize asks the person, who says yes at once.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	claims, err := s.read(q.Get("request"))
	text := func(name string) string { t, _ := claims[name].(string); return t }
	nonce := q.Get("nonce")
	if n := text("nonce"); n != "" {
		if nonce != "" && nonce != n {
			err = errors.Join(err, errors.New("two nonces"))
		}
		nonce = n
	}
	to, bad := url.Parse(text("redirect_uri"))
	switch {
	case err != nil || bad != nil:
	case q.Get("client_id") != ClientID, text("client_id") != ClientID, text("iss") != ClientID:
		err = errors.New("another client")
	case !one(claims["aud"], "https://"+s.Host):
		err = fmt.Errorf("aud is %v", claims["aud"])
	case q.Get("response_type") != "code", text("response_type") != "code", text("scope") != "openid":
		err = errors.New("another response type or scope")
	case len(text("state")) < 22, len(text("state")) > 1024, text("duo_uname") == "", to.Host == "":
		err = errors.New("no state, user or address")
	}
	if err = errors.Join(err, bad); err != nil {
		s.refuse(w, err, map[string]any{"error": "invalid_request", "error_description": err.Error()})
		return
	}
	raw := make([]byte, 20)
	_, _ = rand.Read(raw)
	code := encoding.EncodeToString(raw)
	s.codes[code] = asking{text("duo_uname"), nonce, text("redirect_uri")}
	name := "code"
	if use, _ := claims["use_duo_code_attribute"].(bool); use {
		name = "duo_code"
	}
	back := to.Query()
	back.Set("state", text("state"))
	back.Set(name, code)
	to.RawQuery = back.Encode()
	http.Redirect(w, r, to.String(), http.StatusFound)
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	err := r.ParseForm()
	if err == nil {
		err = s.assertion(r.Form, "/oauth/v1/token")
	}
	asked, ok := s.codes[r.Form.Get("code")]
	switch {
	case err != nil:
	case r.Form.Get("grant_type") != "authorization_code", r.Form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer":
		err = errors.New("another grant")
	case !ok || r.Form.Get("redirect_uri") != asked.redirect:
		err = errors.New("the code is none, was taken, or is for another address")
	}
	if err != nil {
		s.refuse(w, err, map[string]any{"error": "invalid_grant", "error_description": err.Error()})
		return
	}
	delete(s.codes, r.Form.Get("code"))
	s.Tokens++
	answer(w, http.StatusOK, map[string]any{"id_token": s.say(asked), "access_token": "-", "expires_in": 3600, "token_type": "Bearer"})
}

// say is the ID token of an answer.
func (s *Server) say(asked asking) string {
	now := s.now().Unix()
	header := map[string]any{"alg": "HS512", "typ": "JWT"}
	claims := map[string]any{
		"iss": "https://" + s.Host + "/oauth/v1/token", "aud": ClientID, "sub": asked.user, "preferred_username": asked.user, "iat": now, "exp": now + 300,
		"auth_time": now, "auth_result": map[string]any{"result": "allow", "status": "allow", "status_msg": "Login Successful"},
		"auth_context": map[string]any{"factor": "duo_push", "result": "success"},
	}
	if asked.nonce != "" {
		claims["nonce"] = asked.nonce
	}
	if s.Tamper != nil {
		s.Tamper(header, claims)
	}
	one, _ := json.Marshal(header)
	two, _ := json.Marshal(claims)
	input := encoding.EncodeToString(one) + "." + encoding.EncodeToString(two)
	if s.Sign != nil {
		return input + "." + encoding.EncodeToString(s.Sign(input))
	}
	mac := hmac.New(sha512.New, []byte(Secret))
	mac.Write([]byte(input))
	return input + "." + encoding.EncodeToString(mac.Sum(nil))
}

func (s *Server) refuse(w http.ResponseWriter, err error, body map[string]any) {
	s.Refused = append(s.Refused, err.Error())
	answer(w, http.StatusBadRequest, body)
}

func answer(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// Visit opens an address of the prompt as a browser does, and gives the query with which it is sent back.
func (s *Server) Visit(t testing.TB, at string) url.Values {
	t.Helper()
	ask, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Client().Do(ask)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	to, err := r.Location()
	if err != nil {
		t.Fatal(r.Status, s.Refused)
	}
	return to.Query()
}

// Client is a browser that follows no redirect.
func (s *Server) Client() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.Roots, MinVersion: tls.VersionTLS12}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Post sends a form to an address, as duo.Mechanism wants it.
func (s *Server) Post(ctx context.Context, at string, form url.Values) (int, []byte, error) {
	ask, err := http.NewRequestWithContext(ctx, http.MethodPost, at, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, nil, err
	}
	ask.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r, err := s.Client().Do(ask)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = r.Body.Close() }()
	body, err := io.ReadAll(r.Body)
	return r.StatusCode, body, err
}
