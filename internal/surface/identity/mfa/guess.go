package mfa

import (
	"context"

	"limen/internal/core/login"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// count takes a guess. A wrong one ends the operation with the fault, and what was counted is kept. One that is not
// allowed ends it without keeping anything, even when it is right.
func (m MFA) count(ctx context.Context, c *op.Call, k throttle.Kind, p user.User, right bool, wrong *fault.Error) error {
	if err := m.Logins.Guessed(ctx, c, k, p, right); err != nil || right {
		return err
	}
	return op.Refused(wrong)
}

func (m MFA) tell(ctx context.Context, c *op.Call, p user.User, what login.Notice) error {
	if m.Notify == nil {
		return nil
	}
	return m.Notify(ctx, c, p, what)
}
