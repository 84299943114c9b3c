package portal

import (
	"context"
	"slices"

	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// maxPeople bounds the people of one call.
const maxPeople = 100

// Transfer hands over what people have of their own.
type Transfer struct {
	// Users are the people's UUIDs or login names, one to 100; required.
	Users []string `json:"Users" rpc:"one"`
	// TargetUser is the UUID or login name of who gets it; this or TransferToManager is required.
	TargetUser string `json:"TargetUser"`
	// TransferToManager gives it to the manager of each.
	TransferToManager bool `json:"TransferToManager"`
}

// Check wants people, and one to get it.
func (t *Transfer) Check() error {
	switch {
	case len(t.Users) == 0 || slices.ContainsFunc(t.Users, blank):
		return fault.Missing("Users")
	case len(t.Users) > maxPeople:
		return fault.ErrTooLarge.At("Users").Say("At most %d people can be named in one call.", maxPeople)
	case blank(t.TargetUser) && !t.TransferToManager:
		return fault.Missing("TargetUser")
	case !blank(t.TargetUser) && t.TransferToManager:
		return fault.Bad("TargetUser", "and TransferToManager exclude each other")
	}
	return nil
}

// TransferOwnership hands the applications and secured items that people have of their own to another person, or to the
// manager of each, with the passwords and notes in them; all or nothing. It takes them from whom they belong to, so that
// person's policy must allow it (/Core/Authentication/TransferOwnership), nobody hands anything to themselves, and
// administrators of organizations reach the people in them alone. Tags, and what people keep for assigned applications, stay
// behind. Each person leaves an event of their own.
//
// Errors: user.not_found, user.stronger, portal.system, portal.transfer_off, portal.no_manager, portal.transfer_own,
// portal.too_many. apps.yaml, behind n 199.
func (p Portal) TransferOwnership(ctx context.Context, c *op.Call, in Transfer) (op.None, error) {
	var from []user.User
	for _, ref := range in.Users {
		u, err := p.administered(ctx, c, ref)
		if err == nil {
			err = p.Roles.Guard(ctx, c, u.ID, ErrSystem, user.ErrStronger)
		}
		if err != nil {
			return op.None{}, err
		}
		if !slices.ContainsFunc(from, func(o user.User) bool { return o.ID == u.ID }) {
			from = append(from, u)
		}
	}
	var to *user.User
	if !in.TransferToManager {
		u, err := p.administered(ctx, c, in.TargetUser)
		if err != nil {
			return op.None{}, err
		}
		to = &u
	}
	return op.None{}, p.Portal.Transfer(ctx, c, from, to)
}

// administered finds a person whom the caller's right reaches; others are as good as not there.
func (p Portal) administered(ctx context.Context, c *op.Call, ref string) (user.User, error) {
	u, err := user.Find(ctx, c, ref)
	if err == nil && !c.Grant.Allows(u.ID, u.Org) {
		err = user.ErrNotFound
	}
	return u, err
}
