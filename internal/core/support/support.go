// Package support lets somebody look into a tenant for a while: an account with the right to read everything, which ends by
// itself. Account and role are made anew each time, so that nobody who prepared either of them by its name gains anything.
package support

import (
	"context"
	"errors"
	"time"

	"limen/internal/call"
	"limen/internal/core/password"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/tenant"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// RoleName is the name of the role.
const RoleName = "Technical Support Access"

// Longest is the longest access.
const Longest = 90 * 24 * time.Hour

// ErrSpan is a time that access may not last.
var ErrSpan = fault.New(fault.Invalid, "support.span", "Access lasts between one hour and 90 days; 0 or -1 ends it.")

// Support is the access of the call's tenant. Its fields are set before use.
type Support struct {
	People    *user.Directory
	Roles     *role.Roles
	Tenants   *tenant.Index
	Passwords password.Passwords
}

// Access is what is granted.
type Access struct {
	User  string // UUID; empty: none is granted
	Name  string // login name
	Until time.Time
}

type row struct {
	User  string `db:"user_id"`
	Role  string `db:"role"`
	Until int64  `db:"until"`
}

var (
	find = dbx.Q[row]("support.find", `SELECT user_id, role, until FROM support_access WHERE tenant = ?`)
	put  = dbx.E("support.put", `INSERT INTO support_access (tenant, user_id, role, until) VALUES (?, ?, ?, ?)
		ON CONFLICT (tenant) DO UPDATE SET user_id = excluded.user_id, role = excluded.role, until = excluded.until`)
	drop = dbx.E("support.drop", `DELETE FROM support_access WHERE tenant = ?`)
)

// Get says what is granted at c.Now; no user when nothing is.
func (s Support) Get(ctx context.Context, c *call.Call) (Access, error) {
	r, err := find.One(ctx, c.Tx, c.Tenant.ID)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && r.Until <= c.Now.UnixMilli() {
		return Access{}, nil
	}
	if err != nil {
		return Access{}, err
	}
	u, err := s.People.ByID(ctx, c, r.User)
	if errors.Is(err, user.ErrNotFound) { // somebody deleted the account
		return Access{}, nil
	}
	return Access{u.ID, u.Name, time.UnixMilli(r.Until).UTC()}, err
}

// Grant makes the account, with a password, and the role that reads everything, both until a time, in place of those there
// were. Faults: ErrSpan; user.ErrNameTaken and role.ErrNameTaken where somebody else's have the names.
func (s Support) Grant(ctx context.Context, c *call.Call, until time.Time, secret password.New) (Access, error) {
	if lasts := until.Sub(c.Now); lasts < time.Hour || lasts > Longest {
		return Access{}, ErrSpan
	}
	if err := s.Revoke(ctx, c); err != nil {
		return Access{}, err
	}
	main, err := s.Tenants.MainSuffix(ctx, c)
	if err != nil {
		return Access{}, err
	}
	u, err := s.People.Create(ctx, c, user.New{
		Name: "techsupport_" + c.Tenant.ID + "@" + main.Name, Display: "Technical support",
		Description: "Reads everything, changes nothing, for a while.", Expires: until.UnixMilli(),
	})
	if err != nil {
		return Access{}, err
	}
	if err := s.Passwords.Put(ctx, c, u.ID, secret, false); err != nil {
		return Access{}, err
	}
	r, err := s.role(ctx, c, u.ID, until)
	if err != nil {
		return Access{}, err
	}
	if c.Event != nil {
		c.Event.Target, c.Event.Kind, c.Event.Name, c.Event.User, c.Event.Login = u.ID, "User", u.Name, u.ID, u.Name
		c.Event.Set("Until", until.UTC().Format(time.RFC3339))
	}
	_, err = put.Do(ctx, c.Tx, c.Tenant.ID, u.ID, r, until.UnixMilli())
	return Access{u.ID, u.Name, time.UnixMilli(until.UnixMilli()).UTC()}, err
}

func (s Support) role(ctx context.Context, c *call.Call, userID string, until time.Time) (id string, err error) {
	r, err := s.Roles.Create(ctx, c, role.New{Name: RoleName, Description: "Made with the access of technical support; goes with it"})
	if err != nil {
		return "", err
	}
	path := right.ReadSystem.Info().Path
	if err := s.Roles.Assign(ctx, c, r.ID, role.Given{Path: path, Until: until, Reason: RoleName}); err != nil {
		return "", err
	}
	return r.ID, s.Roles.Add(ctx, c, r.ID, role.Member{Kind: role.User, ID: userID, Until: until, Reason: RoleName})
}

// Revoke deletes the account and the role; none is no error.
func (s Support) Revoke(ctx context.Context, c *call.Call) error {
	r, err := find.One(ctx, c.Tx, c.Tenant.ID)
	if errors.Is(err, dbx.ErrNoRow) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.People.Delete(ctx, c, r.User); err != nil && !errors.Is(err, user.ErrNotFound) {
		return err
	}
	if err := s.Roles.Delete(ctx, c, r.Role); err != nil && !errors.Is(err, role.ErrNotFound) {
		return err
	}
	_, err = drop.Do(ctx, c.Tx, c.Tenant.ID)
	return err
}
