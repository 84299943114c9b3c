package mfa

import (
	"context"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/factor/phone"
	"limen/internal/core/login"
	"limen/internal/core/session"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

func (m MFA) pins() []op.Op {
	return []op.Op{
		op.Prepared(op.Spec{
			Path: "/UserMgmt/SetPhonePin", Allow: either, Effect: op.Write, Audit: audit.FactorChange, Rate: op.Costly,
			Faults: []*fault.Error{phone.ErrPIN, user.ErrNotFound, ErrSystem, user.ErrStronger, session.ErrStale, login.ErrForbidden, fault.ErrMissing},
		}, m.hashPIN, m.SetPhonePin),
	}
}

// PINChange gives somebody a PIN.
type PINChange struct {
	// ID is the user's UUID or login name; the caller's own when absent.
	ID string `json:"ID" also:"Uuid,UserUuid"`
	// PhonePin is the PIN, required: 4 to 16 digits, at least as many as policies say, not all the same and not a run.
	PhonePin string `json:"phonepin" also:"Pin"`
	person
}

// Check wants a PIN.
func (p *PINChange) Check() error { return required("phonepin", p.PhonePin) }

// Resolve finds the user.
func (p *PINChange) Resolve(ctx context.Context, c *op.Call) error { return p.find(ctx, c, p.ID) }

func (m MFA) hashPIN(ctx context.Context, c *op.Call, in PINChange) (string, error) {
	least := 0
	err := c.Snapshot(ctx, func() (err error) {
		if err := m.vary(ctx, c, in.found.ID, login.OwnPIN); err != nil {
			return err
		}
		least, err = m.LeastPIN(ctx, c, in.found.ID)
		return err
	})
	if err != nil {
		return "", err
	}
	pin := strings.TrimSpace(in.PhonePin)
	if err := phone.CheckPIN(pin, least); err != nil {
		return "", fault.Of(err).At("phonepin")
	}
	return m.PINs.Hash(ctx, pin)
}

// SetPhonePin sets the PIN that somebody keys in when they are called as a factor of their sign-in: one's own, shortly after a proof of
// who one is, or that of somebody whom one administers. It replaces an earlier one. Only its hash is kept. mfa.yaml n 78.
func (m MFA) SetPhonePin(ctx context.Context, c *op.Call, in PINChange, hash string) (op.None, error) {
	about(c, in.found)
	if err := m.vary(ctx, c, in.found.ID, login.OwnPIN); err != nil {
		return op.None{}, err
	}
	c.Event.Set("Factor", "PF")
	return op.None{}, m.PINs.Set(ctx, c, in.found.ID, hash)
}
