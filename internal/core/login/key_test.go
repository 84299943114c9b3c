package login_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/factor/passkey"
	"limen/internal/core/factor/passkey/passkeytest"
	"limen/internal/core/login"
	"limen/internal/core/login/logintest"
	"limen/internal/core/profile"
	"limen/internal/core/session"
	"limen/internal/core/user"
	"limen/internal/fault"
)

// sign answers a challenge that was started.
func (w talk) sign(a *passkeytest.Authenticator, started login.Result) login.Action {
	w.Helper()
	q, ok := passkey.Request(*w.expect(started, login.Pending).Started)
	if !ok {
		w.Fatal("nothing to sign")
	}
	return answer(*started.Started, a.Sign(q))
}

func TestSecurityKey(t *testing.T) {
	each(t, func(w talk) {
		anna := w.Add("anna")
		key := w.Register(anna.ID, passkey.SecurityKey)
		p := w.asks(anna.Name, "UP;U2F,EMAIL")
		w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret)), login.NextDone)
		second := w.pick(&p, 1, "U2F")
		begun := w.do(p.Session, start(second))
		if poll := w.poll(p.Session, second.ID); poll.Summary != login.Pending {
			w.Fatal(poll.Summary)
		}
		if q, _ := passkey.Request(*begun.Started); len(q.AllowCredentials) != 1 || q.AllowCredentials[0].ID != key.Handle() || q.RPID != w.Tenant.Host {
			w.Fatalf("%+v", q)
		}
		right := w.sign(key, begun)
		got := w.expect(w.do(p.Session, right), login.Succeeded).Success
		if got.Session.Level != session.High || got.Session.Factors != "UP,U2F" {
			w.Fatalf("%+v", got.Session)
		}
		// What was signed once is of no use in another conversation, and neither is a signature without a start.
		p = w.asks(anna.Name, "UP;U2F,EMAIL")
		w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret))
		w.do(p.Session, start(w.pick(&p, 1, "U2F")))
		w.expect(w.do(p.Session, answer(w.pick(&p, 1, "U2F"), right.Answer.Text)), login.Failed)
		p = w.asks(anna.Name, "UP;U2F,EMAIL")
		w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret))
		w.expect(w.do(p.Session, answer(w.pick(&p, 1, "U2F"), right.Answer.Text)), login.Failed)
		// Another person's key.
		bob := w.Add("bob")
		other := w.Register(bob.ID, passkey.SecurityKey)
		p = w.asks(anna.Name, "UP;U2F,EMAIL")
		w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret))
		w.expect(w.do(p.Session, w.sign(other, w.do(p.Session, start(w.pick(&p, 1, "U2F"))))), login.Failed)
	})
}

// A passkey that a profile lets stand alone ends the sign-in; elsewhere it answers its round only.
func TestPasskeyAlone(t *testing.T) {
	each(t, func(w talk) {
		anna, bare := w.Add("anna"), w.Add("bare")
		key := w.Register(anna.ID, passkey.Passkey)
		w.Use(profile.Profile{Name: "Alone", Single: []string{"PASSKEY"}}, "UP", "EMAIL")
		p := w.asks(anna.Name, "UP,PASSKEY;EMAIL")
		got := w.expect(w.do(p.Session, w.sign(key, w.do(p.Session, start(w.pick(&p, 0, "PASSKEY"))))), login.Succeeded).Success
		if got.Session.Level != session.High || got.Session.Factors != "PASSKEY" {
			w.Fatalf("%+v", got.Session)
		}
		p = w.asks(anna.Name, "UP,PASSKEY;EMAIL") // the password still needs what it needed
		w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret)), login.NextDone)
		w.asks(bare.Name, "UP;EMAIL")

		w.Use(profile.Profile{Name: "Not alone"}, "UP,PASSKEY", "EMAIL")
		p = w.asks(anna.Name, "UP,PASSKEY;EMAIL")
		w.expect(w.do(p.Session, w.sign(key, w.do(p.Session, start(w.pick(&p, 0, "PASSKEY"))))), login.NextDone)

		// In place of a second factor that everybody must have.
		w.Use(profile.Profile{Name: "Or else", Single: []string{"PASSKEY"}}, "UP", "OATH")
		w.Set("Authentication.RequireSecondFactor", "true")
		p = w.asks(anna.Name, "PASSKEY")
		w.expect(w.do(p.Session, w.sign(key, w.do(p.Session, start(w.pick(&p, 0, "PASSKEY"))))), login.Succeeded)
		w.asks(bare.Name, "UP")
		w.barred(bare.Name, logintest.Secret, "no second factor is enrolled")
		w.Set("Authentication.RequireSecondFactor", "false")

		// A barred account's passkey lets nobody in.
		w.Use(profile.Profile{Name: "Again", Single: []string{"PASSKEY"}}, "UP")
		p = w.asks(anna.Name, "UP,PASSKEY")
		begun := w.do(p.Session, start(w.pick(&p, 0, "PASSKEY")))
		w.Write(func(ctx context.Context, c *call.Call) error {
			return w.People.SetState(ctx, c, anna.ID, user.State{Disabled: true})
		})
		w.expect(w.do(p.Session, w.sign(key, begun)), login.Failed)
	})
}

// Whoever the name belongs to, or nobody: what is to be signed looks alike, is the same at the next try, and has nobody's keys.
func TestKeysTellNothing(t *testing.T) {
	each(t, func(w talk) {
		anna := w.Add("anna")
		key := w.Register(anna.ID, passkey.Passkey)
		w.Use(profile.Profile{Name: "Keys"}, "PASSKEY")
		ask := func(name string) (q passkey.Assertion, p login.Package, ch factor.Challenge) {
			p = w.asks(name, "PASSKEY")
			ch = w.pick(&p, 0, "PASSKEY")
			started := w.expect(w.do(p.Session, start(ch)), login.Pending).Started
			q, _ = passkey.Request(*started)
			return q, p, *started
		}
		real, _, _ := ask(anna.Name)
		fake, p, ch := ask(w.Name("nobody"))
		again, _, _ := ask(w.Name("nobody"))
		if len(fake.AllowCredentials) != 1 || len(fake.AllowCredentials[0].ID) != len(real.AllowCredentials[0].ID) || fake.AllowCredentials[0].ID == key.Handle() ||
			fake.AllowCredentials[0].ID != again.AllowCredentials[0].ID || fake.Challenge == again.Challenge {
			w.Fatal(real, fake, again)
		}
		blank := func(q passkey.Assertion) string {
			q.Challenge, q.AllowCredentials[0].ID = "", ""
			out, _ := json.Marshal(q)
			return string(out)
		}
		if a, b := blank(real), blank(fake); a != b {
			w.Fatal(a, b)
		}
		w.expect(w.do(p.Session, answer(ch, key.Sign(fake))), login.Failed)
	})
}

// Programs of the Vault's dialect are not asked for what they cannot answer.
func TestKeysAndTheVault(t *testing.T) {
	each(t, func(w talk) {
		anna := w.Add("anna")
		w.Register(anna.ID, passkey.Passkey)
		vault := func() (login.Result, error) {
			w.Helper()
			v, err := w.Logins.PrepareVault(w.Context(), w.Call(), login.Vault{Login: anna.Name, Password: logintest.Secret, Method: "radius", Further: true})
			if err != nil {
				w.Fatal(err)
			}
			var out login.Result
			w.Write(func(ctx context.Context, c *call.Call) error { out, err = w.Logins.Vault(ctx, c, v, nil); return nil })
			return out, err
		}
		w.only("UP;PASSKEY,EMAIL")
		if out, err := vault(); err != nil || out.Package == nil || names(*out.Package) != "EMAIL" {
			w.Fatal(out, err)
		}
		w.only("UP;PASSKEY")
		if _, err := vault(); !errors.Is(err, login.ErrMore) || !strings.Contains(fault.Of(err).Public, "passkey") {
			w.Fatal(err)
		}
	})
}
