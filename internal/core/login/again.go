package login

import (
	"context"

	"limen/internal/core/factor"
)

// maxRounds is how often a mechanism may ask for something else before it says whether the person is right.
const maxRounds = 5

// again asks for what a mechanism wants besides. It counts neither as a wrong answer nor as a right one, so it has an end.
func (t *turn) again(ctx context.Context, ch *factor.Challenge, v factor.Verdict) (Result, error) {
	attempt, err := t.attempt(ctx, t.c, t.s, kindOf(ch.Name))
	if err != nil {
		return Result{}, err
	}
	wait, err := t.Throttle.Wait(ctx, t.c, attempt)
	switch {
	case err != nil:
		return Result{}, err
	case wait > 0:
		return t.fail(ctx, whyThrottled)
	}
	if ch.Tries++; ch.Tries > maxRounds {
		return t.fail(ctx, whyWrong)
	}
	ch.Code, ch.Prompt.Chosen = v.Token, v.Again
	p := t.pack()
	p.Message = v.Again
	return Result{Summary: NewPackage, Package: p}, nil
}
