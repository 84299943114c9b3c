package oauth_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"limen/internal/core/oauth"
	"limen/internal/crypt"
)

const (
	exchanged = "grant_type=" + oauth.ExchangeGrant + "&subject_token_type=" + oauth.AccessTokenType + "&subject_token="
	acting    = "&actor_token_type=" + oauth.AccessTokenType + "&actor_token="
)

// trade has the application api exchange tokens of web that are for svc@acme.
func (w *world) trade() {
	w.allow("api", oauth.ExchangeFlow)
	api, web := w.apps["api"], w.apps["web"]
	api.Profile.Opaque, api.Profile.Refresh = false, true
	api.Profile.Exchange = oauth.Exchanges{From: []string{"WEB", "api"}, Impersonation: true}
	web.Profile.Audience = "svc@acme"
	web.Profile.Scopes = []oauth.Scope{{Name: "read"}, {Name: "more"}}
	w.apps["api"], w.apps["app-2"], w.apps["web"], w.apps["app-1"] = api, api, web, web
}

// subject is a token of Anna's for the client of web, with a scope.
func (w *world) subject(scope string) oauth.Granted {
	w.t.Helper()
	r, err := w.reply(strings.Replace(ask, "openid+email", scope, 1) + challenge())
	if err != nil {
		w.t.Fatal(err)
	}
	g, err := w.token("web", "", "grant_type=authorization_code&client_id=client-1&redirect_uri="+answer+"&code="+r.Code+"&code_verifier="+verify, "")
	if err != nil {
		w.t.Fatal(err)
	}
	return g
}

func (w *world) exchange(query string) (oauth.Granted, error) {
	return w.token("api", basic("svc@acme", "right"), exchanged+query, "")
}

func TestTokenExchange(t *testing.T) {
	each(t, func(w *world) {
		if _, err := w.exchange("x"); !errors.Is(err, oauth.ErrFlow) {
			w.t.Error("the application does not allow it:", err)
		}
		w.trade()
		s := w.subject("openid+read+more")
		g, err := w.exchange(s.Access)
		if err != nil || g.Refresh != "" || g.ID != "" || g.Scope.String() != "read" || g.Life != time.Hour {
			w.t.Fatalf("%+v %v", g, err)
		}
		k := claims(w.t, g.Access)
		if k["sub"] != anna || k["client_id"] != "svc@acme" || k["act"] != nil || k["aud"] != "svc@acme" {
			w.t.Error("impersonation:", k)
		}
		m, err := w.token("api", basic("svc@acme", "right"), "grant_type=client_credentials", "")
		if err != nil {
			w.t.Fatal(err)
		}
		if g, err = w.exchange(s.Access + acting + m.Access); err != nil {
			w.t.Fatal(err)
		}
		act, _ := claims(w.t, g.Access)["act"].(map[string]any)
		if act["sub"] != machine || act["client_id"] != "svc@acme" {
			w.t.Error("delegation:", act)
		}
		if l, err := w.look(g.Access); err != nil || l.Act["sub"] != machine || l.User != anna {
			w.t.Errorf("%+v %v", l, err)
		}
		again, err := w.exchange(g.Access + acting + m.Access) // what was exchanged, exchanged again
		if err != nil {
			w.t.Fatal(err)
		}
		act, _ = claims(w.t, again.Access)["act"].(map[string]any)
		if before, _ := act["act"].(map[string]any); before["sub"] != machine {
			w.t.Error("who acted before is lost:", act)
		}
		for name, bad := range map[string]struct{ query, want string }{
			"a wider scope":            {s.Access + "&scope=read+write", oauth.ErrScope.Code},
			"an ID token":              {s.Access + "&scope=openid", oauth.ErrScope.Code},
			"another audience":         {s.Access + "&audience=elsewhere", oauth.ErrTarget.Code},
			"another resource":         {s.Access + "&resource=https://else.example.com/", oauth.ErrTarget.Code},
			"a refresh token":          {s.Refresh, oauth.ErrRequest.Code},
			"an ID token as a subject": {s.ID, oauth.ErrRequest.Code},
			"no token":                 {"", oauth.ErrRequest.Code},
			"another type wanted":      {s.Access + "&requested_token_type=urn:ietf:params:oauth:token-type:id_token", oauth.ErrRequest.Code},
			"a person's own actor":     {s.Access + acting + s.Access, oauth.ErrRequest.Code},
			"an actor's type alone":    {s.Access + "&actor_token_type=" + oauth.AccessTokenType, oauth.ErrRequest.Code},
			"about nobody":             {"x.y.z", oauth.ErrRequest.Code},
		} {
			if _, err := w.exchange(bad.query); code(err) != bad.want {
				w.t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := w.exchange(s.Access + "&audience=svc@acme"); err != nil {
			w.t.Error("its own audience:", err)
		}
		a := w.apps["api"]
		a.Profile.Exchange.Impersonation = false
		w.apps["api"] = a
		if _, err := w.exchange(s.Access); code(err) != oauth.ErrRequest.Code {
			w.t.Error("impersonation that is not allowed:", err)
		}
	})
}

// A token that was meant for somebody else, or is of an application that is not named, is worth nothing to whoever has got hold of it.
func TestExchangeConfusedDeputy(t *testing.T) {
	each(t, func(w *world) {
		w.trade()
		web := w.apps["web"]
		web.Profile.Audience = "https://other.example.com/"
		w.apps["web"], w.apps["app-1"] = web, web
		s := w.subject("openid+read")
		if _, err := w.exchange(s.Access); code(err) != oauth.ErrRequest.Code {
			w.t.Error("a token for somebody else:", err)
		}
		web.Profile.Audience = "svc@acme"
		w.apps["web"], w.apps["app-1"] = web, web
		s = w.subject("openid+read")
		for name, change := range map[string]func(a *oauth.App){
			"not named":         func(a *oauth.App) { a.Profile.Exchange.From = []string{"another"} },
			"nobody is named":   func(a *oauth.App) { a.Profile.Exchange.From = nil },
			"the flow is off":   func(a *oauth.App) { a.Profile.Flows = []oauth.Flow{oauth.Credentials} },
			"closed in between": func(a *oauth.App) { a.Active = false },
		} {
			was := w.apps["api"]
			a := was
			change(&a)
			w.apps["api"] = a
			if _, err := w.exchange(s.Access); err == nil {
				w.t.Error("exchanged, though", name)
			}
			w.apps["api"] = was
		}
		w.may = false
		if _, err := w.exchange(s.Access); err == nil {
			w.t.Error("the person may not use the application:", err)
		}
		w.may = true
		if _, err := w.token("api", "", "client_id=svc@acme&"+exchanged+s.Access, ""); !errors.Is(err, oauth.ErrClient) {
			w.t.Error("a client that does not prove itself:", err)
		}
		if _, err := w.exchange(s.Access); err != nil {
			w.t.Error("all as it should be:", err)
		}
	})
}

// What was exchanged ends with what it was given for, however that ends.
func TestExchangedEndsWithSubject(t *testing.T) {
	each(t, func(w *world) {
		w.trade()
		for name, end := range map[string]func(l oauth.Live, token string) error{
			"its authorization": func(l oauth.Live, _ string) error {
				return w.in(func(ctx context.Context) error { return w.s.End(ctx, w.c, l.Granted, oauth.Revoked) })
			},
			"it was revoked": func(_ oauth.Live, token string) error {
				return w.in(func(ctx context.Context) error {
					_, err := w.s.Revoke(ctx, w.c, oauth.Client{Registration: oauth.Registration{ID: "client-1"}}, token)
					return err
				})
			},
			"its time": func(oauth.Live, string) error { w.c.Now = w.c.Now.Add(time.Hour); return nil },
		} {
			s := w.subject("openid+read")
			first, err := w.exchange(s.Access)
			if err != nil {
				w.t.Fatal(err)
			}
			second, err := w.exchange(first.Access)
			if err != nil {
				w.t.Fatal(err)
			}
			l, err := w.look(s.Access)
			if err != nil {
				w.t.Fatal(err)
			}
			if err := end(l, s.Access); err != nil {
				w.t.Fatal(err)
			}
			for _, token := range []string{first.Access, second.Access} {
				if _, err := w.look(token); !errors.Is(err, oauth.ErrToken) {
					w.t.Errorf("lives on after the end of %s: %v", name, err)
				}
			}
		}
	})
}

// A subject_token that says who may act is honoured to the letter.
func TestMayAct(t *testing.T) {
	each(t, func(w *world) {
		w.trade()
		s := w.subject("openid+read")
		made := claims(w.t, s.Access)
		with := func(may any) string {
			k := maps.Clone(made)
			k["may_act"] = may
			jwt, err := w.s.Signers.Sign(w.t.Context(), w.c.Tenant.ID, crypt.ES256, oauth.AccessType, k)
			if err != nil {
				w.t.Fatal(err)
			}
			return jwt
		}
		m, err := w.token("api", basic("svc@acme", "right"), "grant_type=client_credentials", "")
		if err != nil {
			w.t.Fatal(err)
		}
		for name, c := range map[string]struct {
			may  any
			more string
			ok   bool
		}{
			"the client":         {map[string]any{"client_id": "svc@acme"}, "", true},
			"the client's user":  {map[string]any{"sub": machine}, "", true},
			"the actor":          {map[string]any{"sub": machine, "iss": "https://id.acme.test/api/"}, acting + m.Access, true},
			"another":            {map[string]any{"sub": anna}, "", false},
			"another by issuer":  {map[string]any{"sub": machine, "iss": "https://else.example.com/"}, acting + m.Access, false},
			"what is not known":  {map[string]any{"sub": machine, "group": "x"}, "", false},
			"nobody":             {map[string]any{}, "", false},
			"no text":            {map[string]any{"sub": 1}, "", false},
			"nobody of the kind": {map[string]any{"iss": "https://id.acme.test/api/"}, "", false},
		} {
			if _, err := w.exchange(with(c.may) + c.more); (err == nil) != c.ok {
				w.t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// A token bound to a key is exchanged by who has the key.
func TestExchangeOfBound(t *testing.T) {
	each(t, func(w *world) {
		w.trade()
		m, err := w.token("api", basic("svc@acme", "right"), "grant_type=client_credentials&scope=read", "thumb")
		if err != nil {
			w.t.Fatal(err)
		}
		if _, err := w.exchange(m.Access); code(err) != oauth.ErrRequest.Code {
			w.t.Error("without the key:", err)
		}
		if g, err := w.token("api", basic("svc@acme", "right"), exchanged+m.Access, "thumb"); err != nil || g.Type != "DPoP" {
			w.t.Error(g.Type, err)
		}
	})
}
