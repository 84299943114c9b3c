package login

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/core/user"
)

// Able says whether a person has enrolled enough to pass all challenges of a profile. It reads only.
func (l *Logins) Able(ctx context.Context, c *call.Call, u user.User, p Profile) (bool, error) {
	w := subject{real: u, shown: u, mfa: u}
	if u.MfaUser != "" {
		other, err := l.People.ByID(ctx, c, u.MfaUser)
		if err != nil && !errors.Is(err, user.ErrNotFound) {
			return false, err
		}
		w.mfa = other
	}
	rounds, err := l.offers(ctx, c, w, p.Challenges, p.Questions)
	return err == nil && passable(rounds, nil), err
}

// Standing is the person whose package is shown for a name: their own, and for a name that does not exist that of the one who
// stands in. What else depends on the person goes by the same one, so that it tells nothing either.
func (l *Logins) Standing(ctx context.Context, c *call.Call, name string) (user.User, error) {
	w, err := l.who(ctx, c, name)
	return w.shown, err
}
