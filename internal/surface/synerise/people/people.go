// Package people is the users of a workspace (synerise.yaml: user management).
package people

import (
	"context"
	"net/http"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/demand"
	"limen/internal/core/detail"
	"limen/internal/core/factor/oath"
	"limen/internal/core/lockout"
	"limen/internal/core/number"
	"limen/internal/core/regain"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/core/workspace"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/synerise"
	wire "limen/internal/wire/synerise"
)

// People are the operations.
type People struct {
	Workspaces *workspace.Workspaces
	People     *user.Directory
	Roles      *role.Roles
	Factors    oath.Profiles
	// Managed says whether a member of a workspace is managed by it, so that its administrators may change the account.
	Managed func(ctx context.Context, c *call.Call, workspace string, u user.User) (bool, error)
	// Sees gives what personal data the caller sees of the people of a workspace.
	Sees func(ctx context.Context, c *call.Call, workspace string) (demand.Sight, error)
	// Keep makes a change to what somebody signs in with: lockout.ErrLastWay when no system administrator could sign in then.
	Keep func(ctx context.Context, c *call.Call, userID string, change func() error) error
}

// Faults of this area.
var (
	ErrGuest  = fault.New(fault.Denied, "workspace.guest", "The user is a guest: only roles and the end of the access can be changed here.")
	ErrSystem = fault.New(fault.Denied, "user.system", "Only system administrators may change the account of a system administrator.")
)

var (
	read   = synerise.May("settings_users", workspace.Read)
	update = synerise.May("settings_users", workspace.Update)
	remove = synerise.May("settings_users", workspace.Delete)
)

// Ops declares them.
func (p People) Ops() []op.Op {
	listing := func(path string) op.Spec {
		return op.Spec{Method: http.MethodGet, Path: path, Allow: read, Effect: op.Read, Faults: []*fault.Error{workspace.ErrNone, fault.ErrInvalid, workspace.ErrRole, ErrUnseen}}
	}
	one := op.Spec{Method: http.MethodGet, Path: "/uauth/users/{userId}", Allow: read, Effect: op.Read, Faults: []*fault.Error{workspace.ErrMember}}
	roles := []*fault.Error{role.ErrNotHeld, role.ErrSystem, role.ErrLast}
	write := func(method, path, event string, rule op.Rule, faults ...*fault.Error) op.Spec {
		return op.Spec{
			Method: method, Path: path, Allow: rule, Effect: op.Write, Audit: event,
			Faults: append(append(faults, roles...), workspace.ErrMember, workspace.ErrNone, fault.ErrInvalid, fault.ErrMissing),
		}
	}
	account := []*fault.Error{ErrGuest, ErrSystem, user.ErrStronger, regain.ErrTwo, workspace.ErrSelf, lockout.ErrLastWay}
	return []op.Op{
		op.New(listing("/uauth/users/listing"), p.ListUsers),
		op.New(listing("/uauth/v2/users/listing"), p.ListUsersV2),
		op.New(listing("/uauth/users/listing/autocomplete"), p.SuggestUsers),
		op.New(one, p.GetUser),
		op.New(write(http.MethodPost, "/uauth/users/{userId}", audit.UserChange, update, append(account, workspace.ErrRole, workspace.ErrRoles, workspace.ErrOpen)...), p.ChangeUser),
		op.New(write(http.MethodPost, "/uauth/users/activate", audit.WorkspaceMember, update, workspace.ErrOpen), p.ActivateUsers),
		op.New(write(http.MethodPost, "/uauth/users/deactivate", audit.WorkspaceMember, update, workspace.ErrOpen, workspace.ErrSelf), p.DeactivateUsers),
		op.New(write(http.MethodPut, "/uauth/users/{userId}/access-time", audit.WorkspaceMember, update, workspace.ErrPast, workspace.ErrSelf), p.LimitAccess),
		op.New(write(http.MethodPut, "/uauth/users/{userId}/mfa-reset", audit.FactorRemove, update, account...), p.ResetMFA),
		op.New(write(http.MethodDelete, "/uauth/users/profile-association/{ids}", audit.WorkspaceMember, remove, workspace.ErrSelf, workspace.ErrBelongs), p.RemoveUsers),
		op.New(write(http.MethodDelete, "/uauth/users/{ids}", audit.UserDelete, remove, account...), p.DeleteUsers),
	}
}

// Role is a role of the workspace.
type Role struct {
	// ID is the role's number.
	ID int64 `json:"id"`
	// Name is the role's name.
	Name string `json:"name"`
}

// User is somebody in the workspace, or invited to it. Of people who were invited and belong elsewhere no more is told than the address.
type User struct {
	// ID is the person's number.
	ID int64 `json:"id"`
	// Email is the mail address; the login name where there is none; null: the caller's roles do not see it.
	Email *string `json:"email"`
	// FirstName is the given name; without one on record the display name without its last word; null: not to be seen.
	FirstName *string `json:"firstName"`
	// LastName is the family name; without one on record the last word of the display name; null: not to be seen.
	LastName *string `json:"lastName"`
	// Phone is the mobile number; null: none, or not to be seen.
	Phone *string `json:"phone"`
	// Status is ACTIVE, EXPIRED when the access or the account has ended, PENDING while an invitation is open, REJECTED.
	Status string `json:"status"`
	// Type is MANAGED when the account belongs to the workspace, by its organization and a mail domain that this has proved; else GUEST.
	Type string `json:"type"`
	// Enabled is false for those who were deactivated here, and for accounts that cannot be used anywhere.
	Enabled bool `json:"enabled"`
	// Roles are the roles of the workspace that the person is in.
	Roles []Role `json:"roles"`
	// AccessExpirationTime is when the access ends; null: never.
	AccessExpirationTime *string `json:"accessExpirationTime"`
	// MfaEnabled says whether an authenticator is set up.
	MfaEnabled bool `json:"mfaEnabled"`
	// LastLogin is when the person last signed in anywhere; null: never, or not to be seen.
	LastLogin *string `json:"lastLogin"`
	// Created is when the account was made; null where that is not told.
	Created *string `json:"created"`
	// InvitationID is the number of an invitation that is open or was rejected; null: none is.
	InvitationID *int64 `json:"invitationId"`
}

// shown are people as they are answered.
func (p People) shown(ctx context.Context, c *op.Call, at string, rows []workspace.Person) ([]User, error) {
	var roles []string
	for _, r := range rows {
		for _, o := range r.Roles {
			roles = append(roles, o.ID)
		}
	}
	of, err := number.Some(ctx, c, number.Role, roles...)
	if err != nil {
		return nil, err
	}
	names, err := named(ctx, c, rows)
	if err != nil {
		return nil, err
	}
	seen, err := p.Sees(ctx, c, at)
	if err != nil {
		return nil, err
	}
	out := make([]User, len(rows))
	for i, r := range rows {
		if out[i], err = p.user(ctx, c, at, r, of); err != nil {
			return nil, err
		}
		if !r.Unknown(at) {
			out[i].FirstName, out[i].LastName = &names[i].given, &names[i].family
		}
		out[i].mask(seen)
	}
	return out, nil
}

// name is what somebody is called.
type name struct{ given, family string }

// named are the names of people, in their order.
func named(ctx context.Context, c *op.Call, rows []workspace.Person) ([]name, error) {
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	known := map[string][]detail.Item{}
	err := detail.Each(ctx, c, ids, []detail.Kind{detail.Given, detail.Family}, func(id string, kind detail.Kind, value string) {
		known[id] = append(known[id], detail.Item{Kind: kind, Value: value})
	})
	out := make([]name, len(rows))
	for i := range rows {
		out[i].given, out[i].family = detail.Named(known[rows[i].ID], rows[i].Display)
	}
	return out, err
}

func (p People) user(ctx context.Context, c *op.Call, at string, r workspace.Person, roles map[string]int64) (User, error) {
	managed, err := p.Managed(ctx, c, at, r.User())
	if err != nil {
		return User{}, err
	}
	out := User{
		ID: r.Number, Email: new(address(r)), FirstName: new(""), LastName: new(""), Status: r.Status(c.Now), Type: "GUEST", Enabled: r.May(),
		Roles: []Role{}, AccessExpirationTime: wire.Moment(r.Until), MfaEnabled: r.Factor, LastLogin: wire.Moment(r.LastLogin), Created: wire.Moment(r.Created),
	}
	if managed {
		out.Type = "MANAGED"
	}
	if r.Mobile != "" {
		out.Phone = &r.Mobile
	}
	if r.Invitation != 0 {
		out.InvitationID = &r.Invitation
	}
	for _, o := range r.Roles {
		out.Roles = append(out.Roles, Role{roles[o.ID], o.Name})
	}
	if r.Unknown(at) {
		out.Enabled, out.Phone, out.MfaEnabled, out.LastLogin, out.Created = true, nil, false, nil, nil
	}
	return out, nil
}

func address(r workspace.Person) string {
	if r.Mail == "" {
		return r.Name
	}
	return r.Mail
}

// one is a person of the workspace as it is answered.
func (p People) one(ctx context.Context, c *op.Call, at, userID string) (User, error) {
	row, err := p.Workspaces.GetPerson(ctx, c, at, userID)
	if err != nil {
		return User{}, err
	}
	out, err := p.shown(ctx, c, at, []workspace.Person{row})
	if err != nil {
		return User{}, err
	}
	return out[0], nil
}
