package login

import (
	"context"
	"slices"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/factor/passkey"
)

// whyKey is why nobody was found by a passkey.
const whyKey = "no passkey of anybody's signed"

// ByPasskey begins the conversation of somebody whose passkey named them. It has answered wherever the conversation asks for its mechanism, and what is asked
// besides is asked still; where it is asked for nowhere, it has only told the name. The conversation ends at once where nothing is left. ErrFailed is to be
// committed; Ensure must have run.
func (l *Logins) ByPasskey(ctx context.Context, c *call.Call, k passkey.Found, app string) (out Result, device string, err error) {
	if k.User == "" {
		failEvent(c, whyKey, "")
		return Fail(), "", ErrFailed
	}
	return l.introduced(ctx, c, k.User, app, func(t *turn) (Result, error) { return t.keyed(ctx, k) })
}

func (t *turn) keyed(ctx context.Context, k passkey.Found) (Result, error) {
	var ch *factor.Challenge
	if t.mfa.ID == k.User { // else somebody else's keys answer for them
		ch = t.s.foremost(k.Mechanism)
	}
	if ch == nil {
		return Result{}, nil
	}
	k.Put(t.c, ch)
	why, err := t.prove(ctx, ch, k.Verdict)
	if err != nil {
		return Result{}, err
	}
	if why != "" {
		return t.fail(ctx, why)
	}
	return t.passed(ctx, ch)
}

// foremost puts the challenge that takes a mechanism before the others and gives it; nil where none does. In which order challenges are passed is for the
// person's convenience alone.
func (s *state) foremost(name string) *factor.Challenge {
	for i, one := range s.Challenges {
		if slices.ContainsFunc(one, func(ch factor.Challenge) bool { return ch.Name == name }) {
			s.Challenges = slices.Concat([][]factor.Challenge{one}, s.Challenges[:i], s.Challenges[i+1:])
			break
		}
	}
	return s.named(name)
}
