package demand

import (
	"context"
	"encoding/json"
	"slices"

	"limen/internal/call"
	"limen/internal/core/right"
	"limen/internal/fault"
)

// ErrSight is for those who would show, or keep from view, more than they may see themselves.
var ErrSight = fault.New(fault.Denied, "demand.sight", "What a role sees of people can only be changed by somebody who sees it all, before and after.")

// Personal are the data of people that roles may be kept from seeing.
var Personal = []string{"email", "firstName", "lastName", "phone", "lastLogin"}

// Sight is what personal data a role sees of the people of its organization. The zero Sight sees none.
type Sight struct {
	All    bool     `json:"all,omitempty"`
	Fields []string `json:"fields,omitempty"` // of Personal
}

// Shows says whether a field is seen.
func (s Sight) Shows(field string) bool { return s.All || slices.Contains(s.Fields, field) }

// covers says whether all that another one sees is seen.
func (s Sight) covers(o Sight) bool {
	return s.All || !o.All && !slices.ContainsFunc(o.Fields, func(f string) bool { return !s.Shows(f) })
}

// and gives what two see together.
func (s Sight) and(o Sight) Sight {
	if s.All || o.All {
		return Sight{All: true}
	}
	out := Sight{Fields: slices.Concat(s.Fields, o.Fields)}
	slices.Sort(out.Fields)
	out.Fields = slices.Compact(out.Fields)
	return out
}

// Sees gives what the caller sees of the people of an organization: everything while no role of it is limited, and for those who read people
// everywhere; else what the roles of the organization that they are in see together.
func (d *Demands) Sees(ctx context.Context, c *call.Call, org string) (Sight, error) {
	now, err := d.Get(ctx, c, org)
	if err != nil {
		return Sight{}, err
	}
	return sees(c, now), nil
}

func sees(c *call.Call, now Demand) (out Sight) {
	switch {
	case now.Entry.Sights == nil || c.Caller != nil && c.Caller.Means == call.ByShell:
		return Sight{All: true}
	case c.Caller == nil:
		return Sight{}
	case c.Caller.Held.Everywhere(right.ReadUsers), c.Caller.Held.Everywhere(right.UserManagement):
		return Sight{All: true}
	}
	for _, id := range c.Caller.Roles {
		out = out.and(now.Entry.Sights[id])
	}
	return out
}

// Sight gives what a role of an organization sees.
func (d *Demands) Sight(ctx context.Context, c *call.Call, org, role string) (Sight, error) {
	now, err := d.Get(ctx, c, org)
	if err != nil || now.Entry.Sights == nil {
		return Sight{All: true}, err
	}
	return now.Entry.Sights[role], nil
}

// Show sets what a role of an organization sees, of which all are the roles. With the first one that is limited the others keep seeing
// everything, and roles that are made from then on see nothing until they are told what. Fault: ErrSight, unless the caller sees all that the
// role saw and will see.
func (d *Demands) Show(ctx context.Context, c *call.Call, org, role string, all []string, to Sight) error {
	slices.Sort(to.Fields)
	to.Fields = slices.Compact(to.Fields)
	if to.All {
		to.Fields = nil
	}
	_, err := d.change(ctx, c, org, func(now *Demand) error {
		mine, fresh := sees(c, *now), map[string]Sight{}
		for _, id := range all {
			fresh[id] = Sight{All: now.Entry.Sights == nil}
			if s, ok := now.Entry.Sights[id]; ok {
				fresh[id] = s
			}
		}
		if !mine.covers(fresh[role]) || !mine.covers(to) {
			return ErrSight
		}
		was := fresh[role]
		fresh[role], now.Entry.Sights = to, fresh
		if c.Event != nil {
			call.Changed(c.Event, "Sees", was.text(), to.text())
		}
		return nil
	})
	return err
}

func (s Sight) text() string {
	b, err := json.Marshal(s)
	if err != nil {
		return ""
	}
	return string(b)
}

// Beyond says whether a role of an organization sees what the caller does not: whoever comes into it would see more.
func (d *Demands) Beyond(ctx context.Context, c *call.Call, org, role string) (bool, error) {
	if org == "" {
		return false, nil
	}
	now, err := d.Get(ctx, c, org)
	if err != nil || now.Entry.Sights == nil {
		return false, err
	}
	return !sees(c, now).covers(now.Entry.Sights[role]), nil
}
