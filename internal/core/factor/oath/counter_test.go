package oath_test

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
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

func listed(w *factortest.World, p oath.Profiles, userID string) (list []oath.Profile) {
	w.T.Helper()
	w.Write(func(ctx context.Context, c *call.Call) (err error) { list, err = p.List(ctx, c, userID); return err })
	return list
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
				if _, err := p.Resync(ctx, c, "alice", made.ID, s.first, s.second); !errors.Is(err, s.want) {
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

// A token by time whose clock is off is found again, and its codes count from then on by its own clock.
func TestResyncByTime(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		p := oath.Profiles{Ring: w.Ring}
		m, who := oath.Mechanism{Profiles: p}, factor.Person{ID: "alice"}
		now := w.Now.Unix() / 60
		shown := func(step int64) string {
			code, err := oath.Code(aliceKey, "SHA512", 7, step)
			if err != nil {
				t.Fatal(err)
			}
			return code
		}
		signIn := func(step int64) (ok bool) {
			ch := factor.Challenge{}
			v, err := m.Check(t.Context(), w.Call(), who, ch, factor.Answer{Text: shown(step)})
			if err != nil {
				t.Fatal(err)
			}
			w.Write(func(ctx context.Context, c *call.Call) (err error) {
				ok, err = m.Commit(ctx, c, who, &ch, v)
				return err
			})
			return ok
		}
		var id string
		w.Write(func(ctx context.Context, c *call.Call) error {
			made, err := p.Set(ctx, c, "alice", oath.Seed{Secret: aliceKey, Algorithm: "SHA512", Digits: 7, Period: 60})
			id = made.ID
			return err
		})
		resync := func(first, second int64, want error) {
			t.Helper()
			w.Write(func(ctx context.Context, c *call.Call) error {
				if _, err := p.Resync(ctx, c, "alice", id, shown(first), shown(second)); !errors.Is(err, want) {
					t.Errorf("%d and %d: %v", first-now, second-now, err)
				}
				return nil
			})
		}
		if signIn(now - 40) {
			t.Fatal("a code of forty minutes ago counts")
		}
		resync(now-40, now-38, oath.ErrCode)
		resync(now-39, now-40, oath.ErrCode)
		resync(now-102, now-101, oath.ErrCode)
		resync(now+100, now+101, oath.ErrCode)
		resync(now-40, now-39, nil)
		resync(now-40, now-39, oath.ErrCode) // once
		if signIn(now - 39) {
			t.Error("a code that brought the token in step signs in as well")
		}
		if !signIn(now-38) || signIn(now-38) {
			t.Error("the next code counts, and once")
		}
		if signIn(now) {
			t.Error("a code by our clock is one of the token's future")
		}
		w.Now = w.Now.Add(time.Hour)
		if !signIn(now + 60 - 39) {
			t.Error("an hour later the token is not known to be behind")
		}
		resync(now+60, now+61, nil)
		if list := listed(w, p, "alice"); len(list) != 1 || list[0].Drift != 1 || list[0].LastStep != now+61 {
			t.Error(list)
		}
	})
}

// A code that two nodes, or two sessions, found right at the same time is accepted once.
func TestReplayAcrossSessions(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		p := oath.Profiles{Ring: w.Ring}
		m, who := oath.Mechanism{Profiles: p}, factor.Person{ID: "alice"}
		for _, counted := range []bool{false, true} {
			w.Write(func(ctx context.Context, c *call.Call) error {
				_, err := p.Set(ctx, c, "alice", oath.Seed{Secret: aliceKey, Counted: counted, Counter: 7})
				return err
			})
			at := w.Now.Unix() / 30
			if counted {
				at = 7
			}
			const nodes = 8
			passed := make([]bool, nodes)
			var found, done sync.WaitGroup
			found.Add(nodes)
			for i := range nodes {
				done.Go(func() {
					ch := factor.Challenge{}
					v, err := m.Check(t.Context(), w.Call(), who, ch, factor.Answer{Text: press(t, at)})
					found.Done()
					found.Wait()
					if err != nil || !v.Right {
						t.Error(v, err)
					}
					w.Write(func(ctx context.Context, c *call.Call) (err error) {
						passed[i], err = m.Commit(ctx, c, who, &ch, v)
						return err
					})
				})
			}
			done.Wait()
			n := 0
			for _, ok := range passed {
				if ok {
					n++
				}
			}
			if n != 1 {
				t.Errorf("counted %v: one code was accepted %d times", counted, n)
			}
		}
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
