package login_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor/passkey"
	"limen/internal/core/factor/passkey/passkeytest"
	"limen/internal/core/login"
	"limen/internal/core/login/logintest"
	"limen/internal/core/profile"
	"limen/internal/core/session"
	"limen/internal/core/user"
)

// anybody is what a page has a passkey sign.
func (w talk) anybody() passkey.Assertion {
	w.Helper()
	q, err := w.Keys.Anybody(w.Context(), w.Call())
	if err != nil || len(q.AllowCredentials) != 0 || q.RPID != w.Tenant.Host || q.UserVerification != "required" {
		w.Fatal(q, err)
	}
	return q
}

// shown hands in what one signed.
func (w talk) shown(raw string) (out login.Result) {
	w.Helper()
	k, err := w.Keys.Discover(w.Context(), w.Call(), raw)
	if err != nil {
		w.Fatal(err)
	}
	w.Write(func(ctx context.Context, c *call.Call) (err error) {
		if out, _, err = w.Logins.ByPasskey(ctx, c, k, ""); errors.Is(err, login.ErrFailed) {
			err = nil
		}
		return err
	})
	return out
}

// A passkey says whose it is, and signs them in where it may stand alone; what it signed is good once.
func TestPasskeyNamesItsPerson(t *testing.T) {
	each(t, func(w talk) {
		anna := w.Add("anna")
		key := w.Register(anna.ID, passkey.Passkey)
		q := w.anybody()
		raw := key.Sign(q)
		got := w.expect(w.shown(raw), login.Succeeded).Success
		if got.Person.ID != anna.ID || got.Session.Level != session.High || got.Session.Factors != "PASSKEY" || !w.Alive(got.Auth) {
			w.Fatalf("%+v", got)
		}
		w.expect(w.shown(raw), login.Failed)
		w.expect(w.shown(key.Sign(q)), login.Failed) // nor is the challenge
		early := w.anybody()
		w.Now = w.Now.Add(time.Second)
		w.expect(w.shown(key.Sign(w.anybody())), login.Succeeded)
		w.expect(w.shown(key.Sign(early)), login.Failed)
	})
}

// What is asked besides is asked still, in whatever order, and a passkey that nothing asks for tells the name alone.
func TestPasskeyWhereMoreIsAsked(t *testing.T) {
	each(t, func(w talk) {
		anna := w.Add("anna")
		key := w.Register(anna.ID, passkey.Passkey)
		secret := func(r login.Result, want login.Summary) login.Result {
			w.Helper()
			p := w.expect(r, login.NewPackage).Package
			return w.expect(w.do(p.Session, answer(w.pick(p, 0, "UP"), logintest.Secret)), want)
		}
		shown := func() login.Result {
			w.Helper()
			w.Now = w.Now.Add(time.Second)
			return w.shown(key.Sign(w.anybody()))
		}
		w.Set("Authentication.PasskeyAlone", "false")
		if got := secret(shown(), login.Succeeded).Success; got.Session.Factors != "PASSKEY,UP" {
			w.Error(got.Session.Factors)
		}
		w.only("UP;EMAIL")
		secret(shown(), login.NextDone)
		w.Use(profile.Profile{Name: "Either"}, "UP,PASSKEY", "EMAIL")
		if p := w.expect(shown(), login.NewPackage).Package; names(*p) != "EMAIL" {
			w.Error(names(*p))
		}
		w.Use(profile.Profile{Name: "Alone", Single: []string{"PASSKEY"}}, "UP", "OATH")
		w.expect(shown(), login.Succeeded)

		// Another person's factors answer for somebody: their own are asked for nowhere, and that other one gets in as themselves.
		other := w.Add("other", func(n *user.New) { n.MfaUser = anna.ID })
		own := w.Register(other.ID, passkey.Passkey)
		w.Set("Authentication.Profile", "")
		w.Set("Authentication.PasskeyAlone", "true")
		w.only("UP;PASSKEY")
		secret(w.shown(own.Sign(w.anybody())), login.NextDone)
		if got := w.expect(shown(), login.Succeeded).Success; got.Person.ID != anna.ID {
			w.Error(got.Person.Name)
		}
	})
}

// What is not the right signature of somebody who may sign in lets nobody in.
func TestPasskeyForged(t *testing.T) {
	each(t, func(w talk) {
		anna, bob := w.Add("anna"), w.Add("bob")
		key, token := w.Register(anna.ID, passkey.Passkey), w.Register(bob.ID, passkey.SecurityKey)
		for name, raw := range map[string]func(q passkey.Assertion) string{
			"nothing":              func(passkey.Assertion) string { return "" },
			"no answer":            func(passkey.Assertion) string { return "{}" },
			"somebody else's name": func(q passkey.Assertion) string { k := *key; return k.SignAs(bob.ID, q) },
			"nobody's name":        func(q passkey.Assertion) string { k := *key; return k.SignAs("\x00\xff", q) },
			"a key of nobody":      func(q passkey.Assertion) string { k := passkeytest.New(key.Origin); return k.SignAs(anna.ID, q) },
			"a security key":       func(q passkey.Assertion) string { return token.Sign(q) },
			"nobody verified":      func(q passkey.Assertion) string { k := *key; k.Unverified = true; return k.Sign(q) },
			"another page": func(q passkey.Assertion) string {
				k := *key
				k.Origin = "https://evil.test"
				k.RP = q.RPID
				return k.Sign(q)
			},
			"a challenge of theirs": func(q passkey.Assertion) string {
				q.Challenge = q.Challenge[:len(q.Challenge)-4] + "AAAA"
				return key.Sign(q)
			},
			"a challenge that is no longer good": func(q passkey.Assertion) string {
				w.Now = w.Now.Add(5 * time.Minute)
				return key.Sign(q)
			},
		} {
			if got := w.shown(raw(w.anybody())); got.Summary != login.Failed {
				w.Error(name, got.Summary)
			}
		}
		// A challenge that a conversation drew is none for anybody.
		w.Use(profile.Profile{Name: "Alone", Single: []string{"PASSKEY"}}, "UP")
		p := w.asks(anna.Name, "UP,PASSKEY")
		q, _ := passkey.Request(*w.do(p.Session, start(w.pick(&p, 0, "PASSKEY"))).Started)
		w.expect(w.shown(key.Sign(q)), login.Failed)
		// Nor the other way round.
		p = w.asks(anna.Name, "UP,PASSKEY")
		w.do(p.Session, start(w.pick(&p, 0, "PASSKEY")))
		w.expect(w.do(p.Session, answer(w.pick(&p, 0, "PASSKEY"), key.Sign(w.anybody()))), login.Failed)

		w.Write(func(ctx context.Context, c *call.Call) error {
			return w.People.SetState(ctx, c, anna.ID, user.State{Disabled: true})
		})
		w.expect(w.shown(key.Sign(w.anybody())), login.Failed)
		w.Write(func(ctx context.Context, c *call.Call) error { return w.People.SetState(ctx, c, anna.ID, user.State{}) })
		w.expect(w.shown(key.Sign(w.anybody())), login.Succeeded)
		// A copy of the key, whose counter is behind.
		key.Credential.Counter = 1
		w.Now = w.Now.Add(time.Second)
		w.expect(w.shown(key.Sign(w.anybody())), login.Failed)
		key.Credential.Counter = 100
		w.expect(w.shown(key.Sign(w.anybody())), login.Failed)
	})
}
