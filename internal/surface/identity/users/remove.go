package users

import (
	"context"
	"errors"

	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// RemoveUser deletes a user with their memberships, sessions and secrets. Callers cannot remove themselves, nor the last
// system administrator. users.yaml n 120, deprecated.yaml n 527 and 528.
func (u Users) RemoveUser(ctx context.Context, c *op.Call, in OneUser) (op.None, error) {
	return op.None{}, u.remove(ctx, c, in.found.ID)
}

func (u Users) remove(ctx context.Context, c *op.Call, id string) error {
	if id == c.User() {
		return ErrSelf
	}
	if err := u.guard(ctx, c, id); err != nil {
		return err
	}
	return u.People.Delete(ctx, c, id)
}

// Removal names users to be removed.
type Removal struct {
	// Users are UUIDs or login names, required; at most 1000.
	Users []string `json:"Users" rpc:"array,one"`
}

// maxRemove bounds the users of one call, which is one transaction.
const maxRemove = 1000

// Check wants some.
func (r *Removal) Check() error {
	switch {
	case len(r.Users) == 0:
		return fault.Missing("Users")
	case len(r.Users) > maxRemove:
		return ErrMany.Say("At most %d users can be removed in one call.", maxRemove)
	}
	return nil
}

// Undone tells for whom a command for several users was not carried out.
type Undone struct {
	Exceptions Exceptions `json:"Exceptions"`
}

// Exceptions are failures by kind of object.
type Exceptions struct {
	// User lists the users for whom it was not done, with the reason; null when it was done for all.
	User []Exception `json:"User"`
}

// Exception is a user for whom it was not done.
type Exception struct {
	ID      string `json:"ID"` // as it was given
	Message string `json:"Message"`
}

// RemoveUsers deletes several users. It fails as a whole when the caller is among them; others who cannot be removed are
// listed in Exceptions with the reason. users.yaml n 121, deprecated.yaml n 526.
func (u Users) RemoveUsers(ctx context.Context, c *op.Call, in Removal) (Undone, error) {
	var out Undone
	found, err := u.removable(ctx, c, in.Users, &out)
	if err != nil {
		return out, err
	}
	gone := []string{}
	for _, f := range found {
		err := u.Roles.Others(ctx, c, f.id) // before anything of the user is gone: there is no way back for one of several
		if err == nil {
			err = u.remove(ctx, c, f.id)
		}
		switch {
		case errors.Is(err, role.ErrLast), errors.Is(err, ErrSystem), errors.Is(err, user.ErrStronger):
			out.add(f.given, err)
		case err != nil:
			return out, err
		default:
			gone = append(gone, f.id)
		}
	}
	several(c)
	c.Event.Set("Users", gone)
	return out, nil
}

func (r *Undone) add(given string, why error) {
	r.Exceptions.User = append(r.Exceptions.User, Exception{given, fault.Of(why).Public})
}

// named is a user as the caller named them.
type named struct{ id, given string }

// removable finds the users to be removed, each once; those whom the caller does not administer look as if they were not
// there.
func (u Users) removable(ctx context.Context, c *op.Call, refs []string, out *Undone) ([]named, error) {
	var found []named
	seen := map[string]bool{}
	for _, ref := range refs {
		p, err := u.allowed(ctx, c, ref)
		switch {
		case errors.Is(err, user.ErrNotFound):
			out.add(ref, err)
		case err != nil:
			return nil, err
		case p.ID == c.User():
			return nil, ErrSelf
		case !seen[p.ID]:
			seen[p.ID], found = true, append(found, named{p.ID, ref})
		}
	}
	return found, nil
}
