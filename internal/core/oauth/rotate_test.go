package oauth_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/key"
	"limen/internal/core/oauth"
	"limen/internal/crypt"
)

// Keys are replaced by the clock: a day before they sign the next ones are published, and what the old ones signed stays good for as long
// as it lives.
func TestRotation(t *testing.T) {
	each(t, func(w *world) {
		life := 100 * time.Hour
		w.change(func(a *oauth.App) { a.Profile.Life = life })
		w.s.LongestLife = func(context.Context, *call.Call) (time.Duration, error) { return life, nil }
		w.s.StoreKeys = func(ctx context.Context, c *call.Call, keys ...crypt.SigningKey) error {
			return key.PutSigns(ctx, c.Tx, keys...)
		}
		started := time.Now()
		now := started
		w.s.Signers.Now = func() time.Time { return now }
		wait := func(d time.Duration) {
			now = now.Add(d)
			w.c.Now = now.Truncate(time.Second)
		}
		put := func(keys []crypt.SigningKey, err error) int {
			w.t.Helper()
			if err == nil && len(keys) > 0 {
				err = w.in(func(ctx context.Context) error { return w.s.PutKeys(ctx, w.c, keys, false) })
			}
			if err != nil {
				w.t.Fatal(err)
			}
			w.s.Signers.Forget(w.c.Tenant.ID)
			return len(keys)
		}
		const age = 90 * 24 * time.Hour
		due := func() int { w.t.Helper(); return put(w.s.DueKeys(w.t.Context(), w.c, age)) }
		signs := func() string { w.t.Helper(); return header(w.t, w.tokens().Access).Kid }

		first, n := signs(), len(w.keys().Keys)
		if n != 3 { // one of each published algorithm
			w.t.Errorf("%d keys are known before they sign", n)
		}
		wait(age - 25*time.Hour)
		if due() != 0 {
			w.t.Error("a key is replaced too early")
		}
		wait(time.Hour)
		if due() != 2*n || due() != 0 { // the next ones, and the ends of the present ones
			w.t.Error("one key follows another, once")
		}
		if got := len(w.keys().Keys); got != 2*n || signs() != first {
			w.t.Errorf("the next key is to be published before it signs: %d keys", got)
		}
		wait(24*time.Hour - time.Second)
		old := w.tokens()
		wait(2 * time.Second)
		if signs() == first {
			w.t.Error("the next key does not sign")
		}
		wait(life - 10*time.Second)
		if _, err := w.look(old.Access); err != nil {
			w.t.Error("a token ends before its time:", err)
		}
		wait(time.Hour + time.Minute)
		if got := len(w.keys().Keys); got != n {
			w.t.Errorf("the old key stays: %d keys", got)
		}

		// On demand.
		second := signs()
		put(w.s.NextKeys(w.t.Context(), w.c, false))
		if _, err := w.s.NextKeys(w.t.Context(), w.c, false); !errors.Is(err, crypt.ErrTurning) {
			w.t.Error("a key waits already:", err)
		}
		if signs() != second {
			w.t.Error("it signs before it is known")
		}
		wait(10*time.Minute + time.Second)
		third := w.tokens()
		if header(w.t, third.Access).Kid == second {
			w.t.Error("it does not sign")
		}
		put(w.s.NextKeys(w.t.Context(), w.c, true))
		if _, err := w.look(third.Access); !errors.Is(err, oauth.ErrToken) {
			w.t.Error("a key that may be known to others is still believed:", err)
		}
		if _, err := w.look(w.tokens().Access); err != nil {
			w.t.Error(err)
		}
		if keys, err := w.s.DueKeys(w.t.Context(), w.c, 0); keys != nil || err != nil {
			w.t.Error("0 is never", keys, err)
		}
	})
}
