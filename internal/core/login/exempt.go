package login

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
)

// whyExempt is for who began to sign in while they were exempt, and would finish afterwards.
const whyExempt = "exemption from further factors has ended"

// exempt leaves the later challenges out of a profile while a person is exempt from them, and says whether it did. Names that
// do not exist cost as much: u is whose package stands in.
func (l *Logins) exempt(ctx context.Context, c *call.Call, u user.User, p *Profile) (bool, error) {
	if l.Exempt == nil || len(p.Challenges) < 2 && !p.Confirm {
		return false, nil
	}
	ok, err := l.Exempt(ctx, c, u.ID)
	if ok && err == nil {
		p.Challenges, p.Confirm = p.Challenges[:min(len(p.Challenges), 1)], false
	}
	return ok, err
}

// overdue says whether the exemption on which a conversation rests has ended since it began.
func (t *turn) overdue(ctx context.Context) (bool, error) {
	if !t.s.Exempt {
		return false, nil
	}
	ok, err := t.Exempt(ctx, t.c, t.person.ID)
	return !ok, err
}

// strange tells the person of a sign-in without further factors from a device that is not known. The device does not become
// known by it: it would stand in for the factors afterwards.
func (t *turn) strange(ctx context.Context) error {
	if !t.s.Exempt || t.person.Active == 0 || t.Notify == nil {
		return nil
	}
	known, err := t.Throttle.Known(ctx, t.c, t.person.ID, throttle.DeviceHash(t.s.Device))
	if err != nil || known != nil {
		return err
	}
	return t.Notify(ctx, t.c, t.person, NewDevice)
}
