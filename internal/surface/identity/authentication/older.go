package authentication

import (
	"context"

	"limen/internal/op"
)

// AmIAuthenticated says whether the caller is signed in; nobody, and whoever shows a session that has ended, is told false. It is
// an old form of WhoAmI. Contract: deprecated.yaml n 539.
func (a Authentication) AmIAuthenticated(_ context.Context, c *op.Call, _ struct{}) (bool, error) {
	return c.Caller != nil, nil
}

// MultiAuthLogin points old clients to StartAuthentication, and looks at nothing that they send. Contract: deprecated.yaml n 542.
func (a Authentication) MultiAuthLogin(context.Context, *op.Call, struct{}) (op.None, error) {
	return op.None{}, ErrMulti
}
