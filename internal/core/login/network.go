package login

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/factor/network"
	"limen/internal/core/user"
)

// DrawNetworkPassword draws a network password for somebody who makes one of their own, outside transactions. Faults: those of Own and of
// session.Sessions.Recent, network.ErrOff.
func (l *Logins) DrawNetworkPassword(ctx context.Context, c *call.Call, u user.User) (network.New, error) {
	if err := l.Ensure(ctx, c.Tenant.ID); err != nil {
		return network.New{}, err
	}
	if err := c.Snapshot(ctx, func() error { return l.mayMakeNetworkPassword(ctx, c, u) }); err != nil {
		return network.New{}, err
	}
	return l.Networks.Draw(ctx, c, u.ID)
}

// PutNetworkPassword stores a network password that was drawn, in the place of the person's old one, and tells them. Faults as
// DrawNetworkPassword.
func (l *Logins) PutNetworkPassword(ctx context.Context, c *call.Call, u user.User, n network.New) error {
	if err := l.mayMakeNetworkPassword(ctx, c, u); err != nil {
		return err
	}
	if err := l.Networks.Put(ctx, c, u.ID, n); err != nil || l.Notify == nil {
		return err
	}
	return l.Notify(ctx, c, u, NetworkPassword)
}

func (l *Logins) mayMakeNetworkPassword(ctx context.Context, c *call.Call, u user.User) error {
	if err := l.Own(ctx, c, u.ID, OwnPassword); err != nil {
		return err
	}
	if err := l.Sessions.Recent(ctx, c, u.ID); err != nil {
		return err
	}
	return l.Networks.May(ctx, c)
}
