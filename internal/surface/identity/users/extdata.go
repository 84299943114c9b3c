package users

import (
	"context"
	"maps"
	"slices"
	"time"

	"limen/internal/core/attribute"
	"limen/internal/core/audit"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// ErrTable is a table that has no attributes.
var ErrTable = fault.New(fault.NotFound, "attribute.table", "The table is unknown. Extended attributes are those of the table users.")

// What setting attributes can give.
var attributeFaults = []*fault.Error{
	attribute.ErrColumn, attribute.ErrTwice, attribute.ErrValue, attribute.ErrSize, attribute.ErrReadOnly,
}

func (u Users) extending() []op.Op {
	reads := []*fault.Error{ErrTable, user.ErrNotFound, fault.ErrMissing}
	sets := append(append([]*fault.Error{ErrSystem, user.ErrStronger}, reads...), attributeFaults...)
	schema := []*fault.Error{
		ErrTable, attribute.ErrName, attribute.ErrTwice, attribute.ErrType, attribute.ErrFixed, attribute.ErrMany, fault.ErrMissing, fault.ErrInvalid,
	}
	return []op.Op{
		op.New(op.Spec{Path: "/ExtData/UpdateSchema", Allow: op.System, Effect: op.Write, Audit: audit.AttributesSchema, Faults: schema}, u.UpdateSchema),
		op.New(op.Spec{Path: "/ExtData/GetSchema", Allow: op.Authenticated, Effect: op.Read, Faults: []*fault.Error{ErrTable, fault.ErrMissing}}, u.GetSchema),
		op.New(op.Spec{Path: "/ExtData/GetColumn", Allow: either, Effect: op.Read, Faults: append([]*fault.Error{attribute.ErrColumn}, reads...)}, u.GetColumn),
		op.New(op.Spec{Path: "/ExtData/GetColumns", Allow: either, Effect: op.Read, Faults: reads}, u.GetColumns),
		op.New(op.Spec{Path: "/ExtData/SetColumn", Allow: either, Effect: op.Write, Audit: audit.UserChange, Faults: sets}, u.SetColumn),
		op.New(op.Spec{Path: "/ExtData/SetColumns", Allow: either, Effect: op.Write, Audit: audit.UserChange, Faults: sets}, u.SetColumns),
		op.Prepared(op.Spec{Path: "/User/UpdateProfile", Allow: either, Effect: op.Write, Effects: []op.Effect{op.Serial},
			Invar: "nobody is their own manager, directly or through others", Audit: audit.UserChange,
			Faults: append(append([]*fault.Error(nil), changeFaults...), attributeFaults...)}, u.hashProfile, u.UpdateProfile),
	}
}

func table(name string) error {
	if err := required("Table", name); err != nil {
		return err
	}
	if !attribute.IsTable(name) {
		return ErrTable.At("Table")
	}
	return nil
}

// ColumnChange is an attribute as it is to be. Its name is its key in the object.
type ColumnChange struct {
	// Type is Text, Int, Double, Bool or DateTime; required. That of an attribute that exists cannot change.
	Type string `json:"Type"`
	// Title is what people read, in 256 bytes; null or empty: none.
	Title string `json:"Title"`
	// Description is free text of 500 bytes.
	Description string `json:"Description"`
	// UserEditable lets people change the attribute of their own account.
	UserEditable bool `json:"UserEditable"`
}

// SchemaChange is all attributes that users are to have.
type SchemaChange struct {
	// Table is the name of the table, users; required.
	Table string `json:"Table"`
	// Columns maps the names of all attributes to what they are to be: Type, Title, Description, UserEditable; required. Those
	// left out are deleted, all of them by {}. A name has 64 letters a to z, digits and underscores at most; it starts with a
	// letter and contains an underscore.
	Columns map[string]ColumnChange `json:"Columns"`
}

// Check wants both.
func (s *SchemaChange) Check() error {
	if err := table(s.Table); err != nil {
		return err
	}
	if s.Columns == nil {
		return fault.Missing("Columns")
	}
	return nil
}

// UpdateSchema replaces the extended attributes that users can have. An attribute that is left out is deleted, and with
// it everybody's value.
//
// A tenant may have 25 attributes. Names are the same whatever their case. users.yaml n 93.
func (u Users) UpdateSchema(ctx context.Context, c *op.Call, in SchemaChange) (op.None, error) {
	columns := make([]attribute.Column, 0, len(in.Columns))
	for _, name := range slices.Sorted(maps.Keys(in.Columns)) {
		col := in.Columns[name]
		columns = append(columns, attribute.Column{
			Name: name, Type: attribute.Type(col.Type), Title: col.Title, Description: col.Description, Editable: col.UserEditable,
		})
	}
	return op.None{}, u.Attributes.Replace(ctx, c, columns)
}

// TableRef names a table.
type TableRef struct {
	// Table is the name of the table, users; required.
	Table string `json:"Table"`
}

// Check wants the table.
func (r *TableRef) Check() error { return table(r.Table) }

// SchemaColumn is an attribute that users can have.
type SchemaColumn struct {
	Name string `json:"Name"`
	// Title is what people read; null when there is none.
	Title       *string `json:"Title"`
	Description string  `json:"Description"`
	// Type is Text, Int, Double, Bool or DateTime.
	Type string `json:"Type"`
	// UserEditable says whether people change the attribute of their own account.
	UserEditable bool `json:"UserEditable"`
}

// Schema is all attributes that users can have.
type Schema struct {
	// ColumnLimit is how many there may be.
	ColumnLimit int            `json:"ColumnLimit"`
	Columns     []SchemaColumn `json:"Columns"`
}

// GetSchema returns the extended attributes that users can have, by name. Columns is a list here, and an object in
// UpdateSchema. users.yaml n 115.
func (u Users) GetSchema(ctx context.Context, c *op.Call, _ TableRef) (Schema, error) {
	columns, err := u.Attributes.Schema(ctx, c)
	out := Schema{attribute.MaxColumns, make([]SchemaColumn, len(columns))}
	for i, col := range columns {
		out.Columns[i] = SchemaColumn{Name: col.Name, Description: col.Description, Type: string(col.Type), UserEditable: col.Editable}
		if col.Title != "" {
			out.Columns[i].Title = &col.Title
		}
	}
	return out, err
}

// shown is a value as the dialect writes it.
func shown(v any) any {
	if at, ok := v.(time.Time); ok {
		return rpc.Time(at)
	}
	return v
}
