package login

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/core/user"
)

// Outlook is what a sign-in by a profile would ask of somebody, on a device that stands in for nothing.
type Outlook struct {
	Challenges [][]string // mechanisms, of which one of each challenge is enough
	Refused    string     // why nobody gets in, whatever is answered; empty: they may
	Exempt     bool       // the person signs in without further factors at present
}

// Outlook says what a sign-in by a profile would ask of somebody: what Start offers, with what the person has enrolled. It
// reads only.
func (l *Logins) Outlook(ctx context.Context, c *call.Call, u user.User, p Profile) (Outlook, error) {
	w, err := l.self(ctx, c, u)
	if err != nil {
		return Outlook{}, err
	}
	s := &state{}
	if s.Exempt, err = l.exempt(ctx, c, u, &p); err != nil {
		return Outlook{}, err
	}
	why, err := l.ask(ctx, c, s, w, p)
	return Outlook{Challenges: named(s.Challenges), Refused: why, Exempt: s.Exempt}, err
}

// self is a person who is there, with whose second factors answer.
func (l *Logins) self(ctx context.Context, c *call.Call, u user.User) (subject, error) {
	w := subject{real: u, shown: u, mfa: u}
	if u.MfaUser == "" {
		return w, nil
	}
	other, err := l.People.ByID(ctx, c, u.MfaUser)
	if errors.Is(err, user.ErrNotFound) {
		err = nil
	}
	w.mfa = other
	return w, err
}
