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
	// Dflt is answered when the setting is not set and has no default of its own.
	Dflt op.Opt[string] `json:"dflt"`
}

// Check wants a key.
func (k *KeyQuery) Check() error { return required("key", k.Key) }

// GetTenantConfig returns a setting as text: what is set, else its own default, else dflt, else null.
//
// A password or token shows as asterisks. tenant.yaml n 392.
func (t Tenant) GetTenantConfig(ctx context.Context, c *op.Call, in KeyQuery) (*string, error) {
	value, ok, err := t.Settings.Find(ctx, c, in.Key)
	if err != nil {
		return nil, err
	}
	if !ok {
		value, ok = in.Dflt.Get()
	}
	if !ok {
		return nil, nil
	}
	return &value, nil
}

// KeyValue is a setting to be set.
type KeyValue struct {
	// Key is the setting's name, required.
	Key string `json:"key"`
	// Value is its new value as text, required; asterisks leave a password or token as it is.
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

func (k KeyValue) pairs() []setting.Pair { return unmasked(setting.Set(k.Key, k.Value.Or(""))) }

func (t Tenant) sealKey(ctx context.Context, c *op.Call, in KeyValue) (setting.Ready, error) {
	return t.Settings.Prepare(ctx, c, in.pairs()...)
}

// SetTenantConfig sets a setting.
//
// Values of known settings are checked. Other keys are the clients' own: they are kept as they are, up to 500 of them.
// Errors: setting.value, setting.name, setting.too_many, tenant.no_secret when a server's address changes whose password
// or token is saved. tenant.yaml n 393.
func (t Tenant) SetTenantConfig(ctx context.Context, c *op.Call, in KeyValue, ready setting.Ready) (op.None, error) {
	c.Event.Target, c.Event.Kind, c.Event.Name = in.Key, "Setting", in.Key
	return op.None{}, t.write(ctx, c, in.pairs(), ready)
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

// DeleteTenantConfig puts a setting back to its default; one that is not set is no error.
//
// Errors: setting.value when other settings rely on it. tenant.yaml n 391.
func (t Tenant) DeleteTenantConfig(ctx context.Context, c *op.Call, _ KeyRef, ready setting.Ready) (op.None, error) {
	return op.None{}, t.Settings.Write(ctx, c, ready)
}

// DeleteAdvancedConfig puts a setting back to its default; one that is not set is no error.
//
// Errors: setting.value when other settings rely on it. tenant.yaml n 394.
func (t Tenant) DeleteAdvancedConfig(ctx context.Context, c *op.Call, _ KeyRef, ready setting.Ready) (op.None, error) {
	return op.None{}, t.Settings.Write(ctx, c, ready)
}

var settingColumns = []rpc.Column{{Name: "ID", TableKey: "Primary"}, {Name: "Value"}}

// GetAdvancedConfig lists every setting by name: the known ones with what is set or their default, and the clients' own.
//
// Columns: ID is the name, Value the value as text; passwords and tokens show as asterisks. tenant.yaml n 395.
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
	// Value is its new value as text; null puts the default back, asterisks leave a password or token as it is.
	Value op.Opt[string] `json:"Value"`
}

// Entries are settings to be set: one, or several.
type Entries struct {
	// Settings are several, at most 600; a bare array is taken too.
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

func (e *Entries) pairs() []setting.Pair {
	var pairs []setting.Pair
	for _, one := range e.all() {
		if v, ok := one.Value.Get(); ok {
			pairs = append(pairs, setting.Set(one.ID, v))
		} else {
			pairs = append(pairs, setting.Unset(one.ID))
		}
	}
	return unmasked(pairs...)
}

func (t Tenant) sealKeys(ctx context.Context, c *op.Call, in Entries) (setting.Ready, error) {
	return t.Settings.Prepare(ctx, c, in.pairs()...)
}

// SetAdvancedConfig sets one setting of the list or several: all of them, or none when one is not valid.
//
// Errors: setting.unknown for a key that GetAdvancedConfig does not list, setting.value, setting.twice, and
// tenant.no_secret as in SetTenantConfig. tenant.yaml n 403.
func (t Tenant) SetAdvancedConfig(ctx context.Context, c *op.Call, in Entries, ready setting.Ready) (op.None, error) {
	v, err := t.Settings.Get(ctx, c)
	if err != nil {
		return op.None{}, err
	}
	for _, p := range in.pairs() {
		if _, free := v.Free(p.Name); !free && !known(p.Name) && p.Value != nil {
			return op.None{}, ErrNoSetting.At(p.Name).Say("The configuration has no key %s.", p.Name)
		}
	}
	return op.None{}, t.write(ctx, c, in.pairs(), ready)
}
