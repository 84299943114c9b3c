package login

import (
	"context"
	"slices"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/user"
)

// ByMail says whether a code by mail alone is what a person needs to replace a forgotten password: their policies ask for one proof, and a
// mail is among its ways. It reads only.
func (l *Logins) ByMail(ctx context.Context, c *call.Call, u user.User) (bool, error) {
	p, err := l.profile(ctx, c, u)
	if err != nil || len(p.Recovery) != 1 {
		return false, err
	}
	w, err := l.self(ctx, c, u)
	if err != nil {
		return false, err
	}
	rounds, err := l.offers(ctx, c, w, p.Recovery, p.RecoveryQuestions)
	return err == nil && slices.ContainsFunc(rounds[0], func(ch factor.Challenge) bool { return ch.Name == factor.Email }), err
}
