package login

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/factor/recovery"
	"limen/internal/core/user"
)

// DrawCodes draws recovery codes for somebody who makes a set of their own, outside transactions. Faults: those of Own and of
// session.Sessions.Recent, recovery.ErrForbidden, recovery.ErrAlone.
func (l *Logins) DrawCodes(ctx context.Context, c *call.Call, u user.User) (recovery.New, error) {
	if err := l.Ensure(ctx, c.Tenant.ID); err != nil {
		return recovery.New{}, err
	}
	if err := c.Snapshot(ctx, func() error { return l.mayMakeCodes(ctx, c, u) }); err != nil {
		return recovery.New{}, err
	}
	return l.Codes.Draw(ctx, c, u.ID)
}

// PutCodes stores a set that was drawn, in the place of the person's old one, and tells them. Faults as DrawCodes.
func (l *Logins) PutCodes(ctx context.Context, c *call.Call, u user.User, n recovery.New) error {
	if err := l.mayMakeCodes(ctx, c, u); err != nil {
		return err
	}
	if err := l.Codes.Put(ctx, c, u.ID, n); err != nil || l.Notify == nil {
		return err
	}
	return l.Notify(ctx, c, u, CodesMade)
}

func (l *Logins) mayMakeCodes(ctx context.Context, c *call.Call, u user.User) error {
	if err := l.Own(ctx, c, u.ID, OwnOATH); err != nil {
		return err
	}
	if err := l.Sessions.Recent(ctx, c, u.ID); err != nil {
		return err
	}
	if may, err := l.Codes.May(ctx, c, u.ID); err != nil || !may {
		if err == nil {
			err = recovery.ErrForbidden
		}
		return err
	}
	backed, err := l.Backed(ctx, c, u)
	if err == nil && !backed {
		err = recovery.ErrAlone
	}
	return err
}
