package login

import (
	"context"
	"errors"
	"slices"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/profile"
	"limen/internal/core/risk"
	"limen/internal/core/setting"
	"limen/internal/core/user"
)

// Profile is how somebody signs in.
type Profile struct {
	ID       string // of the authentication profile that gave the challenges; empty: none did
	Revision int64  // of that profile
	// Challenges are passed one after the other; each is a list of mechanisms of which one is enough. Nobody passes two with
	// the same mechanism.
	Challenges [][]string
	// RequireSecond refuses who has enrolled nothing for one of the challenges, instead of leaving that one out. Who has
	// enrolled nothing for any of an authentication profile's is refused anyway.
	RequireSecond bool
	Single        []string      // mechanisms of which one ends the sign-in by itself, beside those of the first challenge
	Questions     int           // security questions to ask; 0: as many as the tenant asks
	PassFor       time.Duration // for which the later challenges of the authentication profile, once passed on a device, stand; 0: never
	Recovery      [][]string    // challenges before one may choose a new password, all of which must be passed; none: no recovery
	// RecoveryQuestions is Questions, for Recovery.
	RecoveryQuestions int
	RememberFor       time.Duration
	Idle, Life        time.Duration
	PersistLife       time.Duration // 0: staying signed in is not offered
	Concurrent        int           // most sessions; 0: any number
	// Confirm wants a second challenge of who passes one alone: a code by mail, or another one that they have. Whoever has none is refused.
	Confirm bool
	// Spare lets in, where Confirm is on, who has none: those who demand it must not keep out who stands above them.
	Spare bool
	// Refused says why nobody gets in, whatever is answered; empty: they may. It goes into the event, and to nobody else.
	Refused string
	// Risk is the level of the sign-in, which policies go by; empty: it is not rated yet.
	Risk risk.Level
	// Basis is what policies saw and said; it is kept, and decides nothing.
	Basis Basis
}

// With gives the profile with the challenges of an authentication profile in place of its own. How long they stand on a
// device is that profile's matter alone.
func (p Profile) With(a profile.Profile) Profile {
	p.ID, p.Revision, p.Questions, p.RememberFor = a.ID, a.Revision, a.Questions, 0
	p.PassFor = time.Duration(a.Minutes) * time.Minute
	p.Challenges, p.Single = slices.Clone(a.Challenges), a.Single
	if len(p.Challenges) > 0 && slices.Contains(p.Challenges[0], factor.Password) {
		// Clients look for the password at the first place (authentication.yaml, StartAuthentication).
		rest := slices.DeleteFunc(slices.Clone(p.Challenges[0]), func(name string) bool { return name == factor.Password })
		p.Challenges[0] = append([]string{factor.Password}, rest...)
	}
	return p
}

// Recover gives the profile with those of an authentication profile as the challenges before one may choose a new
// password. The forgotten one is none of them, and neither is a code that is read, since anybody can begin to replace a password. A recovery code
// does not begin: whoever found the paper would need nothing else.
func (p Profile) Recover(a profile.Profile) Profile {
	p.Recovery, p.RecoveryQuestions = nil, a.Questions
	for _, names := range a.Challenges {
		rest := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
			return name == factor.Password || name == factor.QR || second(name) && len(p.Recovery) == 0
		})
		if len(rest) > 0 {
			p.Recovery = append(p.Recovery, rest)
		}
	}
	return p
}

// defaultRecovery is what proves somebody who has forgotten the password. Security questions are not among it: their
// answers can be found out.
var defaultRecovery = [][]string{{factor.Email, factor.SMS, factor.OATH}}

func (l *Logins) profile(ctx context.Context, c *call.Call, u user.User) (Profile, error) {
	return l.profileAt(ctx, c, u, "")
}

// profileAt is how somebody signs in whose sign-in has a risk.
func (l *Logins) profileAt(ctx context.Context, c *call.Call, u user.User, at risk.Level) (Profile, error) {
	p, err := l.Base(ctx, c, u, nil)
	p.Risk = at
	if err != nil || l.Profile == nil {
		return p, err
	}
	return l.Profile(ctx, c, u, p)
}

// Base is how somebody signs in as far as the settings say. A profile that proposed has stands in the place of the one with
// its id; nil: there is none.
func (l *Logins) Base(ctx context.Context, c *call.Call, u user.User, proposed map[string]profile.Profile) (Profile, error) {
	v, err := l.Settings.Get(ctx, c)
	if err != nil {
		return Profile{}, err
	}
	p := Profile{
		Challenges: v.Auth.Challenges, RequireSecond: v.Auth.RequireSecondFactor, Recovery: defaultRecovery,
		Idle: v.Session.Idle, Life: v.Session.Life, Concurrent: v.Session.Concurrent,
	}
	if v.Auth.PasskeyAlone && u.MfaUser == "" && slices.ContainsFunc(p.Challenges, func(names []string) bool { return slices.Contains(names, factor.Passkey) }) {
		p.Single = []string{factor.Passkey}
	}
	if v.Auth.RememberDevice {
		p.RememberFor = v.Auth.RememberFor
	}
	if v.Session.AllowPersist {
		p.PersistLife = v.Session.PersistLife
	}
	if u.Service || u.OAuthClient { // programs: they have the password alone, and nobody to recover it
		p.Challenges, p.Single, p.RequireSecond, p.Recovery = [][]string{{factor.Password}}, nil, false, nil
		return p, nil
	}
	return l.named(ctx, c, v.Auth, p, proposed)
}

// named puts the profiles that the settings name in place of what the settings say themselves.
func (l *Logins) named(ctx context.Context, c *call.Call, v setting.Auth, p Profile, proposed map[string]profile.Profile) (Profile, error) {
	for _, one := range []struct {
		id  string
		put func(Profile, profile.Profile) Profile
	}{{v.Profile, Profile.With}, {v.Recovery, Profile.Recover}} {
		if one.id == "" || l.Profiles == nil {
			continue
		}
		a, err := l.Profiles.Among(ctx, c, one.id, proposed)
		if errors.Is(err, profile.ErrNotFound) { // it cannot be deleted while a setting names it
			continue
		}
		if err != nil {
			return p, err
		}
		p = one.put(p, a)
	}
	return p, nil
}

// numbered is a mechanism that can be told how many things to ask for.
type numbered interface {
	Asking(n int) factor.Mechanism
}

// asking is the mechanism of a name that asks for n things, where it asks for several; n is 0 for the tenant's number.
func (l *Logins) asking(name string, n int) factor.Mechanism {
	m := l.mechanism(name)
	if several, ok := m.(numbered); ok && n > 0 {
		return several.Asking(n)
	}
	return m
}

// distinct leaves in each challenge the mechanisms with which all challenges can be passed without using one twice. Where
// there is no such way, the last challenges are left out until there is one.
func distinct(challenges [][]factor.Challenge) [][]factor.Challenge {
	for len(challenges) > 1 && !passable(challenges, nil) {
		challenges = challenges[:len(challenges)-1]
	}
	out := make([][]factor.Challenge, len(challenges))
	for i, one := range challenges {
		for _, ch := range one {
			with := slices.Clone(challenges)
			with[i] = []factor.Challenge{ch}
			if passable(with, nil) {
				out[i] = append(out[i], ch)
			}
		}
	}
	return out
}

// passable says whether the challenges can be passed with different mechanisms, none of which was used.
func passable(challenges [][]factor.Challenge, used []string) bool {
	if len(challenges) == 0 {
		return true
	}
	return slices.ContainsFunc(challenges[0], func(ch factor.Challenge) bool {
		return !slices.Contains(used, ch.Name) && passable(challenges[1:], append(slices.Clone(used), ch.Name))
	})
}

// narrow takes a mechanism that was used out of the challenges that are left, and says whether they are others now.
func (s *state) narrow(name string) bool {
	rest := s.Challenges[s.At:]
	fresh := make([][]factor.Challenge, len(rest))
	for i, one := range rest {
		fresh[i] = slices.DeleteFunc(slices.Clone(one), func(ch factor.Challenge) bool { return ch.Name == name })
	}
	if slices.EqualFunc(rest, fresh, func(a, b []factor.Challenge) bool { return len(a) == len(b) }) {
		return false
	}
	s.Challenges = append(slices.Clone(s.Challenges[:s.At]), distinct(fresh)...)
	s.Narrowed = s.At
	return true
}
