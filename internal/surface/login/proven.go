package login

import (
	"context"
	"errors"
	"net/http"

	core "limen/internal/core/login"
	"limen/internal/op"
	"limen/web/login"
)

// proven says where somebody is led who must show first who they are, before they change that part of their own at the page at path; nil: they have shown it.
// Faults: ErrForbidden of the core, where signing in anew would not help.
func (s SignIn) proven(ctx context.Context, c *op.Call, part core.Part, path string) (onward any, err error) {
	if !signedIn(c) {
		return next(path, ""), nil
	}
	id, due, err := s.Logins.OwnChallenge(ctx, c, part)
	if err != nil {
		return nil, err
	}
	if id != "" {
		return op.Redirect{URL: core.MorePath(id, path), Code: http.StatusSeeOther}, nil
	}
	if !due {
		return nil, nil
	}
	if err := s.Logins.Own(ctx, c, c.Caller.User, part); errors.Is(err, core.ErrForbidden) {
		return nil, err
	}
	return login.Name{User: c.Caller.Name, Again: true, To: path}, nil
}
