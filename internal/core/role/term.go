package role

import (
	"context"
	"slices"

	"limen/internal/call"
	"limen/internal/core/right"
)

// Endless is a moment later than all others, in milliseconds.
const Endless = endless

// End is the stored end of a window, 0 for none, as a moment that can be compared.
func End(until int64) int64 { return end(until) }

// Terms are the roles that a caller is in and the rights that they hold, each with the moment until which that is so. Who
// gives others what they hold only for a while gives it for no longer.
type Terms struct {
	// Roles are the roles, direct and nested, with the moment in milliseconds.
	Roles map[string]int64
	power power
}

// Right is the moment until which a right is held over an organization (empty: over the whole tenant); 0: it is not.
func (t Terms) Right(r right.Right, org string) int64 {
	path := r.Info().Path
	out := max(t.System(), t.power.of[reach{path: path}])
	for id := range t.power.tree.Up(org) {
		out = max(out, t.power.of[reach{path, id}])
	}
	return out
}

// System is the moment until which the caller administers everything; 0: they do not.
func (t Terms) System() int64 { return t.power.of[reach{path: everything}] }

// Terms are the caller's at c.Now. Only roles and rights count that the call knows, too.
func (r *Roles) Terms(ctx context.Context, c *call.Call) (Terms, error) {
	s, err := r.now(ctx, c)
	if err != nil {
		return Terms{}, err
	}
	out := Terms{Roles: map[string]int64{}}
	if out.power, err = r.power(ctx, c, s); err != nil || c.Caller == nil {
		return out, err
	}
	in, _, err := r.stays(ctx, c, s)
	for id, until := range in {
		if slices.Contains(c.Caller.Roles, id) {
			out.Roles[id] = until
		}
	}
	return out, err
}

// Bearer is a role or person that an administrative right is given to.
type Bearer struct {
	Holder
	Right right.Right
}

// Bearers lists who is given one of the rights at c.Now so that it reaches an organization (empty: only what reaches the whole
// tenant): roles that carry it, and people and roles that hold it over the organization or one above. Members of roles are
// not told one by one.
func (r *Roles) Bearers(ctx context.Context, c *call.Call, org string, rights right.Set) ([]Bearer, error) {
	s, err := r.now(ctx, c)
	if err != nil {
		return nil, err
	}
	var out []Bearer
	w, above := walk{now: c.Now.UnixMilli()}, slices.Collect(s.tree.Up(org))
	for id, held := range s.rights {
		for _, h := range held {
			over := s.roles[id].Org
			if rights.Has(h.right) && w.during(h.since, h.until) && (over == "" || slices.Contains(above, over)) {
				out = append(out, Bearer{Holder{Sub, id}, h.right})
			}
		}
	}
	for who, scopes := range s.scopes {
		for _, o := range scopes {
			if rights.Has(o.Right) && w.during(o.Since, o.Until) && slices.Contains(above, o.Org) {
				out = append(out, Bearer{who, o.Right})
			}
		}
	}
	return out, nil
}

// Systems lists the roles whose members are system administrators for the time being, the built-in role among them.
func (r *Roles) Systems(ctx context.Context, c *call.Call) (map[string]bool, error) {
	s, err := r.now(ctx, c)
	if err != nil {
		return nil, err
	}
	return s.into(System, c.Now.UnixMilli(), false), nil
}
