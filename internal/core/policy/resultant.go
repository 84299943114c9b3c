package policy

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/profile"
	"limen/internal/core/role"
	"limen/internal/fold"
)

// Setting is a value and where it comes from.
type Setting struct {
	Key   string
	Value json.RawMessage // as it is stored
	Block string          // path of the policy set
	Link  LinkType
	Role  string // id of the role through which the set applies; empty for sets that are everybody's
}

// Resultant is what all policy sets together say about somebody: of each setting the value of the first set that applies
// to them and has it (policies.yaml n 185). It is shared: read only.
type Resultant struct {
	settings map[string]Setting // by fold.Key
	rules    map[string][]Rule  // of RowSets, by fold.Key
	names    []string           // modifiers
	profiles map[string]profile.Profile
}

// maxSets is how many resultant sets of a tenant are remembered.
const maxSets = 5000

// For gives the resultant set of a person; of nobody (empty) that of somebody who is in Everybody alone. It costs two
// indexed queries while nothing changes.
func (p *Policies) For(ctx context.Context, c *call.Call, personID string) (*Resultant, error) {
	roles, err := p.rolesOf(ctx, c, personID)
	if err != nil {
		return nil, err
	}
	s, err := p.now(ctx, c)
	if err != nil {
		return nil, err
	}
	return s.resultant(roles), nil
}

func (p *Policies) rolesOf(ctx context.Context, c *call.Call, personID string) ([]string, error) {
	m, err := p.Roles.Of(ctx, c, personID)
	if personID == "" && errors.Is(err, role.ErrMember) {
		return []string{role.Everybody}, nil
	}
	return m.Roles, err
}

// applies says whether a link is for somebody in roles (sorted), and through which.
func (l Link) applies(roles []string) (through string, ok bool) {
	switch l.Type {
	case Global:
		return "", true
	case Role:
		for _, id := range l.Params {
			if _, in := slices.BinarySearch(roles, id); in {
				return id, true
			}
		}
	}
	return "", false
}

// resultant merges the sets that apply, once for each combination of roles that matter.
func (s *snapshot) resultant(roles []string) *Resultant {
	var through []string
	for i := range s.blocks {
		if id, ok := s.blocks[i].Link.applies(roles); ok && id != "" {
			through = append(through, id)
		}
	}
	key := strings.Join(through, "\x00")
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.of[key]; r != nil {
		return r
	}
	r := s.merge(roles)
	if s.of == nil || len(s.of) >= maxSets {
		s.of = map[string]*Resultant{}
	}
	s.of[key] = r
	return r
}

func (s *snapshot) merge(roles []string) *Resultant {
	r := &Resultant{settings: map[string]Setting{}, rules: map[string][]Rule{}, names: s.names(), profiles: s.profiles}
	for _, b := range slices.Backward(s.blocks) {
		through, ok := b.Link.applies(roles)
		if !ok {
			continue
		}
		for key, raw := range b.Settings {
			r.settings[fold.Key(key)] = Setting{Key: key, Value: raw, Block: b.Path(), Link: b.Link.Type, Role: through}
		}
	}
	for key, set := range r.settings {
		if k, ok := Find(set.Key, r.names...); ok && k.Kind == RowSet {
			r.rules[key], _ = readRules(set.Value) // it was checked when it was stored
		}
	}
	return r
}

// Sets says whether any policy set that applies to anybody has one of the keys.
func (s *snapshot) sets(keys ...string) bool {
	for _, b := range s.blocks {
		if b.Link.Type == Inactive || b.Link.Type == Collection {
			continue
		}
		for _, key := range keys {
			if _, ok := b.Settings[key]; ok {
				return true
			}
		}
	}
	return false
}

// Get gives a setting; ok is false when no policy set has it.
func (r *Resultant) Get(key string) (s Setting, ok bool) {
	s, ok = r.settings[fold.Key(strings.TrimSpace(key))]
	return s, ok
}

// All lists the settings by key, secrets masked.
func (r *Resultant) All() []Setting {
	out := make([]Setting, 0, len(r.settings))
	for _, s := range r.settings {
		s.Value = shown(s.Key, s.Value)
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b Setting) int { return strings.Compare(a.Key, b.Key) })
	return out
}

// Bool reads a setting as true or false; given is false when no policy set has it, or nothing that can be read so.
func (r *Resultant) Bool(key string) (v, given bool) { return boolean(r.settings[fold.Key(key)].Value) }

// Int reads a setting as a whole number.
func (r *Resultant) Int(key string) (n int64, given bool) {
	return number(r.settings[fold.Key(key)].Value)
}

// String reads a setting as a text.
func (r *Resultant) String(key string) (s string, given bool) {
	return text(r.settings[fold.Key(key)].Value)
}
