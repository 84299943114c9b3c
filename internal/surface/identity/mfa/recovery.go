package mfa

import (
	"context"

	"limen/internal/core/audit"
	"limen/internal/core/factor/recovery"
	"limen/internal/core/lockout"
	"limen/internal/core/login"
	"limen/internal/core/session"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// recoveryCodes declares the operations on recovery codes, which are this program's own.
func (m MFA) recoveryCodes() []op.Op {
	return []op.Op{
		op.Prepared(op.Spec{
			Path: "/RecoveryCode/GenerateRecoveryCodes", Allow: op.Self, Effect: op.Write, Audit: audit.RecoveryCodes, Rate: op.Costly,
			Faults: []*fault.Error{recovery.ErrForbidden, recovery.ErrAlone, session.ErrStale, login.ErrForbidden},
		}, m.drawCodes, m.GenerateRecoveryCodes),
		op.New(op.Spec{
			Path: "/RecoveryCode/GetRecoveryCodes", Allow: either, Effect: op.Read, Faults: []*fault.Error{user.ErrNotFound},
		}, m.GetRecoveryCodes),
		op.New(op.Spec{
			Path: "/RecoveryCode/DeleteRecoveryCodes", Allow: either, Effect: op.Write, Audit: audit.FactorRemove,
			Faults: []*fault.Error{user.ErrNotFound, ErrSystem, user.ErrStronger, lockout.ErrLastWay, session.ErrStale, login.ErrForbidden},
		}, m.DeleteRecoveryCodes),
	}
}

// RecoveryCodes are a new set.
type RecoveryCodes struct {
	// Codes are the ten codes: 16 letters and digits each, with dashes between groups of four. They are told here alone.
	Codes []string `json:"Codes"`
}

func (m MFA) drawCodes(ctx context.Context, c *op.Call, in oneself) (recovery.New, error) {
	return m.Logins.DrawCodes(ctx, c, in.found)
}

// GenerateRecoveryCodes makes ten recovery codes for the caller, each of which stands in once for a further factor that they have lost, where
// their authentication profile takes RECOVERY in its second challenge. The codes made before are of no use any more. It takes a recent proof
// of who the caller is, and what policies want before an authenticator app is changed (UserUpdateProfile/OathProfile). The person is told by mail. Policies
// say who may (/Core/Authentication/AllowRecoveryCodes); where they do not, everybody without administrative rights.
func (m MFA) GenerateRecoveryCodes(ctx context.Context, c *op.Call, in oneself, n recovery.New) (RecoveryCodes, error) {
	about(c, in.found)
	c.Event.Set("Total", len(n.Codes))
	return RecoveryCodes{Codes: n.Codes}, m.Logins.PutCodes(ctx, c, in.found, n)
}

// Whose names somebody.
type Whose struct {
	// ID is the user's UUID or login name; the caller's own when absent.
	ID string `json:"ID" also:"Uuid,UserUuid"`
	person
}

// Resolve finds the user.
func (w *Whose) Resolve(ctx context.Context, c *op.Call) error { return w.find(ctx, c, w.ID) }

// RecoveryCodesState is what is known of a set of recovery codes.
type RecoveryCodesState struct {
	// Total is how many codes the set had; 0: there is none.
	Total int `json:"Total"`
	// Left is how many of them are not used.
	Left int `json:"Left"`
	// Generated is when the set was made, in ms since 1970 UTC; 0: there is none.
	Generated int64 `json:"Generated"`
	// LastUsed is when a code of it was last used, in ms since 1970 UTC; 0: none was.
	LastUsed int64 `json:"LastUsed"`
	// Allowed says whether policies let the person sign in by codes.
	Allowed bool `json:"Allowed"`
}

// GetRecoveryCodes says how many recovery codes somebody has left: oneself, or somebody whom one administers. The codes are told to nobody.
func (m MFA) GetRecoveryCodes(ctx context.Context, c *op.Call, in Whose) (RecoveryCodesState, error) {
	s, err := m.Logins.Codes.Of(ctx, c, in.found.ID)
	if err != nil {
		return RecoveryCodesState{}, err
	}
	may, err := m.Logins.Codes.May(ctx, c, in.found.ID)
	return RecoveryCodesState{Total: s.Total, Left: s.Left, Generated: s.Made, LastUsed: s.Used, Allowed: may}, err
}

// DeleteRecoveryCodes puts all recovery codes of somebody out of use: one's own, shortly after a proof of who one is, or those of somebody whom
// one administers, such as when the paper was lost.
func (m MFA) DeleteRecoveryCodes(ctx context.Context, c *op.Call, in Whose) (op.None, error) {
	about(c, in.found)
	if err := m.vary(ctx, c, in.found.ID, login.OwnOATH); err != nil {
		return op.None{}, err
	}
	s, err := m.Logins.Codes.Of(ctx, c, in.found.ID)
	if err != nil {
		return op.None{}, err
	}
	c.Event.Set("Factor", "RECOVERY")
	c.Event.Set("Left", s.Left)
	return op.None{}, m.Keep(ctx, c, in.found.ID, func() error { return m.Logins.Codes.Drop(ctx, c, in.found.ID) })
}
