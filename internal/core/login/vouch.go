package login

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/user"
)

// ByProvider stands among the mechanisms that somebody passed who signed in at an identity provider in place of giving the password.
const ByProvider = "EXTIDP"

// Vouched begins the conversation of somebody whom an identity provider has shown. That stands in for the password and for nothing else:
// where the first challenge does not take a password, all that is asked for is asked still, and further challenges are. It ends at once
// where nothing is left. ErrFailed is to be committed; Ensure must have run.
func (l *Logins) Vouched(ctx context.Context, c *call.Call, userID, provider string) (out Result, device string, err error) {
	u, err := l.People.ByID(ctx, c, userID)
	if errors.Is(err, user.ErrNotFound) {
		out, err = l.gone(c)
		return out, "", err
	}
	if err != nil {
		return Result{}, "", err
	}
	s, p, _, err := l.begin(ctx, c, Begin{Login: u.Name})
	if err != nil {
		return Result{}, "", err
	}
	t, err := l.turn(ctx, c, s)
	if err != nil {
		return Result{}, "", err
	}
	if c.Event != nil {
		c.Event.Set("IdentityProvider", provider)
	}
	out, err = t.vouched(ctx)
	if err == nil && out.Package != nil {
		out.Package.AllowPersist, out.Package.AllowForgot = p.PersistLife > 0, false
	}
	return out, s.Device, err
}

func (t *turn) vouched(ctx context.Context) (Result, error) {
	switch {
	case t.person.ID == "":
		return t.fail(ctx, whyUnknown)
	case t.person.Barred(t.c.Now):
		return t.fail(ctx, whyBarred)
	case t.person.Service || t.person.OAuthClient: // programs have a secret, and nobody at a provider
		return t.fail(ctx, whyBarred)
	}
	if ch := t.s.named(factor.Password); ch != nil {
		ch.Passed = true
		t.s.Passed = append(t.s.Passed, ByProvider)
		t.s.At++
		if t.s.At == len(t.s.Challenges) {
			out, err := t.finish(ctx)
			if err == nil && out.Package != nil { // something is left after all
				err = t.create(ctx, t.c, t.s)
				out.Package = t.pack()
			}
			return out, err
		}
	}
	if err := t.create(ctx, t.c, t.s); err != nil {
		return Result{}, err
	}
	out := t.pack()
	err := t.ahead(ctx, t.c, t.s, t.s.Challenges[t.s.At][0].Name, out)
	return Result{Summary: NewPackage, Package: out}, err
}
