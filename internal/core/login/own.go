package login

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/session"
	"limen/internal/fault"
)

// Part is something of their own that people change, and that policies may want a further proof for.
type Part string

// The parts, as policies name them below /Core/Authentication/UserUpdateProfile/.
const (
	OwnProfile   Part = "Profile"
	OwnPassword  Part = "Password"
	OwnOATH      Part = "OathProfile"
	OwnQuestions Part = "SecurityQuestion"
	OwnKeys      Part = "U2F"
	OwnPIN       Part = "PhonePin"
)

// ErrForbidden is for those whose policies let nobody do what they want.
var ErrForbidden = fault.New(fault.Denied, "login.forbidden", "Your policies do not allow this.")

// Own asks callers who change what is their own for what their policies want first. Nobody else's changes are its matter. Faults: ErrDue,
// which names the authentication profile; ErrForbidden.
func (l *Logins) Own(ctx context.Context, c *call.Call, personID string, part Part) error {
	if l.Parts == nil || c.Caller == nil || c.Caller.User != personID {
		return nil
	}
	w, err := l.Parts(ctx, c, personID, part)
	if err != nil || len(w.Rounds) == 0 || c.Caller.Setup { // who has lost all cannot show any of it
		return err
	}
	due, err := l.Due(ctx, c, w)
	if errors.Is(err, session.ErrNone) { // an access token cannot be raised
		due, err = true, nil
	}
	if err == nil && due {
		err = ErrDue.Say("This needs a further proof of who you are: satisfy the authentication profile %s first.", w.Name)
	}
	return err
}

// OwnChallenge gives the id of the challenge that is due before the caller changes that part of their own; empty where none is, or where
// no challenge would help. Where only a recent proof is lacking (session.Recent), it asks for what a sign-in asks for.
func (l *Logins) OwnChallenge(ctx context.Context, c *call.Call, part Part) (id string, due bool, err error) {
	if l.Parts != nil {
		w, err := l.Parts(ctx, c, c.User(), part)
		if err != nil {
			return "", errors.Is(err, ErrForbidden), but(err, ErrForbidden)
		}
		if c.Caller.Setup { // who has lost all cannot show any of it
			return "", false, nil
		}
		if id, err = l.Challenge(ctx, c, w); err != nil || id != "" {
			return id, id != "", but(err, session.ErrNone)
		}
	}
	if err := l.Sessions.Recent(ctx, c, c.User()); !errors.Is(err, session.ErrStale) {
		return "", false, err
	}
	if c.Caller.Session == "" {
		return "", true, nil
	}
	w, err := l.Usual(ctx, c)
	if err != nil || len(w.Rounds) == 0 {
		return "", true, err
	}
	id, err = l.Challenge(ctx, c, w)
	return id, true, err
}

// but gives an error unless it is that one.
func but(err, known error) error {
	if errors.Is(err, known) {
		return nil
	}
	return err
}

// Usual is what a sign-in of the caller asks for, of what they have enrolled, to be shown anew.
func (l *Logins) Usual(ctx context.Context, c *call.Call) (Wanted, error) {
	u, err := l.People.ByID(ctx, c, c.User())
	if err != nil {
		return Wanted{}, err
	}
	p, err := l.profile(ctx, c, u)
	if err != nil {
		return Wanted{}, err
	}
	w, err := l.self(ctx, c, u)
	if err != nil {
		return Wanted{}, err
	}
	made, err := l.challenges(ctx, c, w, p)
	return Wanted{Rounds: named(made), Questions: p.Questions, Anew: true}, err
}

// named are the mechanisms of challenges.
func named(challenges [][]factor.Challenge) [][]string {
	var out [][]string
	for _, round := range challenges {
		one := make([]string, len(round))
		for i, ch := range round {
			one[i] = ch.Name
		}
		out = append(out, one)
	}
	return out
}
