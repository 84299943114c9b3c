package login

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/core/user"
	"limen/internal/fault"
)

// Certificate stands among the factors of a session and of events for a certificate by which the client made its connection. It is no
// mechanism: nothing asks for it (authentication.yaml, StartAuthentication).
const Certificate = "CERT"

// Terms are on which somebody signs in by a certificate.
type Terms struct {
	// Profile says how long a session lasts, who is refused, and by its Challenges what is asked for besides; none: nothing.
	Profile Profile
	Known   bool // the device becomes known by it
	All     bool // it counts as much as several factors
}

// Certified is a wish to sign in by a certificate, of which has been found out whom it names.
type Certified struct {
	Login     string // login name of the person; empty: it names nobody
	Why       string // why nobody, for the event; empty: it names somebody
	Print     string // thumbprint of the certificate, for the event
	Authority string // who vouches for it, for the event
	Vault     *Vault // the Vault's dialect, or a RADIUS client, signs in; nil: another one
}

// ByCertificate signs in whom a certificate names, who is refused where policies ask for more: nothing can be asked for here. May says last
// whether they may sign in so; nil: they may. Nobody learns why they are refused unless their certificate was good. Faults, to be committed:
// ErrFailed, ErrMore and that of may.
func (l *Logins) ByCertificate(ctx context.Context, c *call.Call, in Certified, may func(context.Context, *call.Call, user.User) error) (Result, error) {
	t, terms, err := l.certified(ctx, c, in)
	if err != nil {
		return Result{}, err
	}
	switch {
	case in.Why != "":
		t.s.Refused = in.Why
		return t.fail(ctx, in.Why)
	case t.person.ID == "":
		return t.fail(ctx, whyUnknown)
	case t.person.Barred(c.Now):
		return t.fail(ctx, whyBarred)
	case t.profile.Refused != "":
		return t.fail(ctx, t.profile.Refused)
	}
	if may != nil {
		if err := may(ctx, c, t.person); err != nil {
			if f := fault.Of(err); f.Kind != fault.Internal {
				return t.refuse(ctx, f)
			}
			return Result{}, err
		}
	}
	if (len(t.profile.Challenges) > 0 || t.profile.Confirm) && !terms.All {
		return t.refuse(ctx, ErrMore)
	}
	t.s.Passed, t.strong, t.stranger = []string{Certificate}, terms.All, !terms.Known
	return t.success(ctx)
}

// certified is the conversation that a certificate takes the place of.
func (l *Logins) certified(ctx context.Context, c *call.Call, in Certified) (*turn, Terms, error) {
	var terms Terms
	s := &state{Login: in.Login, IP: c.Client.IP.String(), Agent: c.Client.UserAgent, Device: deviceOf(c), Vault: in.Vault}
	t := &turn{Logins: l, c: c, s: s}
	if in.Login != "" {
		u, err := l.People.ByName(ctx, c, in.Login)
		if err != nil && !errors.Is(err, user.ErrNotFound) {
			return nil, terms, err
		}
		t.person, t.mfa, s.User = u, u, u.ID
	}
	l.tell(c, s, t.person)
	if e := c.Event; e != nil && in.Print != "" {
		e.Set("Certificate", in.Print)
		e.Set("CertificateAuthority", in.Authority)
	}
	if t.person.ID == "" {
		return t, terms, nil
	}
	rated, err := l.rate(ctx, c, t.person, Begin{Login: in.Login, Radius: s.radius()})
	if err != nil {
		return t, terms, err
	}
	s.Risk = rated
	base, err := l.Base(ctx, c, t.person, nil)
	if s.Risk != nil {
		base.Risk = s.Risk.Level
	}
	if at := s.radius(); err == nil && at != nil {
		terms, err = l.RadiusTerms(ctx, c, t.person, base, at.Profile)
	} else if err == nil {
		terms, err = l.Terms(ctx, c, t.person, base)
	}
	t.profile = terms.Profile
	return t, terms, err
}
