package demand_test

import (
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/demand"
	"limen/internal/core/throttle"
	"limen/internal/dbx"
)

// Of the lock-out rules of several organizations, and the installation's, the strictest counts, member by member. Rules that are off count
// for nothing.
func TestLocks(t *testing.T) {
	each(t, func(w *world) {
		w.in = map[string][]string{"both": {"A", "B"}, "one": {"A"}, "off": {"C"}, "rule": {"D"}, "else": nil}
		ban := func(want error, org string, b demand.Ban) {
			w.Helper()
			w.write(want, func(c *call.Call) error {
				_, err := w.Ban(w.Context(), c, org, b)
				return err
			})
		}
		ban(nil, "A", demand.Ban{On: true, Attempts: 5, Window: 60, Lasts: 7200})
		ban(nil, "B", demand.Ban{On: true, Attempts: 8, Window: 86400, Lasts: 60})
		ban(nil, "C", demand.Ban{Attempts: 3, Window: 86400, Lasts: 86400})
		w.demand(nil, "D", demand.Rule{Attempts: 4})
		w.demand(nil, "A", demand.Rule{MinLength: 12})
		for _, bad := range []demand.Ban{{On: true}, {Attempts: 2, Window: 60, Lasts: 60}, {Attempts: 3, Window: 59, Lasts: 60}, {Attempts: 3, Window: 60, Lasts: 86401}} {
			ban(demand.ErrBan, "A", bad)
		}
		base := throttle.Limits{Lock: 7, Window: time.Hour, LockFor: 10 * time.Minute}
		for who, want := range map[string]throttle.Limits{
			"both": {Lock: 5, Window: 24 * time.Hour, LockFor: 2 * time.Hour}, "one": {Lock: 5, Window: time.Hour, LockFor: 2 * time.Hour},
			"rule": {Lock: 4, Window: time.Hour, LockFor: 10 * time.Minute}, "off": base, "else": base, "": base,
		} {
			if err := w.DB.Read(w.Context(), func(tx *dbx.Tx) error {
				got, err := w.Locks(w.Context(), w.call(tx), who, base)
				if got.Lock != want.Lock || got.Window != want.Window || got.LockFor != want.LockFor {
					t.Errorf("%s: %+v, want %+v", who, got, want)
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A life of tokens is the organization's where it is shorter than the tenant's.
func TestLife(t *testing.T) {
	each(t, func(w *world) {
		limit := func(want error, life int) {
			w.Helper()
			w.write(want, func(c *call.Call) error {
				_, err := w.Limit(w.Context(), c, "A", life, 3600)
				return err
			})
		}
		lives := func(org string, most, want time.Duration) {
			w.Helper()
			if err := w.DB.Read(w.Context(), func(tx *dbx.Tx) error {
				got, err := w.Life(w.Context(), w.call(tx), org, most)
				if got != want {
					w.Errorf("%s: %v, want %v", org, got, want)
				}
				return err
			}); err != nil {
				w.Fatal(err)
			}
		}
		lives("A", time.Hour, time.Hour)
		limit(nil, 120)
		limit(demand.ErrLife, 59)
		limit(demand.ErrLife, 3601)
		lives("A", time.Hour, 2*time.Minute)
		lives("A", time.Minute, time.Minute)
		lives("B", time.Hour, time.Hour)
		lives("", time.Hour, time.Hour)
		limit(nil, 0)
		lives("A", time.Hour, time.Hour)
	})
}
