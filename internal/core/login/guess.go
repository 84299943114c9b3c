package login

import (
	"context"
	"math"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
	"limen/internal/fault"
)

// ErrGuesses refuses guesses for a while.
var ErrGuesses = fault.New(fault.Limited, "guess.wait", "Too many failed attempts. Please try again later.")

// guess is one at a secret of u by somebody who is signed in. It falls under the same counters as a guess at the sign-in: a stolen
// session is no way around them.
func (l *Logins) guess(ctx context.Context, c *call.Call, k throttle.Kind, u user.User) (throttle.Attempt, error) {
	device, err := l.Throttle.Known(ctx, c, u.ID, throttle.DeviceHash(c.Client.Device))
	return throttle.Attempt{Kind: k, Login: u.Name, IP: c.Client.IP, Device: device}, err
}

// Free fails while guesses at a secret of u are refused. Fault: ErrGuesses.
func (l *Logins) Free(ctx context.Context, c *call.Call, k throttle.Kind, u user.User) error {
	a, err := l.guess(ctx, c, k, u)
	if err != nil {
		return err
	}
	wait, err := l.Throttle.Wait(ctx, c, a)
	if err != nil || wait == 0 {
		return err
	}
	return held(wait)
}

func held(wait time.Duration) error { return ErrGuesses.RetryAfter(int(math.Ceil(wait.Seconds()))) }

// Guessed counts a guess at a secret of u, which was right or wrong. One that is not allowed gives ErrGuesses, even when it is right; of
// one that is wrong the caller keeps the transaction, so that it counts.
func (l *Logins) Guessed(ctx context.Context, c *call.Call, k throttle.Kind, u user.User, right bool) error {
	a, err := l.guess(ctx, c, k, u)
	if err != nil {
		return err
	}
	out, err := l.Throttle.Count(ctx, c, a, right)
	switch {
	case err != nil:
		return err
	case !out.Allowed:
		return held(out.Wait)
	case right || !out.Locked:
		return nil
	}
	e := c.Record(audit.Lockout) // the account is refused for a while, of which its owner is told
	e.Target, e.Kind, e.Name, e.User, e.Login = u.ID, "User", u.Name, u.ID, u.Name
	e.Set("Scope", string(k))
	if l.Notify == nil {
		return nil
	}
	return l.Notify(ctx, c, u, Locked)
}
