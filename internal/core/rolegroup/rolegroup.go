// Package rolegroup is the groups in which an organization sorts its roles. They are for people who look at roles, and carry nothing:
// who is in a role, and what that gives, is core/role's.
package rolegroup

import (
	"context"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/number"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Faults of groups.
var (
	ErrNotFound  = fault.New(fault.NotFound, "rolegroup.not_found", "There is no such role group in this workspace.")
	ErrNameTaken = fault.New(fault.Exists, "rolegroup.name_taken", "A role group of that name already exists.")
	ErrName      = fault.New(fault.Invalid, "rolegroup.name", "The name of a role group has 1 to 100 characters, and no control characters.")
	ErrMany      = fault.New(fault.Conflict, "rolegroup.many", "The workspace has as many role groups as it may have.")
	ErrFull      = fault.New(fault.Conflict, "rolegroup.has_roles", "The role group has roles. Move or delete these first.")
)

// Limits.
const (
	maxGroups = 500 // of one organization
	maxName   = 100 // characters
)

// Group is a group of roles of an organization.
type Group struct {
	ID   string `db:"id"` // UUID
	Name string `db:"name"`
}

type placed struct {
	Role  string `db:"role"`
	Group string `db:"grp"`
}

var (
	list   = dbx.Q[Group]("rolegroup.list", `SELECT id, name FROM role_group WHERE tenant = ? AND org = ? ORDER BY name_key, id`)
	byID   = dbx.Q[Group]("rolegroup.find", `SELECT id, name FROM role_group WHERE tenant = ? AND org = ? AND id = ? FOR UPDATE`)
	count  = dbx.Q[int64]("rolegroup.count", `SELECT count(*) FROM role_group WHERE tenant = ? AND org = ?`)
	insert = dbx.E("rolegroup.insert", `INSERT INTO role_group (tenant, org, id, name, name_key, created) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, org, name_key) DO NOTHING`)
	rename = dbx.E("rolegroup.rename", `UPDATE role_group SET name = ?, name_key = ? WHERE tenant = ? AND org = ? AND id = ?`)
	remove = dbx.E("rolegroup.delete", `DELETE FROM role_group WHERE tenant = ? AND org = ? AND id = ?`)

	places = dbx.Q[placed]("rolegroup.places", `SELECT role, grp FROM role_grouped WHERE tenant = ? AND org = ?`)
	holds  = dbx.Q[int64]("rolegroup.holds", `SELECT count(*) FROM role_grouped WHERE tenant = ? AND org = ? AND grp = ?`)
	put    = dbx.E("rolegroup.put", `INSERT INTO role_grouped (tenant, org, role, grp) VALUES (?, ?, ?, ?)
		ON CONFLICT (tenant, org, role) DO UPDATE SET grp = excluded.grp`)
	dropRole = dbx.E("rolegroup.dropRole", `DELETE FROM role_grouped WHERE tenant = ? AND role = ?`)
	dropAll  = dbx.E("rolegroup.dropAll", `DELETE FROM role_grouped WHERE tenant = ? AND org = ?`)
)

func named(name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || utf8.RuneCountInString(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return "", ErrName.At("name")
	}
	return name, nil
}

// List gives an organization's groups by name.
func List(ctx context.Context, c *call.Call, org string) ([]Group, error) {
	return list.All(ctx, c.Tx, c.Tenant.ID, org)
}

// Find gives a group of an organization by its id; ErrNotFound.
func Find(ctx context.Context, c *call.Call, org, id string) (Group, error) {
	all, err := List(ctx, c, org)
	if err != nil {
		return Group{}, err
	}
	for _, g := range all {
		if g.ID == id {
			return g, nil
		}
	}
	return Group{}, ErrNotFound
}

// Create makes a group. Faults: ErrName, ErrNameTaken, ErrMany.
func Create(ctx context.Context, c *call.Call, org, name string) (Group, error) {
	name, err := named(name)
	if err != nil {
		return Group{}, err
	}
	have, err := count.One(ctx, c.Tx, c.Tenant.ID, org)
	if err == nil && have >= maxGroups {
		err = ErrMany
	}
	if err != nil {
		return Group{}, err
	}
	g := Group{c.NewID(), name}
	n, err := insert.Do(ctx, c.Tx, c.Tenant.ID, org, g.ID, name, fold.Key(name), c.Now.UnixMilli())
	if err == nil && n == 0 {
		err = ErrNameTaken.At("name")
	}
	if err != nil {
		return Group{}, err
	}
	noted(c, g, "", name)
	return g, number.Give(ctx, c, number.RoleGroup, g.ID)
}

// Rename gives a group another name. Faults: ErrNotFound, ErrName, ErrNameTaken.
func Rename(ctx context.Context, c *call.Call, org, id, name string) (Group, error) {
	name, err := named(name)
	if err != nil {
		return Group{}, err
	}
	was, err := lock(ctx, c, org, id)
	if err != nil {
		return Group{}, err
	}
	noted(c, was, was.Name, name)
	_, err = rename.Do(ctx, c.Tx, name, fold.Key(name), c.Tenant.ID, org, id)
	if errors.Is(err, dbx.ErrExists) {
		err = ErrNameTaken.At("name")
	}
	return Group{id, name}, err
}

// Delete removes a group that has no roles. Faults: ErrNotFound, ErrFull.
func Delete(ctx context.Context, c *call.Call, org, id string) error {
	was, err := lock(ctx, c, org, id)
	if err != nil {
		return err
	}
	noted(c, was, was.Name, "")
	n, err := holds.One(ctx, c.Tx, c.Tenant.ID, org, id)
	if err == nil && n > 0 {
		err = ErrFull
	}
	if err != nil {
		return err
	}
	return drop(ctx, c, org, id)
}

func drop(ctx context.Context, c *call.Call, org, id string) error {
	if _, err := remove.Do(ctx, c.Tx, c.Tenant.ID, org, id); err != nil {
		return err
	}
	return number.Drop(ctx, c, number.RoleGroup, id)
}

// lock finds a group and keeps others from changing it, or from putting roles into it, meanwhile.
func lock(ctx context.Context, c *call.Call, org, id string) (Group, error) {
	g, err := byID.One(ctx, c.Tx, c.Tenant.ID, org, id)
	if errors.Is(err, dbx.ErrNoRow) {
		err = ErrNotFound
	}
	return g, err
}

// Places says which group each role of an organization is in, by the roles' ids. Roles that are in none are left out.
func Places(ctx context.Context, c *call.Call, org string) (map[string]string, error) {
	rows, err := places.All(ctx, c.Tx, c.Tenant.ID, org)
	out := make(map[string]string, len(rows))
	for _, r := range rows {
		out[r.Role] = r.Group
	}
	return out, err
}

// Put puts a role of an organization into one of its groups, out of the one that it was in. ErrNotFound.
func Put(ctx context.Context, c *call.Call, org, roleID, id string) error {
	g, err := lock(ctx, c, org, id)
	if err != nil {
		return err
	}
	if c.Event != nil {
		c.Event.Set("RoleGroup", g.Name)
	}
	_, err = put.Do(ctx, c.Tx, c.Tenant.ID, org, roleID, id)
	return err
}

// RoleGone forgets where a role was that is being deleted.
func RoleGone(ctx context.Context, c *call.Call, roleID string) error {
	_, err := dropRole.Do(ctx, c.Tx, c.Tenant.ID, roleID)
	return err
}

// OrgGone forgets the groups of an organization that is being deleted.
func OrgGone(ctx context.Context, c *call.Call, org string) error {
	all, err := List(ctx, c, org)
	for _, g := range all {
		err = errors.Join(err, drop(ctx, c, org, g.ID))
	}
	_, bad := dropAll.Do(ctx, c.Tx, c.Tenant.ID, org)
	return errors.Join(err, bad)
}

func noted(c *call.Call, g Group, was, now string) {
	if e := c.Event; e != nil {
		e.Target, e.Kind, e.Name = g.ID, "RoleGroup", g.Name
		call.Changed(e, "Name", was, now)
	}
}
