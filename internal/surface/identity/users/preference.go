package users

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/preference"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// keeping declares what people keep here for themselves.
func (u Users) keeping() []op.Op {
	faults := []*fault.Error{preference.ErrName, preference.ErrValue, preference.ErrSize, fault.ErrMissing}
	about := append([]*fault.Error{user.ErrNotFound, ErrSystem, user.ErrStronger}, faults...)
	return []op.Op{
		op.New(op.Spec{Path: "/Core/GetUserSettings", Allow: either, Effect: op.Read, Faults: about}, u.GetUserSettings),
		op.New(op.Spec{Path: "/Core/StoreUserSettings", Allow: either, Effect: op.Write, Audit: audit.UserPreference, Faults: about}, u.StoreUserSettings),
		op.New(op.Spec{Path: "/UserMgmt/GetUserPreferences", Allow: op.Authenticated, Effect: op.Read}, u.GetUserPreferences),
		op.New(op.Spec{Path: "/UserMgmt/UpdateUserPreferences", Allow: op.Authenticated, Effect: op.Write, Audit: audit.UserPreference, Faults: faults},
			u.UpdateUserPreferences),
		op.New(op.Spec{Path: "/UserMgmt/UncacheUserPreferences", Allow: op.Authenticated, Effect: op.Write, Audit: audit.UserReload,
			Faults: []*fault.Error{user.ErrNotFound}}, u.UncacheUserPreferences),
		op.New(op.Spec{Path: "/UserMgmt/SaveSecurityImage", Allow: op.Authenticated, Effect: op.Write, Audit: audit.UserPreference,
			Faults: append([]*fault.Error{preference.ErrImage}, faults...)}, u.SaveSecurityImage),
	}
}

// SettingsRef names a person's settings of one type.
type SettingsRef struct {
	// ID is the user's UUID or login name, required.
	ID string `json:"ID" also:"Uuid"`
	// SettingType is the type of the settings, required: any text of 64 bytes, whatever its case.
	SettingType string `json:"SettingType" also:"Type"`
	person
}

// Check wants both.
func (r *SettingsRef) Check() error {
	if err := required("ID", r.ID); err != nil {
		return err
	}
	return required("SettingType", r.SettingType)
}

// Resolve finds the user.
func (r *SettingsRef) Resolve(ctx context.Context, c *op.Call) error { return r.find(ctx, c, r.ID) }

var userSettingColumns = []rpc.Column{{Name: "Name", TableKey: "Primary"}, {Name: "Value"}, {Name: "SettingType"}}

// GetUserSettings lists a user's settings of one type by name; none where nothing was stored. Columns: Name, Value,
// SettingType as it was asked for. users.yaml n 99.
func (u Users) GetUserSettings(ctx context.Context, c *op.Call, in SettingsRef) (rpc.Query, error) {
	all, err := u.Preferences.Settings(ctx, c, in.found.ID, in.SettingType)
	out := rpc.Query{Columns: userSettingColumns, Count: len(all), FullCount: len(all), Results: make([]rpc.Row, len(all))}
	for i, s := range all {
		out.Results[i] = rpc.Row{Entities: []rpc.Entity{{Type: "UserSetting", Key: s.Name}}, Row: []any{s.Name, s.Value, in.SettingType}}
	}
	return out, err
}

// UserSetting is one setting.
type UserSetting struct {
	// Name is the setting's name of 64 bytes at most, whatever its case; required.
	Name string `json:"Name"`
	// Value is its text of 8 KB at most.
	Value string `json:"Value"`
}

// SettingsChange are settings to be stored.
type SettingsChange struct {
	SettingsRef
	// Settings are a list of {Name, Value}, one of them, or an object of names with values; required, at most 100.
	Settings any `json:"Settings"`
}

// Check wants settings.
func (s *SettingsChange) Check() error {
	if err := s.SettingsRef.Check(); err != nil {
		return err
	}
	_, err := s.list()
	return err
}

// list reads the forms in which settings may come.
func (s *SettingsChange) list() ([]preference.Setting, error) {
	switch given := s.Settings.(type) {
	case nil:
		return nil, fault.Missing("Settings")
	case []any:
		out := make([]preference.Setting, 0, len(given))
		for _, one := range given {
			m, ok := one.(map[string]any)
			if !ok {
				return nil, errSettings
			}
			pair, ok := pairOf(m)
			if !ok {
				return nil, errSettings
			}
			out = append(out, pair)
		}
		return out, nil
	case map[string]any:
		if pair, ok := pairOf(given); ok {
			return []preference.Setting{pair}, nil
		}
		var out []preference.Setting
		for _, name := range slices.Sorted(maps.Keys(given)) {
			out = append(out, preference.Setting{Name: name, Value: plain(given[name])})
		}
		return out, nil
	}
	return nil, errSettings
}

var errSettings = fault.Bad("Settings", "must be a list of objects with Name and Value, or an object of names with values")

// pairOf reads {Name, Value}.
func pairOf(m map[string]any) (out preference.Setting, ok bool) {
	for k, v := range m {
		switch {
		case strings.EqualFold(k, "Name"):
			out.Name, ok = v.(string)
		case strings.EqualFold(k, "Value"):
			out.Value = plain(v)
		default:
			return out, false
		}
	}
	return out, ok
}

// plain is a value as text: texts as they are, anything else as JSON.
func plain(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	if v == nil {
		return ""
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// StoreUserSettings stores a user's settings of one type; those of the type that are not named stay. A type may have 100
// settings with 64 KB, and a user 50 types. users.yaml n 84.
func (u Users) StoreUserSettings(ctx context.Context, c *op.Call, in SettingsChange) (op.None, error) {
	if err := u.guard(ctx, c, in.found.ID); err != nil {
		return op.None{}, err
	}
	list, err := in.list()
	if err != nil {
		return op.None{}, err
	}
	invited(c, in.found)
	return op.None{}, u.Preferences.Store(ctx, c, in.found.ID, in.SettingType, list)
}

// GetUserPreferences returns the caller's preferences: an object of names with the values that were stored, empty where
// nothing was. users.yaml n 103, lifecycle.yaml n 578.
func (u Users) GetUserPreferences(ctx context.Context, c *op.Call, _ op.None) (map[string]any, error) {
	return u.Preferences.Get(ctx, c, c.User())
}

// PreferenceChange are preferences to be set.
type PreferenceChange struct {
	// Preferences are the members of the body, whatever their names: PreferredCulture, TimeZone, LastTab and AppsView are texts,
	// HideIntro is a boolean, Notifications an object, SecurityImageName one of the images of SaveSecurityImage; any other value is kept as it is. Null removes.
	Preferences map[string]any `json:"*" rpc:"rest"`
}

// Check wants some.
func (p *PreferenceChange) Check() error {
	if len(p.Preferences) == 0 {
		return fault.ErrMissing.Say("At least one preference must be specified.")
	}
	return nil
}

// UpdateUserPreferences sets preferences of the caller; those that are not named stay, null removes. Names are 64 bytes, values
// 8 KB and all together 64 KB at most. users.yaml n 135.
func (u Users) UpdateUserPreferences(ctx context.Context, c *op.Call, in PreferenceChange) (op.None, error) {
	e := c.Event
	e.Target, e.Kind, e.Name = c.User(), "User", c.Caller.Name
	return op.None{}, u.Preferences.Merge(ctx, c, c.User(), in.Preferences)
}

// UncacheUserPreferences makes every node forget what it remembers of the caller: their sessions, roles and rights, which are read
// from the store with the next call. Preferences themselves are remembered nowhere. users.yaml n 134.
func (u Users) UncacheUserPreferences(ctx context.Context, c *op.Call, _ op.None) (op.None, error) {
	return op.None{}, u.reload(ctx, c, c.User())
}

// ImageChoice is a security image.
type ImageChoice struct {
	// ImageName is anchor, bell, boat, house, key, leaf, star or tree; empty for none. Required.
	ImageName op.Opt[string] `json:"imageName"`
}

// Check wants the name.
func (i *ImageChoice) Check() error {
	if _, ok := i.ImageName.Get(); !ok {
		return fault.Missing("imageName")
	}
	return nil
}

// SaveSecurityImage chooses the image that the caller sees when they sign in, so that they know the page for ours before they give
// a password. It is shown, and named by StartAuthentication, only in browsers in which they have signed in before: elsewhere it
// would tell which names exist, and a page that pretends to be ours could ask for it. users.yaml n 136.
func (u Users) SaveSecurityImage(ctx context.Context, c *op.Call, in ImageChoice) (op.None, error) {
	e := c.Event
	e.Target, e.Kind, e.Name = c.User(), "User", c.Caller.Name
	return op.None{}, u.Preferences.SaveImage(ctx, c, c.User(), in.ImageName.Or(""))
}
