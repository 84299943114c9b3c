package access

import (
	"context"
	"strings"
	"time"

	"limen/internal/core/audit"
	"limen/internal/core/provision"
	"limen/internal/core/right"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// provisioning declares the operations on tokens with which clients provision over SCIM.
func (a Access) provisioning() []op.Op {
	manage := op.Has(right.UserManagement)
	spec := func(name, event string, faults ...*fault.Error) op.Spec {
		return op.Spec{
			Path: "/UserMgmt/" + name, Allow: manage, Effect: op.Write, Audit: event,
			Faults: append(faults, user.ErrNotFound, user.ErrStronger, provision.ErrSystem, fault.ErrMissing, fault.ErrInvalid, fault.ErrBlank),
		}
	}
	list := spec("GetProvisioningTokens", "")
	list.Effect = op.Read
	return []op.Op{
		op.New(spec("CreateProvisioningToken", audit.ProvisioningTokenCreate, provision.ErrService, provision.ErrTokens), a.CreateProvisioningToken),
		op.New(list, a.GetProvisioningTokens),
		op.New(spec("RotateProvisioningToken", audit.ProvisioningTokenRotate, provision.ErrNoToken), a.RotateProvisioningToken),
		op.New(spec("RevokeProvisioningToken", audit.ProvisioningTokenRevoke, provision.ErrNoToken), a.RevokeProvisioningToken),
	}
}

// ServiceUser names a service user.
type ServiceUser struct {
	// ID is the UUID or login name of the service user, required.
	ID    string `json:"ID" also:"uuid,userUuid,user"`
	found user.User
}

// Check wants the user to be named.
func (s *ServiceUser) Check() error {
	if strings.TrimSpace(s.ID) == "" {
		return fault.Missing("ID")
	}
	return nil
}

// Resolve finds the user.
func (s *ServiceUser) Resolve(ctx context.Context, c *op.Call) (err error) {
	s.found, err = user.Find(ctx, c, s.ID)
	return err
}

// Target is the user.
func (s *ServiceUser) Target() op.Target { return op.Target{ID: s.found.ID, Org: s.found.Org} }

// NewProvisioningToken is a token to be made.
type NewProvisioningToken struct {
	ServiceUser
	// Name says what the token is for, required; up to 200 bytes.
	Name string `json:"Name"`
	// Days is for how long the token is good, 1 to 730; 365 when absent or 0.
	Days int `json:"Days"`
	// For is what the token is for: SCIM, also when absent, or Workspace for an API key of the workspace that the service user belongs to.
	For string `json:"For"`
}

// Check wants a known purpose.
func (n *NewProvisioningToken) Check() error {
	if n.For != "" && !strings.EqualFold(n.For, "SCIM") && !strings.EqualFold(n.For, "Workspace") {
		return fault.Bad("For", "must be SCIM or Workspace")
	}
	return n.ServiceUser.Check()
}

func (n *NewProvisioningToken) realm() string {
	if strings.EqualFold(n.For, "Workspace") {
		return provision.RealmWorkspace
	}
	return provision.RealmSCIM
}

// ProvisioningToken is a token that was made. It is told once.
type ProvisioningToken struct {
	// ID names the token in other operations.
	ID string `json:"ID"`
	// Token is the bearer.
	Token string `json:"Token"`
	// Expires is the token's end.
	Expires rpc.Time `json:"Expires"`
}

// days is a number of days, or what they are when none is said.
func days(n, def int) time.Duration {
	if n == 0 {
		n = def
	}
	if n < 0 || n > 10_000 {
		return -1
	}
	return time.Duration(n) * 24 * time.Hour
}

func made(t provision.Token, plain string, err error) (ProvisioningToken, error) {
	return ProvisioningToken{t.ID, plain, rpc.Time(time.UnixMilli(t.Expires))}, err
}

// CreateProvisioningToken makes a long-lived bearer with which a client provisions over SCIM as a service user, and tells it once.
//
// It is good at /scim only, for what the service user may do there; with For Workspace it is an API key instead, good at
// /v4/auth/login/profile only. Whoever makes it must hold the rights that the service user holds. A
// service user may have 20. Errors: provisioning.service for people, provisioning.token_many.
func (a Access) CreateProvisioningToken(ctx context.Context, c *op.Call, in NewProvisioningToken) (ProvisioningToken, error) {
	return made(a.Provision.MakeToken(ctx, c, in.found, in.realm(), in.Name, days(in.Days, 365)))
}

var provisioningTokens = []rpc.Column{
	{Name: "ID", TableKey: "Primary"}, {Name: "Name"}, {Name: "User"}, {Name: "Created", Type: rpc.TypeDate}, {Name: "Rotated", Type: rpc.TypeDate},
	{Name: "Expires", Type: rpc.TypeDate},
}

// GetProvisioningTokens lists the provisioning tokens of a service user, the oldest first, without their secrets.
//
// Columns: ID, Name, User, which is the service user's UUID, Created, Rotated, which is null when it never was, Expires.
func (a Access) GetProvisioningTokens(ctx context.Context, c *op.Call, in ServiceUser) (rpc.Query, error) {
	all, err := a.Provision.Tokens(ctx, c, in.found.ID)
	if err != nil {
		return rpc.Query{}, err
	}
	out := rpc.Query{Columns: provisioningTokens, FullCount: len(all), Results: make([]rpc.Row, len(all))}
	for i, t := range all {
		var rotated any
		if t.Rotated != 0 {
			rotated = rpc.Time(time.UnixMilli(t.Rotated))
		}
		out.Results[i] = rpc.Row{
			Entities: []rpc.Entity{{Type: "ProvisioningToken", Key: t.ID}},
			Row:      []any{t.ID, t.Name, t.User, rpc.Time(time.UnixMilli(t.Created)), rotated, rpc.Time(time.UnixMilli(t.Expires))},
		}
	}
	return out, nil
}

// OneToken names a provisioning token.
type OneToken struct {
	// TokenID is the token's ID, required.
	TokenID string `json:"TokenID"`
	found   user.User
}

// Check wants the token to be named.
func (o *OneToken) Check() error {
	if strings.TrimSpace(o.TokenID) == "" {
		return fault.Missing("TokenID")
	}
	return nil
}

// Resolve finds whose token it is.
func (o *OneToken) Resolve(ctx context.Context, c *op.Call) error {
	t, err := provision.FindToken(ctx, c, strings.TrimSpace(o.TokenID))
	if err != nil {
		return err
	}
	o.found, err = user.Find(ctx, c, t.User)
	return err
}

// Target is the service user.
func (o *OneToken) Target() op.Target { return op.Target{ID: o.found.ID, Org: o.found.Org} }

// Rotation is how a token is renewed.
type Rotation struct {
	OneToken
	// Days is for how long the new token is good, 1 to 730; 365 when absent or 0.
	Days int `json:"Days"`
	// OverlapDays is for how long the old token is good still, 0 to 30; 7 when absent.
	OverlapDays op.Opt[int] `json:"OverlapDays"`
}

// RotateProvisioningToken gives a provisioning token another secret, and tells it once. The old one is good for some days still, so
// that clients can be changed over.
func (a Access) RotateProvisioningToken(ctx context.Context, c *op.Call, in Rotation) (ProvisioningToken, error) {
	overlap := time.Duration(0)
	if n := in.OverlapDays.Or(7); n != 0 {
		overlap = days(n, 0)
	}
	return made(a.Provision.RotateToken(ctx, c, strings.TrimSpace(in.TokenID), days(in.Days, 365), overlap))
}

// RevokeProvisioningToken ends a provisioning token at once.
func (a Access) RevokeProvisioningToken(ctx context.Context, c *op.Call, in OneToken) (op.None, error) {
	return op.None{}, a.Provision.RevokeToken(ctx, c, strings.TrimSpace(in.TokenID))
}
