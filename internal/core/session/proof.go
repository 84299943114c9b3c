package session

import (
	"context"

	"limen/internal/call"
)

// Recent asks callers for a recent proof of who they are who change what proves it for a person, when that is themselves: an
// address or number that codes are sent to, an authenticator, answers to questions. Otherwise a stolen session would become
// the account. Fault: ErrStale.
func (s *Sessions) Recent(ctx context.Context, c *call.Call, userID string) error {
	if s.Proof == nil || c.Caller == nil || c.Caller.User != userID {
		return nil
	}
	lasts, err := s.Proof(ctx, c)
	if err != nil || lasts <= 0 || c.Now.Sub(c.Caller.Proved) <= lasts {
		return err
	}
	return ErrStale
}
