package scim

import (
	"context"
	"net/http"

	"limen/internal/core/user"
	"limen/internal/op"
)

func (s SCIM) mine() []op.Op {
	return []op.Op{op.New(reads(at(http.MethodGet, "/Me"), op.Authenticated, user.ErrNotFound), s.GetMe)}
}

// Myself asks for the caller.
type Myself struct{ Shown }

func (m *Myself) take(r *op.Request) error { return m.see(r) }

// GetMe answers the caller as a user, whatever rights they have. scim.yaml, GET /scim/Me.
func (s SCIM) GetMe(ctx context.Context, c *op.Call, in Myself) (Answer, error) {
	u, err := s.Directory.People.ByID(ctx, c, c.User())
	if err != nil {
		return Answer{}, err
	}
	return s.GetUser(ctx, c, UserRef{Shown: in.Shown, found: u})
}
