package recovery_test

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/factor/factortest"
	"limen/internal/core/factor/recovery"
)

// made gives a person a set of codes.
func made(t *testing.T, w *factortest.World, k recovery.Codes, userID string) []string {
	t.Helper()
	n, err := k.Draw(t.Context(), w.Call(), userID)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(func(ctx context.Context, c *call.Call) error { return k.Put(ctx, c, userID, n) })
	return n.Codes
}

func TestSuite(t *testing.T) {
	factortest.Run(t, func(t *testing.T, w *factortest.World) factortest.Bench {
		k := recovery.Codes{Ring: w.Ring}
		alice := made(t, w, k, "alice")
		made(t, w, k, "bob")
		return factortest.Bench{
			Mechanism: recovery.Mechanism{Codes: k}, Enrolled: factor.Person{ID: "alice"}, Other: factor.Person{ID: "bob"},
			Stranger: factor.Person{ID: "carol"},
			Right:    func(factor.Challenge) factor.Answer { return factor.Answer{Text: alice[3]} },
			Wrong:    factor.Answer{Text: "AAAA-BBBB-CCCC-DDDD"},
		}
	})
}

type person struct {
	t *testing.T
	w *factortest.World
	m recovery.Mechanism
	p factor.Person
}

func (p person) accepted(code string) (ok bool) {
	p.t.Helper()
	v, err := p.m.Check(p.t.Context(), p.w.Call(), p.p, factor.Challenge{}, factor.Answer{Text: code})
	if err != nil {
		p.t.Fatal(err)
	}
	p.w.Write(func(ctx context.Context, c *call.Call) (err error) {
		ok, err = p.m.Commit(ctx, c, p.p, &factor.Challenge{}, v)
		return err
	})
	return ok
}

func (p person) state() (s recovery.Set) {
	p.w.Write(func(ctx context.Context, c *call.Call) (err error) { s, err = p.m.Codes.Of(ctx, c, p.p.ID); return err })
	return s
}

// A set has ten codes in readable groups, each good once however it is typed; a new set puts the old one out of use.
func TestSets(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		var left []int
		k := recovery.Codes{Ring: w.Ring, Used: func(_ context.Context, _ *call.Call, p factor.Person, n int) error {
			if p.ID != "alice" {
				t.Error("told of", p)
			}
			left = append(left, n)
			return nil
		}}
		alice := person{t, w, recovery.Mechanism{Codes: k}, factor.Person{ID: "alice"}}
		if s := alice.state(); s != (recovery.Set{}) {
			t.Error("a set from the start", s)
		}
		old := made(t, w, k, "alice")
		form, seen := regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$`), map[string]bool{}
		for _, code := range old {
			if !form.MatchString(code) || seen[code] {
				t.Error(code)
			}
			seen[code] = true
		}
		if len(old) != recovery.Many {
			t.Fatal(len(old))
		}
		typed := strings.ToLower(strings.ReplaceAll(old[1], "-", " "))
		typed = strings.NewReplacer("0", "o", "1", "l").Replace(typed)
		if !alice.accepted(old[0]) || alice.accepted(old[0]) || !alice.accepted(typed) || alice.accepted(old[1]) {
			t.Error("a code is good once, however it is typed")
		}
		if s := alice.state(); s.Total != 10 || s.Left != 8 || s.Made != w.Now.UnixMilli() || s.Used != w.Now.UnixMilli() {
			t.Errorf("%+v", s)
		}
		w.Now = w.Now.Add(time.Hour)
		fresh := made(t, w, k, "alice")
		if alice.accepted(old[5]) || !alice.accepted(fresh[5]) {
			t.Error("the old set counts, or the new one does not")
		}
		for i, code := range fresh {
			if i != 5 && !alice.accepted(code) {
				t.Error("refused:", i)
			}
		}
		if got := []int{left[0], left[1], left[2], left[len(left)-1]}; got[0] != 9 || got[1] != 8 || got[2] != 9 || got[3] != 0 {
			t.Error("told of", left)
		}
		c := w.Call()
		if err := c.Snapshot(t.Context(), func() error {
			_, ok, err := alice.m.Offer(t.Context(), c, alice.p)
			if ok {
				t.Error("offered without a code left")
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}

// An answer that was looked at before the set was made anew does not count, though the new set has a code of that number.
func TestNewSetBetweenCheckAndCommit(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		k := recovery.Codes{Ring: w.Ring}
		m := recovery.Mechanism{Codes: k}
		v, err := m.Check(t.Context(), w.Call(), factor.Person{ID: "alice"}, factor.Challenge{}, factor.Answer{Text: made(t, w, k, "alice")[0]})
		if err != nil || !v.Right {
			t.Fatal(v, err)
		}
		made(t, w, k, "alice")
		w.Write(func(ctx context.Context, c *call.Call) error {
			ok, err := m.Commit(ctx, c, factor.Person{ID: "alice"}, &factor.Challenge{}, v)
			if ok {
				t.Error("a code of the old set counts")
			}
			return err
		})
	})
}

// Whom policies do not let, codes that were made before are neither offered to nor taken from.
func TestForbidden(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		may := true
		k := recovery.Codes{Ring: w.Ring, Allowed: func(context.Context, *call.Call, string) (bool, error) { return may, nil }}
		alice := person{t, w, recovery.Mechanism{Codes: k}, factor.Person{ID: "alice"}}
		codes := made(t, w, k, "alice")
		may = false
		c := w.Call()
		if err := c.Snapshot(t.Context(), func() error {
			_, ok, err := alice.m.Offer(t.Context(), c, alice.p)
			if ok {
				t.Error("offered")
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if alice.accepted(codes[0]) {
			t.Error("accepted")
		}
		may = true
		if !alice.accepted(codes[0]) {
			t.Error("a refused code was used up")
		}
	})
}

// What draws the same bytes twice makes the same codes: they come of the randomness alone, all of it.
func TestEntropy(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		k := recovery.Codes{Ring: w.Ring}
		draw := func(b byte) []string {
			c := w.Call()
			c.Rand = bytes.NewReader(bytes.Repeat([]byte{b}, 100))
			n, err := k.Draw(t.Context(), c, "alice")
			if err != nil {
				t.Fatal(err)
			}
			return n.Codes
		}
		if got := draw(0)[9]; got != "0000-0000-0000-0000" {
			t.Error(got)
		}
		if got := draw(255)[9]; got != "ZZZZ-ZZZZ-ZZZZ-ZZZZ" {
			t.Error(got)
		}
		c := w.Call()
		c.Rand = bytes.NewReader(make([]byte, 99))
		if _, err := k.Draw(t.Context(), c, "alice"); err == nil {
			t.Error("codes without enough randomness")
		}
	})
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{"", "ABCD-EFGH-JKMN-PQRS", "abcd efgh jkmn pqrs", "OIL0\u00a0OIL0 OIL0 OIL0", "ı", strings.Repeat("-", 70), "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		code, ok := recovery.Read(s)
		if ok && len(code) != 16 {
			t.Fatal(code)
		}
		if again, same := recovery.Read(code); ok && (!same || again != code) {
			t.Fatal("what was read reads otherwise", code, again)
		}
	})
}
