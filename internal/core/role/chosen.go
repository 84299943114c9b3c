package role

import (
	"context"
	"maps"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/fault"
)

// ErrChosen names the attributes.
var ErrChosen = fault.New(fault.Denied, "role.chosen", "The role gets rights, and people could make themselves members of it.")

// Endows lists the paths of the rights that a role gives its members now or later, by itself and by the roles it is in; * is
// everything.
func (r *Roles) Endows(ctx context.Context, c *call.Call, roleID string) ([]string, error) {
	s, err := r.now(ctx, c)
	if err != nil {
		return nil, err
	}
	paths := map[string]bool{}
	for what := range s.carried(roleID, c.Now.UnixMilli()) {
		paths[what.path] = true
	}
	return slices.Sorted(maps.Keys(paths)), nil
}

// unchosen fails with ErrChosen when a role, or one whose members are its members, carries rights, and people can choose to be
// in it. It is asked when the role has been given rights or members.
func (r *Roles) unchosen(ctx context.Context, c *call.Call, roleID string) error {
	if r.Chosen == nil {
		return nil
	}
	s, err := r.now(ctx, c)
	if err != nil {
		return err
	}
	for id := range s.into(roleID, 0, true) {
		if s.roles[id].Kind != Dynamic || len(s.carried(id, c.Now.UnixMilli())) == 0 {
			continue
		}
		by, err := r.Chosen(ctx, c, id)
		if err != nil {
			return err
		}
		if len(by) > 0 {
			return ErrChosen.Say("The role %s gets rights, and its script reads what people may change themselves: %s.", s.roles[id].Name, strings.Join(by, ", "))
		}
	}
	return nil
}
