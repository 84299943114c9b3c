package oauth_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/key"
	"limen/internal/core/oauth"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
	"limen/internal/fault"
	wire "limen/internal/wire/oauth"
)

// world is a tenant with one person, one service user and some applications.
type world struct {
	t      *testing.T
	db     *dbx.DB
	s      *oauth.Server
	c      *call.Call
	apps   map[string]oauth.App
	people map[string]oauth.Person
	may    bool
}

const (
	anna    = "0190a000-0000-7000-8000-00000000000a"
	machine = "0190a000-0000-7000-8000-00000000000b"
	verify  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	answer  = "https://app.example.com/cb"
)

func each(t *testing.T, f func(w *world)) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		keys := key.Keys{DB: db}
		master, err := crypt.NewMaster(bytes.Repeat([]byte{1}, 32))
		if err != nil {
			t.Fatal(err)
		}
		ring := &crypt.Ring{Master: master, Load: keys.Seals, Store: keys.AddSeal, Now: time.Now}
		w := &world{
			t: t, db: db, may: true, apps: map[string]oauth.App{},
			c: &call.Call{Tenant: call.Tenant{ID: "OA" + rand.Text()[:8], Host: "id.acme.test"}, Now: time.Now().Truncate(time.Second), Rand: rand.Reader, Event: &call.Event{}},
			people: map[string]oauth.Person{
				anna:    {ID: anna, Name: "anna@acme", Claims: oauth.Claims{Name: "Anna Low", GivenName: "Anna", FamilyName: "Low", Email: "anna@example.com", EmailVerified: true}},
				machine: {ID: machine, Name: "svc@acme", Service: true},
			},
		}
		w.c.Snapshot = func(ctx context.Context, f func() error) error {
			if w.c.Tx != nil {
				return f()
			}
			return db.Read(ctx, func(tx *dbx.Tx) error {
				w.c.Tx = tx
				defer func() { w.c.Tx = nil }()
				return f()
			})
		}
		w.s = &oauth.Server{
			Signers: &crypt.Signers{Ring: ring, Load: keys.Signs, Store: keys.SetSigns, Now: time.Now}, Alg: crypt.ES256, Ring: ring,
			App: func(_ context.Context, _ *call.Call, service string) (oauth.App, error) {
				for name, a := range w.apps {
					if service == name || service == a.ID {
						return a, nil
					}
				}
				return oauth.App{}, oauth.ErrUnknownApp
			},
			Person: func(_ context.Context, _ *call.Call, id string) (oauth.Person, error) {
				if p, ok := w.people[id]; ok {
					return p, nil
				}
				return oauth.Person{}, fault.New(fault.NotFound, "user.not_found", "none")
			},
			May: func(context.Context, *call.Call, string, oauth.App) (bool, error) { return w.may, nil },
			Service: func(_ context.Context, _ *call.Call, name, secret string) (string, error) {
				if name == "svc@acme" && secret == "right" {
					return machine, nil
				}
				return "", nil
			},
		}
		if err := w.s.Ensure(t.Context(), w.c); err != nil {
			t.Fatal(err)
		}
		secret, err := w.s.SealSecret(t.Context(), w.c, "app-1", "s3cret")
		if err != nil {
			t.Fatal(err)
		}
		w.apps["web"] = oauth.App{ID: "app-1", Service: "web", Name: "Web", Active: true, Profile: oauth.Profile{
			OpenID: true, ClientID: "client-1", Secret: secret, Redirects: wire.Redirects{answer}, Refresh: true, Public: true,
			Flows: []oauth.Flow{oauth.CodeFlow, oauth.Implicit}, Life: time.Hour,
		}}
		w.apps["api"] = oauth.App{ID: "app-2", Service: "api", Name: "API", Active: true, Profile: oauth.Profile{
			Clients: oauth.Confidential, Flows: []oauth.Flow{oauth.Credentials}, Opaque: true, Scopes: []oauth.Scope{{Name: "read"}, {Name: "write"}},
		}}
		f(w)
	})
}

func (w *world) in(f func(ctx context.Context) error) error {
	var out error
	err := w.db.Write(w.t.Context(), func(tx *dbx.Tx) error {
		w.c.Tx = tx
		defer func() { w.c.Tx = nil }()
		out = f(w.t.Context())
		var again *oauth.ReplayError
		if errors.As(out, &again) {
			return nil // committed, as the surface does
		}
		return out
	})
	if out == nil {
		out = err
	}
	return out
}

func params(query string) wire.Params {
	v, err := url.ParseQuery(query)
	if err != nil {
		panic(err)
	}
	p, err := wire.Read(v)
	if err != nil {
		panic(err)
	}
	return p
}

// code is the code of a fault; empty when there is none.
func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.Of(err).Code
}

func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

// token asks for tokens, as the token endpoint does.
func (w *world) token(app, header, query, key string) (oauth.Granted, error) {
	ask, err := w.s.Prepare(w.t.Context(), w.c, app, header, params(query), key)
	if err != nil {
		return oauth.Granted{}, err
	}
	var g oauth.Granted
	if err := w.in(func(ctx context.Context) (err error) { g, err = w.s.Exchange(ctx, w.c, ask); return err }); err != nil {
		return g, err
	}
	return w.s.Sign(w.t.Context(), w.c, g)
}

func challenge() string {
	sum := sha256.Sum256([]byte(verify))
	return "&code_challenge_method=S256&code_challenge=" + base64.RawURLEncoding.EncodeToString(sum[:])
}

const ask = "client_id=client-1&redirect_uri=" + answer + "&response_type=code&scope=openid+email&nonce=n1"

// reply has Anna answer an authorization request.
func (w *world) reply(query string) (oauth.Reply, error) {
	var out oauth.Reply
	err := w.in(func(ctx context.Context) error {
		r, err := w.s.Request(ctx, w.c, "web", oauth.Presented{Params: params(query)})
		if err != nil {
			return err
		}
		by := oauth.SignedIn{Person: w.people[anna], Session: "s1", Level: "High", Proved: w.c.Now, Factors: []string{"pwd", "otp"}}
		if next, err := w.s.Next(ctx, w.c, r, &by, false); err != nil || next != oauth.Answer {
			return errors.Join(errors.New("next is "+string(next)), err)
		}
		out, err = w.s.Reply(ctx, w.c, r, by)
		return err
	})
	return out, err
}

func (w *world) look(token string) (oauth.Live, error) {
	var l oauth.Live
	err := w.in(func(ctx context.Context) (err error) { l, err = w.s.Look(ctx, w.c, token); return err })
	return l, err
}

func claims(t *testing.T, jwt string) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(jwt, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestCode(t *testing.T) {
	each(t, func(w *world) {
		r, err := w.reply(ask + challenge())
		if err != nil {
			w.t.Fatal(err)
		}
		exchange := "grant_type=authorization_code&client_id=client-1&redirect_uri=" + answer + "&code=" + r.Code + "&code_verifier="
		for name, bad := range map[string]struct{ header, query string }{
			"no verifier": {basic("client-1", "s3cret"), strings.TrimSuffix(exchange, "&code_verifier=")}, "another verifier": {"", exchange + strings.Repeat("x", 43)},
			"another redirect": {"", "grant_type=authorization_code&client_id=client-1&redirect_uri=https://app.example.com/other&code=" + r.Code + "&code_verifier=" + verify},
			"another code":     {"", "grant_type=authorization_code&client_id=client-1&redirect_uri=" + answer + "&code=x&code_verifier=" + verify},
		} {
			if _, err := w.token("web", bad.header, bad.query, ""); code(err) != oauth.ErrGrant.Code {
				w.t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := w.token("web", basic("client-1", "wrong"), exchange+verify, ""); !errors.Is(err, oauth.ErrClient) {
			w.t.Error("a wrong secret:", err)
		}
		got, err := w.token("web", "", exchange+verify, "")
		if err != nil || got.Refresh == "" || got.Life != time.Hour || got.Scope.String() != "openid email" {
			w.t.Fatalf("%+v %v", got, err)
		}
		id := claims(w.t, got.ID)
		for name, want := range map[string]any{
			"iss": "https://id.acme.test/web/", "sub": anna, "aud": "client-1", "nonce": "n1", "email": "anna@example.com", "email_verified": true, "acr": "High",
			"at_hash": wire.HalfHash(crypt.ES256, got.Access), "sid": "s1", "unique_name": "anna@acme", "auth_time": float64(w.c.Now.Unix()),
		} {
			if id[name] != want {
				w.t.Errorf("%s is %v, want %v", name, id[name], want)
			}
		}
		if id["name"] != nil || id["phone_number"] != nil {
			w.t.Errorf("more than was asked for: %v", id)
		}
		l, err := w.look(got.Access)
		if err != nil || l.User != anna || l.Name != "anna@acme" || l.Client != "client-1" || l.Kind != "access" {
			w.t.Errorf("%+v %v", l, err)
		}
		if _, err := w.look(got.ID); !errors.Is(err, oauth.ErrToken) {
			w.t.Error("an ID token passes for an access token:", err)
		}
		// Somebody has a copy of the code: what came of it ends.
		if _, err := w.token("web", "", exchange+verify, ""); code(err) != oauth.ErrGrant.Code {
			w.t.Error(err)
		}
		for _, token := range []string{got.Access, got.Refresh} {
			if _, err := w.look(token); !errors.Is(err, oauth.ErrToken) {
				w.t.Error("lives on after its code was replayed:", err)
			}
		}
	})
}

func (w *world) tokens() oauth.Granted {
	w.t.Helper()
	r, err := w.reply(ask + challenge())
	if err != nil {
		w.t.Fatal(err)
	}
	g, err := w.token("web", "", "grant_type=authorization_code&client_id=client-1&redirect_uri="+answer+"&code="+r.Code+"&code_verifier="+verify, "")
	if err != nil {
		w.t.Fatal(err)
	}
	return g
}

func TestCodeExpires(t *testing.T) {
	each(t, func(w *world) {
		r, err := w.reply(ask + challenge())
		if err != nil {
			w.t.Fatal(err)
		}
		w.c.Now = w.c.Now.Add(time.Minute)
		if _, err := w.token("web", "", "grant_type=authorization_code&client_id=client-1&redirect_uri="+answer+"&code="+r.Code+"&code_verifier="+verify, ""); !errors.Is(err, oauth.ErrGrant) {
			w.t.Error(err)
		}
	})
}

func TestRefresh(t *testing.T) {
	each(t, func(w *world) {
		first := w.tokens()
		again := func(token, more string) (oauth.Granted, error) {
			return w.token("web", "", "grant_type=refresh_token&client_id=client-1&refresh_token="+token+more, "")
		}
		if _, err := again(first.Refresh, "&scope=openid+profile"); !errors.Is(err, oauth.ErrScope) {
			w.t.Error("the scope grew:", err)
		}
		second, err := again(first.Refresh, "&scope=openid")
		if err != nil || second.Refresh == "" || second.Refresh == first.Refresh || second.Scope.String() != "openid" || second.ID == "" {
			w.t.Fatalf("%+v %v", second, err)
		}
		third, err := again(second.Refresh, "")
		if err != nil || third.Scope.String() != "openid email" {
			w.t.Fatalf("%+v %v", third, err)
		}
		if _, err := again(second.Refresh, ""); code(err) != oauth.ErrGrant.Code {
			w.t.Error("used twice:", err)
		}
		if _, err := again(third.Refresh, ""); !errors.Is(err, oauth.ErrGrant) {
			w.t.Error("lives on after another of its family was used twice:", err)
		}
		for name, change := range map[string]func(){
			"barred":  func() { p := w.people[anna]; p.Barred = true; w.people[anna] = p },
			"may not": func() { w.may = false },
			"gone":    func() { delete(w.people, anna) },
		} {
			was := w.people[anna]
			token := w.tokens().Refresh
			change()
			if _, err := again(token, ""); err == nil {
				w.t.Error("somebody who is "+name, err)
			}
			w.people[anna], w.may = was, true
		}
	})
}

func TestCredentials(t *testing.T) {
	each(t, func(w *world) {
		const want = "grant_type=client_credentials&scope=read"
		g, err := w.token("api", basic("svc@acme", "right"), want, "")
		if err != nil || g.Refresh != "" || g.ID != "" || g.Type != "Bearer" || g.Life != 5*time.Hour {
			w.t.Fatalf("%+v %v", g, err)
		}
		l, err := w.look(g.Access)
		if err != nil || l.User != machine || l.Name != "svc@acme" || l.Scope.String() != "read" || l.App != "app-2" {
			w.t.Errorf("%+v %v", l, err)
		}
		bound, err := w.token("api", basic("svc@acme", "right"), want, "thumb")
		if err != nil || bound.Type != "DPoP" {
			w.t.Fatal(bound, err)
		}
		if l, err := w.look(bound.Access); err != nil || l.Key != "thumb" {
			w.t.Error(l, err)
		}
		for name, bad := range map[string]struct {
			app, header, query string
			want               *fault.Error
		}{
			"wrong secret":   {"api", basic("svc@acme", "wrong"), want, oauth.ErrClient},
			"no secret":      {"api", "", want + "&client_id=svc@acme", oauth.ErrClient},
			"nobody":         {"api", "", want, oauth.ErrClient},
			"unknown scope":  {"api", basic("svc@acme", "right"), "grant_type=client_credentials&scope=admin", oauth.ErrScope},
			"unknown app":    {"none", basic("svc@acme", "right"), want, oauth.ErrUnknownApp},
			"unknown type":   {"api", basic("svc@acme", "right"), "grant_type=x", oauth.ErrGrantType},
			"no type":        {"api", basic("svc@acme", "right"), "", oauth.ErrRequest},
			"not allowed":    {"web", basic("client-1", "s3cret"), "grant_type=client_credentials", oauth.ErrFlow},
			"other's secret": {"web", basic("client-1", "right"), "grant_type=refresh_token&refresh_token=x", oauth.ErrClient},
		} {
			if _, err := w.token(bad.app, bad.header, bad.query, ""); code(err) != bad.want.Code {
				w.t.Errorf("%s: %v, want %v", name, err, bad.want)
			}
		}
		w.c.Now = w.c.Now.Add(5 * time.Hour)
		if _, err := w.look(g.Access); !errors.Is(err, oauth.ErrToken) {
			w.t.Error("an expired token:", err)
		}
	})
}

func TestRevoke(t *testing.T) {
	each(t, func(w *world) {
		revoke := func(client oauth.Client, token string) {
			w.t.Helper()
			if err := w.in(func(ctx context.Context) error { _, err := w.s.Revoke(ctx, w.c, client, token); return err }); err != nil {
				w.t.Fatal(err)
			}
		}
		lives := func(token string) bool { _, err := w.look(token); return err == nil }
		a, b := w.tokens(), w.tokens()
		revoke(oauth.Client{Registration: oauth.Registration{ID: "another"}}, a.Access)
		revoke(oauth.Client{Registration: oauth.Registration{ID: "client-1"}}, "no token")
		if !lives(a.Access) {
			w.t.Error("another client revoked it")
		}
		revoke(oauth.Client{Registration: oauth.Registration{ID: "client-1"}}, a.Access)
		if lives(a.Access) || !lives(a.Refresh) || !lives(b.Access) {
			w.t.Error("revoking one signed token")
		}
		revoke(oauth.Client{Registration: oauth.Registration{ID: "client-1"}}, b.Refresh)
		if lives(b.Access) || lives(b.Refresh) || !lives(a.Refresh) {
			w.t.Error("revoking a refresh token")
		}
		g, err := w.token("api", basic("svc@acme", "right"), "grant_type=client_credentials", "")
		if err != nil {
			w.t.Fatal(err)
		}
		revoke(oauth.Client{Registration: oauth.Registration{ID: "svc@acme"}}, g.Access)
		if lives(g.Access) {
			w.t.Error("revoking an opaque token")
		}
		if err := w.in(func(ctx context.Context) error { return w.s.EndOfPerson(ctx, w.c, anna) }); err != nil || lives(a.Refresh) {
			w.t.Error("everything of a person", err)
		}
		if err := w.s.Sweep(w.t.Context(), w.db, time.Unix(0, 0)); err != nil {
			w.t.Error(err)
		}
	})
}

// An application with rules that nobody can decide gives tokens to nobody.
func TestGuarded(t *testing.T) {
	each(t, func(w *world) {
		for name, a := range w.apps {
			a.Guarded = true
			w.apps[name] = a
		}
		if _, err := w.reply(ask + challenge()); !errors.Is(err, oauth.ErrGuarded) {
			w.t.Error("a person:", err)
		}
		if _, err := w.token("api", basic("svc@acme", "right"), "grant_type=client_credentials", ""); !errors.Is(err, oauth.ErrGuarded) {
			w.t.Error("a service user:", err)
		}
		a := w.apps["web"]
		a.Profile.Flows = append(a.Profile.Flows, oauth.Credentials)
		w.apps["web"] = a
		if _, err := w.token("web", basic("client-1", "s3cret"), "grant_type=client_credentials", ""); !errors.Is(err, oauth.ErrGuarded) {
			w.t.Error("its own client:", err)
		}
	})
}
