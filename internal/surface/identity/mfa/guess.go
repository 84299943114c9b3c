package mfa

import (
	"context"
	"math"
	"time"

	"limen/internal/core/audit"
	"limen/internal/core/login"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// attempt is a guess at a secret of p. It falls under the same counters as a guess at the sign-in: a stolen session is
// no way around them.
func (m MFA) attempt(ctx context.Context, c *op.Call, k throttle.Kind, p user.User) (throttle.Attempt, error) {
	device, err := m.Throttle.Known(ctx, c, p.ID, throttle.DeviceHash(c.Client.Device))
	return throttle.Attempt{Kind: k, Login: p.Name, IP: c.Client.IP, Device: device}, err
}

// free fails while guesses at a secret of p are refused.
func (m MFA) free(ctx context.Context, c *op.Call, k throttle.Kind, p user.User) error {
	a, err := m.attempt(ctx, c, k, p)
	if err != nil {
		return err
	}
	wait, err := m.Throttle.Wait(ctx, c, a)
	if err != nil || wait == 0 {
		return err
	}
	return held(wait)
}

func held(wait time.Duration) error { return ErrWait.RetryAfter(int(math.Ceil(wait.Seconds()))) }

// count takes a guess. A wrong one ends the operation with the fault, and what was counted is kept. One that is not
// allowed ends it without keeping anything, even when it is right.
func (m MFA) count(ctx context.Context, c *op.Call, k throttle.Kind, p user.User, right bool, wrong *fault.Error) error {
	a, err := m.attempt(ctx, c, k, p)
	if err != nil {
		return err
	}
	out, err := m.Throttle.Count(ctx, c, a, right)
	switch {
	case err != nil:
		return err
	case !out.Allowed:
		return held(out.Wait)
	case right:
		return nil
	}
	if out.Locked {
		if err := m.locked(ctx, c, k, p); err != nil {
			return err
		}
	}
	return op.Refused(wrong)
}

// locked notes that an account is refused for a while, and tells its owner.
func (m MFA) locked(ctx context.Context, c *op.Call, k throttle.Kind, p user.User) error {
	e := c.Record(audit.Lockout)
	e.Target, e.Kind, e.Name, e.User, e.Login = p.ID, "User", p.Name, p.ID, p.Name
	e.Set("Scope", string(k))
	return m.tell(ctx, c, p, login.Locked)
}

func (m MFA) tell(ctx context.Context, c *op.Call, p user.User, what login.Notice) error {
	if m.Notify == nil {
		return nil
	}
	return m.Notify(ctx, c, p, what)
}
