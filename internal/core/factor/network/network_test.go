package network_test

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/factor/factortest"
	"limen/internal/core/factor/network"
	"limen/internal/dbx"
	"limen/internal/wire/mschap"
)

const name = "alice@acme.test"

// terms let people have passwords, for a while.
type terms struct {
	off  bool
	life time.Duration
}

func (t *terms) passwords(w *factortest.World) network.Passwords {
	return network.Passwords{Ring: w.Ring, Terms: func(context.Context, *call.Call) (bool, time.Duration, error) { return !t.off, t.life, nil }}
}

// made gives a person a password.
func made(t *testing.T, w *factortest.World, p network.Passwords, userID string) string {
	t.Helper()
	n, err := p.Draw(t.Context(), w.Call(), userID)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(func(ctx context.Context, c *call.Call) error { return p.Put(ctx, c, userID, n) })
	return n.Plain
}

func exchange(plain string) factor.Answer {
	return factor.Answer{Exchange: mschap.Respond(mschap.NewChallenge(), mschap.NewChallenge(), 1, name, plain)}
}

func TestSuite(t *testing.T) {
	factortest.Run(t, func(t *testing.T, w *factortest.World) factortest.Bench {
		p := (&terms{life: time.Hour}).passwords(w)
		alice := made(t, w, p, "alice")
		made(t, w, p, "bob")
		return factortest.Bench{
			Mechanism: network.Mechanism{Passwords: p}, Enrolled: factor.Person{ID: "alice"}, Other: factor.Person{ID: "bob"},
			Stranger: factor.Person{ID: "carol"},
			Right:    func(factor.Challenge) factor.Answer { return exchange(alice) },
			Wrong:    exchange("abcdefghijkmnpqrstuv"), Reusable: true, Life: time.Hour,
		}
	})
}

// What is stored is sealed for one person, and is neither the password nor its hash.
func TestSealed(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		p := (&terms{}).passwords(w)
		plain := made(t, w, p, "alice")
		if !regexp.MustCompile(`^[a-km-np-z2-9]{20}$`).MatchString(plain) || plain == made(t, w, p, "bob") {
			t.Error(plain)
		}
		sealed := func(user string) string {
			rows := dbxRead(t, w, user)
			if len(rows) != 1 {
				t.Fatal(rows)
			}
			return rows[0]
		}
		h := mschap.HashOf(plain)
		if one := []byte(sealed("alice")); bytes.Contains(one, []byte(plain)) || bytes.Contains(one, h[:]) {
			t.Error("it is readable")
		}
		raw, err := w.Ring.Open(t.Context(), w.Tenant, factor.PurposeNetwork, sealed("alice"), "alice")
		if err != nil || !bytes.Equal(raw, h[:]) {
			t.Error(raw, err)
		}
		if _, err := w.Ring.Open(t.Context(), w.Tenant, factor.PurposeNetwork, sealed("alice"), "bob"); err == nil {
			t.Error("one person's is another's")
		}
	})
}

// A password is of no use where the tenant has none, after its time, and once it was replaced or removed, even while an answer is looked at.
func TestOutOfUse(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		terms := &terms{}
		p := terms.passwords(w)
		m, alice := network.Mechanism{Passwords: p}, factor.Person{ID: "alice"}
		plain := made(t, w, p, "alice")
		check := func() factor.Verdict {
			v, err := m.Check(t.Context(), w.Call(), alice, factor.Challenge{}, exchange(plain))
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		commits := func(v factor.Verdict) (ok bool) {
			w.Write(func(ctx context.Context, c *call.Call) (err error) {
				ok, err = m.Commit(ctx, c, alice, &factor.Challenge{}, v)
				return err
			})
			return ok
		}
		if !commits(check()) {
			t.Fatal("it is refused")
		}
		early := check()
		terms.off = true
		if check().Right || commits(early) {
			t.Error("it is good although the tenant has none")
		}
		if n, err := p.Draw(t.Context(), w.Call(), "alice"); err != nil {
			t.Error(err)
		} else {
			w.Write(func(ctx context.Context, c *call.Call) error {
				if err := p.Put(ctx, c, "alice", n); !errors.Is(err, network.ErrOff) {
					t.Error(err)
				}
				return nil
			})
		}
		terms.off, terms.life = false, time.Hour
		w.Now = w.Now.Add(time.Hour - time.Second)
		if early = check(); !early.Right {
			t.Error("it is over too soon")
		}
		w.Now = w.Now.Add(2 * time.Second)
		if check().Right || commits(early) {
			t.Error("it is good for too long")
		}
		terms.life = 0
		early = check()
		old := plain
		if plain = made(t, w, p, "alice"); commits(early) {
			t.Error("an old one is good")
		}
		v, err := m.Check(t.Context(), w.Call(), alice, factor.Challenge{}, exchange(old))
		if err != nil || v.Right {
			t.Error("an old one is good", err)
		}
		early = check()
		w.Write(func(ctx context.Context, c *call.Call) error { return p.Drop(ctx, c, "alice") })
		if check().Right || commits(early) {
			t.Error("one is good that was removed")
		}
	})
}

func dbxRead(t *testing.T, w *factortest.World, user string) (out []string) {
	t.Helper()
	err := w.DB.Read(t.Context(), func(tx *dbx.Tx) (err error) {
		out, err = sealedOf.All(t.Context(), tx, w.Tenant, user)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var sealedOf = dbx.Q[string]("network_test.sealed", `SELECT sealed FROM network_password WHERE tenant = ? AND user_id = ?`)
