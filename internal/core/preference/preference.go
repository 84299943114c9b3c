// Package preference is what people keep with the server for themselves and their clients: the preferences of the portal,
// which are an open set of names with values, and settings that clients store by a type of their own.
package preference

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Limits.
const (
	MaxName    = 64       // bytes of a name
	MaxValue   = 8 << 10  // bytes of a value
	MaxEntries = 100      // preferences of a person, and settings of one type
	MaxTypes   = 50       // types of settings of a person
	MaxTotal   = 64 << 10 // bytes of a person's preferences, and of the settings of one type
)

// Faults of preferences.
var (
	ErrName  = fault.New(fault.Invalid, "preference.name", "The name of a preference is text of 64 bytes at most, without control characters.")
	ErrValue = fault.New(fault.Invalid, "preference.value", "The value does not fit the preference.")
	ErrSize  = fault.New(fault.TooLarge, "preference.size", "There are too many preferences, or they are too large.")
)

// Preferences are those of the people of the call's tenant.
type Preferences struct{}

type row struct {
	Name  string `db:"name"`
	Value string `db:"value"`
}

var (
	all = dbx.Q[row]("preference.all", `SELECT name, value FROM user_preference WHERE tenant = ? AND user_id = ? ORDER BY name_key`)
	put = dbx.E("preference.put", `INSERT INTO user_preference (tenant, user_id, name_key, name, value) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (tenant, user_id, name_key) DO UPDATE SET name = excluded.name, value = excluded.value`)
	drop    = dbx.E("preference.drop", `DELETE FROM user_preference WHERE tenant = ? AND user_id = ? AND name_key = ?`)
	dropAll = dbx.E("preference.drop_all", `DELETE FROM user_preference WHERE tenant = ? AND user_id = ?`)
)

// known are the preferences that the contract names (users.yaml n 103), by the key of their name, with what their values are.
var known = map[string]struct {
	name  string
	value func(v any) bool
}{
	"preferredculture":  {"PreferredCulture", isCulture},
	"timezone":          {"TimeZone", isText},
	"lasttab":           {"LastTab", isText},
	"appsview":          {"AppsView", isText},
	"securityimagename": {imageName, isImage},
	"hideintro":         {"HideIntro", isFlag},
	"notifications":     {"Notifications", isObject},
}

func isText(v any) bool   { _, ok := v.(string); return ok }
func isFlag(v any) bool   { _, ok := v.(bool); return ok }
func isObject(v any) bool { _, ok := v.(map[string]any); return ok }

func isCulture(v any) bool {
	s, ok := v.(string)
	if !ok || len(s) > 35 {
		return false
	}
	_, err := language.Parse(s)
	return s == "" || err == nil
}

// Get gives a person's preferences by name; values are what encoding/json makes of JSON, numbers json.Number.
func (Preferences) Get(ctx context.Context, c *call.Call, userID string) (map[string]any, error) {
	rows, err := all.All(ctx, c.Tx, c.Tenant.ID, userID)
	if err != nil {
		return nil, err
	}
	out := make(map[string]any, len(rows))
	for _, r := range rows {
		var v any
		d := json.NewDecoder(strings.NewReader(r.Value))
		d.UseNumber() // digits survive
		if err := d.Decode(&v); err != nil {
			return nil, err
		}
		out[r.Name] = v
	}
	return out, nil
}

// Merge sets a person's preferences: those that are not named stay, nil removes. Names are the same whatever their case.
// Faults: ErrName, ErrValue with the name, ErrSize.
func (Preferences) Merge(ctx context.Context, c *call.Call, userID string, values map[string]any) error {
	if len(values) > MaxEntries {
		return ErrSize
	}
	names := slices.Sorted(maps.Keys(values))
	for _, name := range names {
		if err := store(ctx, c, userID, name, values[name]); err != nil {
			return err
		}
	}
	rows, err := all.All(ctx, c.Tx, c.Tenant.ID, userID)
	if err != nil {
		return err
	}
	if tooMany(rows) {
		return ErrSize
	}
	if c.Event != nil {
		c.Event.Set("Preferences", names) // values are the person's own business
	}
	return nil
}

func store(ctx context.Context, c *call.Call, userID, name string, v any) error {
	key, err := keyOf(name)
	if err != nil {
		return err
	}
	if v == nil {
		_, err := drop.Do(ctx, c.Tx, c.Tenant.ID, userID, key)
		return err
	}
	if k, ok := known[key]; ok {
		if name = k.name; !k.value(v) {
			return ErrValue.At(name).Say("The value of %s is of the wrong kind.", name)
		}
	}
	text, err := json.Marshal(v)
	if err != nil {
		return ErrValue.At(name).Because(err)
	}
	if len(text) > MaxValue {
		return ErrSize.At(name)
	}
	_, err = put.Do(ctx, c.Tx, c.Tenant.ID, userID, key, name, string(text))
	return err
}

// keyOf checks a name and gives what it is compared by.
func keyOf(name string) (string, error) {
	if strings.TrimSpace(name) == "" || len(name) > MaxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return "", ErrName
	}
	return fold.Key(name), nil
}

func tooMany(rows []row) bool {
	total := 0
	for _, r := range rows {
		total += len(r.Name) + len(r.Value)
	}
	return len(rows) > MaxEntries || total > MaxTotal
}

// Drop forgets what a person kept; for the directory when it deletes them.
func (Preferences) Drop(ctx context.Context, c *call.Call, userID string) error {
	if _, err := dropAll.Do(ctx, c.Tx, c.Tenant.ID, userID); err != nil {
		return err
	}
	_, err := dropSettings.Do(ctx, c.Tx, c.Tenant.ID, userID)
	return err
}
