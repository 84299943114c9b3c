package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/dbx"
	"limen/internal/fold"
)

// Create makes an application from a template, on which its maker has every right. It is named after the template, and
// Configured. The caller administers applications. Faults: ErrTemplate, ErrTooMany, acl.ErrDenied.
func (a *Apps) Create(ctx context.Context, c *call.Call, template string) (App, error) {
	t, ok := FindTemplate(template)
	if !ok {
		return App{}, ErrTemplate.At("ID")
	}
	it := App{
		Template: t.ID, Kind: t.Kind, Type: t.Type, Description: t.Description, Category: t.Category, State: Configured,
		Members: map[string]json.RawMessage{"ShowInUP": json.RawMessage(`true`), "CatalogVisibility": json.RawMessage(`"All"`)},
	}
	maps.Copy(it.Members, t.Members)
	if t.Profile != nil {
		p := *t.Profile
		p.AllowedClients, p.Redirects, p.PostLogoutRedirects = []string{}, []string{}, []string{}
		it.Profile = &p
	}
	return a.add(ctx, c, it, t.Name)
}

// Clone makes a copy of an application, without its secrets, its ServiceName and the rights on it. The caller needs View, and
// administers applications. Faults: as Get and Create.
func (a *Apps) Clone(ctx context.Context, c *call.Call, ref string) (App, error) {
	it, err := a.Get(ctx, c, ref)
	if err != nil {
		return App{}, err
	}
	it.Service, it.secret, it.password, it.State = "", "", "", Configured
	return a.add(ctx, c, it, it.Name)
}

// add stores an application under a name that is free, with an id and a client id of its own.
func (a *Apps) add(ctx context.Context, c *call.Call, it App, name string) (App, error) {
	t, err := a.Lists.Table(Table)
	if err != nil {
		return App{}, err
	}
	if !a.Lists.Governs(c, t) {
		return App{}, acl.ErrDenied
	}
	have, err := count.One(ctx, c.Tx, c.Tenant.ID)
	if err != nil {
		return App{}, err
	}
	if have >= maxApps {
		return App{}, ErrTooMany.Say("A tenant may have %d applications.", maxApps)
	}
	it.ID, it.Created, it.Changed, it.Version = c.NewID(), c.Now.UnixMilli(), c.Now.UnixMilli(), 1
	if it.Name, err = freeName(ctx, c, name); err != nil {
		return App{}, err
	}
	it.Display = it.Name
	if it.Profile != nil {
		p := *it.Profile
		p.ClientID, p.Issuer = "", ""
		if it.Type == OpenIDConnect {
			p.ClientID = c.NewID()
		}
		it.Profile = &p
	}
	noted(c, it)
	if err := a.put(ctx, c, it); err != nil {
		return App{}, err
	}
	return it, a.Lists.Own(ctx, c, acl.Object{Table: t, Row: acl.Row{ID: it.ID, Name: it.Name}})
}

// freeName gives a name that nothing has yet: the name, or the name with a number.
func freeName(ctx context.Context, c *call.Call, name string) (string, error) {
	try := name
	for n := 2; ; n++ {
		_, err := byName.One(ctx, c.Tx, c.Tenant.ID, fold.Key(try))
		if errors.Is(err, dbx.ErrNoRow) {
			return try, nil
		}
		if err != nil || n > maxApps+1 {
			return "", err
		}
		try = fmt.Sprintf("%s %d", strings.TrimSpace(name), n)
	}
}

// Delete removes an application with the rights on it, its places in sets and what was allowed to it. The caller needs Delete.
// Faults: ErrNotFound, acl.ErrDenied.
func (a *Apps) Delete(ctx context.Context, c *call.Call, ref string) (App, error) {
	it, o, err := a.need(ctx, c, ref, acl.Delete)
	if err != nil {
		return App{}, err
	}
	noted(c, it)
	if _, err := remove.Do(ctx, c.Tx, c.Tenant.ID, it.ID); err != nil {
		return App{}, err
	}
	if _, err := unclaim.Do(ctx, c.Tx, c.Tenant.ID, it.ID); err != nil {
		return App{}, err
	}
	if err := a.Lists.RowGone(ctx, c, Table, o.ID); err != nil {
		return App{}, err
	}
	if err := a.Sets.RowGone(ctx, c, Table, o.ID); err != nil {
		return App{}, err
	}
	if err := errors.Join(a.Ended(ctx, c, it.ID), a.gone(ctx, c, it.ID)); err != nil {
		return App{}, err
	}
	return it, a.Put(ctx, c, topic, c.Tenant.ID)
}
