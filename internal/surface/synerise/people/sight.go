package people

import (
	"context"

	"limen/internal/core/demand"
	"limen/internal/core/workspace"
	"limen/internal/fault"
	"limen/internal/op"
)

// ErrUnseen is for those who would sort by what they may not see: the order would tell them of it.
var ErrUnseen = fault.New(fault.Denied, "workspace.unseen", "Your roles do not see what the list is to be sorted by.")

// mask takes away what the caller does not see.
func (u *User) mask(s demand.Sight) {
	for name, field := range map[string]**string{
		"email": &u.Email, "firstName": &u.FirstName, "lastName": &u.LastName, "phone": &u.Phone, "lastLogin": &u.LastLogin,
	} {
		if !s.Shows(name) {
			*field = nil
		}
	}
}

// veil makes a list one that tells nothing of what the caller does not see, by what it finds or by its order.
func (p People) veil(ctx context.Context, c *op.Call, at string, f *workspace.Filter, sortBy string) error {
	s, err := p.Sees(ctx, c, at)
	if err != nil {
		return err
	}
	names := s.Shows("firstName") && s.Shows("lastName")
	f.NoNames, f.NoMail = !names, !s.Shows("email")
	switch {
	case sortBy == "NAME" && !names, sortBy == "EMAIL" && f.NoMail:
		return ErrUnseen.At("sortBy")
	case sortBy == "" && !names:
		f.Sort = "created"
	}
	return nil
}
