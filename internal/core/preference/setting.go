package preference

import (
	"context"
	"slices"

	"limen/internal/call"
	"limen/internal/dbx"
)

// Setting is one setting of a type.
type Setting struct {
	Name  string
	Value string
}

var (
	ofType = dbx.Q[row]("preference.of_type", `SELECT name, value FROM user_setting WHERE tenant = ? AND user_id = ? AND type_key = ? ORDER BY name_key`)
	types  = dbx.Q[string]("preference.types", `SELECT DISTINCT type_key FROM user_setting WHERE tenant = ? AND user_id = ?`)
	keep   = dbx.E("preference.keep", `INSERT INTO user_setting (tenant, user_id, type_key, name_key, name, value) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, user_id, type_key, name_key) DO UPDATE SET name = excluded.name, value = excluded.value`)
	dropSettings = dbx.E("preference.drop_settings", `DELETE FROM user_setting WHERE tenant = ? AND user_id = ?`)
)

// Settings lists a person's settings of a type by name; none for a type that nobody has used.
func (Preferences) Settings(ctx context.Context, c *call.Call, userID, kind string) ([]Setting, error) {
	key, err := keyOf(kind)
	if err != nil {
		return nil, err
	}
	rows, err := ofType.All(ctx, c.Tx, c.Tenant.ID, userID, key)
	out := make([]Setting, len(rows))
	for i, r := range rows {
		out[i] = Setting(r)
	}
	return out, err
}

// Store sets a person's settings of a type; those of the type that are not named stay. Names and types are the same whatever
// their case. Faults: ErrName, ErrSize.
func (Preferences) Store(ctx context.Context, c *call.Call, userID, kind string, settings []Setting) error {
	key, err := keyOf(kind)
	if err != nil {
		return err
	}
	var names []string
	for _, s := range settings {
		name, err := keyOf(s.Name)
		if err != nil {
			return err
		}
		if len(s.Value) > MaxValue {
			return ErrSize.At(s.Name)
		}
		if _, err := keep.Do(ctx, c.Tx, c.Tenant.ID, userID, key, name, s.Name, s.Value); err != nil {
			return err
		}
		names = append(names, s.Name)
	}
	if err := bounded(ctx, c, userID, key); err != nil {
		return err
	}
	if c.Event != nil {
		slices.Sort(names)
		c.Event.Set("SettingType", kind)
		c.Event.Set("Settings", names)
	}
	return nil
}

// bounded refuses what a person may not keep beside what they have.
func bounded(ctx context.Context, c *call.Call, userID, typeKey string) error {
	rows, err := ofType.All(ctx, c.Tx, c.Tenant.ID, userID, typeKey)
	if err != nil {
		return err
	}
	ts, err := types.All(ctx, c.Tx, c.Tenant.ID, userID)
	if err == nil && (tooMany(rows) || len(ts) > MaxTypes) {
		err = ErrSize
	}
	return err
}
