package login

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/core/factor"
)

// Submission is an answer from elsewhere to a mechanism that leads people there (factor.Leader), on behalf of the client that waits.
func Submission(session, mechanism, text string) Request {
	return Request{Session: session, Actions: []Action{{Do: DoAnswer, Mechanism: mechanism, Answer: factor.Answer{Text: text}}}}
}

// Submit takes a Submission, with what Prepare found out. The conversation goes on, and ends if this was the last challenge; the client that waits
// learns it at its next Poll. ErrFailed ends the conversation and is to be committed, as of Advance.
func (l *Logins) Submit(ctx context.Context, c *call.Call, r Request, p Prepared) error {
	s, err := l.find(ctx, c, r.Session)
	if err == nil {
		ch, at := s.challenge(r.Actions[0].Mechanism)
		if s.version != p.version || s.Done != nil || ch == nil || at != s.At || !leads(l.mechanism(ch.Name)) {
			err = errGone
		}
	}
	if errors.Is(err, errGone) {
		_, err = l.gone(c)
	}
	if err != nil {
		return err
	}
	t, err := l.turn(ctx, c, s)
	if err != nil {
		return err
	}
	t.deferred = true
	_, err = t.all(ctx, r, p)
	if errors.Is(err, errGone) {
		_, err = l.gone(c)
	}
	return err
}
