package oauth

import (
	"context"

	"limen/internal/call"
)

// IntrospectionType is the header's typ of a signed introspection (RFC 9701 section 5).
const IntrospectionType = "token-introspection+jwt"

// SignIntrospection signs what a client that has proved itself is told of a token (RFC 9701 section 5). It must run outside of
// transactions.
func (s *Server) SignIntrospection(ctx context.Context, c *call.Call, a App, r Registration, about any) (string, error) {
	claims := map[string]any{"iss": a.Issuer(c.Tenant.Host), "aud": r.ID, "iat": c.Now.Unix(), "token_introspection": about}
	return s.sign(ctx, c, a, r, ForIntrospection, IntrospectionType, claims)
}
