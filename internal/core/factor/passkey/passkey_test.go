package passkey_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/factor/factortest"
	"limen/internal/core/factor/passkey"
	"limen/internal/core/factor/passkey/passkeytest"
)

const origin = "https://id.acme.test"

var keys = passkey.Keys{Hosts: func(context.Context, *call.Call) ([]string, error) {
	return []string{"id.acme.test", "other.acme.test"}, nil
}}

// begin opens a registration.
func begin(w *factortest.World, userID, kind string) (out passkey.Creation) {
	w.T.Helper()
	w.Write(func(ctx context.Context, c *call.Call) error {
		s, err := keys.At(ctx, c, origin)
		if err != nil {
			return err
		}
		out, err = keys.Begin(ctx, c, factor.Person{ID: userID, Name: userID}, passkey.Registration{Name: kind, Kind: kind, Site: s, Company: "Acme"})
		return err
	})
	return out
}

// finish answers one, as an operation does: what is refused uses the challenge up.
func finish(w *factortest.World, userID, raw string) error {
	w.T.Helper()
	r, err := keys.Check(w.T.Context(), w.Call(), userID, raw)
	if err != nil {
		return err
	}
	w.Write(func(ctx context.Context, c *call.Call) error { _, err = keys.Finish(ctx, c, userID, r); return nil })
	return err
}

// register gives somebody a key.
func register(w *factortest.World, userID, kind string) *passkeytest.Authenticator {
	w.T.Helper()
	a := passkeytest.New(origin)
	a.Copied, a.Platform = kind == passkey.Passkey, kind == passkey.OnDevice
	if err := finish(w, userID, a.Register(begin(w, userID, kind))); err != nil {
		w.T.Fatal(err)
	}
	return a
}

func sign(a *passkeytest.Authenticator, ch factor.Challenge) factor.Answer {
	q, _ := passkey.Request(ch)
	return factor.Answer{Text: a.Sign(q)}
}

func TestSuite(t *testing.T) {
	for _, kind := range []string{passkey.SecurityKey, passkey.OnDevice, passkey.Passkey} {
		t.Run(kind, func(t *testing.T) {
			factortest.Run(t, func(_ *testing.T, w *factortest.World) factortest.Bench {
				alice, bob := register(w, "alice", kind), register(w, "bob", kind)
				wrong := passkeytest.New(origin)
				wrong.Credential.ID = alice.Credential.ID
				return factortest.Bench{
					Mechanism: passkey.Mechanism{Keys: keys, Kind: kind}, Enrolled: factor.Person{ID: "alice"}, Other: factor.Person{ID: "bob"},
					Stranger: factor.Person{ID: "carol"},
					Right:    func(ch factor.Challenge) factor.Answer { return sign(alice, ch) },
					Wrong:    factor.Answer{Text: wrong.Sign(passkey.Assertion{Challenge: "AAAA"})},
					Life:     5 * time.Minute, Private: []string{alice.Handle(), bob.Handle()},
				}
			})
		})
	}
}

// challenge offers and starts a mechanism.
func challenge(w *factortest.World, m passkey.Mechanism, userID string) factor.Challenge {
	w.T.Helper()
	ch := factor.Challenge{ID: "ch", Name: m.Name()}
	w.Write(func(ctx context.Context, c *call.Call) (err error) {
		var ok bool
		if ch.Prompt, ok, err = m.Offer(ctx, c, factor.Person{ID: userID}); err != nil || !ok {
			w.T.Fatal("not offered", err)
		}
		return m.Start(ctx, c, factor.Person{ID: userID}, &ch, "")
	})
	return ch
}

func accepts(w *factortest.World, m passkey.Mechanism, userID string, ch *factor.Challenge, a factor.Answer) (ok bool) {
	w.T.Helper()
	v, err := m.Check(w.T.Context(), w.Call(), factor.Person{ID: userID}, *ch, a)
	if err != nil {
		w.T.Fatal(err)
	}
	w.Write(func(ctx context.Context, c *call.Call) (err error) {
		ok, err = m.Commit(ctx, c, factor.Person{ID: userID}, ch, v)
		return err
	})
	return ok
}

// Every single thing that is wrong with a signature has it refused.
func TestBadSignatures(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		m := passkey.Mechanism{Keys: keys, Kind: passkey.Passkey}
		a := register(w, "alice", passkey.Passkey)
		for name, spoil := range map[string]func(b *passkeytest.Authenticator, q *passkey.Assertion){
			"a page of another host": func(b *passkeytest.Authenticator, _ *passkey.Assertion) {
				b.Origin, b.RP = "https://id.acme.test.evil.test", "id.acme.test"
			},
			"another host of the tenant": func(b *passkeytest.Authenticator, _ *passkey.Assertion) {
				b.Origin, b.RP = "https://other.acme.test", "id.acme.test"
			},
			"another port":                     func(b *passkeytest.Authenticator, _ *passkey.Assertion) { b.Origin += ":8443" },
			"without TLS":                      func(b *passkeytest.Authenticator, _ *passkey.Assertion) { b.Origin = "http://id.acme.test" },
			"another relying party":            func(b *passkeytest.Authenticator, _ *passkey.Assertion) { b.RP = "acme.test" },
			"the person was not verified":      func(b *passkeytest.Authenticator, _ *passkey.Assertion) { b.Unverified = true },
			"the person was not present":       func(b *passkeytest.Authenticator, _ *passkey.Assertion) { b.Absent = true },
			"it says that it cannot be copied": func(b *passkeytest.Authenticator, _ *passkey.Assertion) { b.Copied = false },
			"another challenge":                func(_ *passkeytest.Authenticator, q *passkey.Assertion) { q.Challenge = strings.Repeat("A", 43) },
			"another key signed": func(b *passkeytest.Authenticator, _ *passkey.Assertion) {
				b.Credential.Key = passkeytest.New(origin).Credential.Key
			},
			"a key that is not registered": func(b *passkeytest.Authenticator, _ *passkey.Assertion) {
				b.Credential = passkeytest.New(origin).Credential
			},
		} {
			ch := challenge(w, m, "alice")
			q, _ := passkey.Request(ch)
			b := *a
			spoil(&b, &q)
			if accepts(w, m, "alice", &ch, factor.Answer{Text: b.Sign(q)}) {
				t.Errorf("accepted: %s", name)
			}
		}
		ch := challenge(w, m, "alice")
		if !accepts(w, m, "alice", &ch, sign(a, ch)) {
			t.Error("refused, with nothing wrong")
		}
	})
}

// A counter that goes back has the key refused then and afterwards, and leaves an event.
func TestClone(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		m := passkey.Mechanism{Keys: keys, Kind: passkey.SecurityKey}
		a := register(w, "alice", passkey.SecurityKey)
		clone := *a
		ch := challenge(w, m, "alice")
		if !accepts(w, m, "alice", &ch, sign(a, ch)) {
			t.Fatal("refused")
		}
		ch = challenge(w, m, "alice")
		v, err := m.Check(t.Context(), w.Call(), factor.Person{ID: "alice"}, ch, sign(&clone, ch))
		if err != nil || v.Right {
			t.Fatal(v, err)
		}
		w.Write(func(ctx context.Context, c *call.Call) error {
			ok, err := m.Commit(ctx, c, factor.Person{ID: "alice"}, &ch, v)
			if ok || len(c.Also) != 1 || c.Also[0].Target != a.Handle() {
				t.Error(ok, c.Also)
			}
			return err
		})
		w.Write(func(ctx context.Context, c *call.Call) error {
			_, ok, err := m.Offer(ctx, c, factor.Person{ID: "alice"})
			if ok {
				t.Error("a key that two hold is still offered")
			}
			return err
		})
	})
}

// Authenticators without a counter (it stays 0) sign again and again.
func TestNoCounter(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		m := passkey.Mechanism{Keys: keys, Kind: passkey.Passkey}
		a := passkeytest.New(origin)
		a.Copied, a.Credential.Counter = true, 0
		if err := finish(w, "alice", a.Register(begin(w, "alice", passkey.Passkey))); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			ch := challenge(w, m, "alice")
			q, _ := passkey.Request(ch)
			if !accepts(w, m, "alice", &ch, factor.Answer{Text: a.SignAgain(q)}) {
				t.Fatal("refused")
			}
		}
	})
}

func TestRegistration(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		for name, x := range map[string]struct {
			kind  string
			spoil func(a *passkeytest.Authenticator, o *passkey.Creation)
			want  error
		}{
			"a page of another host": {passkey.Passkey, func(a *passkeytest.Authenticator, _ *passkey.Creation) {
				a.Origin, a.RP = "https://evil.test", "id.acme.test"
			}, passkey.ErrAnswer},
			"another relying party":               {passkey.Passkey, func(a *passkeytest.Authenticator, _ *passkey.Creation) { a.RP = "evil.test" }, passkey.ErrAnswer},
			"another challenge":                   {passkey.Passkey, func(_ *passkeytest.Authenticator, o *passkey.Creation) { o.Challenge = strings.Repeat("A", 43) }, passkey.ErrAnswer},
			"the person was not verified":         {passkey.Passkey, func(a *passkeytest.Authenticator, _ *passkey.Creation) { a.Unverified = true }, passkey.ErrAnswer},
			"the person was not present":          {passkey.SecurityKey, func(a *passkeytest.Authenticator, _ *passkey.Creation) { a.Absent = true }, passkey.ErrAnswer},
			"a passkey that finds nobody":         {passkey.Passkey, func(a *passkeytest.Authenticator, _ *passkey.Creation) { a.NotDiscoverable = true }, passkey.ErrUnfit},
			"a security key that is copied":       {passkey.SecurityKey, func(a *passkeytest.Authenticator, _ *passkey.Creation) { a.Copied = true }, passkey.ErrUnfit},
			"a security key that is built in":     {passkey.SecurityKey, func(a *passkeytest.Authenticator, _ *passkey.Creation) { a.Platform = true }, passkey.ErrUnfit},
			"a device that is a thing of its own": {passkey.OnDevice, func(*passkeytest.Authenticator, *passkey.Creation) {}, passkey.ErrUnfit},
		} {
			a := passkeytest.New(origin)
			o := begin(w, "alice", x.kind)
			real := o
			x.spoil(a, &o)
			if err := finish(w, "alice", a.Register(o)); !errors.Is(err, x.want) {
				t.Errorf("%s: %v", name, err)
			}
			if err := finish(w, "alice", passkeytest.New(origin).Register(real)); !errors.Is(err, passkey.ErrPending) {
				t.Errorf("%s: a second answer to the same challenge: %v", name, err)
			}
		}
		if err := finish(w, "alice", "{}"); !errors.Is(err, passkey.ErrPending) {
			t.Error("nothing waits:", err)
		}
		a := register(w, "alice", passkey.SecurityKey)
		for _, who := range []string{"alice", "bob"} {
			if err := finish(w, who, a.Register(begin(w, who, passkey.SecurityKey))); !errors.Is(err, passkey.ErrKnown) {
				t.Errorf("registered twice, by %s: %v", who, err)
			}
		}
		late := begin(w, "alice", passkey.SecurityKey)
		w.Now = w.Now.Add(5 * time.Minute)
		if err := finish(w, "alice", passkeytest.New(origin).Register(late)); !errors.Is(err, passkey.ErrPending) {
			t.Error("too late:", err)
		}
	})
}

// What begins in one session is not finished in another, nor for another person.
func TestRegistrationIsBound(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		var o passkey.Creation
		in := func(session string) *call.Call {
			c := w.Call()
			c.Caller = &call.Caller{User: "alice", Session: session}
			return c
		}
		w.Write(func(ctx context.Context, c *call.Call) (err error) {
			one := in("one")
			one.Tx = c.Tx
			s, err := keys.At(ctx, c, origin)
			if err == nil {
				o, err = keys.Begin(ctx, one, factor.Person{ID: "alice", Name: "alice"}, passkey.Registration{Name: "x", Kind: passkey.SecurityKey, Site: s})
			}
			return err
		})
		raw := passkeytest.New(origin).Register(o)
		if _, err := keys.Check(t.Context(), in("two"), "alice", raw); !errors.Is(err, passkey.ErrPending) {
			t.Error("in another session:", err)
		}
		if _, err := keys.Check(t.Context(), in("one"), "bob", raw); !errors.Is(err, passkey.ErrPending) {
			t.Error("for somebody else:", err)
		}
		if _, err := keys.Check(t.Context(), in("one"), "alice", raw); err != nil {
			t.Error(err)
		}
	})
}

func TestLimit(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		for range passkey.MaxKeys {
			register(w, "alice", passkey.SecurityKey)
		}
		w.Write(func(ctx context.Context, c *call.Call) error {
			s, err := keys.At(ctx, c, origin)
			if err != nil {
				return err
			}
			if _, err := keys.Begin(ctx, c, factor.Person{ID: "alice"}, passkey.Registration{Name: "x", Kind: passkey.SecurityKey, Site: s}); !errors.Is(err, passkey.ErrTooMany) {
				t.Error(err)
			}
			all, err := keys.List(ctx, c, "alice")
			if len(all) != passkey.MaxKeys {
				t.Error(len(all))
			}
			return err
		})
		begin(w, "bob", passkey.Passkey)
		w.Write(func(ctx context.Context, c *call.Call) error {
			return errors.Join(keys.Drop(ctx, c, "alice"), keys.Drop(ctx, c, "bob"))
		})
		w.Write(func(ctx context.Context, c *call.Call) error {
			all, err := keys.List(ctx, c, "alice")
			if len(all) != 0 {
				t.Error(len(all))
			}
			return err
		})
	})
}

func TestOrigins(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		w.Write(func(ctx context.Context, c *call.Call) error {
			for in, want := range map[string]passkey.Site{
				"https://id.acme.test": {RP: "id.acme.test", Origin: origin}, "https://ID.acme.test:443": {RP: "id.acme.test", Origin: origin},
				"https://other.acme.test:8443": {RP: "other.acme.test", Origin: "https://other.acme.test:8443"},
				"http://localhost:8080":        {RP: "localhost", Origin: "http://localhost:8080"},
			} {
				if got, err := keys.At(ctx, c, in); got != want || err != nil {
					t.Errorf("%s: %+v %v", in, got, err)
				}
			}
			for _, in := range []string{
				"", "null", "id.acme.test", "http://id.acme.test", "https://acme.test", "https://evil.test", "https://127.0.0.1", "https://[::1]", "https://x@id.acme.test",
				"https://id.acme.test/x", "https://id.acme.test?x", "https://id.acme.test#x", "android:apk-key-hash:x", "https://" + strings.Repeat("a.", 200) + "test", "https://%zz",
			} {
				if got, err := keys.At(ctx, c, in); !errors.Is(err, passkey.ErrOrigin) {
					t.Errorf("%s: %+v %v", in, got, err)
				}
			}
			return nil
		})
	})
}

// FuzzAnswer has answers of all shapes looked at; none of them is right.
func FuzzAnswer(f *testing.F) {
	a := passkeytest.New(origin)
	f.Add(a.Register(passkey.Creation{Challenge: "AAAA"}))
	f.Add(a.Sign(passkey.Assertion{Challenge: "AAAA"}))
	f.Add(`{"id":"AA","rawId":"AA","type":"public-key","response":{}}`)
	f.Fuzz(func(t *testing.T, raw string) {
		if passkey.Right(raw) {
			t.Error("accepted")
		}
	})
}

// What was looked at twice at the same time counts once: an answer to a registration, and signatures with the same count.
func TestTwiceAtOnce(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		raw := passkeytest.New(origin).Register(begin(w, "alice", passkey.SecurityKey))
		var both [2]passkey.Registered
		for i := range both {
			var err error
			if both[i], err = keys.Check(t.Context(), w.Call(), "alice", raw); err != nil {
				t.Fatal(err)
			}
		}
		for i, want := range []error{nil, passkey.ErrPending} {
			w.Write(func(ctx context.Context, c *call.Call) error {
				if _, err := keys.Finish(ctx, c, "alice", both[i]); !errors.Is(err, want) {
					t.Error(i, err)
				}
				return nil
			})
		}
		m := passkey.Mechanism{Keys: keys, Kind: passkey.Passkey}
		a := register(w, "alice", passkey.Passkey)
		a.Credential.Counter++
		var chs [2]factor.Challenge
		var found [2]factor.Verdict
		for i := range chs {
			chs[i] = challenge(w, m, "alice")
			q, _ := passkey.Request(chs[i])
			var err error
			if found[i], err = m.Check(t.Context(), w.Call(), factor.Person{ID: "alice"}, chs[i], factor.Answer{Text: a.SignAgain(q)}); err != nil || !found[i].Right {
				t.Fatal(found[i], err)
			}
		}
		for i, want := range []bool{true, false} {
			w.Write(func(ctx context.Context, c *call.Call) error {
				ok, err := m.Commit(ctx, c, factor.Person{ID: "alice"}, &chs[i], found[i])
				if ok != want {
					t.Error(i, ok)
				}
				return err
			})
		}
	})
}
