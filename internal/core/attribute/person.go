package attribute

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/dbx"
	"limen/internal/fold"
)

type valueRow struct {
	ID       string  `db:"id"`
	Key      string  `db:"name_key"`
	Name     string  `db:"name"`
	Type     string  `db:"type"`
	Editable bool    `db:"editable"`
	Value    *string `db:"value"`
}

var (
	ofUser = dbx.Q[valueRow]("attribute.ofUser", `SELECT c.id AS id, c.name_key AS name_key, c.name AS name, c.type AS type, c.editable AS editable,
		v.value AS value FROM attribute_column c LEFT JOIN user_attribute v ON v.tenant = c.tenant AND v.user_id = ? AND v.column_id = c.id
		WHERE c.tenant = ? ORDER BY c.name_key`)
	setValue = dbx.E("attribute.set", `INSERT INTO user_attribute (tenant, user_id, column_id, value) VALUES (?, ?, ?, ?)
		ON CONFLICT (tenant, user_id, column_id) DO UPDATE SET value = excluded.value`)
	clearValue = dbx.E("attribute.clear", `DELETE FROM user_attribute WHERE tenant = ? AND user_id = ? AND column_id = ?`)
	dropUser   = dbx.E("attribute.drop", `DELETE FROM user_attribute WHERE tenant = ? AND user_id = ?`)
)

// Value is what a person has in a column: nil, or a string, int64, float64, bool, or time.Time in UTC.
type Value struct {
	Name  string
	Value any
}

// Get lists a person's values by name, those that are not set as well.
func (Attributes) Get(ctx context.Context, c *call.Call, userID string) ([]Value, error) {
	rows, err := ofUser.All(ctx, c.Tx, userID, c.Tenant.ID)
	out := make([]Value, len(rows))
	for i, r := range rows {
		out[i] = Value{r.Name, r.read()}
	}
	return out, err
}

func (r valueRow) read() any {
	if r.Value == nil {
		return nil
	}
	return Type(r.Type).read(*r.Value)
}

// Set sets a person's values in the columns named; nil clears. Values are strings, json.Numbers or booleans, and are read
// as the column's type wants them. own is for people who act on themselves only: what they may not edit must stay as it
// is. Faults: ErrColumn, ErrTwice, ErrValue, ErrSize, ErrReadOnly.
//
// The person's row must be locked by the caller, so that the size of all values together is what it seems, and nobody
// sets values of somebody who is being deleted.
func (a Attributes) Set(ctx context.Context, c *call.Call, userID string, values map[string]any, own bool) error {
	rows, err := ofUser.All(ctx, c.Tx, userID, c.Tenant.ID)
	if err != nil {
		return err
	}
	at := map[string]*valueRow{}
	for i := range rows {
		at[rows[i].Key] = &rows[i]
	}
	done := map[string]bool{}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		r := at[fold.Key(name)]
		if r == nil {
			return ErrColumn.At(name).Say("There is no attribute %.80q.", name)
		}
		if done[r.Key] {
			return ErrTwice.At(name).Say("The attribute %s is given twice; case does not tell two names apart.", r.Name)
		}
		done[r.Key] = true
		if err := r.set(ctx, c, userID, values[name], own); err != nil {
			return err
		}
		names = append(names, r.Name)
	}
	total := 0
	for _, r := range rows {
		if r.Value != nil {
			total += len(*r.Value)
		}
	}
	if total > MaxTotal {
		return ErrSize
	}
	return a.stored(ctx, c, userID, names...)
}

// set stores one value, if it is another than the one before.
func (r *valueRow) set(ctx context.Context, c *call.Call, userID string, v any, own bool) error {
	stored, ok, why := Type(r.Type).parse(v)
	if why != "" {
		return ErrValue.At(r.Name).Say("The value of %s must be %s.", r.Name, why)
	}
	if ok == (r.Value != nil) && (!ok || stored == *r.Value) {
		return nil
	}
	if own && !r.Editable {
		return ErrReadOnly.At(r.Name).Say("You are not authorized to change %s.", r.Name)
	}
	before := r.read()
	var err error
	if r.Value = nil; ok {
		r.Value = &stored
		_, err = setValue.Do(ctx, c.Tx, c.Tenant.ID, userID, r.ID, stored)
	} else {
		_, err = clearValue.Do(ctx, c.Tx, c.Tenant.ID, userID, r.ID)
	}
	if errors.Is(err, dbx.ErrReference) { // the column was dropped meanwhile
		err = ErrColumn.At(r.Name).Because(err)
	}
	noted(c, r.Name, before, r.read())
	return err
}

// noted keeps the change in the event. What has the name of a secret is none, since administrators may read it; even so
// events do not keep it.
func noted(c *call.Call, name string, before, now any) {
	if c.Event != nil {
		c.Event.Change(name, told(name, before), told(name, now))
	}
}

// told is a value in an event; times are ms since 1970 UTC there.
func told(name string, v any) any {
	if v != nil && audit.Masks(name) {
		return audit.Mask
	}
	if at, ok := v.(time.Time); ok {
		return at.UnixMilli()
	}
	return v
}

// Drop removes what is kept of a person who is being deleted.
func (Attributes) Drop(ctx context.Context, c *call.Call, userID string) error {
	_, err := dropUser.Do(ctx, c.Tx, c.Tenant.ID, userID)
	return err
}
