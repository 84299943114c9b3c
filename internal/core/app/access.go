package app

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/audit"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// ErrOwnRights says that somebody has rights on an application that an approval would change.
var ErrOwnRights = fault.New(fault.Conflict, "app.own_rights", "The person has rights of their own on the application. Its administrator must change them.")

// Askable finds an active application by its id or its name, whoever may see it, for those who ask for access to it. ErrNotFound.
func (a *Apps) Askable(ctx context.Context, c *call.Call, ref string) (App, error) {
	r, err := found(byID.One(ctx, c.Tx, c.Tenant.ID, strings.ToLower(strings.TrimSpace(ref))))
	if errors.Is(err, ErrNotFound) {
		r, err = found(byName.One(ctx, c.Tx, c.Tenant.ID, fold.Key(strings.TrimSpace(ref))))
	}
	if err != nil {
		return App{}, err
	}
	it, err := r.app()
	if err == nil && it.State != Active {
		err = ErrNotFound
	}
	return it, err
}

// Listed lists the applications that have a place on portals, by name, whoever may see them.
func (a *Apps) Listed(ctx context.Context, c *call.Call) ([]App, error) {
	rows, err := list.Rows(ctx, c.Tx, dbx.Eq("state", Active), []dbx.Order{{Column: "name_key"}, {Column: "id"}}, maxApps, c.Tenant.ID)
	if err != nil {
		return nil, err
	}
	var out []App
	for _, r := range rows {
		it, err := r.app()
		if err != nil {
			return nil, err
		}
		if it.Listed() {
			out = append(out, it)
		}
	}
	return out, nil
}

// Admit lets somebody see and use an application from one time to another, and puts it before them, in the server's own name: whoever set
// the application up has said who decides that. Rights beyond these are never given, and those that somebody has never taken:
// ErrOwnRights where they would be.
func (a *Apps) Admit(ctx context.Context, c *call.Call, id, userID string, since, until time.Time, reason string) error {
	const give = acl.View | Execute | Automatic
	t, err := a.Lists.Table(Table)
	if err != nil {
		return err
	}
	o, err := a.Lists.Find(ctx, c, t, id)
	if err != nil {
		return err
	}
	in := *c
	in.Caller = &call.Caller{Means: call.ByShell, Proved: c.Now, Held: right.Held{Tenant: right.Of(right.System)}}
	entries, err := a.Lists.Of(ctx, &in, o)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Source == acl.Direct && e.Kind == role.User && e.Principal == userID && e.Mask&^give != 0 {
			return ErrOwnRights
		}
	}
	in.Event = c.Record(audit.AppPermissions)
	in.Event.Kind, in.Event.Target, in.Event.Name, in.Event.User = Table, o.ID, o.Name, userID
	in.Event.Set("Reason", reason)
	if err := a.Lists.Permit(ctx, &in, o, acl.Given{Kind: role.User, Principal: userID, Mask: give, Since: since, Until: until, Reason: reason}); err != nil {
		return err
	}
	return a.Put(ctx, c, topic, c.Tenant.ID)
}

// deputed wants of who changes the approvers of an application that they could give it to people themselves: what approvers do is given by
// whoever named them.
func (a *Apps) deputed(ctx context.Context, c *call.Call, old, it App) error {
	for _, name := range []string{"WorkflowEnabled", "WorkflowSettings"} {
		if !bytes.Equal(old.Members[name], it.Members[name]) {
			_, err := a.Lists.Need(ctx, c, Table, it.ID, acl.Grant|acl.View|Execute)
			return err
		}
	}
	return nil
}
