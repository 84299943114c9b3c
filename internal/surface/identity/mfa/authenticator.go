package mfa

import (
	"context"
	"errors"
	"time"

	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/factor/authenticator"
	"limen/internal/core/lockout"
	"limen/internal/core/login"
	"limen/internal/core/session"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

func (m MFA) authenticators() []op.Op {
	return []op.Op{
		op.Prepared(op.Spec{
			Path: "/Authenticator/Enroll", Setup: true, Allow: op.Self, Effect: op.Write, Audit: audit.FactorEnroll, Rate: op.Costly,
			Faults: []*fault.Error{
				authenticator.ErrKey, authenticator.ErrSignature, authenticator.ErrTooMany, authenticator.ErrForbidden, session.ErrStale, login.ErrForbidden,
				fault.ErrMissing, fault.ErrInvalid,
			},
		}, m.keysForAuthenticator, m.EnrollAuthenticator),
		op.New(op.Spec{
			Path: "/Authenticator/GetAuthenticators", Allow: op.Any(op.Authenticated, manage), Effect: op.Read,
		}, m.GetAuthenticators),
		op.New(op.Spec{
			Path: "/Authenticator/DeleteAuthenticator", Allow: op.Any(op.Authenticated, manage), Effect: op.Write, Audit: audit.FactorRemove,
			Faults: []*fault.Error{
				authenticator.ErrNotFound, ErrSystem, user.ErrStronger, lockout.ErrLastWay, session.ErrStale, login.ErrForbidden, fault.ErrMissing,
			},
		}, m.DeleteAuthenticator),
	}
}

// NewAuthenticator is an authenticator to be enrolled.
type NewAuthenticator struct {
	// Name is what the person calls it, required; at most 100 bytes.
	Name string `json:"Name"`
	// Platform is what it runs on, as it says itself; at most 100 bytes.
	Platform string `json:"Platform"`
	// PublicKey is the public half of a key pair on P-256 that was made on the device: SubjectPublicKeyInfo in base64, required.
	PublicKey string `json:"PublicKey"`
	// Signature shows that the device has the private half, required: ECDSA with SHA-256, r and s of 32 bytes each, in base64, over the
	// lines "limen authenticator 1", "enroll", the tenant's id, the person's UUID and PublicKey, with line feeds between them.
	Signature string `json:"Signature"`
	oneself
}

// Check wants all but the platform.
func (n *NewAuthenticator) Check() error {
	for _, one := range [][2]string{{"Name", n.Name}, {"PublicKey", n.PublicKey}, {"Signature", n.Signature}} {
		if err := required(one[0], one[1]); err != nil {
			return err
		}
	}
	return nil
}

// EnrolledAuthenticator is what a device keeps of its enrolment.
type EnrolledAuthenticator struct {
	// ID names the authenticator: it is in what the device signs.
	ID string `json:"Id"`
	// TenantID is in what the device signs.
	TenantID string `json:"TenantId"`
	// Account is the person's login name.
	Account string `json:"Account"`
	// Secret is that of the codes, in base32. It is not told again.
	Secret string `json:"Secret"`
	// Algorithm, Digits and Period (seconds) say how codes are made of it (RFC 6238).
	Algorithm string `json:"Algorithm"`
	Digits    int    `json:"Digits"`
	Period    int    `json:"Period"`
	// PushKey is what a browser subscribes for (applicationServerKey), in base64url; see SetPushSubscription.
	PushKey string `json:"PushKey"`
}

func (m MFA) keysForAuthenticator(ctx context.Context, c *op.Call, _ NewAuthenticator) (op.None, error) {
	return op.None{}, m.Profiles.Ring.Ensure(ctx, c.Tenant.ID, factor.PurposeOATH, factor.PurposeCode)
}

// EnrollAuthenticator enrols the device that sends it as an authenticator of the caller's, several of which are possible. It takes a
// recent proof of who they are, and policies may forbid it (/Mobile/EnrollRules/Common/AllowEnrollment). The person is told by mail,
// unless policies say otherwise (/Mobile/EnrollRules/Common/SendEnrollmentNotification).
func (m MFA) EnrollAuthenticator(ctx context.Context, c *op.Call, in NewAuthenticator, _ op.None) (EnrolledAuthenticator, error) {
	about(c, in.found)
	if err := m.own(ctx, c, in.found.ID, login.OwnOATH); err != nil {
		return EnrolledAuthenticator{}, err
	}
	may, tell, err := m.Enrolment(ctx, c, in.found.ID)
	if err == nil && !may {
		err = authenticator.ErrForbidden
	}
	if err != nil {
		return EnrolledAuthenticator{}, err
	}
	made, err := m.Authenticators.Enroll(ctx, c, in.found.ID, authenticator.New{
		Name: in.Name, Platform: in.Platform, PublicKey: in.PublicKey, Signature: in.Signature,
	})
	if err != nil {
		return EnrolledAuthenticator{}, err
	}
	made.Device.Tell(c.Event, in.found.ID, in.found.Name)
	push, err := m.Authenticators.PushKey(ctx, c)
	if err != nil {
		return EnrolledAuthenticator{}, err
	}
	if tell && m.Notify != nil {
		err = m.Notify(ctx, c, in.found, login.Authenticator)
	}
	return EnrolledAuthenticator{
		ID: made.Device.ID, TenantID: c.Tenant.ID, Account: in.found.Name, Secret: made.Secret, Algorithm: authenticator.Algorithm,
		Digits: authenticator.Digits, Period: authenticator.Period, PushKey: push,
	}, err
}

// AuthenticatorPage asks for people's authenticators.
type AuthenticatorPage struct {
	// After is the Id of the last row of the page before; absent for the first.
	After string `json:"After"`
}

var deviceColumns = []rpc.Column{
	{Name: "Id", TableKey: "Primary"}, {Name: "Name"}, {Name: "Platform"}, {Name: "OwnerId", ForeignKey: "User"}, {Name: "User"},
	{Name: "Created", Type: rpc.TypeDate}, {Name: "LastUsed", Type: rpc.TypeDate},
}

func deviceRow(d authenticator.Owned) rpc.Row {
	var used any
	if d.Used != 0 {
		used = time.UnixMilli(d.Used)
	}
	return rpc.Row{
		Entities: []rpc.Entity{{Type: "Authenticator", Key: d.ID}},
		Row:      []any{d.ID, d.Name, d.Platform, d.User, d.Login, time.UnixMilli(d.Created), used},
	}
}

// GetAuthenticators lists the authenticators of all whom the caller may administer, or else the caller's own, in the order in which
// they were enrolled; at most 500 in a page.
//
// Columns: Id, Name, Platform, OwnerId and User (its owner's UUID and login name), Created, LastUsed (null: never).
func (m MFA) GetAuthenticators(ctx context.Context, c *op.Call, in AuthenticatorPage) (rpc.Query, error) {
	rows, total, err := m.Authenticators.All(ctx, c, c.Grant, in.After)
	out := rpc.Query{Columns: deviceColumns, FullCount: int(total), Results: make([]rpc.Row, len(rows))}
	for i, d := range rows {
		out.Results[i] = deviceRow(d)
	}
	return out, err
}

// AuthenticatorID names an authenticator.
type AuthenticatorID struct {
	// ID is its Id, required.
	ID string `json:"Id" also:"DeviceId"`
}

// Check wants it.
func (a *AuthenticatorID) Check() error { return required("Id", a.ID) }

// DeleteAuthenticator revokes an authenticator: one's own, or that of somebody whom one administers. What waits for its answer is
// answered by it no more. The last way in of the last system administrator stays.
func (m MFA) DeleteAuthenticator(ctx context.Context, c *op.Call, in AuthenticatorID) (op.None, error) {
	d, err := m.Authenticators.Find(ctx, c, in.ID)
	if errors.Is(err, authenticator.ErrNotFound) && !c.Grant.Everything() {
		err = op.ErrDenied
	}
	if err != nil {
		return op.None{}, err
	}
	p, err := m.People.ByID(ctx, c, d.User)
	if err != nil {
		return op.None{}, err
	}
	if !c.Grant.Allows(p.ID, p.Org) {
		return op.None{}, op.ErrDenied
	}
	d.Tell(c.Event, p.ID, p.Name)
	if err := m.vary(ctx, c, p.ID, login.OwnOATH); err != nil {
		return op.None{}, err
	}
	return op.None{}, m.Keep(ctx, c, p.ID, func() error { return m.Authenticators.Delete(ctx, c, p.ID, d.ID) })
}
