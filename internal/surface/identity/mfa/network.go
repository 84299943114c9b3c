package mfa

import (
	"context"

	"limen/internal/core/audit"
	"limen/internal/core/factor/network"
	"limen/internal/core/login"
	"limen/internal/core/session"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// networkPasswords declares the operations on network passwords, which are this program's own.
func (m MFA) networkPasswords() []op.Op {
	return []op.Op{
		op.Prepared(op.Spec{
			Path: "/NetworkPassword/GenerateNetworkPassword", Allow: op.Self, Effect: op.Write, Audit: audit.NetworkPassword, Rate: op.Costly,
			Faults: []*fault.Error{network.ErrOff, session.ErrStale, login.ErrForbidden},
		}, m.drawNetworkPassword, m.GenerateNetworkPassword),
		op.New(op.Spec{
			Path: "/NetworkPassword/GetNetworkPassword", Allow: either, Effect: op.Read, Faults: []*fault.Error{user.ErrNotFound},
		}, m.GetNetworkPassword),
		op.New(op.Spec{
			Path: "/NetworkPassword/DeleteNetworkPassword", Allow: either, Effect: op.Write, Audit: audit.FactorRemove,
			Faults: []*fault.Error{user.ErrNotFound, ErrSystem, user.ErrStronger, session.ErrStale, login.ErrForbidden},
		}, m.DeleteNetworkPassword),
	}
}

// NetworkPassword is a new network password.
type NetworkPassword struct {
	// Password is the password, 20 lower-case letters and digits. It is told here alone.
	Password string `json:"Password"`
	// Expires is when it ceases to be good, in ms since 1970 UTC; 0: never.
	Expires int64 `json:"Expires"`
}

func (m MFA) drawNetworkPassword(ctx context.Context, c *op.Call, in oneself) (network.New, error) {
	return m.Logins.DrawNetworkPassword(ctx, c, in.found)
}

// GenerateNetworkPassword makes a network password for the caller, which devices at Wi-Fi and VPNs give by MS-CHAP version 2. It signs in nowhere
// else, and has nothing to do with the password of the account. The one made before is of no use any more. It takes a recent proof of who the
// caller is, and what policies want before the password is changed (UserUpdateProfile/Password). The person is told by mail. The tenant's setting
// Radius.NetworkPasswords says whether people may have one, and Radius.NetworkPasswordDays for how long it is good.
func (m MFA) GenerateNetworkPassword(ctx context.Context, c *op.Call, in oneself, n network.New) (NetworkPassword, error) {
	about(c, in.found)
	if err := m.Logins.PutNetworkPassword(ctx, c, in.found, n); err != nil {
		return NetworkPassword{}, err
	}
	s, err := m.Logins.Networks.Of(ctx, c, in.found.ID)
	if s.Expires != 0 {
		c.Event.Set("Expires", s.Expires)
	}
	return NetworkPassword{Password: n.Plain, Expires: s.Expires}, err
}

// NetworkPasswordState is what is known of a network password.
type NetworkPasswordState struct {
	// Generated is when it was made, in ms since 1970 UTC; 0: there is none.
	Generated int64 `json:"Generated"`
	// Expires is when it ceases to be good, in ms since 1970 UTC; 0: never, or there is none.
	Expires int64 `json:"Expires"`
	// Good says whether it lets in at present: it is there, has not expired, and the tenant allows network passwords.
	Good bool `json:"Good"`
	// Allowed says whether the tenant lets people have network passwords.
	Allowed bool `json:"Allowed"`
}

// GetNetworkPassword says whether somebody has a network password: oneself, or somebody whom one administers. The password is told to nobody.
func (m MFA) GetNetworkPassword(ctx context.Context, c *op.Call, in Whose) (NetworkPasswordState, error) {
	s, err := m.Logins.Networks.Of(ctx, c, in.found.ID)
	return NetworkPasswordState{Generated: s.Made, Expires: s.Expires, Good: s.Good(c.Now), Allowed: s.On}, err
}

// DeleteNetworkPassword puts somebody's network password out of use: one's own, shortly after a proof of who one is, or that of somebody whom one
// administers, such as when a device was lost.
func (m MFA) DeleteNetworkPassword(ctx context.Context, c *op.Call, in Whose) (op.None, error) {
	about(c, in.found)
	if err := m.vary(ctx, c, in.found.ID, login.OwnPassword); err != nil {
		return op.None{}, err
	}
	s, err := m.Logins.Networks.Of(ctx, c, in.found.ID)
	if err != nil {
		return op.None{}, err
	}
	c.Event.Set("Factor", "NETWORK")
	c.Event.Set("Had", s.Made != 0)
	return op.None{}, m.Logins.Networks.Drop(ctx, c, in.found.ID)
}
