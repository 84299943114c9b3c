package login

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/factor"
)

// ByProvider stands among the mechanisms that somebody passed who signed in at an identity provider in place of giving the password.
const ByProvider = "EXTIDP"

// Vouched begins the conversation of somebody whom an identity provider has shown. That stands in for the password and for nothing else:
// where the first challenge does not take a password, all that is asked for is asked still, and further challenges are. It ends at once
// where nothing is left. ErrFailed is to be committed; Ensure must have run.
func (l *Logins) Vouched(ctx context.Context, c *call.Call, userID, provider string) (out Result, device string, err error) {
	if c.Event != nil {
		c.Event.Set("IdentityProvider", provider)
	}
	return l.introduced(ctx, c, userID, "", func(t *turn) (Result, error) { return t.vouched(ctx) })
}

func (t *turn) vouched(ctx context.Context) (Result, error) {
	if t.person.Service || t.person.OAuthClient { // programs have a secret, and nobody at a provider
		return t.fail(ctx, whyBarred)
	}
	ch := t.s.named(factor.Password)
	if ch == nil {
		return Result{}, nil
	}
	ch.Passed = true
	t.s.Passed = append(t.s.Passed, ByProvider)
	if t.s.At++; t.s.At < len(t.s.Challenges) {
		return Result{}, nil
	}
	return t.finish(ctx)
}
