package explanations

import (
	"context"
	"encoding/json"
	"fmt"

	"limen/internal/core/policy"
)

// Candidate is a policy set that has the setting, and what becomes of it.
type Candidate struct {
	// PolicySet is its path.
	PolicySet string `json:"PolicySet"`
	// LinkType is Global, Role, Collection or Inactive.
	LinkType string `json:"LinkType"`
	// Role is the id of the role through which the set applies; empty where none is needed, or none fits.
	Role string `json:"Role"`
	// Value is what it sets; secrets show as asterisks.
	Value json.RawMessage `json:"Value"`
	// Applies says whether the set is for the user.
	Applies bool `json:"Applies"`
	// Wins says whether its value is the user's.
	Wins bool `json:"Wins"`
	// Why is why it wins or does not.
	Why string `json:"Why"`
}

// SettingAnswer is where a setting comes from.
type SettingAnswer struct {
	// Key is the setting's key.
	Key string `json:"Key"`
	// Known says whether the key is one that is known here.
	Known bool `json:"Known"`
	// Acts says whether anything is done with the setting.
	Acts bool `json:"Acts"`
	// Value is the user's; null when nothing sets it.
	Value json.RawMessage `json:"Value"`
	// Source is PolicySet, Tenant (the tenant's settings, or the default) or Nothing.
	Source string `json:"Source"`
	// PolicySets are those that have the setting, in the order of the list.
	PolicySets []Candidate `json:"PolicySets"`
	// RolePath leads from the user to the role through which the winning set applies.
	RolePath []Hop `json:"RolePath"`
}

func (a asked) setting(ctx context.Context) error {
	out := SettingAnswer{Key: trim(a.q.Setting), Source: "Nothing", PolicySets: []Candidate{}, RolePath: []Hop{}}
	if k, ok := policy.Find(out.Key); ok {
		out.Key, out.Known, out.Acts = k.Path, true, k.Effective
	}
	m, err := a.Roles.Of(ctx, a.c, a.q.found.ID)
	if err != nil {
		return err
	}
	view, err := a.Policies.Now(ctx, a.c)
	if err != nil {
		return err
	}
	for _, n := range view.Candidates(out.Key, m.Roles) {
		if n.Wins {
			out.Value, out.Source = n.Value, "PolicySet"
		}
		if !a.full && !n.Wins {
			continue
		}
		out.PolicySets = append(out.PolicySets, Candidate{n.Block, string(n.Link), n.Role, n.Value, n.Applies, n.Wins, n.Why})
		if n.Wins && n.Role != "" && a.full {
			if out.RolePath, err = a.to(ctx, n.Role); err != nil {
				return err
			}
		}
	}
	if out.Source == "Nothing" {
		if err := a.standing(ctx, &out); err != nil {
			return err
		}
	}
	a.out.Setting, a.out.Summary = &out, out.summary(a.q.found.Name)
	return nil
}

// standing is what holds where no policy set has the setting.
func (a asked) standing(ctx context.Context, out *SettingAnswer) error {
	v, err := a.Settings.Get(ctx, a.c)
	if err != nil {
		return err
	}
	if value, ok := policy.Standing(v)[out.Key]; ok {
		out.Value, out.Source = raw(value), "Tenant"
	}
	return nil
}

func (s SettingAnswer) summary(name string) string {
	switch s.Source {
	case "PolicySet":
		for _, n := range s.PolicySets {
			if n.Wins {
				return fmt.Sprintf("%s has %s from the policy set %s.", name, s.Key, n.PolicySet)
			}
		}
	case "Tenant":
		return fmt.Sprintf("No policy set that applies to %s has %s; the tenant's settings or the default hold.", name, s.Key)
	}
	return fmt.Sprintf("Nothing sets %s for %s.", s.Key, name)
}
