// Package widgets is the RPC dialect's operations by which a tenant keeps its sign-in widgets (files.yaml n 493). The contract has the page of a widget,
// and no operation that makes one: these are this program's own.
package widgets

import (
	"context"
	"strings"

	"limen/internal/core/app"
	"limen/internal/core/audit"
	"limen/internal/core/widget"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// Widgets are the operations.
type Widgets struct {
	Widgets widget.Widgets
	Apps    *app.Apps
}

// Ops declares them.
func (w Widgets) Ops() []op.Op {
	saves := []*fault.Error{widget.ErrNotFound, widget.ErrTaken, widget.ErrMany, app.ErrNotFound, fault.ErrMissing, fault.ErrInvalid}
	return []op.Op{
		op.New(op.Spec{Path: "/Widget/GetWidgets", Allow: op.System, Effect: op.Read}, w.GetWidgets),
		op.New(op.Spec{Path: "/Widget/SetWidget", Allow: op.System, Effect: op.Write, Audit: audit.WidgetChange, Faults: saves}, w.SetWidget),
		op.New(op.Spec{
			Path: "/Widget/DeleteWidget", Allow: op.System, Effect: op.Write, Audit: audit.WidgetDelete, Faults: []*fault.Error{widget.ErrNotFound, fault.ErrMissing},
		}, w.DeleteWidget),
	}
}

var columns = []rpc.Column{{Name: "ID", TableKey: "Primary"}, {Name: "Name"}, {Name: "AppKey"}, {Name: "Enabled"}}

// GetWidgets lists the tenant's widgets, by their names.
//
// Columns: ID, which /Widget/GetAuthWidgetAsPage takes as widgetId; Name; AppKey, the UUID of the application that it leads on to, empty where
// there is none; Enabled.
func (w Widgets) GetWidgets(ctx context.Context, c *op.Call, _ op.None) (rpc.Query, error) {
	all, err := w.Widgets.List(ctx, c)
	out := rpc.Query{Columns: columns, FullCount: len(all), Results: make([]rpc.Row, len(all))}
	for i, one := range all {
		out.Results[i] = rpc.Row{Entities: []rpc.Entity{{Type: "Widget", Key: one.ID}}, Row: []any{one.ID, one.Name, one.App, one.Active}}
	}
	return out, err
}

// Saving is a widget as it is to be.
type Saving struct {
	// ID is the widget to be changed; absent or empty: a new one.
	ID string `json:"ID"`
	// Name is its name, required, unique whatever its case; 200 bytes.
	Name string `json:"Name"`
	// AppKey is the UUID of the application that it leads on to; absent or empty: none.
	AppKey string `json:"AppKey"`
	// Enabled says whether its page is shown; true when absent.
	Enabled op.Opt[bool] `json:"Enabled"`
}

// Check wants the name.
func (s *Saving) Check() error {
	if strings.TrimSpace(s.Name) == "" {
		return fault.Missing("Name")
	}
	return nil
}

// SetWidget makes or changes a widget, and returns its id. Errors: widget.not_found, widget.name_taken, widget.many, app.not_found.
func (w Widgets) SetWidget(ctx context.Context, c *op.Call, in Saving) (string, error) {
	in.ID, in.AppKey = strings.TrimSpace(in.ID), strings.TrimSpace(in.AppKey)
	if in.ID == "" {
		c.Event.Type = audit.WidgetCreate
	}
	if in.AppKey != "" {
		a, err := w.Apps.Get(ctx, c, in.AppKey)
		if err != nil {
			return "", err
		}
		in.AppKey = a.ID
	}
	out, err := w.Widgets.Save(ctx, c, widget.Widget{ID: in.ID, Name: in.Name, App: in.AppKey, Active: in.Enabled.Or(true)})
	return out.ID, err
}

// Naming names a widget.
type Naming struct {
	// ID is its id, required.
	ID string `json:"ID"`
}

// Check wants the id.
func (n *Naming) Check() error {
	if strings.TrimSpace(n.ID) == "" {
		return fault.Missing("ID")
	}
	return nil
}

// DeleteWidget removes a widget. Its page is gone at once. Errors: widget.not_found.
func (w Widgets) DeleteWidget(ctx context.Context, c *op.Call, in Naming) (op.None, error) {
	return op.None{}, w.Widgets.Delete(ctx, c, strings.TrimSpace(in.ID))
}
