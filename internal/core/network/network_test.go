package network_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/network"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
	"limen/internal/fault"
)

// world is a tenant whose administrator is at 198.51.100.7.
type world struct {
	*testing.T
	*network.Networks
	id    string
	event *call.Event
}

func each(t *testing.T, f func(w *world)) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		changes := &change.Log{DB: db}
		if err := changes.Poll(t.Context()); err != nil {
			t.Fatal(err)
		}
		w := &world{T: t, Networks: &network.Networks{DB: db, Changes: changes}, id: "NET" + call.NewID(time.Now(), rand.Reader)[24:]}
		w.Start()
		f(w)
	})
}

func (w *world) call(ip string) *call.Call {
	c := &call.Call{Tenant: call.Tenant{ID: w.id}, Now: time.Now(), Rand: rand.Reader, Event: &call.Event{}}
	c.Client.IP = netip.MustParseAddr(ip)
	return c
}

func (w *world) try(f func(ctx context.Context, c *call.Call) error) error {
	return w.DB.Write(w.Context(), func(tx *dbx.Tx) error {
		c := w.call("198.51.100.7")
		c.Tx, w.event = tx, c.Event
		return f(w.Context(), c)
	})
}

func (w *world) must(f func(ctx context.Context, c *call.Call) error) {
	w.Helper()
	if err := w.try(f); err != nil {
		w.Fatal(err)
	}
}

func (w *world) save(kind network.Kind, label, value string) (r network.Range) {
	w.Helper()
	w.must(func(ctx context.Context, c *call.Call) (err error) {
		r, err = w.Save(ctx, c, network.Range{Kind: kind, Label: label, Value: value}, false)
		return err
	})
	return r
}

// blocked says whether an address is refused.
func (w *world) blocked(ip string) bool {
	w.Helper()
	err := w.Admit(w.Context(), w.call(ip))
	if err != nil && !errors.Is(err, network.ErrBlocked) {
		w.Fatal(err)
	}
	return err != nil
}

func TestBlocked(t *testing.T) {
	each(t, func(w *world) {
		if w.blocked("203.0.113.5") {
			t.Fatal("before anything is")
		}
		r := w.save(network.Blocked, "Bad", "203.0.113.0/24,2001:db8::/32")
		if !r.Active || !w.blocked("203.0.113.5") || !w.blocked("::ffff:203.0.113.5") || !w.blocked("2001:db8::9") || w.blocked("198.51.100.7") {
			t.Fatalf("%+v", r)
		}
		if w.event.Changes["Value"].New != r.Value || w.event.Target != r.ID {
			t.Errorf("%+v", w.event)
		}
		w.save(network.Corporate, "Office", "192.0.2.0/24")
		if w.blocked("192.0.2.1") {
			t.Error("the corporation's own")
		}
		w.must(func(ctx context.Context, c *call.Call) error {
			return w.SetActive(ctx, c, network.Blocked, []string{r.ID}, false, false)
		})
		if w.blocked("203.0.113.5") {
			t.Error("it is switched off")
		}
		w.must(func(ctx context.Context, c *call.Call) error {
			return w.SetActive(ctx, c, network.Blocked, []string{r.ID}, true, false)
		})
		if !w.blocked("203.0.113.5") {
			t.Error("it is switched on")
		}
		w.must(func(ctx context.Context, c *call.Call) error {
			return w.Delete(ctx, c, network.Blocked, r.Value, false)
		})
		if w.blocked("203.0.113.5") {
			t.Error("it is gone")
		}
	})
}

// Administrators do not block the address that they are at by mistake.
func TestOwnAddress(t *testing.T) {
	each(t, func(w *world) {
		save := func(id, value string, force bool) error {
			return w.try(func(ctx context.Context, c *call.Call) error {
				_, err := w.Save(ctx, c, network.Range{ID: id, Kind: network.Blocked, Label: "R", Value: value}, force)
				return err
			})
		}
		if err := save("", "198.51.100.0/24", false); !errors.Is(err, network.ErrOwn) || w.blocked("198.51.100.7") {
			t.Fatal(err)
		}
		r := w.save(network.Blocked, "R", "198.51.100.8")
		if err := save(r.ID, "0.0.0.0/0", false); !errors.Is(err, network.ErrOwn) {
			t.Fatal(err)
		}
		on := func(active bool) error {
			return w.try(func(ctx context.Context, c *call.Call) error {
				return w.SetActive(ctx, c, network.Blocked, []string{r.ID}, active, false)
			})
		}
		if err := errors.Join(on(false), save(r.ID, "198.51.100.7", false)); err != nil {
			t.Fatal("a range that does not act may have any address", err)
		}
		if err := on(true); !errors.Is(err, network.ErrOwn) {
			t.Fatal(err)
		}
		if err := save("", "::/0", true); !errors.Is(err, network.ErrTaken) {
			t.Fatal(err)
		}
		if err := save(r.ID, "198.51.100.0/24", true); err != nil || w.blocked("198.51.100.7") {
			t.Fatal(err)
		}
	})
}

func TestCorporate(t *testing.T) {
	each(t, func(w *world) {
		of := func(id, ip string) (in, ok bool) {
			w.Helper()
			s, ok, err := w.Corporate(w.Context(), w.call("198.51.100.7"), id)
			if err != nil {
				w.Fatal(err)
			}
			return s.Contains(netip.MustParseAddr(ip)), ok
		}
		if in, ok := of("", "192.0.2.1"); in || !ok {
			t.Error("without ranges everybody is outside", in, ok)
		}
		a := w.save(network.Corporate, "Office", "192.0.2.0/24")
		w.save(network.Corporate, "VPN", "10.8.0.0/16")
		if _, ok := of("gone", "192.0.2.1"); ok {
			t.Error("an id that does not exist")
		}
		for ip, want := range map[string][2]bool{"192.0.2.1": {true, true}, "10.8.1.1": {true, false}, "198.51.100.7": {}} {
			all, _ := of("", ip)
			one, _ := of(a.ID, ip)
			if all != want[0] || one != want[1] {
				t.Error(ip, all, one)
			}
		}
		w.Holders = func(context.Context, *call.Call, string) ([]string, error) {
			return []string{"the policy set /Policy/X"}, nil
		}
		err := w.try(func(ctx context.Context, c *call.Call) error { return w.Delete(ctx, c, network.Corporate, a.ID, false) })
		if !errors.Is(err, network.ErrInUse) || fault.Of(err).Public != "The range Office is named by the policy set /Policy/X." {
			t.Error(err)
		}
		// Whether a change shuts somebody out is judged by what is in force after it.
		w.Lockout = func(ctx context.Context, c *call.Call, warning *fault.Error) error {
			s, _, err := w.Corporate(ctx, c, "")
			if err == nil && !s.Contains(netip.MustParseAddr("192.0.2.1")) {
				err = warning
			}
			return err
		}
		off := func(force bool) error {
			return w.try(func(ctx context.Context, c *call.Call) error {
				return w.SetActive(ctx, c, network.Corporate, []string{a.ID}, false, force)
			})
		}
		if err := off(false); !errors.Is(err, network.ErrLockout) {
			t.Error(err)
		}
		if in, _ := of("", "192.0.2.1"); !in {
			t.Error("it was switched off")
		}
		if err := off(true); err != nil {
			t.Error(err)
		}
		if in, ok := of(a.ID, "192.0.2.1"); in || !ok {
			t.Error("it was not switched off", in, ok)
		}
	})
}

func TestRefused(t *testing.T) {
	each(t, func(w *world) {
		a, b := w.save(network.Blocked, "A", "203.0.113.1"), w.save(network.Blocked, "B", "203.0.113.1")
		office := w.save(network.Corporate, "Office", "192.0.2.0/24")
		for what, x := range map[string]struct {
			want error
			do   func(ctx context.Context, c *call.Call) error
		}{
			"the label of another, in other case": {network.ErrTaken, func(ctx context.Context, c *call.Call) error {
				_, err := w.Save(ctx, c, network.Range{ID: b.ID, Kind: network.Blocked, Label: "a", Value: "203.0.113.2"}, false)
				return err
			}},
			"no label": {fault.ErrInvalid, func(ctx context.Context, c *call.Call) error {
				_, err := w.Save(ctx, c, network.Range{Kind: network.Blocked, Label: " ", Value: "203.0.113.2"}, false)
				return err
			}},
			"a range of the other kind": {network.ErrNotFound, func(ctx context.Context, c *call.Call) error {
				_, err := w.Save(ctx, c, network.Range{ID: office.ID, Kind: network.Blocked, Label: "X", Value: "203.0.113.2"}, false)
				return err
			}},
			"two ranges of one value": {network.ErrSeveral, func(ctx context.Context, c *call.Call) error {
				return w.Delete(ctx, c, network.Blocked, a.Value, false)
			}},
			"one of several does not exist": {network.ErrNotFound, func(ctx context.Context, c *call.Call) error {
				return w.SetActive(ctx, c, network.Blocked, []string{a.ID, "gone"}, false, false)
			}},
		} {
			if err := w.try(x.do); !errors.Is(err, x.want) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if !w.blocked("203.0.113.1") {
			t.Error("a change that was refused was made")
		}
		if w.Admit(w.Context(), &call.Call{Tenant: call.Tenant{ID: w.id}}) != nil {
			t.Error("the command line has no address")
		}
	})
}

// BenchmarkAdmit is what a call costs beside 200 ranges.
func BenchmarkAdmit(b *testing.B) {
	db := dbxtest.Fresh(b, dbx.SQLite)
	n := &network.Networks{DB: db, Changes: &change.Log{DB: db}}
	n.Start()
	c := &call.Call{Tenant: call.Tenant{ID: "NET0001"}, Now: time.Now(), Rand: rand.Reader}
	err := db.Write(b.Context(), func(tx *dbx.Tx) error {
		c.Tx = tx
		for i := range 200 {
			ip := netip.AddrFrom4([4]byte{10, byte(i), 0, 1}).String()
			if _, err := n.Save(b.Context(), c, network.Range{Kind: network.Blocked, Label: ip, Value: ip}, false); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	c.Tx, c.Wrote = nil, 0
	c.Client.IP = netip.MustParseAddr("10.77.0.2")
	for b.Loop() {
		if err := n.Admit(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
}
