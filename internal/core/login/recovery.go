package login

import (
	"context"

	"limen/internal/core/audit"
	"limen/internal/core/factor"
)

const perhaps = "If the account can be recovered, it has been told how."

// forgot replaces the package of a conversation that has only begun by one that ends in a new password: the recovery
// mechanisms, and RESET behind them. Who has none of them gets an answer that says nothing, as names that do not exist
// may, too.
func (t *turn) forgot(ctx context.Context) (Result, error) {
	w, err := t.who(ctx, t.c, t.s.Login)
	if err != nil {
		return Result{}, err
	}
	shown, err := t.Logins.profile(ctx, t.c, w.shown) // what the client was shown as AllowForgotPassword
	if err != nil {
		return Result{}, err
	}
	if len(shown.Recovery) == 0 || t.s.At != 0 || len(t.s.Passed) > 0 || t.s.Recovery {
		return t.fail(ctx, whyAction)
	}
	var one []factor.Challenge
	for _, name := range shown.Recovery {
		ch, ok, err := t.offer(ctx, t.c, w, name)
		if err != nil {
			return Result{}, err
		}
		if ok {
			ch.Recovery = true
			one = append(one, ch)
		}
	}
	if t.c.Event != nil {
		t.c.Event.Type = audit.ResetStart
	}
	if len(one) == 0 {
		return Result{Summary: Noncommittal, Message: perhaps}, t.end(ctx, t.c, t.s)
	}
	policy, err := t.Passwords.PolicyOf(ctx, t.c, w.shown.ID)
	if err != nil {
		return Result{}, err
	}
	t.s.Recovery = true
	t.s.Challenges = [][]factor.Challenge{one, {t.resetChallenge(policy.Hint())}}
	return Result{Summary: NewPackage, Package: t.pack()}, nil
}
