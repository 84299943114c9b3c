package app

import (
	"context"
	"strings"

	"limen/internal/call"
	"limen/internal/core/attribute"
	"limen/internal/core/detail"
	"limen/internal/core/grant"
	"limen/internal/core/login"
	"limen/internal/core/provision"
	"limen/internal/core/safe"
	"limen/internal/core/tenant"
	"limen/internal/op"
	"limen/internal/surface/scim"
)

// scim is the dialect of provisioning.
func (a *App) scim() scim.SCIM {
	return scim.SCIM{Run: a.rerun, Directory: a.provision()}
}

func (a *App) provision() *provision.Directory {
	return &provision.Directory{
		People: a.People, Roles: a.Roles, Passwords: a.Passwords, Attributes: attribute.Attributes{Stored: a.valuesStored}, Orgs: a.Orgs, Settings: a.Values, Safes: a.safes(),
		Keep: a.keepWay, Own: func(ctx context.Context, c *call.Call, userID string) error {
			return a.Logins.Own(ctx, c, userID, login.OwnProfile)
		},
	}
}

// safes are the safes of the call's tenant.
func (a *App) safes() *safe.Safes {
	return &safe.Safes{Roles: a.Roles, Ring: a.Ring, Deleted: []func(context.Context, *call.Call, string) error{provision.SafeGone}}
}

// wireSafes has safes forget who is deleted.
func (a *App) wireSafes() {
	a.People.Gone = append(a.People.Gone, safe.Gone)
	a.Roles.Deleted = append(a.Roles.Deleted, safe.Gone)
	a.Orgs.Gone = append(a.Orgs.Gone, safe.OrgGone)
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

// proveProvisioning finds the service user whose provisioning token it is. It is good for the dialect of provisioning alone.
func (a *App) proveProvisioning(ctx context.Context, c *call.Call, cred op.Credentials) (caller call.Caller, tenantID string, err error) {
	t, err := a.Index.Find(ctx, tenant.Hint{}, c.Client.Host)
	if err != nil || cred.Cookie || cred.Op == nil || !strings.HasPrefix(cred.Op.Path, "/scim/") {
		return call.Caller{}, "", provision.ErrToken.Because(err)
	}
	in := *c
	in.Tenant = t
	a.Kernel.Bind(&in)
	err = in.Snapshot(ctx, func() error {
		id, err := provision.Holder(ctx, &in, cred.Token)
		if err != nil {
			return err
		}
		h, err := a.holder(ctx, &in, id)
		if err == nil && h.Barred {
			err = provision.ErrToken
		}
		caller = call.Caller{User: id, Name: h.Name, Org: h.Org, Means: call.ByToken, Level: "Normal", Proved: in.Now, Roles: h.Roles, Held: h.Held, Machine: true}
		return err
	})
	return caller, t.ID, err
}
