package throttle_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/throttle"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

// A program that keeps no cookies is another device at each sign-in: it makes others unknown that never came back, and no browser that did.
func TestProgramsMakeNoBrowserUnknown(t *testing.T) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		w := build(t, db)
		signIn := func(cookie string) {
			w.now = w.now.Add(time.Second)
			w.tx(func(ctx context.Context, c *call.Call) error {
				_, err := w.Remember(ctx, c, "alice", throttle.DeviceHash(cookie))
				return err
			})
		}
		knows := func(cookie string, want bool) {
			t.Helper()
			w.tx(func(ctx context.Context, c *call.Call) error {
				got, err := w.Known(ctx, c, "alice", throttle.DeviceHash(cookie))
				if (got != nil) != want {
					t.Errorf("%s is known: %v", cookie, got != nil)
				}
				return err
			})
		}
		signIn("browser")
		signIn("browser")
		signIn("once")
		for i := range 60 {
			signIn(fmt.Sprint("program", i))
		}
		knows("browser", true)
		knows("once", false)
		knows("program34", false)
		knows("program35", true)
		for i := range 60 {
			signIn(fmt.Sprint("laptop", i))
			signIn(fmt.Sprint("laptop", i))
		}
		signIn("another")
		knows("laptop59", true)
		knows("another", true)
		knows("browser", false)
		if a, b := throttle.PlaceHash(call.Client{UserAgent: "x"}), throttle.PlaceHash(call.Client{UserAgent: "y"}); string(a) == string(b) {
			t.Error("two programs are taken for one")
		}
	})
}
