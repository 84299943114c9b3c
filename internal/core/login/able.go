package login

import (
	"context"
	"slices"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/setting"
	"limen/internal/core/user"
)

// Able says whether a person has enrolled enough to pass all challenges of a profile. It reads only.
func (l *Logins) Able(ctx context.Context, c *call.Call, u user.User, p Profile) (bool, error) {
	w, err := l.self(ctx, c, u)
	if err != nil {
		return false, err
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

// Admits says whether a person could sign in now, from where the call comes, with what they have enrolled. It decides as Start
// does, and reads only.
func (l *Logins) Admits(ctx context.Context, c *call.Call, u user.User) (bool, error) {
	if u.Barred(c.Now) {
		return false, nil
	}
	p, err := l.profile(ctx, c, u)
	if err != nil || p.Refused != "" {
		return false, err
	}
	w, err := l.self(ctx, c, u)
	if err != nil {
		return false, err
	}
	p.Challenges = lasting(p.Challenges)
	rounds, err := l.challenges(ctx, c, w, p)
	if err != nil {
		return false, err
	}
	if !lacks(rounds, p) {
		if ok, err := l.known(ctx, c, u, rounds); ok || err != nil {
			return ok, err
		}
	}
	alone, err := l.singles(ctx, c, w, p)
	return len(alone) > 0, err
}

// lasting are challenges without recovery codes, which are used up: they are no way in that lasts.
func lasting(challenges [][]string) [][]string {
	out := make([][]string, len(challenges))
	for i, names := range challenges {
		out[i] = unused(names, []string{factor.Recovery})
	}
	return out
}

// Backed says whether a person has enrolled a further factor that recovery codes could stand in for. It reads only.
func (l *Logins) Backed(ctx context.Context, c *call.Call, u user.User) (bool, error) {
	w, err := l.self(ctx, c, u)
	if err != nil {
		return false, err
	}
	rounds, err := l.offers(ctx, c, w, [][]string{unused(setting.Mechanisms, []string{factor.Password, factor.Recovery})}, 0)
	return err == nil && len(rounds[0]) > 0, err
}

// known says whether challenges can be passed by somebody who may have no password: it is offered to everybody alike.
func (l *Logins) known(ctx context.Context, c *call.Call, u user.User, rounds [][]factor.Challenge) (bool, error) {
	cur, err := l.Passwords.Find(ctx, c, u.ID)
	if err != nil || cur.Hash != "" {
		return err == nil, err
	}
	for i, one := range rounds {
		rounds[i] = slices.DeleteFunc(slices.Clone(one), func(ch factor.Challenge) bool { return ch.Name == factor.Password })
	}
	return len(rounds) > 0 && passable(rounds, nil), nil
}
