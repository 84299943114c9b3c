package app

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/attribute"
	"limen/internal/core/detail"
	"limen/internal/core/grant"
	"limen/internal/core/provision"
	"limen/internal/op"
	"limen/internal/surface/scim"
)

// scim is the dialect of provisioning.
func (a *App) scim() scim.SCIM {
	return scim.SCIM{Run: a.rerun, Directory: &provision.Directory{
		People: a.People, Roles: a.Roles, Passwords: a.Passwords, Attributes: attribute.Attributes{Stored: a.valuesStored}, Orgs: a.Orgs, Settings: a.Values,
		Keep: a.keepWay,
	}}
}

// rerun runs an operation within the call of another, which has no transaction, event or grant of its own left.
func (a *App) rerun(ctx context.Context, o *op.Op, c *op.Call, in any) (any, error) {
	defer func() { c.Event, c.Also, c.Grant = nil, nil, grant.Grant{} }()
	c.Event, c.Also = nil, nil
	return a.Kernel.Run(ctx, o, c, in)
}

// groupGone forgets by which ids clients knew a role.
func groupGone(ctx context.Context, c *call.Call, roleID string) error {
	return detail.Unknown(ctx, c, "Group", roleID)
}

// valuesStored hears that a person's values in the tenant's own attributes changed: they are part of what clients know as the
// person's version.
func (a *App) valuesStored(ctx context.Context, c *call.Call, userID string, names ...string) error {
	if userID != "" {
		if err := a.People.Touch(ctx, c, userID); err != nil {
			return err
		}
	}
	return a.Dynamic.Note(ctx, c, userID, names...)
}
