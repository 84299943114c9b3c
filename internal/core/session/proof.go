package session

import (
	"context"
	"strconv"
	"time"

	"limen/internal/call"
)

// MaxAge is the cause of ErrStale: how long ago at most the proof may be.
type MaxAge time.Duration

// Error says it.
func (m MaxAge) Error() string { return "max_age " + strconv.Itoa(m.Seconds()) }

// Seconds is the time in seconds.
func (m MaxAge) Seconds() int { return int(time.Duration(m) / time.Second) }

// Recent asks callers for a recent proof of who they are who change what proves it for a person, when that is themselves: an
// address or number that codes are sent to, an authenticator, answers to questions. Otherwise a stolen session would become
// the account. Fault: ErrStale.
func (s *Sessions) Recent(ctx context.Context, c *call.Call, userID string) error {
	if s.Proof == nil || c.Caller == nil || c.Caller.User != userID || c.Caller.Setup { // who regained the account has just proved what they can
		return nil
	}
	lasts, err := s.Proof(ctx, c)
	if err != nil || lasts <= 0 || c.Now.Sub(c.Caller.Proved) <= lasts {
		return err
	}
	return ErrStale.Because(MaxAge(lasts))
}
