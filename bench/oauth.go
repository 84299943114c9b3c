package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"time"

	"limen/bench/load"
)

const (
	clientSecret = "a-secret-of-16-bytes-or-more"
	clientBack   = "https://client.example.com/back"
)

// client is an application's client.
type client struct {
	*site
	service, id string
	key         string // of the application
}

// client makes an application of the site that everybody may use. more are settings of its OAuthProfile.
func (s *site) client(ctx context.Context, w *world, service string, more map[string]any) (*client, error) {
	profile := map[string]any{
		"ClientIDType": 1, "ClientSecret": clientSecret, "Redirects": []string{clientBack}, "AllowedAuth": "AuthorizationCode,ClientCreds", "AllowRefresh": true,
		"KnownScopes": []any{map[string]any{"Scope": "read"}},
	}
	for name, v := range more {
		profile[name] = v
	}
	c, err := load.Dial(ctx, w.addr)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	var made struct {
		Result []struct {
			Key string `json:"_RowKey"`
		}
	}
	if err := s.ask(c, "/SaasManage/ImportAppFromTemplate", map[string]any{"ID": []string{"Generic OpenID Connect"}}, &made); err != nil {
		return nil, err
	}
	if err := s.ask(c, "/SaasManage/UpdateApplicationDE", map[string]any{
		"_RowKey": made.Result[0].Key, "Name": service, "ServiceName": service, "OAuthProfile": profile,
		"AppRoles": map[string]any{"Publish": []map[string]any{{"Role": "Everybody"}}},
	}, nil); err != nil {
		return nil, err
	}
	var app struct {
		Result struct{ OAuthProfile struct{ ClientID string } }
	}
	err = s.ask(c, "/SaasManage/GetApplication", map[string]any{"_RowKey": made.Result[0].Key}, &app)
	return &client{s, service, app.Result.OAuthProfile.ClientID, made.Result[0].Key}, err
}

// ask calls an operation that must succeed, and reads its answer into out unless that is nil.
func (s *site) ask(c *load.Conn, path string, body, out any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	answer, err := c.Succeed(s.request(path, string(text)))
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(answer, out)
}

// post makes a request of the client's at an endpoint.
func (a *client) post(what string, form url.Values) []byte {
	form.Set("client_id", a.id)
	form.Set("client_secret", clientSecret)
	return a.form(what, form)
}

func (a *client) form(what string, form url.Values) []byte {
	return load.Form(a.host, "/OAuth2/"+what+"/"+a.service, form.Encode())
}

// tokens is what is read of an answer.
type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

// give sends a request that must be answered with status 200, and reads the tokens.
func give(c *load.Conn, request []byte) (out tokens, err error) {
	body, err := c.OK(request)
	if err == nil {
		err = json.Unmarshal(body, &out)
	}
	return out, err
}

// code goes the way of a code, as somebody who is signed in.
func (a *client) code(c *load.Conn, scope string) (tokens, error) {
	q := url.Values{"client_id": {a.id}, "response_type": {"code"}, "redirect_uri": {clientBack}, "scope": {scope}, "state": {"s"}}
	status, to, err := c.Location(load.Get(a.host, "/OAuth2/Authorize/"+a.service+"?"+q.Encode(), a.bearer))
	if err != nil {
		return tokens{}, err
	}
	at, err := url.Parse(to)
	if err != nil || status != http.StatusFound || at.Query().Get("code") == "" {
		return tokens{}, fmt.Errorf("no code but status %d, to %s", status, to)
	}
	return give(c, a.post("Token", url.Values{"grant_type": {"authorization_code"}, "code": {at.Query().Get("code")}, "redirect_uri": {clientBack}}))
}

// callers is how many ask at the same time.
var callers = []int{1, 16, 64}

// against measures something at each number of callers, beside its limit. The aim is that of 16.
func (b *bench) against(w *world, name, of string, aim float64, limit, ours func(callers int) turn) (rows []row, err error) {
	defer func() { w.part = "" }()
	for _, n := range callers {
		w.part = "-" + strings.NewReplacer(", ", "-", " ", "-").Replace(fmt.Sprintf("%s-%d", name, n))
		l, o, err := b.versus(w, limit(n), ours(n))
		if err != nil {
			return rows, fmt.Errorf("%s, %d callers: %w", name, n, err)
		}
		r := rate(fmt.Sprintf("%s, %d", name, n), of, l, o)
		switch n {
		case 16:
			r.aim = aim
		case 64:
			r.even = 5
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// ask makes turns of f, with a connection for each caller.
func (w *world) ask(ctx context.Context, f func(caller int, c *load.Conn) error) func(int) turn {
	return func(n int) turn {
		return func(d time.Duration) (load.Sample, error) { return load.Ask(ctx, w.addr, n, d, f) }
	}
}

// same makes turns of one request, which is answered with status 200.
func (w *world) same(ctx context.Context, request []byte) func(int) turn {
	return w.ask(ctx, func(_ int, c *load.Conn) error { _, err := c.OK(request); return err })
}

// bareEcho makes turns of the same request to net/http.
func (e *echo) bareEcho(ctx context.Context, request []byte) func(int) turn {
	return func(n int) turn { return e.asks(ctx, n, request) }
}

// signatures makes turns of bare signatures, one at a time on each processor, however many callers there are.
func signatures(alg string) (func(int) turn, error) {
	digest := sha256.Sum256([]byte("limen"))
	var sign func() error
	switch alg {
	case "RS256":
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, err
		}
		sign = func() error { _, err := rsa.SignPKCS1v15(nil, k, crypto.SHA256, digest[:]); return err }
	default:
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		sign = func() error { _, err := ecdsa.SignASN1(rand.Reader, k, digest[:]); return err }
	}
	return func(n int) turn {
		return func(d time.Duration) (load.Sample, error) {
			return load.Calls(min(n, runtime.GOMAXPROCS(0)), d, func(int) error { return sign() })
		}
	}, nil
}

// credentials are tokens for clients in their own name: opaque ones, which are stored, ones signed by either algorithm, and those of a
// service user, whose secret is an argon2id hash.
func credentials(ctx context.Context, b *bench, w *world) (rows []row, err error) {
	s, err := addSite(ctx, w.app)
	if err != nil {
		return nil, err
	}
	e, err := newEcho()
	if err != nil {
		return nil, err
	}
	defer e.Close()
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"read"}}
	for _, k := range []struct {
		name, alg string
		aim       float64
	}{{"opaque", "", 15_000}, {"RS256", "RS256", 2350}, {"ES256", "ES256", 15_000}} {
		profile := map[string]any{"TokenType": "Opaque"}
		if k.alg != "" {
			profile = map[string]any{"SigningAlg": k.alg}
		}
		a, err := s.client(ctx, w, strings.ToLower(k.name), profile)
		if err != nil {
			return rows, err
		}
		request := a.post("Token", form)
		limit, of := e.bareEcho(ctx, request), "net/http echo"
		if k.alg != "" {
			if limit, err = signatures(k.alg); err != nil {
				return rows, err
			}
			of = "bare " + k.alg
		}
		some, err := b.against(w, "client credentials, "+k.name, of, k.aim, limit, w.same(ctx, request))
		if rows = append(rows, some...); err != nil {
			return rows, err
		}
	}
	request, err := s.robot(ctx, w)
	if err != nil {
		return rows, err
	}
	some, err := b.against(w, "client credentials, service user", "net/http echo", 0, e.bareEcho(ctx, request), w.same(ctx, request))
	return append(rows, some...), err
}

// robot makes a service user, and gives its request for an opaque token.
func (s *site) robot(ctx context.Context, w *world) ([]byte, error) {
	c, err := load.Dial(ctx, w.addr)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	name := "robot@" + s.suffix
	var made struct{ Result string }
	if err := s.ask(c, "/CDirectoryService/CreateUser", map[string]any{
		"Name": name, "Mail": "robot@example.com", "Password": adminPassword, "ServiceUser": true, "OauthClient": true,
	}, &made); err != nil {
		return nil, err
	}
	a, err := s.client(ctx, w, "robots", map[string]any{"TokenType": "Opaque", "MustBeOauthClient": true})
	if err != nil {
		return nil, err
	}
	if err := s.ask(c, "/SaasManage/SetApplicationPermissions", map[string]any{
		"ID": a.key, "Grants": []map[string]any{{"PType": "User", "PrincipalId": made.Result, "Rights": "View,Execute"}},
	}, nil); err != nil {
		return nil, err
	}
	return a.form("Token", url.Values{"grant_type": {"client_credentials"}, "scope": {"read"}, "client_id": {name}, "client_secret": {adminPassword}}), nil
}

// codeFlow is an authorization and the exchange of its code for an ID token and an opaque access token: one signature. refreshing is a
// rotation of both tokens of which none is signed.
func codeFlow(ctx context.Context, b *bench, w *world) (rows []row, err error) {
	s, err := addSite(ctx, w.app)
	if err != nil {
		return nil, err
	}
	for _, k := range []struct {
		alg string
		aim float64
	}{{"RS256", 800}, {"ES256", 1500}} {
		alg, aim := k.alg, k.aim
		a, err := s.client(ctx, w, strings.ToLower(alg), map[string]any{"TokenType": "Opaque", "SigningAlg": alg})
		if err != nil {
			return rows, err
		}
		limit, err := signatures(alg)
		if err != nil {
			return rows, err
		}
		some, err := b.against(w, "code flow, "+alg+" ID token", "bare "+alg, aim, limit,
			w.ask(ctx, func(_ int, c *load.Conn) error { _, err := a.code(c, "openid"); return err }))
		if rows = append(rows, some...); err != nil {
			return rows, err
		}
	}
	some, err := b.refreshing(ctx, w, s)
	return append(rows, some...), err
}

func (b *bench) refreshing(ctx context.Context, w *world, s *site) ([]row, error) {
	a, err := s.client(ctx, w, "refresh", map[string]any{"TokenType": "Opaque"})
	if err != nil {
		return nil, err
	}
	e, err := newEcho()
	if err != nil {
		return nil, err
	}
	defer e.Close()
	held := make([]string, callers[len(callers)-1])
	next := func(i int) []byte {
		return a.post("Token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {held[i]}})
	}
	ours := w.ask(ctx, func(i int, c *load.Conn) error {
		if held[i] == "" {
			t, err := a.code(c, "read")
			held[i] = t.Refresh
			return err
		}
		t, err := give(c, next(i))
		held[i] = t.Refresh
		if err == nil && t.Refresh == "" {
			err = errors.New("no refresh token came")
		}
		return err
	})
	return b.against(w, "refresh, opaque", "net/http echo", 0, e.bareEcho(ctx, next(0)), ours)
}

// looking is introspection and UserInfo of a person's access token, signed or stored.
func looking(ctx context.Context, b *bench, w *world) (rows []row, err error) {
	s, err := addSite(ctx, w.app)
	if err != nil {
		return nil, err
	}
	e, err := newEcho()
	if err != nil {
		return nil, err
	}
	defer e.Close()
	c, err := load.Dial(ctx, w.addr)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	for _, k := range []struct {
		name, kind string
		aim        float64
	}{{"opaque", "Opaque", 40_000}, {"JWT", "JwtRS256", 0}} {
		a, err := s.client(ctx, w, strings.ToLower(k.name), map[string]any{"TokenType": k.kind})
		if err != nil {
			return rows, err
		}
		t, err := a.code(c, "openid")
		if err != nil {
			return rows, err
		}
		for _, r := range []struct {
			name    string
			request []byte
			aim     float64
		}{
			{"introspection", a.post("Introspect", url.Values{"token": {t.Access}}), k.aim},
			{"UserInfo", load.Get(a.host, "/OAuth2/UserInfo/"+a.service, "Authorization: Bearer "+t.Access), 0},
		} {
			some, err := b.against(w, r.name+", "+k.name, "net/http echo", r.aim, e.bareEcho(ctx, r.request), w.same(ctx, r.request))
			if rows = append(rows, some...); err != nil {
				return rows, err
			}
		}
	}
	return rows, nil
}

// documents are what clients configure themselves by.
func documents(ctx context.Context, b *bench, w *world) (rows []row, err error) {
	s, err := addSite(ctx, w.app)
	if err != nil {
		return nil, err
	}
	a, err := s.client(ctx, w, "wiki", nil)
	if err != nil {
		return nil, err
	}
	e, err := newEcho()
	if err != nil {
		return nil, err
	}
	defer e.Close()
	for _, d := range []struct{ name, path string }{{"discovery", "/wiki/.well-known/openid-configuration"}, {"JWKS", "/OAuth2/Keys/" + a.service}} {
		request := load.Get(a.host, d.path, "")
		some, err := b.against(w, d.name, "net/http echo", 100_000, e.bareEcho(ctx, request), w.same(ctx, request))
		if rows = append(rows, some...); err != nil {
			return rows, err
		}
	}
	return rows, nil
}
