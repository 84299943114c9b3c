package exemption_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"limen/internal/call"
	"limen/internal/core/exemption"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

var now = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func at(tx *dbx.Tx, tenant string, t time.Time) *call.Call {
	return &call.Call{Tenant: call.Tenant{ID: tenant}, Tx: tx, Now: t, Event: &call.Event{}}
}

func TestGrant(t *testing.T) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		tenant, other := uuid.NewString(), uuid.NewString()
		var e exemption.Exemptions
		for _, x := range []struct {
			lasts time.Duration
			err   error
			until time.Time // what holds afterwards
		}{
			{30 * time.Minute, nil, now.Add(30 * time.Minute)},
			{-time.Minute, exemption.ErrSpan, now.Add(30 * time.Minute)},
			{59 * time.Second, exemption.ErrSpan, now.Add(30 * time.Minute)},
			{exemption.Longest + 1, exemption.ErrSpan, now.Add(30 * time.Minute)},
			{time.Minute, nil, now.Add(time.Minute)}, // in place of the longer one
			{0, nil, time.Time{}},
			{0, nil, time.Time{}}, // again
			{exemption.Longest, nil, now.Add(exemption.Longest)},
		} {
			err := db.Write(t.Context(), func(tx *dbx.Tx) error {
				until, err := e.Grant(t.Context(), at(tx, tenant, now), "anna", x.lasts)
				if err == nil && !until.Equal(x.until) {
					t.Errorf("%s: until %s, want %s", x.lasts, until, x.until)
				}
				return err
			})
			if !errors.Is(err, x.err) {
				t.Errorf("%s: %v, want %v", x.lasts, err, x.err)
			}
			holds(t, db, tenant, "anna", now, x.until)
		}
		end := now.Add(exemption.Longest)
		holds(t, db, tenant, "anna", end.Add(-time.Millisecond), end)
		holds(t, db, tenant, "anna", end, time.Time{})
		holds(t, db, tenant, "ben", now, time.Time{})
		holds(t, db, other, "anna", now, time.Time{})
	})
}

func holds(t *testing.T, db *dbx.DB, tenant, person string, at0, want time.Time) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *dbx.Tx) error {
		got, err := exemption.Exemptions{}.Until(t.Context(), at(tx, tenant, at0), person)
		if !got.Equal(want) {
			t.Errorf("%s at %s: until %s, want %s", person, at0, got, want)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// Sweeping takes what ended, and leaves what holds.
func TestSweep(t *testing.T) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		tenant := uuid.NewString()
		var e exemption.Exemptions
		do := func(f func(ctx context.Context, c *call.Call) error) {
			t.Helper()
			if err := db.Write(t.Context(), func(tx *dbx.Tx) error { return f(t.Context(), at(tx, tenant, now)) }); err != nil {
				t.Fatal(err)
			}
		}
		do(func(ctx context.Context, c *call.Call) error {
			_, err := e.Grant(ctx, c, "short", time.Minute)
			_, err2 := e.Grant(ctx, c, "long", time.Hour)
			return errors.Join(err, err2)
		})
		if err := e.Sweep(t.Context(), db, now.Add(2*time.Minute)); err != nil {
			t.Fatal(err)
		}
		holds(t, db, tenant, "short", now, time.Time{}) // it would hold then, were it there
		holds(t, db, tenant, "long", now, now.Add(time.Hour))
	})
}
