package users

import (
	"context"
	"crypto/rand"
	"time"

	"limen/internal/core/audit"
	"limen/internal/core/password"
	"limen/internal/core/role"
	"limen/internal/core/session"
	"limen/internal/core/support"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// acting declares who else may act in a tenant, or for a person.
func (u Users) acting() []op.Op {
	return []op.Op{
		op.New(op.Spec{Path: "/CDirectoryService/GetTechSupportUser", Allow: manage, Effect: op.Read}, u.GetTechSupportUser),
		op.Prepared(op.Spec{
			Path: "/CDirectoryService/SetTechSupportUser", Allow: op.System, Effect: op.Write, Audit: audit.SupportAccess,
			Faults: []*fault.Error{support.ErrSpan, user.ErrNameTaken, role.ErrNameTaken, session.ErrStale, fault.ErrMissing, fault.ErrInvalid},
		}, u.supportSecret, u.SetTechSupportUser),
		op.Prepared(op.Spec{
			Path: "/UserMgmt/GetTokenForUser", Allow: op.Any(op.Self, op.System), Effect: op.Write, Audit: audit.Impersonate, Rate: op.Costly,
			Faults: []*fault.Error{user.ErrNotFound, ErrBearer, ErrScoped, ErrBarred, ErrSystem, session.ErrStale, session.ErrUnknown, fault.ErrMissing},
		}, u.tokenKeys, u.GetTokenForUser),
	}
}

// SupportUser is the account of technical support.
type SupportUser struct {
	UUID *string `json:"Uuid"` // null when no access is granted
	// Name is the login name.
	Name *string `json:"Name"`
	// PasswordExp is when the access ends.
	PasswordExp *rpc.Time `json:"PasswordExp"`
	// Password is shown once, in the answer that grants access.
	Password string `json:"Password,omitempty"`
}

func supportUser(a support.Access, plain string) SupportUser {
	if a.User == "" {
		return SupportUser{}
	}
	return SupportUser{&a.User, &a.Name, new(rpc.Time(a.Until)), plain}
}

// GetTechSupportUser returns the account of technical support and when its access ends; nulls while none is granted. It never
// shows the password. users.yaml n 123.
func (u Users) GetTechSupportUser(ctx context.Context, c *op.Call, _ op.None) (SupportUser, error) {
	a, err := u.Support.Get(ctx, c)
	if err != nil || !c.Grant.Everything() { // the account is in no organization
		return SupportUser{}, err
	}
	return supportUser(a, ""), nil
}

// SupportGrant grants or ends the access of technical support.
type SupportGrant struct {
	// Duration is for how many hours access is granted, 2160 at most; 0 or -1 ends it.
	Duration op.Opt[int] `json:"Duration"`
	// ExpirationDate is when the access ends, in place of Duration.
	ExpirationDate op.Opt[time.Time] `json:"ExpirationDate"`
}

// Check wants one of them.
func (g *SupportGrant) Check() error {
	hours, given := g.Duration.Get()
	_, dated := g.ExpirationDate.Get()
	switch {
	case !given && !dated:
		return fault.Missing("Duration")
	case given && dated:
		return fault.Bad("Duration", "must not be given with ExpirationDate")
	case given && (hours < -1 || hours > int(support.Longest/time.Hour)):
		return support.ErrSpan
	}
	return nil
}

// until is when access is to end; zero: at once.
func (g *SupportGrant) until(now time.Time) time.Time {
	if at, ok := g.ExpirationDate.Get(); ok {
		return at
	}
	if hours := g.Duration.Or(0); hours > 0 {
		return now.Add(time.Duration(hours) * time.Hour)
	}
	return time.Time{}
}

// supportSecret is a password in the making.
type supportSecret struct {
	plain string
	made  password.New
}

func (u Users) supportSecret(ctx context.Context, c *op.Call, in SupportGrant) (supportSecret, error) {
	if in.until(c.Now).IsZero() {
		return supportSecret{}, nil
	}
	plain, err := password.Default.Generate(rand.Reader, 24)
	if err != nil {
		return supportSecret{}, err
	}
	made, err := u.Passwords.Prepare(ctx, c, password.Change{Plain: plain, Reset: true, Any: true})
	return supportSecret{plain, made}, err
}

// SetTechSupportUser lets technical support look at everything for a while, or ends that; it is off until somebody does.
//
// It makes the account techsupport_<tenant id> and the role Technical Support Access with the right Read Only System
// Administration, and answers the password, which is shown only here. Both end at the time given, which a further call sets
// anew with another account and password; ending deletes them. Callers must have signed in within Session.ProofMinutes.
// users.yaml n 124.
func (u Users) SetTechSupportUser(ctx context.Context, c *op.Call, in SupportGrant, s supportSecret) (SupportUser, error) {
	if err := u.Sessions.Recent(ctx, c, c.User()); err != nil {
		return SupportUser{}, err
	}
	until := in.until(c.Now)
	if until.IsZero() {
		return SupportUser{}, u.Support.Revoke(ctx, c)
	}
	a, err := u.Support.Grant(ctx, c, until, s.made)
	return supportUser(a, s.plain), err
}
