package login

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/core/user"
)

// introduced begins the conversation of somebody whom something else than a typed name has named, with the answer that this gives to what is asked. What is asked
// besides is asked still. device is what their browser is to keep.
func (l *Logins) introduced(ctx context.Context, c *call.Call, userID, app string, answer func(t *turn) (Result, error)) (out Result, device string, err error) {
	u, err := l.People.ByID(ctx, c, userID)
	if errors.Is(err, user.ErrNotFound) {
		out, err = l.gone(c)
		return out, "", err
	}
	if err != nil {
		return Result{}, "", err
	}
	s, _, _, err := l.begin(ctx, c, Begin{Login: u.Name, App: app})
	if err != nil {
		return Result{}, "", err
	}
	t, err := l.turn(ctx, c, s)
	if err != nil {
		return Result{}, "", err
	}
	switch {
	case t.person.ID == "":
		out, err = t.fail(ctx, whyUnknown)
	case t.person.Barred(c.Now):
		out, err = t.fail(ctx, whyBarred)
	default:
		out, err = answer(t)
	}
	if err != nil || out.Success != nil {
		return out, s.Device, err
	}
	if err := l.create(ctx, c, s); err != nil {
		return Result{}, "", err
	}
	out = Result{Summary: NewPackage, Package: t.pack()}
	out.Package.AllowPersist, out.Package.AllowForgot = t.profile.PersistLife > 0, false
	return out, s.Device, l.ahead(ctx, c, s, s.Challenges[s.At][0].Name, out.Package)
}
