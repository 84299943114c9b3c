package oauth

import (
	"context"

	"limen/internal/call"
)

// byCredentials is for machines in their own name (RFC 6749 section 4.4).
func (s *Server) byCredentials(ctx context.Context, c *call.Call, a Ask) (grantee, error) {
	g := grantee{scope: a.Scope}
	if a.Client.User == "" {
		return g, nil
	}
	p, err := s.whose(ctx, c, a.Client.User)
	g.person, g.facts.AuthTime = p, c.Now.Unix()
	return g, err
}

// checkOwner checks the password.
func (s *Server) checkOwner(ctx context.Context, c *call.Call, a *Ask) (err error) {
	a.checked, err = s.Password(ctx, c, a.Params.Get("username"), a.Params.Get("password"))
	return err
}

// ofPassword is whose password was sent, right or wrong.
func (s *Server) ofPassword(ctx context.Context, c *call.Call, a Ask) (grantee, error) {
	p, err := s.whose(ctx, c, a.checked.Whose())
	return grantee{person: p, scope: a.Scope}, err
}

// byPassword is the resource owner's password (RFC 6749 section 4.3), for the contract's old clients.
func (s *Server) byPassword(ctx context.Context, c *call.Call, a Ask) (grantee, error) {
	id, session, err := a.checked.Commit(ctx, c)
	if err != nil {
		return grantee{}, err
	}
	p, err := s.whose(ctx, c, id)
	return grantee{person: p, scope: a.Scope, facts: Facts{AuthTime: c.Now.Unix(), AMR: []string{"pwd"}}, auth: Authorization{Session: session}}, err
}
