package policy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/profile"
)

// Mask stands for a secret that is set, in what is read and in what is written back.
const Mask = "********"

// secret is the value of a setting of the kind Secret on the wire, and with Sealed as it is stored.
type secret struct {
	Type   string `json:"_Type"`
	Value  string `json:"_Value,omitempty"`
	Sealed string `json:"Sealed,omitempty"`
}

// Settings are checked values by their keys, with secrets sealed.
type Settings map[string]json.RawMessage

// Check reads settings as a client gives them: values of known keys must fit, whatever way they are written, and keep that
// way; empty ones of them are left out, since they say nothing. Unknown keys are kept as they are. It belongs outside
// transactions, since it seals secrets. Faults: ErrValue and ErrNeeds with the key as their field, ErrSize.
func (p *Policies) Check(ctx context.Context, c *call.Call, given map[string]json.RawMessage, modifiers ...string) (Settings, error) {
	if len(given) > maxSettings {
		return nil, ErrSize.Say("A policy set may have %d settings.", maxSettings)
	}
	out, size := Settings{}, 0
	for _, key := range keysOf(given) {
		raw := given[key]
		if len(key) > maxKey || !utf8.ValidString(key) || strings.TrimSpace(key) == "" {
			return nil, ErrSize.Say("The name of a setting has 1 to %d bytes.", maxKey)
		}
		if size += len(key) + len(raw); size > maxBytes {
			return nil, ErrSize.Say("The settings of a policy set may have %d bytes.", maxBytes)
		}
		k, known := Find(key, modifiers...)
		if !known {
			out[key] = raw
			continue
		}
		if blank(raw) && k.Kind != String && k.Kind != Ref {
			continue
		}
		if _, twice := out[k.Path]; twice {
			return nil, ErrValue.At(k.Path).Say("The setting %s is given twice; case does not tell two names apart.", k.Path)
		}
		value, err := p.value(ctx, c, k, raw)
		if err != nil {
			return nil, err
		}
		out[k.Path] = value
	}
	return out, out.complete()
}

// value checks one value of a known setting.
func (p *Policies) value(ctx context.Context, c *call.Call, k Key, raw json.RawMessage) (json.RawMessage, error) {
	if k.Kind == Secret {
		return p.seal(ctx, c, k, raw)
	}
	if why := k.misfit(raw); why != "" {
		return nil, ErrValue.At(k.Path).Say("The value of %s %s.", k.Path, why)
	}
	return raw, nil
}

// misfit completes "The value of X ..."; empty when the value fits.
func (k Key) misfit(raw json.RawMessage) string {
	switch k.Kind {
	case Bool:
		if _, ok := boolean(raw); !ok {
			return "must be true or false"
		}
	case Int, Decimal:
		if n, ok := number(raw); !ok || n < k.Min || n > k.Max {
			return fmt.Sprintf("must be a whole number from %d to %d", k.Min, k.Max)
		}
	case String, Ref:
		if _, ok := text(raw); !ok && !blank(raw) {
			return "must be a text"
		}
	case RowSet:
		return misfitRules(raw)
	}
	return ""
}

func (p *Policies) seal(ctx context.Context, c *call.Call, k Key, raw json.RawMessage) (json.RawMessage, error) {
	var s secret
	if plain, ok := text(raw); ok {
		s.Value = plain
	} else if err := json.Unmarshal(raw, &s); err != nil {
		return nil, ErrValue.At(k.Path).Say("The value of %s must be an object with _Value.", k.Path)
	}
	s.Sealed = ""
	if s.Value != Mask && s.Value != "" {
		if err := p.Ring.Ensure(ctx, c.Tenant.ID, Purpose); err != nil {
			return nil, err
		}
		var err error
		if s.Sealed, err = p.Ring.Seal(ctx, c.Tenant.ID, Purpose, []byte(s.Value), k.Path); err != nil {
			return nil, err
		}
		s.Value = ""
	}
	b, err := json.Marshal(s)
	return b, err
}

// kept puts stored secrets in the place of those that stand for them.
func (s Settings) kept(before map[string]json.RawMessage) Settings {
	out := maps.Clone(s)
	for key, raw := range s {
		var v secret
		if k, ok := Find(key); !ok || k.Kind != Secret || json.Unmarshal(raw, &v) != nil || v.Value != Mask {
			continue
		}
		if was, had := before[key]; had {
			out[key] = was
		} else {
			delete(out, key)
		}
	}
	return out
}

// shown is a value as people and events see it: never a secret.
func shown(key string, raw json.RawMessage) json.RawMessage {
	k, ok := Find(key)
	if !ok || k.Kind != Secret {
		return raw
	}
	var s secret
	_ = json.Unmarshal(raw, &s) // it was written by seal
	s.Sealed, s.Value = "", Mask
	b, err := json.Marshal(s)
	if err != nil {
		return json.RawMessage("null")
	}
	return b
}

// complete says what of the settings does not go together. It looks at one policy set alone, as clients do.
func (s Settings) complete() error {
	if on, _ := boolean(s[keyEnabled]); on && blank(s[keyDefault]) {
		return ErrNeeds.At(keyDefault).Say("With %s a default profile is needed: %s.", keyEnabled, keyDefault)
	}
	least, low := number(s[passwordPrefix+"MinLength"])
	most, high := number(s[passwordPrefix+"MaxLength"])
	if low && high && least > most {
		return ErrValue.At(passwordPrefix + "MinLength").Say("The least length of passwords is greater than the greatest.")
	}
	return nil
}

// references lists the profiles that settings name, with the first key that does.
func (s Settings) references(modifiers []string) map[string]string {
	out := map[string]string{}
	note := func(id, key string) {
		id = strings.TrimSpace(id)
		if _, known := out[id]; !known && id != "" && id != Never && !strings.EqualFold(id, Always) {
			out[id] = key
		}
	}
	for _, key := range keysOf(s) {
		switch k, _ := Find(key, modifiers...); k.Kind {
		case Ref:
			id, _ := text(s[key])
			note(id, key)
		case RowSet:
			all, _ := readRules(s[key]) // it was checked
			for _, r := range all {
				note(r.ProfileID, key)
			}
		}
	}
	return out
}

// exist fails with ErrProfile when settings name a profile that does not exist.
func (p *Policies) exist(ctx context.Context, c *call.Call, s Settings, modifiers []string) error {
	named := s.references(modifiers)
	for _, id := range slices.Sorted(maps.Keys(named)) { // in one order, since they are locked
		key := named[id]
		var err error
		if c.Tx.Writable() {
			_, err = p.Profiles.Hold(ctx, c, id)
		} else {
			_, err = p.Profiles.Get(ctx, c, id)
		}
		if errors.Is(err, profile.ErrNotFound) {
			return ErrProfile.At(key).Say("%s names the authentication profile %.80q, which does not exist.", key, id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// NamingRange lists the paths of the policy sets that name an IP range in a rule.
func (p *Policies) NamingRange(ctx context.Context, c *call.Call, rangeID string) ([]string, error) {
	s, err := p.now(ctx, c)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, b := range s.blocks {
		if b.Settings.ranged(rangeID, s.names()) {
			out = append(out, b.Path())
		}
	}
	return out, nil
}

// ranged says whether a rule names an IP range.
func (s Settings) ranged(id string, modifiers []string) bool {
	for key, raw := range s {
		if k, _ := Find(key, modifiers...); k.Kind != RowSet {
			continue
		}
		all, _ := readRules(raw) // it was checked
		for _, r := range all {
			if slices.ContainsFunc(r.Conditions, func(cond Condition) bool { return strings.EqualFold(cond.Val, id) }) {
				return true
			}
		}
	}
	return false
}

// Naming lists the paths of the policy sets that name a profile.
func (p *Policies) Naming(ctx context.Context, c *call.Call, profileID string) ([]string, error) {
	s, err := p.now(ctx, c)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, b := range s.blocks {
		for id := range b.Settings.references(s.names()) {
			if strings.EqualFold(id, profileID) {
				out = append(out, b.Path())
				break
			}
		}
	}
	return out, nil
}
