package phone_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/factor/factortest"
	"limen/internal/core/factor/phone"
)

func suite(t *testing.T, pin string) {
	factortest.Run(t, func(t *testing.T, w *factortest.World) factortest.Bench {
		var rung int
		last := map[string]string{}
		pins := phone.Pins{Hasher: w.Hasher}
		if pin != "" {
			hash, err := pins.Hash(t.Context(), pin)
			if err != nil {
				t.Fatal(err)
			}
			w.Write(func(ctx context.Context, c *call.Call) error { return pins.Set(ctx, c, "alice", hash) })
		}
		keys := phone.Approve
		if pin != "" {
			keys = pin
		}
		return factortest.Bench{
			Mechanism: phone.Mechanism{
				Codes: factor.Codes{Ring: w.Ring}, Pins: pins, Ready: func(context.Context, *call.Call) (bool, error) { return true, nil },
				Ring: func(_ context.Context, _ *call.Call, to factor.Person, what factor.Sending) error {
					rung++
					last[to.ID] = what.Code
					return nil
				},
			},
			Enrolled: factor.Person{ID: "alice", Mobile: "+1 206 555-0199"}, Other: factor.Person{ID: "bob", Mobile: "+12065550100"},
			Stranger: factor.Person{ID: "carol", Mobile: "n/a"},
			Right:    func(factor.Challenge) factor.Answer { return phone.Answer(last["alice"], keys) },
			Wrong:    phone.Answer("000", keys), Sent: func() int { return rung }, Life: 10 * time.Minute, Tries: 5, Private: []string{"0199"},
		}
	})
}

func TestSuite(t *testing.T)    { suite(t, "") }
func TestSuitePIN(t *testing.T) { suite(t, "739164") }

// With the code of a call, the keys decide: of whoever has a PIN nothing else does.
func TestKeys(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		pins := phone.Pins{Hasher: w.Hasher}
		code := ""
		m := phone.Mechanism{
			Codes: factor.Codes{Ring: w.Ring}, Pins: pins, Ready: func(context.Context, *call.Call) (bool, error) { return true, nil },
			Ring: func(_ context.Context, _ *call.Call, _ factor.Person, what factor.Sending) error {
				code = what.Code
				return nil
			},
		}
		who := factor.Person{ID: "alice", Mobile: "+12065550199"}
		try := func(keys string, between func()) (ok bool) {
			ch := factor.Challenge{ID: w.Call().NewID(), Name: m.Name()}
			w.Write(func(ctx context.Context, c *call.Call) error { return m.Start(ctx, c, who, &ch, "https://x.test/") })
			v, err := m.Check(t.Context(), w.Call(), who, ch, phone.Answer(code, keys))
			if err != nil {
				t.Fatal(err)
			}
			between()
			w.Write(func(ctx context.Context, c *call.Call) (err error) {
				ok, err = m.Commit(ctx, c, who, &ch, v)
				return err
			})
			return ok
		}
		nothing := func() {}
		set := func() {
			hash, err := pins.Hash(t.Context(), "739164")
			if err != nil {
				t.Fatal(err)
			}
			w.Write(func(ctx context.Context, c *call.Call) error { return pins.Set(ctx, c, who.ID, hash) })
		}
		for _, keys := range []string{"", "2", "9", "11", "1 "} {
			if try(keys, nothing) {
				t.Errorf("%q is taken for a 1", keys)
			}
		}
		if !try("1", nothing) {
			t.Error("the key is refused")
		}
		if try("1", set) {
			t.Error("a PIN that was set meanwhile is not asked for")
		}
		if try("1", nothing) || try("739165", nothing) || !try("739164", nothing) {
			t.Error("not the PIN alone counts")
		}
		w.Write(func(ctx context.Context, c *call.Call) error { return pins.Drop(ctx, c, who.ID) })
		if !try("1", nothing) {
			t.Error("a PIN that is gone is still asked for")
		}
	})
}

func TestPIN(t *testing.T) {
	for _, c := range []struct {
		pin   string
		least int
		ok    bool
	}{
		{"7391", 0, true}, {"1357", 0, true}, {"739164739164", 0, true}, {"739", 0, false}, {"", 0, false}, {"73a1", 0, false}, {"٧٣٩١", 0, false},
		{"0000", 0, false}, {"1234", 0, false}, {"7890", 0, false}, {"4321", 0, false}, {"1098", 0, false}, {"12345678901234567", 0, false},
		{"7391", 6, false}, {"739164", 6, true}, {"73916473916473916473", 20, true},
	} {
		if err := phone.CheckPIN(c.pin, c.least); (err == nil) != c.ok || err != nil && !errors.Is(err, phone.ErrPIN) {
			t.Errorf("%q, at least %d: %v", c.pin, c.least, err)
		}
	}
}

func TestWords(t *testing.T) {
	for culture, want := range map[string]string{"": "en-US", "de-AT": "de-DE", "zh": "zh-CN", "he": "en-US", "ar": "en-US", "pt-PT": "pt-BR", "x": "en-US"} {
		if got := phone.WordsIn(culture); got.Language != want || got.Ask == "" || got.PIN == "" || got.Again == "" || got.Thanks == "" || got.Over == "" {
			t.Errorf("%q: %+v", culture, got)
		}
	}
}
