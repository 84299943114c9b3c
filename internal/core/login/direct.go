package login

import (
	"cmp"
	"context"
	"encoding/base64"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/user"
	"limen/internal/crypt"
)

// Directly is a sign-in by name and password in one call (authentication.yaml n 20), on its way.
type Directly struct {
	s      *state
	people [2]user.User
	check  check
	extra  bool // more than a password is asked for
	waived string
}

// PrepareDirect checks a name and a password, outside transactions.
func (l *Logins) PrepareDirect(ctx context.Context, c *call.Call, name, plain string) (Directly, error) {
	return l.directly(ctx, c, Begin{Login: name}, plain)
}

// PrepareOn is PrepareDirect for a client that may name its device itself, by a text that nobody else knows; empty: it does not.
func (l *Logins) PrepareOn(ctx context.Context, c *call.Call, device, name, plain string) (Directly, error) {
	if device != "" {
		c.Client.Device = "named." + base64.RawURLEncoding.EncodeToString(crypt.TokenHash(device))
	}
	return l.directly(ctx, c, Begin{Login: name, Named: device != ""}, plain)
}

func (l *Logins) directly(ctx context.Context, c *call.Call, in Begin, plain string) (Directly, error) {
	if err := l.Ensure(ctx, c.Tenant.ID); err != nil {
		return Directly{}, err
	}
	var d Directly
	err := c.Snapshot(ctx, func() error {
		s, _, who, err := l.begin(ctx, c, in)
		if err != nil {
			return err
		}
		d.s, d.extra = s, len(s.Challenges) > 1
		d.people = [2]user.User{who.real, who.mfa}
		return nil
	})
	if err != nil {
		return Directly{}, err
	}
	if d.check, err = l.check(ctx, c, d.s, d.people, factor.Challenge{Name: factor.Password}, factor.Answer{Text: plain}); err != nil {
		return d, err
	}
	d.waived, err = l.waived(ctx, c, d.s.User, d.check)
	return d, err
}

// Direct signs in where the password alone lets in. ErrFailed otherwise, which is to be committed.
func (l *Logins) Direct(ctx context.Context, c *call.Call, d Directly) (Result, error) {
	s := *d.s // a transaction may run again
	s.Waived = d.waived
	t, err := l.turn(ctx, c, &s)
	if err != nil {
		return Result{}, err
	}
	ch := &factor.Challenge{Name: factor.Password}
	why, err := t.prove(ctx, ch, d.check.verdict)
	if err != nil {
		return Result{}, err
	}
	if why != "" {
		return t.fail(ctx, why)
	}
	t.s.Passed = append(t.s.Passed, ch.Name)
	why, more, err := t.reconsider(ctx)
	if err != nil {
		return Result{}, err
	}
	if why != "" || more {
		return t.fail(ctx, cmp.Or(why, whyMore))
	}
	due, _, err := t.resetDue(ctx)
	if err != nil {
		return Result{}, err
	}
	if d.extra || due || ch.Name != t.s.Challenges[0][0].Name {
		return t.fail(ctx, whyMore)
	}
	return t.success(ctx)
}
