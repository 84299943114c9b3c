package demand_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/demand"
	"limen/internal/core/network"
	"limen/internal/core/password"
	"limen/internal/core/session"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
	"limen/internal/fault"
)

// world is a tenant whose administrator is at 198.51.100.7, with one session of two factors.
type world struct {
	*testing.T
	*demand.Demands
	id    string
	ip    string
	level string
	event *call.Event
	in    map[string][]string
}

func each(t *testing.T, f func(w *world)) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		changes := &change.Log{DB: db}
		if err := changes.Poll(t.Context()); err != nil {
			t.Fatal(err)
		}
		w := &world{T: t, id: "DEM" + call.NewID(time.Now(), rand.Reader)[24:], ip: "198.51.100.7", level: session.High, in: map[string][]string{}}
		w.Demands = &demand.Demands{DB: db, Changes: changes, Of: func(_ context.Context, _ *call.Call, id string) ([]string, error) {
			return w.in[id], nil
		}, Corporate: func(context.Context, *call.Call) (network.Set, error) { return network.Parse("203.0.113.0/24") }}
		w.Start()
		f(w)
	})
}

func (w *world) call(tx *dbx.Tx) *call.Call {
	w.event = &call.Event{}
	c := &call.Call{
		Tenant: call.Tenant{ID: w.id}, Now: time.Now(), Rand: rand.Reader, Tx: tx, Event: w.event,
		Caller: &call.Caller{User: "me", Session: "s", Level: w.level},
	}
	if w.ip != "" {
		c.Client.IP = netip.MustParseAddr(w.ip)
	}
	return c
}

func (w *world) write(want error, f func(c *call.Call) error) {
	w.Helper()
	err := w.DB.Write(w.Context(), func(tx *dbx.Tx) error { return f(w.call(tx)) })
	if !errors.Is(err, want) {
		w.Fatalf("got %v, want %v", err, want)
	}
	if err := w.Changes.Poll(w.Context()); err != nil {
		w.Fatal(err)
	}
}

func (w *world) demand(want error, org string, r demand.Rule) {
	w.Helper()
	w.write(want, func(c *call.Call) error {
		_, err := w.Demand(w.Context(), c, org, r)
		return err
	})
}

func (w *world) enclose(want error, e demand.Enclosure, confirmed bool) {
	w.Helper()
	w.write(want, func(c *call.Call) error {
		_, err := w.Enclose(w.Context(), c, "A", e, confirmed)
		return err
	})
}

// met says what keeps a caller out of A.
func (w *world) met(what, ip, level string, mfa bool, want error) {
	w.Helper()
	was := *w
	defer func() { w.ip, w.level = was.ip, was.level }()
	w.ip, w.level = ip, level
	got, err := w.Met(w.Context(), w.call(nil), "A")
	if got != mfa || !errors.Is(err, want) {
		w.Errorf("%s: %v %v, want %v %v", what, got, err, mfa, want)
	}
}

func TestRules(t *testing.T) {
	each(t, func(w *world) {
		w.demand(nil, "A", demand.Rule{MinLength: 12, Digits: 2, Expires: 90, Blocks: 10, Attempts: 5, Idle: 600})
		if c := w.event.Changes["minLength"]; c.Old != 0 || c.New != 12 || len(w.event.Changes) != 6 {
			t.Errorf("%+v", w.event.Changes)
		}
		w.demand(nil, "B", demand.Rule{MaxLength: 20, Upper: 1, Expires: 30, History: 5, Attempts: 3, Idle: 900})
		for name, r := range map[string]demand.Rule{
			"minLength": {MinLength: 30, MaxLength: 20}, "maxLength": {MaxLength: 18, Upper: 10, Lower: 9}, "minDigits": {Digits: 11}, "minUppercase": {Upper: -1},
			"passwordExpirationDays": {Expires: 4000}, "accountBlockAfterDays": {Blocks: 5}, "sessionIdleTimeoutInSeconds": {Idle: 59}, "maxLoginAttempts": {Attempts: 101},
		} {
			w.write(demand.ErrRule, func(c *call.Call) error {
				_, err := w.Demand(t.Context(), c, "A", r)
				if f := fault.Of(err); f == nil || f.Field != name {
					t.Errorf("%+v: %v, want %s", r, err, name)
				}
				return err
			})
		}
		w.in["both"], w.in["one"], w.in["else"] = []string{"A", "B"}, []string{"A"}, []string{"C"}
		both := demand.Rule{MinLength: 12, MaxLength: 20, Digits: 2, Upper: 1, Expires: 30, Blocks: 10, History: 5, Attempts: 3, Idle: 600}
		for who, want := range map[string]demand.Rule{"both": both, "one": {MinLength: 12, Digits: 2, Expires: 90, Blocks: 10, Attempts: 5, Idle: 600}, "else": {}, "": {}} {
			if got, err := w.Binding(t.Context(), w.call(nil), who); err != nil || got != want {
				t.Errorf("%s: %+v %v", who, got, err)
			}
		}
		if some, err := w.Limits(t.Context(), w.call(nil)); !some || err != nil {
			t.Error(some, err)
		}
		w.write(nil, func(c *call.Call) error { return w.Gone(t.Context(), c, "B") })
		if got, err := w.Binding(t.Context(), w.call(nil), "both"); err != nil || got.Expires != 90 {
			t.Errorf("after its organization: %+v %v", got, err)
		}
	})
}

func TestEnclosure(t *testing.T) {
	each(t, func(w *world) {
		w.met("nothing is said", "192.0.2.1", session.Normal, false, nil)
		w.enclose(demand.ErrOwn, demand.Enclosure{On: true, Addresses: []string{"192.0.2.0/24"}}, false)
		w.enclose(nil, demand.Enclosure{On: true, Addresses: []string{"192.0.2.0/24", "2001:db8::/32", "198.51.100.7"}}, false)
		if c := w.event.Changes["Addresses"]; c.New != "192.0.2.0/24,2001:db8::/32,198.51.100.7" {
			t.Errorf("%+v", w.event.Changes)
		}
		for ip, want := range map[string]error{
			"192.0.2.9": nil, "2001:db8::1": nil, "198.51.100.7": nil, "::ffff:192.0.2.1": nil, "": nil, "192.0.3.1": demand.ErrEnclosed,
			"203.0.113.5": demand.ErrEnclosed, "198.51.100.8": demand.ErrEnclosed,
		} {
			w.met(ip, ip, session.Normal, false, want)
		}
		w.enclose(nil, demand.Enclosure{On: true, Corporate: true}, true)
		w.met("corporate", "203.0.113.5", session.Normal, false, nil)
		w.met("no other", "192.0.2.9", session.Normal, false, demand.ErrEnclosed)
		w.enclose(nil, demand.Enclosure{Addresses: []string{"192.0.2.1"}}, false)
		w.met("off", "198.51.100.8", session.Normal, false, nil)
		for _, bad := range []string{"", "x", "192.0.2.1-192.0.2.9", "192.0.2.1,192.0.2.2", "192.0.2.0/33", "0.0.0.0/0/0", " "} {
			w.enclose(demand.ErrAddress, demand.Enclosure{Addresses: []string{bad}}, true)
		}
		w.enclose(demand.ErrMany, demand.Enclosure{Addresses: slices.Repeat([]string{"192.0.2.1"}, 501)}, true)
	})
}

func TestMFA(t *testing.T) {
	each(t, func(w *world) {
		require := func(want error, level string, on bool) {
			t.Helper()
			w.level = level
			w.write(want, func(c *call.Call) error {
				_, err := w.RequireMFA(t.Context(), c, "A", on)
				return err
			})
		}
		require(demand.ErrFactor, session.Normal, true)
		require(nil, session.High, true)
		w.met("one factor", w.ip, session.Normal, true, nil)
		w.met("two factors", w.ip, session.High, false, nil)
		require(nil, session.Normal, false) // whoever is in may lift it
		w.met("lifted", w.ip, session.Normal, false, nil)
	})
}

func TestOnto(t *testing.T) {
	p := demand.Rule{MinLength: 10, Digits: 2, Expires: 30, Blocks: 5, History: 1}.Onto(password.Default)
	if p.MinLength != 10 || p.MaxLength != 64 || p.Digits != 2 || p.Upper != 1 || p.MaxAge != 30*24*time.Hour || p.BlockAfter != 5*24*time.Hour || p.History != 3 || p.MinScore != 2 {
		t.Errorf("%+v", p)
	}
}

// The stronger of two rules demands what each of them does, whichever comes first; what satisfies it satisfies both, but for a longest
// password that is shorter than the shortest one.
func TestStronger(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) demand.Rule {
			n := func(least, most int) int {
				return rapid.OneOf(rapid.Just(0), rapid.IntRange(least, most)).Draw(t, name)
			}
			return demand.Rule{n(4, 64), n(16, 128), n(1, 10), n(1, 10), n(1, 10), n(1, 10), n(1, 3650), n(1, 3650), n(1, 100), n(1, 100), n(60, 9999)}
		}
		a, b := draw("a"), draw("b")
		s := a.Stronger(b)
		if s != b.Stronger(a) || s.Stronger(a).Stronger(b) != s || a.Stronger(demand.Rule{}) != a.Stronger(a) {
			t.Fatalf("%+v, %+v: %+v", a, b, s)
		}
		p := s.Onto(password.Policy{})
		for _, r := range []demand.Rule{a, b} {
			if p.MinLength < r.MinLength || p.Upper < r.Upper || p.Digits < r.Digits || p.History < r.History || r.Expires != 0 && p.MaxAge > time.Duration(r.Expires)*24*time.Hour {
				t.Fatalf("%+v does not demand %+v", p, r)
			}
		}
		if plain, err := p.Generate(rand.Reader, 0); err != nil || len(plain) < s.MinLength {
			t.Fatalf("nobody can satisfy %+v: %v", s, err)
		}
	})
}
