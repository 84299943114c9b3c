package policy

import (
	"context"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/login"
	"limen/internal/core/profile"
)

// Proposal is a change of policies that might be made; what is zero stays as it is.
type Proposal struct {
	Save     *Save             // a set to be saved: one that is there is replaced, whatever its stamp
	Delete   string            // path of a set to be deleted
	Links    []Listed          // the list of links, as for Order
	Profiles []profile.Profile // authentication profiles as they would be, each with the id of one that is there
}

// Nothing says whether it proposes nothing.
func (n Proposal) Nothing() bool {
	return n.Save == nil && n.Delete == "" && n.Links == nil && len(n.Profiles) == 0
}

// View is what policies say: as they are, or as they would be. It is of one transaction.
type View struct {
	p *Policies
	c *call.Call
	s *snapshot
}

// Now is what policies say.
func (p *Policies) Now(ctx context.Context, c *call.Call) (*View, error) {
	s, err := p.now(ctx, c)
	return &View{p, c, s}, err
}

// Propose is what policies would say after a change, of which nothing is stored. Faults: those of Save, Delete and Order, and
// those of saving a profile, without stamps and lock-outs.
func (p *Policies) Propose(ctx context.Context, c *call.Call, n Proposal) (*View, error) {
	s, err := p.now(ctx, c)
	if err != nil {
		return nil, err
	}
	blocks := s.blocks
	if n.Save != nil {
		in := *n.Save
		name, err := Name(in.Path)
		if err != nil {
			return nil, err
		}
		old, had := s.block(name)
		if in.New = !had; had {
			in.Stamp = s.blocks[old].Stamp
		}
		if blocks, _, err = p.proposed(ctx, c, s, in); err != nil {
			return nil, err
		}
	}
	if blocks, err = p.without(blocks, n.Delete); err != nil {
		return nil, err
	}
	if n.Links != nil {
		if blocks, err = p.linked(ctx, c, blocks, n.Links); err != nil {
			return nil, err
		}
	}
	then := s.with(blocks)
	then.profiles = map[string]profile.Profile{}
	for _, one := range n.Profiles {
		would, err := p.Profiles.Propose(ctx, c, one)
		if err != nil {
			return nil, err
		}
		then.profiles[strings.ToLower(would.ID)] = would
	}
	return &View{p, c, then}, nil
}

// without leaves a set out of a list.
func (p *Policies) without(blocks []Block, path string) ([]Block, error) {
	if path == "" {
		return blocks, nil
	}
	name, err := Name(path)
	if err != nil {
		return nil, err
	}
	at, had := (&snapshot{blocks: blocks}).block(name)
	switch {
	case !had:
		return nil, ErrNotFound
	case blocks[at].BuiltIn():
		return nil, ErrBuiltIn
	}
	return slices.Delete(slices.Clone(blocks), at, at+1), nil
}

// For is the resultant set of somebody in roles, which are sorted. Who is in roles that come to the same gets the same one.
func (v *View) For(roles []string) *Resultant { return v.s.resultant(roles) }

// Profiles are the authentication profiles that are proposed, by id.
func (v *View) Profiles() map[string]profile.Profile { return v.s.profiles }

// Decide says how somebody with a resultant set signs in, in a situation.
func (v *View) Decide(ctx context.Context, r *Resultant, at Situation) (Decision, error) {
	return v.p.decide(ctx, v.c, r, at)
}

// Could says whether somebody who decides so is not refused, and has enrolled enough.
func (v *View) Could(ctx context.Context, personID string, d Decision) (bool, error) {
	return v.p.could(ctx, v.c, personID, d)
}

// Put puts a decision into a profile, as Login does. Programs have the password alone.
func (d Decision) Put(base login.Profile, program bool) login.Profile {
	d.shape(&base, program)
	return base
}

// Differs lists the keys whose values are not the same, sorted.
func (r *Resultant) Differs(o *Resultant) []string {
	if r == o {
		return nil
	}
	return r.differs(o)
}

// Candidate is a policy set that has a setting, and what becomes of it for somebody.
type Candidate struct {
	Setting        // its value here, masked where it is a secret
	Applies bool   // the set is for them
	Wins    bool   // the first one that applies
	Why     string // for people
}

// Candidates lists the sets that have a setting, in the order of their links, for somebody in roles, which are sorted.
func (v *View) Candidates(key string, roles []string) []Candidate {
	out := []Candidate{}
	won := ""
	for _, b := range v.s.blocks {
		for stored, raw := range b.Settings {
			if !strings.EqualFold(stored, key) {
				continue
			}
			through, ok := b.Link.applies(roles)
			one := Candidate{Setting: Setting{Key: stored, Value: shown(stored, raw), Block: b.Path(), Link: b.Link.Type, Role: through}, Applies: ok}
			switch {
			case b.Link.Type == Inactive:
				one.Why = "The set is inactive."
			case b.Link.Type == Collection:
				one.Why = "The set is for devices."
			case !ok:
				one.Why = "The set is for roles that the person is not in."
			case won != "":
				one.Why = won + " comes before it in the list and has the setting."
			default:
				one.Wins, won = true, b.Path()
				one.Why = "The first set in the list that applies and has the setting."
			}
			out = append(out, one)
		}
	}
	return out
}
