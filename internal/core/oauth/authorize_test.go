package oauth_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"limen/internal/core/oauth"
	"limen/internal/crypt"
	"limen/internal/fault"
	wire "limen/internal/wire/oauth"
)

func TestRequests(t *testing.T) {
	each(t, func(w *world) {
		for name, x := range map[string]struct {
			query   string
			trusted bool
			code    wire.Code
		}{
			"good":                     {ask + challenge(), true, ""},
			"another redirect":         {"client_id=client-1&redirect_uri=https://evil.example/&response_type=code", false, wire.InvalidRequest},
			"no challenge":             {ask, true, wire.InvalidRequest},
			"plain challenge":          {ask + "&code_challenge=" + verify, true, wire.InvalidRequest},
			"another client":           {"client_id=other&redirect_uri=" + answer + "&response_type=code", true, wire.InvalidClient},
			"unknown scope":            {strings.Replace(ask, "email", "admin", 1) + challenge(), true, wire.InvalidScope},
			"unknown type":             {"client_id=client-1&redirect_uri=" + answer + "&response_type=x", true, wire.UnsupportedResponseType},
			"another redirect, broken": {"client_id=client-1&redirect_uri=https://evil.example/&response_type=x", false, wire.InvalidRequest},
		} {
			_, err := w.s.Request(w.t.Context(), w.c, "web", oauth.Presented{Params: params(x.query)})
			var untrusted *oauth.UntrustedError
			if errors.As(err, &untrusted) == x.trusted {
				w.t.Errorf("%s: %v", name, err)
			}
			if got := strings.TrimPrefix(code(err), oauth.Prefix); x.code == "" && err != nil || x.code != "" && got != string(x.code) {
				w.t.Errorf("%s: %v, want %s", name, err, x.code)
			}
		}
		a := w.apps["web"]
		a.Profile.Flows = []oauth.Flow{oauth.CodeFlow}
		w.apps["web"] = a
		if _, err := w.s.Request(w.t.Context(), w.c, "web", oauth.Presented{Params: params(strings.Replace(ask, "response_type=code", "response_type=id_token", 1))}); err == nil {
			w.t.Error("the implicit flow is not allowed")
		}
	})
}

// What one client was given is worth nothing to another, of the same application or of another one.
func TestAnotherClient(t *testing.T) {
	each(t, func(w *world) {
		a := w.apps["web"]
		a.Profile.ClientID, a.Profile.Secret, a.Profile.Clients = "", "", oauth.AnyClient
		w.apps["web"] = a
		other := a
		other.ID, other.Service = "app-3", "other"
		w.apps["other"] = other
		r, err := w.reply(ask + challenge())
		if err != nil {
			w.t.Fatal(err)
		}
		exchange := "grant_type=authorization_code&redirect_uri=" + answer + "&code=" + r.Code + "&code_verifier=" + verify + "&client_id="
		refresh := "grant_type=refresh_token&refresh_token="
		for _, x := range [][2]string{{"web", "client-2"}, {"other", "client-1"}} {
			if _, err := w.token(x[0], "", exchange+x[1], ""); !errors.Is(err, oauth.ErrGrant) {
				w.t.Error("the code of another client", x, err)
			}
		}
		g, err := w.token("web", "", exchange+"client-1", "")
		if err != nil {
			w.t.Fatal("another client's try ended it:", err)
		}
		for _, x := range [][2]string{{"web", "client-2"}, {"other", "client-1"}} {
			if _, err := w.token(x[0], "", refresh+g.Refresh+"&client_id="+x[1], ""); !errors.Is(err, oauth.ErrGrant) {
				w.t.Error("the refresh token of another client", x, err)
			}
		}
		if _, err := w.token("web", "", refresh+g.Refresh+"&client_id=client-1", "thumb"); err != nil {
			w.t.Fatal("another client's try ended it:", err)
		}
	})
}

// A public client's refresh token is bound to its key, and so is a code whose request named one.
func TestBound(t *testing.T) {
	each(t, func(w *world) {
		key := strings.Repeat("k", 43)
		r, err := w.reply(ask + challenge() + "&dpop_jkt=" + key)
		if err != nil {
			w.t.Fatal(err)
		}
		exchange := "grant_type=authorization_code&client_id=client-1&redirect_uri=" + answer + "&code=" + r.Code + "&code_verifier=" + verify
		for _, wrong := range []string{"", strings.Repeat("x", 43)} {
			if _, err := w.token("web", "", exchange, wrong); !errors.Is(err, oauth.ErrProof) {
				w.t.Error(err)
			}
		}
		g, err := w.token("web", "", exchange, key)
		if err != nil || g.Type != "DPoP" {
			w.t.Fatal(g, err)
		}
		if l, err := w.look(g.Access); err != nil || l.Key != key {
			w.t.Error(l, err)
		}
		if _, err := w.token("web", "", "grant_type=refresh_token&client_id=client-1&refresh_token="+g.Refresh, ""); !errors.Is(err, oauth.ErrGrant) {
			w.t.Error("refreshed without the key:", err)
		}
		if again, err := w.token("web", "", "grant_type=refresh_token&client_id=client-1&refresh_token="+g.Refresh, key); err != nil || again.Type != "DPoP" {
			w.t.Error(again, err)
		}
	})
}

func TestConsent(t *testing.T) {
	each(t, func(w *world) {
		a := w.apps["web"]
		a.Profile.Consent = true
		w.apps["web"] = a
		by := &oauth.SignedIn{Person: w.people[anna], Proved: w.c.Now}
		next := func(query string, by *oauth.SignedIn, again bool) (oauth.Next, error) {
			var n oauth.Next
			err := w.in(func(ctx context.Context) error {
				r, err := w.s.Request(ctx, w.c, "web", oauth.Presented{Params: params(query + challenge())})
				if err != nil {
					return err
				}
				n, err = w.s.Next(ctx, w.c, r, by, again)
				return err
			})
			return n, err
		}
		check := func(what string, query string, by *oauth.SignedIn, again bool, want oauth.Next, refusal wire.Code) {
			w.t.Helper()
			got, err := next(query, by, again)
			if is := strings.TrimPrefix(code(err), oauth.Prefix); refusal != "" && is != string(refusal) || refusal == "" && (err != nil || got != want) {
				w.t.Errorf("%s: %q %v, want %q %s", what, got, err, want, refusal)
			}
		}
		check("nobody", ask, nil, false, oauth.SignIn, "")
		check("nobody, silently", ask+"&prompt=none", nil, false, "", wire.LoginRequired)
		check("new sign-in wanted", ask+"&prompt=login", by, false, oauth.SignIn, "")
		check("and done", ask+"&prompt=login", by, true, oauth.Consent, "")
		check("too old", ask+"&max_age=60", &oauth.SignedIn{Person: w.people[anna], Proved: w.c.Now.Add(-2 * time.Minute)}, false, oauth.SignIn, "")
		check("silently", ask+"&prompt=none", by, false, "", wire.ConsentRequired)
		agree := func() error {
			return w.in(func(ctx context.Context) error {
				r, err := w.s.Request(ctx, w.c, "web", oauth.Presented{Params: params(ask + challenge())})
				if err != nil {
					return err
				}
				return w.s.Agree(ctx, w.c, r, anna, wire.Scope{"openid", "email"})
			})
		}
		if err := agree(); err != nil {
			w.t.Fatal(err)
		}
		check("agreed", ask, by, false, oauth.Answer, "")
		check("asked again", ask+"&prompt=consent", by, false, oauth.Consent, "")
		check("more", strings.Replace(ask, "email", "profile", 1), by, false, oauth.Consent, "")
		token := w.tokens().Refresh
		if err := w.in(func(ctx context.Context) error { return w.s.Disagree(ctx, w.c, anna, "app-1", "client-1") }); err != nil {
			w.t.Fatal(err)
		}
		check("taken back", ask, by, false, oauth.Consent, "")
		if _, err := w.look(token); !errors.Is(err, oauth.ErrToken) {
			w.t.Error("what was allowed lives on:", err)
		}
		w.may = false
		check("may not", ask, by, false, "", wire.AccessDenied)
	})
}

// An ID token from the authorization endpoint wants a nonce, but where service users' programs get it.
func TestNonceIsRequired(t *testing.T) {
	each(t, func(w *world) {
		bare := strings.Replace(ask, "&nonce=n1", "", 1)
		for kind, want := range map[string]string{"code": "", "id_token": "oauth.invalid_request", "id_token+token": "oauth.invalid_request", "code+id_token": "oauth.invalid_request", "code+token": ""} {
			_, err := w.present(strings.Replace(bare, "response_type=code", "response_type="+kind, 1) + challenge())
			if code(err) != want {
				w.t.Errorf("%s: %v", kind, err)
			}
		}
		w.change(func(a *oauth.App) { a.Profile.IDBearer = true })
		if _, err := w.present(strings.Replace(bare, "response_type=code", "response_type=id_token", 1)); err != nil {
			w.t.Error(err)
		}
	})
}

func TestImplicit(t *testing.T) {
	each(t, func(w *world) {
		r, err := w.reply(strings.Replace(ask, "response_type=code", "response_type=id_token", 1))
		if err != nil || r.Code != "" || !r.Tokens {
			w.t.Fatalf("%+v %v", r, err)
		}
		g, err := w.s.Sign(w.t.Context(), w.c, r.Granted)
		if err != nil || g.Access != "" || g.ID == "" || claims(w.t, g.ID)["at_hash"] != nil {
			w.t.Errorf("%+v %v", g, err)
		}
		r, err = w.reply(strings.Replace(ask, "response_type=code", "response_type=code+id_token+token", 1) + challenge())
		if err != nil {
			w.t.Fatal(err)
		}
		g, err = w.s.Sign(w.t.Context(), w.c, r.Granted)
		if err != nil || g.Access == "" || g.Refresh != "" || claims(w.t, g.ID)["c_hash"] != wire.HalfHash(crypt.ES256, r.Code) {
			w.t.Errorf("%+v %v", g, err)
		}
	})
}

func TestUserInfo(t *testing.T) {
	each(t, func(w *world) {
		l, err := w.look(w.tokens().Access)
		if err != nil {
			w.t.Fatal(err)
		}
		var info oauth.Info
		if err := w.in(func(ctx context.Context) (err error) {
			info, err = w.s.UserInfo(ctx, w.c, w.apps["web"], l)
			return err
		}); err != nil {
			w.t.Fatal(err)
		}
		got := info.Claims
		if got["sub"] != anna || got["email"] != "anna@example.com" || got["name"] != nil || got["aud"] != "client-1" {
			w.t.Error(got)
		}
		l.Scope = wire.Scope{"email"}
		if _, err := w.s.UserInfo(w.t.Context(), w.c, w.apps["web"], l); fault.Of(err).Kind != fault.Denied {
			w.t.Error(err)
		}
	})
}
