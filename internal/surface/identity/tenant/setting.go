package tenant

import (
	"context"

	"limen/internal/core/setting"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// KeyQuery asks for a setting.
type KeyQuery struct {
	// Key is the setting's name, whatever its case; required.
	Key string `json:"key"`
	// Dflt is answered when the setting is not set.
	Dflt op.Opt[string] `json:"dflt"`
}

// Check wants a key.
func (k *KeyQuery) Check() error { return required("key", k.Key) }

// GetTenantConfig returns a setting as text: what is set, else dflt, else the default of a known setting, else null. A secret shows as
// asterisks. tenant.yaml n 392.
func (t Tenant) GetTenantConfig(ctx context.Context, c *op.Call, in KeyQuery) (*string, error) {
	value, set, err := t.Settings.Find(ctx, c, in.Key)
	if err != nil {
		return nil, err
	}
	if def, ok := in.Dflt.Get(); ok && !set {
		return &def, nil
	}
	if !set && value == "" {
		return nil, nil
	}
	return &value, nil
}

// KeyValue is a setting to be set.
type KeyValue struct {
	// Key is the setting's name, required.
	Key string `json:"key"`
	// Value is its new value as text, required.
	Value op.Opt[string] `json:"value"`
}

// Check wants both.
func (k *KeyValue) Check() error {
	if err := required("key", k.Key); err != nil {
		return err
	}
	if _, ok := k.Value.Get(); !ok {
		return fault.Missing("value")
	}
	return nil
}

func (t Tenant) sealKey(ctx context.Context, c *op.Call, in KeyValue) (setting.Ready, error) {
	return t.Settings.Prepare(ctx, c, setting.Set(in.Key, in.Value.Or("")))
}

// SetTenantConfig sets a setting. Values of known settings are checked; other keys are kept as they are, up to 500 of
// them. tenant.yaml n 393.
func (t Tenant) SetTenantConfig(ctx context.Context, c *op.Call, _ KeyValue, ready setting.Ready) (op.None, error) {
	return op.None{}, t.Settings.Write(ctx, c, ready)
}

// KeyRef names a setting.
type KeyRef struct {
	// Key is the setting's name, required.
	Key string `json:"key" also:"ID"`
}

// Check wants it.
func (k *KeyRef) Check() error { return required("key", k.Key) }

func (t Tenant) dropKey(ctx context.Context, c *op.Call, in KeyRef) (setting.Ready, error) {
	return t.Settings.Prepare(ctx, c, setting.Unset(in.Key))
}

// DeleteTenantConfig puts a setting back to its default; one that is not set is no error. tenant.yaml n 391.
func (t Tenant) DeleteTenantConfig(ctx context.Context, c *op.Call, _ KeyRef, ready setting.Ready) (op.None, error) {
	return op.None{}, t.Settings.Write(ctx, c, ready)
}

// DeleteAdvancedConfig puts a setting back to its default; one that is not set is no error. tenant.yaml n 394.
func (t Tenant) DeleteAdvancedConfig(ctx context.Context, c *op.Call, _ KeyRef, ready setting.Ready) (op.None, error) {
	return op.None{}, t.Settings.Write(ctx, c, ready)
}

var settingColumns = []rpc.Column{{Name: "ID", TableKey: "Primary"}, {Name: "Value"}}

// GetAdvancedConfig lists every setting with its value or its default. Secrets show as asterisks. tenant.yaml n 395.
func (t Tenant) GetAdvancedConfig(ctx context.Context, c *op.Call, _ op.None) (rpc.Query, error) {
	all, err := t.Settings.List(ctx, c)
	out := rpc.Query{Columns: settingColumns, FullCount: len(all), Results: make([]rpc.Row, len(all))}
	for i, s := range all {
		out.Results[i] = rpc.Row{Entities: []rpc.Entity{{Type: "TenantConfig", Key: s.Name}}, Row: []any{s.Name, s.Value}}
	}
	return out, err
}

// Entry is a setting with its value.
type Entry struct {
	// ID is the setting's name, required.
	ID string `json:"ID" also:"Key"`
	// Value is its new value as text; null puts the default back.
	Value op.Opt[string] `json:"Value"`
}

// Entries are settings to be set: one, or several.
type Entries struct {
	// Settings are several; a bare array is taken too.
	Settings []Entry `json:"Settings" rpc:"array"`
	Entry
}

// Check wants at least one.
func (e *Entries) Check() error {
	if len(e.Settings) > 600 {
		return fault.Bad("Settings", "may have 600 entries")
	}
	for _, one := range e.all() {
		if err := required("ID", one.ID); err != nil {
			return err
		}
		if !one.Value.Given() {
			return fault.Missing("Value")
		}
	}
	return nil
}

func (e *Entries) all() []Entry {
	if len(e.Settings) > 0 && e.ID == "" {
		return e.Settings
	}
	return append(e.Settings[:len(e.Settings):len(e.Settings)], e.Entry)
}

func (t Tenant) sealKeys(ctx context.Context, c *op.Call, in Entries) (setting.Ready, error) {
	var pairs []setting.Pair
	for _, e := range in.all() {
		if v, ok := e.Value.Get(); ok {
			pairs = append(pairs, setting.Set(e.ID, v))
		} else {
			pairs = append(pairs, setting.Unset(e.ID))
		}
	}
	return t.Settings.Prepare(ctx, c, pairs...)
}

// SetAdvancedConfig sets one setting or several: all of them, or none when one is not valid. tenant.yaml n 403.
func (t Tenant) SetAdvancedConfig(ctx context.Context, c *op.Call, _ Entries, ready setting.Ready) (op.None, error) {
	return op.None{}, t.Settings.Write(ctx, c, ready)
}
