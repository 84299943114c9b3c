package login

import (
	"context"

	"limen/internal/core/audit"
	"limen/internal/core/factor"
)

const perhaps = "If the account can be recovered, it has been told how."

// forgot replaces the package of a conversation that has only begun by one that ends in a new password: the recovery's
// challenges, and RESET behind them. Who cannot pass all of them gets an answer that says nothing, as names that do not exist
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
	if len(shown.Recovery) == 0 || t.s.At != 0 || len(t.s.Passed) > 0 || t.s.Recovery || t.s.Nameless || t.s.beside() {
		return t.fail(ctx, whyAction)
	}
	rounds, err := t.offers(ctx, t.c, w, shown.Recovery, shown.RecoveryQuestions)
	if err != nil {
		return Result{}, err
	}
	for _, one := range withoutCalls(rounds) {
		for i := range one {
			one[i].Recovery = true
		}
	}
	if t.c.Event != nil {
		t.c.Event.Type = audit.ResetStart
	}
	if !passable(rounds, nil) { // less than is asked for replaces no password
		return Result{Summary: Noncommittal, Message: perhaps}, t.end(ctx, t.c, t.s)
	}
	policy, err := t.Passwords.PolicyOf(ctx, t.c, w.shown.ID)
	if err != nil {
		return Result{}, err
	}
	t.s.Recovery = true
	t.s.Challenges = append(distinct(rounds), []factor.Challenge{t.resetChallenge(policy.Hint())})
	return Result{Summary: NewPackage, Package: t.pack()}, nil
}
