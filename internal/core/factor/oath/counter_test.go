package oath_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"limen/internal/call"
	"limen/internal/core/factor/factortest"
	"limen/internal/core/factor/oath"
)

func press(t *testing.T, at int64) string {
	t.Helper()
	code, err := oath.Code(aliceKey, "SHA1", 6, at)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func TestCounter(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		p := oath.Profiles{Ring: w.Ring}
		w.Write(func(ctx context.Context, c *call.Call) error {
			made, err := p.Set(ctx, c, "alice", oath.Seed{Secret: aliceKey, Counted: true, Counter: 5})
			if err != nil {
				return err
			}
			for _, s := range []struct {
				next int64
				want error
				then int64 // count of the next code
			}{{5, nil, 5}, {9, nil, 9}, {8, oath.ErrBack, 9}, {-1, oath.ErrCounter, 9}, {math.MaxInt64, oath.ErrCounter, 9}} {
				if err := p.Count(ctx, c, "alice", made.ID, s.next); !errors.Is(err, s.want) {
					t.Errorf("%d: %v", s.next, err)
				}
				if list, _ := p.List(ctx, c, "alice"); list[0].LastStep+1 != s.then || !list[0].Confirmed {
					t.Error(s.next, list)
				}
			}
			if err := p.Count(ctx, c, "bob", made.ID, 20); !errors.Is(err, oath.ErrNotFound) {
				t.Error("somebody else's", err)
			}
			if made, err = p.Set(ctx, c, "alice", oath.Seed{Secret: aliceKey}); err != nil {
				return err
			}
			if err := p.Count(ctx, c, "alice", made.ID, 20); !errors.Is(err, oath.ErrTimed) {
				t.Error(err)
			}
			return nil
		})
	})
}

func TestResync(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		p := oath.Profiles{Ring: w.Ring}
		w.Write(func(ctx context.Context, c *call.Call) error {
			made, err := p.Set(ctx, c, "alice", oath.Seed{Secret: aliceKey, Counted: true, Counter: 5})
			if err != nil {
				return err
			}
			for _, s := range []struct {
				name          string
				first, second string
				want          error
				then          int64
			}{
				{"not consecutive", press(t, 50), press(t, 52), oath.ErrCode, 5},
				{"the wrong way round", press(t, 51), press(t, 50), oath.ErrCode, 5},
				{"one code twice", press(t, 50), press(t, 50), oath.ErrCode, 5},
				{"used before", press(t, 4), press(t, 5), oath.ErrCode, 5},
				{"too far ahead", press(t, 104), press(t, 105), oath.ErrCode, 5},
				{"none", "", "", oath.ErrCode, 5},
				{"in the window", press(t, 50), " " + press(t, 51), nil, 52},
				{"the same again", press(t, 50), press(t, 51), oath.ErrCode, 52},
				{"the last of the window", press(t, 150), press(t, 151), nil, 152},
			} {
				if err := p.Resync(ctx, c, "alice", made.ID, s.first, s.second); !errors.Is(err, s.want) {
					t.Error(s.name, err)
				}
				if list, _ := p.List(ctx, c, "alice"); list[0].LastStep+1 != s.then {
					t.Error(s.name, list)
				}
			}
			return nil
		})
	})
}

// A counter at the end of all numbers must not make the search for a code go on forever.
func TestCounterIsBounded(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		p := oath.Profiles{Ring: w.Ring}
		w.Write(func(ctx context.Context, c *call.Call) error {
			for _, n := range []int64{math.MaxInt64, math.MaxInt64 - 9, 1<<53 + 1} {
				if _, err := p.Set(ctx, c, "alice", oath.Seed{Secret: aliceKey, Counted: true, Counter: n}); !errors.Is(err, oath.ErrCounter) {
					t.Errorf("%d: %v", n, err)
				}
			}
			return nil
		})
	})
}
