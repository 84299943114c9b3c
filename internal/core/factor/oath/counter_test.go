package oath_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor/factortest"
	"limen/internal/core/factor/oath"
)

// Counts at the end of what fits would keep the search for a code running for ever, and with it the writer of the store.
func TestCountersThatLeaveNoRoom(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		p := oath.Profiles{Ring: w.Ring}
		for _, counter := range []int64{math.MaxInt64, math.MaxInt64 - 9, math.MaxInt64 - 10, oath.MaxCounter + 1} {
			w.Write(func(ctx context.Context, c *call.Call) error {
				made, err := p.Set(ctx, c, "u1", oath.Seed{Name: "a", Secret: aliceKey, Counted: true, Counter: counter})
				if err == nil {
					t.Errorf("%d is taken", counter)
					done := make(chan error, 1)
					go func() { done <- p.Confirm(ctx, c, "u1", made.ID, "000000") }()
					select {
					case <-done:
					case <-time.After(time.Second):
						t.Fatalf("%d: the search for a code does not end", counter)
					}
				} else if !errors.Is(err, oath.ErrCounter) {
					t.Error(err)
				}
				return nil
			})
		}
		w.Write(func(ctx context.Context, c *call.Call) error {
			made, err := p.Set(ctx, c, "u1", oath.Seed{Name: "a", Secret: aliceKey, Counted: true, Counter: oath.MaxCounter})
			if err != nil {
				t.Error(err)
				return nil
			}
			right, err := oath.Code(aliceKey, "SHA1", 6, oath.MaxCounter)
			if err != nil {
				t.Error(err)
			}
			if err := p.Confirm(ctx, c, "u1", made.ID, right); err != nil {
				t.Error("the greatest count:", err)
			}
			return nil
		})
	})
}
