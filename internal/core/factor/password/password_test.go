package password_test

import (
	"context"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/factor/factortest"
	mechanism "limen/internal/core/factor/password"
	"limen/internal/core/password"
	"limen/internal/crypt"
)

func set(w *factortest.World, p password.Passwords, user, plain string) {
	w.T.Helper()
	n, err := p.Prepare(w.T.Context(), w.Call(), password.Change{User: user, Plain: plain, Any: true})
	if err != nil {
		w.T.Fatal(err)
	}
	w.Write(func(ctx context.Context, c *call.Call) error { return p.Put(ctx, c, user, n, false) })
}

func TestSuite(t *testing.T) {
	factortest.Run(t, func(_ *testing.T, w *factortest.World) factortest.Bench {
		p := password.Passwords{Hasher: w.Hasher}
		set(w, p, "alice", "alice's own")
		set(w, p, "bob", "bob's own")
		return factortest.Bench{
			Mechanism: mechanism.Mechanism{Passwords: p}, Enrolled: factor.Person{ID: "alice"}, Other: factor.Person{ID: "bob"},
			Right: func(factor.Challenge) factor.Answer { return factor.Answer{Text: "alice's own"} },
			Wrong: factor.Answer{Text: "Alice's own"}, Reusable: true,
		}
	})
}

// A password that was changed between the check and the commit does not let in.
func TestChangedMeanwhile(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		p := password.Passwords{Hasher: w.Hasher}
		m := mechanism.Mechanism{Passwords: p}
		set(w, p, "alice", "old")
		ch, who := factor.Challenge{}, factor.Person{ID: "alice"}
		v, err := m.Check(t.Context(), w.Call(), who, ch, factor.Answer{Text: "old"})
		if err != nil || !v.Right {
			t.Fatal(v, err)
		}
		set(w, p, "alice", "new")
		w.Write(func(ctx context.Context, c *call.Call) error {
			if ok, err := m.Commit(ctx, c, who, &ch, v); ok || err != nil {
				t.Fatal(ok, err)
			}
			return nil
		})
	})
}

// A password that a device sends again is not hashed again, where that may be remembered, and only there; one that was replaced is refused at once.
func TestRepeated(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		remember := &crypt.Remember{Hasher: w.Hasher, Now: time.Now}
		p := password.Passwords{Hasher: w.Hasher, Repeated: remember}
		m := mechanism.Mechanism{Passwords: p, Repeated: func(context.Context, *call.Call) (bool, error) { return true, nil }}
		set(w, p, "alice", "alice's own")
		right := func(m mechanism.Mechanism, typed string, repeated bool) bool {
			v, err := m.Check(t.Context(), w.Call(), factor.Person{ID: "alice"}, factor.Challenge{}, factor.Answer{Text: typed, Repeated: repeated})
			if err != nil {
				t.Fatal(err)
			}
			return v.Right
		}
		if !right(m, "alice's own", true) || right(m, "Alice's own", true) {
			t.Fatal("what is right is not told from what is wrong")
		}
		remember.Hasher = nil // whoever hashed from here on would fail
		if !right(m, "alice's own", true) {
			t.Error("what was right is not remembered")
		}
		remember.Hasher = w.Hasher
		set(w, p, "alice", "another one")
		if right(m, "alice's own", true) || !right(m, "another one", true) {
			t.Error("a password that was replaced is remembered")
		}
		remember.Hasher = nil
		m.Repeated = func(context.Context, *call.Call) (bool, error) { return false, nil }
		if !right(m, "another one", true) || right(m, "alice's own", true) {
			t.Error("where it may not be remembered, it is not hashed as ever")
		}
	})
}
