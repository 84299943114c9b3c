package users

import (
	"context"

	"limen/internal/core/attribute"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/fold"
	"limen/internal/op"
)

// Row names a user as a row of the table users.
type Row struct {
	// Table is the name of the table, users; required.
	Table string `json:"Table"`
	// ID is the user's UUID or login name, required.
	ID string `json:"ID" also:"Uuid"`
	person
}

// Check wants both.
func (r *Row) Check() error {
	if err := table(r.Table); err != nil {
		return err
	}
	return required("ID", r.ID)
}

// Resolve finds the user.
func (r *Row) Resolve(ctx context.Context, c *op.Call) error { return r.find(ctx, c, r.ID) }

// Cell names one attribute of a user.
type Cell struct {
	Row
	// Column is the name of the attribute, whatever its case; required.
	Column string `json:"Column"`
}

// Check wants the attribute, too.
func (r *Cell) Check() error {
	if err := r.Row.Check(); err != nil {
		return err
	}
	return required("Column", r.Column)
}

// GetColumn returns the value of one extended attribute of a user: text, a number, a boolean, a date, or null where it is
// not set. users.yaml n 113.
func (u Users) GetColumn(ctx context.Context, c *op.Call, in Cell) (any, error) {
	values, err := u.Attributes.Get(ctx, c, in.found.ID)
	if err != nil {
		return nil, err
	}
	for _, v := range values {
		if fold.Key(v.Name) == fold.Key(in.Column) {
			return shown(v.Value), nil
		}
	}
	return nil, attribute.ErrColumn.At("Column").Say("There is no attribute %.80q.", in.Column)
}

// RowRead names a user whose attributes are wanted.
type RowRead struct {
	Row
	// IncludeNulls lists attributes that are not set as well, as null.
	IncludeNulls bool `json:"IncludeNulls"`
}

// GetColumns returns the extended attributes of a user as an object from their names to their values, {} when none is
// set.
//
// Dates are /Date(ms)/, ms since 1970 UTC. users.yaml n 114.
func (u Users) GetColumns(ctx context.Context, c *op.Call, in RowRead) (map[string]any, error) {
	values, err := u.Attributes.Get(ctx, c, in.found.ID)
	out := map[string]any{}
	for _, v := range values {
		if v.Value != nil || in.IncludeNulls {
			out[v.Name] = shown(v.Value)
		}
	}
	return out, err
}

// CellChange is a value for one attribute of a user.
type CellChange struct {
	Cell
	// Value is text, a number, a boolean or a date, or text of one of these; required. Null clears the attribute, and empty
	// text one that is no Text.
	Value op.Opt[any] `json:"Value"`
}

// Check wants a value, or null.
func (r *CellChange) Check() error {
	if err := r.Cell.Check(); err != nil {
		return err
	}
	if !r.Value.Given() {
		return fault.Missing("Value")
	}
	return nil
}

// SetColumn sets one extended attribute of a user. People set those of their own that are UserEditable. users.yaml n 116.
func (u Users) SetColumn(ctx context.Context, c *op.Call, in CellChange) (op.None, error) {
	return op.None{}, u.setColumns(ctx, c, in.found, map[string]any{in.Column: in.Value.Or(nil)})
}

// RowChange are values for attributes of a user.
type RowChange struct {
	Row
	// Columns maps names of attributes to values; required. A value is text, a number, a boolean or a date, or text of one of
	// these. Null clears an attribute, and empty text one that is no Text. Attributes left out stay.
	Columns map[string]any `json:"Columns"`
}

// Check wants the values.
func (r *RowChange) Check() error {
	if err := r.Row.Check(); err != nil {
		return err
	}
	if r.Columns == nil {
		return fault.Missing("Columns")
	}
	return nil
}

// SetColumns sets extended attributes of a user; those that are left out stay.
//
// People set those of their own that are UserEditable, and may send the others with the value they have. A text may have
// 4096 bytes, and all attributes of a user together 65536. users.yaml n 117.
func (u Users) SetColumns(ctx context.Context, c *op.Call, in RowChange) (op.None, error) {
	return op.None{}, u.setColumns(ctx, c, in.found, in.Columns)
}

func (u Users) setColumns(ctx context.Context, c *op.Call, p user.User, values map[string]any) error {
	if err := u.guard(ctx, c, p.ID); err != nil {
		return err
	}
	if _, err := u.People.Change(ctx, c, p.ID, user.Change{}); err != nil { // locks the person, and names them in the event
		return err
	}
	return u.Attributes.Set(ctx, c, p.ID, values, !administers(c, p))
}

// Profile is a partial change of a user and of their extended attributes.
type Profile struct {
	UserChange
	// Columns maps names of extended attributes to values, as in SetColumns.
	Columns map[string]any `json:"Columns"`
}

// Check wants the user to be named.
func (p *Profile) Check() error {
	if err := required("ID", p.ID); err != nil {
		return err
	}
	return p.UserChange.Check()
}

func (u Users) hashProfile(ctx context.Context, c *op.Call, in Profile) (hashed, error) {
	return u.hashChange(ctx, c, in.UserChange)
}

// UpdateProfile changes properties and extended attributes of a user in one transaction: as ChangeUser and SetColumns, both
// or neither. users.yaml n 94.
func (u Users) UpdateProfile(ctx context.Context, c *op.Call, in Profile, h hashed) (op.None, error) {
	if _, err := u.ChangeUser(ctx, c, in.UserChange, h); err != nil {
		return op.None{}, err
	}
	return op.None{}, u.Attributes.Set(ctx, c, in.found.ID, in.Columns, !administers(c, in.found))
}
