package oauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/oauth"
	"limen/internal/core/session"
	"limen/internal/fault"
	wire "limen/internal/wire/oauth"
)

// A level that a PolicyScript wants is asked for, and whoever cannot show it gets nothing.
func TestPolicyScriptLevel(t *testing.T) {
	each(t, func(w *world) {
		demand := oauth.Demand{Strong: true}
		asked := 0
		w.s.ScriptPolicy = func(context.Context, *call.Call, oauth.App, string, bool, time.Time) (oauth.Demand, error) {
			asked++
			return demand, nil
		}
		a := w.apps["web"]
		a.Ruled, a.Scripts.Policy = true, "some"
		w.apps["web"] = a
		next := func(level, query string, foreseen bool) (oauth.Next, error) {
			w.c.ID = t.Name() + level + query
			w.c.Caller = &call.Caller{User: anna, Level: level, Proved: w.c.Now}
			if foreseen {
				w.s.ForeseePolicy(t.Context(), w.c, a)
			}
			var out oauth.Next
			err := w.in(func(ctx context.Context) error {
				r, err := w.s.Request(ctx, w.c, "web", oauth.Presented{Params: params(ask + challenge() + query)})
				if err != nil {
					return err
				}
				by := oauth.SignedIn{Person: w.people[anna], Session: "s1", Level: level, Proved: w.c.Now}
				out, err = w.s.Next(ctx, w.c, r, &by, false)
				return err
			})
			return out, err
		}
		if n, err := next(session.Normal, "", true); err != nil || n != oauth.Raise {
			t.Error("a weak session:", n, err)
		}
		if _, err := next(session.Normal, "&prompt=none", true); !errors.Is(err, oauth.ErrUnmet) {
			t.Error("a weak session that must not be asked:", err)
		}
		if n, err := next(session.High, "", true); err != nil || n != oauth.Answer {
			t.Error("a strong session:", n, err)
		}
		if _, err := next(session.High, "&state=x", false); !errors.Is(err, oauth.ErrScript) || asked != 3 {
			t.Error("a script that was not asked decides:", err, asked)
		}
		demand = oauth.Demand{Refused: true, Reason: "Not today."}
		if _, err := next(session.High, "&state=y", true); !errors.Is(err, oauth.ErrDenied) || fault.Of(err).Public != "Not today." {
			t.Error("a script that refuses:", err)
		}
	})
}

// What the child process says is not believed where a claim is the server's own; and what was said for one request, person, client or scope
// is nobody else's.
func TestClaimsOfScripts(t *testing.T) {
	each(t, func(w *world) {
		w.s.ScriptClaims = func(_ context.Context, _ *call.Call, _ oauth.App, client, person string, scope wire.Scope) (map[string]json.RawMessage, error) {
			return map[string]json.RawMessage{
				"sub": json.RawMessage(`"root"`), "scope": json.RawMessage(`"all"`), "cnf": json.RawMessage(`{}`), "aud": json.RawMessage(`"x"`),
				"for": json.RawMessage(`"` + person + " " + client + " " + scope.String() + `"`), "email": json.RawMessage(`"anna@example.com"`),
			}, nil
		}
		a := w.apps["web"]
		a.Scripts.Claims = "some"
		w.apps["web"] = a
		w.c.ID = "request-1"
		r, err := w.reply(ask + challenge())
		if err != nil {
			t.Fatal(err)
		}
		g, err := w.token("web", basic("client-1", "s3cret"), "grant_type=authorization_code&code="+r.Code+"&redirect_uri="+answer+"&code_verifier="+verify, "")
		if err != nil {
			t.Fatal(err)
		}
		for name, jwt := range map[string]string{"id": g.ID, "access": g.Access} {
			k := claims(t, jwt)
			if k["sub"] != anna || k["cnf"] != nil || k["aud"] != "client-1" || k["for"] != anna+" client-1 openid email" {
				t.Errorf("%s: %v", name, k)
			}
		}
		if claims(t, g.ID)["email_verified"] != true {
			t.Error("an address that the script left as it is counts as not verified")
		}
		for _, query := range []string{"&scope=openid", ""} {
			w.c.ID = "refresh" + query
			next, err := w.token("web", basic("client-1", "s3cret"), "grant_type=refresh_token&refresh_token="+g.Refresh+query, "")
			if err != nil {
				t.Fatal(err)
			}
			want := anna + " client-1 openid email"
			if query != "" {
				want = anna + " client-1 openid"
			}
			if got := claims(t, next.ID)["for"]; got != want {
				t.Errorf("%s: for %v, not %s", query, got, want)
			}
			g = next
		}
		w.s.ScriptClaims = nil
		w.c.ID = "without"
		if _, err := w.token("web", basic("client-1", "s3cret"), "grant_type=refresh_token&refresh_token="+g.Refresh, ""); !errors.Is(err, oauth.ErrScript) {
			t.Error("tokens without the claims of a script:", err)
		}
	})
}
