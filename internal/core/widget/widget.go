// Package widget is the sign-in widgets of a tenant that have a page of their own (files.yaml n 493): the name of each, and the application that it
// leads on to.
package widget

import (
	"context"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Faults of widgets.
var (
	ErrNotFound = fault.New(fault.NotFound, "widget.not_found", "There is no such widget.")
	ErrOff      = fault.New(fault.NotFound, "widget.off", "This widget is switched off.")
	ErrTaken    = fault.New(fault.Exists, "widget.name_taken", "A widget of that name already exists.")
	ErrMany     = fault.New(fault.Conflict, "widget.many", "The tenant has as many widgets as it may have.")
)

// Limits.
const (
	maxWidgets = 200
	maxName    = 200 // bytes
)

// Widget is one of them.
type Widget struct {
	ID     string `db:"id"`
	Name   string `db:"name"` // unique whatever its case
	App    string `db:"app"`  // id of the application that it leads on to; empty: none
	Active bool   `db:"active"`
}

// Widgets are those of the call's tenant. Nothing has to be set.
type Widgets struct{}

var (
	list = dbx.Q[Widget]("widget.list", `SELECT id, name, app, active FROM widget WHERE tenant = ? ORDER BY name_key, id`)
	find = dbx.Q[Widget]("widget.find", `SELECT id, name, app, active FROM widget WHERE tenant = ? AND id = ?`)
	// lock makes those who change a widget follow one another.
	lock   = dbx.Q[Widget]("widget.lock", `SELECT id, name, app, active FROM widget WHERE tenant = ? AND id = ? FOR UPDATE`)
	count  = dbx.Q[int64]("widget.count", `SELECT COUNT(*) FROM widget WHERE tenant = ?`)
	insert = dbx.E("widget.insert", `INSERT INTO widget (tenant, id, name, name_key, app, active, created, changed) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, name_key) DO NOTHING`)
	update = dbx.E("widget.update", `UPDATE widget SET name = ?, name_key = ?, app = ?, active = ?, changed = ? WHERE tenant = ? AND id = ?`)
	remove = dbx.E("widget.delete", `DELETE FROM widget WHERE tenant = ? AND id = ?`)
)

// List gives all of them, by their names.
func (Widgets) List(ctx context.Context, c *call.Call) ([]Widget, error) {
	return list.All(ctx, c.Tx, c.Tenant.ID)
}

// Open gives one that is in use. Faults: ErrNotFound, ErrOff.
func (Widgets) Open(ctx context.Context, c *call.Call, id string) (Widget, error) {
	one, err := find.One(ctx, c.Tx, c.Tenant.ID, strings.ToLower(id))
	switch {
	case errors.Is(err, dbx.ErrNoRow):
		return Widget{}, ErrNotFound
	case err == nil && !one.Active:
		return Widget{}, ErrOff
	}
	return one, err
}

// Save makes a widget (without ID), or changes one, and gives what is stored. Faults: ErrNotFound, ErrTaken, ErrMany, and that of the name.
func (w Widgets) Save(ctx context.Context, c *call.Call, in Widget) (Widget, error) {
	in.Name = strings.TrimSpace(in.Name)
	if in.Name == "" || len(in.Name) > maxName || !utf8.ValidString(in.Name) || strings.ContainsFunc(in.Name, unicode.IsControl) {
		return Widget{}, fault.Bad("Name", "has 1 to %d bytes and no control characters", maxName)
	}
	if in.ID == "" {
		return w.create(ctx, c, in)
	}
	was, err := lock.One(ctx, c.Tx, c.Tenant.ID, strings.ToLower(in.ID))
	if errors.Is(err, dbx.ErrNoRow) {
		return Widget{}, ErrNotFound
	}
	if err != nil {
		return Widget{}, err
	}
	in.ID = was.ID
	_, err = update.Do(ctx, c.Tx, in.Name, fold.Key(in.Name), in.App, in.Active, c.Now.UnixMilli(), c.Tenant.ID, in.ID)
	if errors.Is(err, dbx.ErrExists) {
		return Widget{}, ErrTaken.At("Name")
	}
	noted(c, was, in)
	return in, err
}

func (Widgets) create(ctx context.Context, c *call.Call, in Widget) (Widget, error) {
	have, err := count.One(ctx, c.Tx, c.Tenant.ID)
	if err != nil {
		return Widget{}, err
	}
	if have >= maxWidgets {
		return Widget{}, ErrMany
	}
	in.ID = c.NewID()
	now := c.Now.UnixMilli()
	done, err := insert.Do(ctx, c.Tx, c.Tenant.ID, in.ID, in.Name, fold.Key(in.Name), in.App, in.Active, now, now)
	if err == nil && done == 0 {
		return Widget{}, ErrTaken.At("Name")
	}
	noted(c, Widget{}, in)
	return in, err
}

// Delete removes one. Fault: ErrNotFound.
func (Widgets) Delete(ctx context.Context, c *call.Call, id string) error {
	was, err := lock.One(ctx, c.Tx, c.Tenant.ID, strings.ToLower(id))
	if errors.Is(err, dbx.ErrNoRow) {
		return ErrNotFound
	}
	if err != nil {
		return err
	}
	noted(c, was, Widget{})
	_, err = remove.Do(ctx, c.Tx, c.Tenant.ID, was.ID)
	return err
}

// noted keeps a change in the event; the Widget without an id stands for none.
func noted(c *call.Call, was, now Widget) {
	e := c.Event
	if e == nil {
		return
	}
	e.Kind, e.Target, e.Name = "Widget", now.ID, now.Name
	if now.ID == "" {
		e.Target, e.Name = was.ID, was.Name
	}
	call.Changed(e, "Name", was.Name, now.Name)
	call.Changed(e, "App", was.App, now.App)
	call.Changed(e, "Active", was.Active, now.Active)
}
