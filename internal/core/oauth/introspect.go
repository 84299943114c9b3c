package oauth

import (
	"context"

	"limen/internal/call"
)

// IntrospectionType is the header's typ of a signed introspection (RFC 9701 section 5).
const IntrospectionType = "token-introspection+jwt"

// About says by what identifier the client of a token knows its person, and by what login name; that is empty for clients that are not to
// know it. A token without a person is about its client.
func (s *Server) About(ctx context.Context, c *call.Call, a App, l Live) (sub, name string, err error) {
	if l.User == "" || l.Granted == "" {
		return l.subject(), l.Name, nil
	}
	r, err := s.client(ctx, c, a, l.Client)
	if err != nil {
		return "", "", err
	}
	if name = l.Name; r.Pairwise() {
		name = ""
	}
	sub, err = s.Subject(ctx, c, r, l.User)
	return sub, name, err
}

// SignIntrospection signs what a client that has proved itself is told of a token (RFC 9701 section 5). It must run outside of
// transactions.
func (s *Server) SignIntrospection(ctx context.Context, c *call.Call, a App, r Registration, about any) (string, error) {
	claims := map[string]any{"iss": a.Issuer(c.Tenant.Host), "aud": r.ID, "iat": c.Now.Unix(), "token_introspection": about}
	return s.sign(ctx, c, a, r, ForIntrospection, IntrospectionType, claims)
}
