package oauth

import (
	"context"

	"limen/internal/call"
	"limen/internal/fault"
	wire "limen/internal/wire/oauth"
)

// ErrHint is an id_token_hint that is none of an application's tokens, or of somebody else's.
var ErrHint = fault.New(fault.Invalid, Prefix+string(wire.InvalidRequest), "id_token_hint is not an ID token of the person who is signed in")

// Hinted is the person (UUID) of an ID token that an application got, also of one that has expired (OpenID Connect RP-Initiated
// Logout section 2); ErrHint where it is none.
func (s *Server) Hinted(ctx context.Context, c *call.Call, a App, token string) (personID string, err error) {
	if len(token) > 16<<10 {
		return "", ErrHint
	}
	jwt, err := s.Signers.Verify(ctx, c.Tenant.ID, token, s.alg())
	if err != nil {
		if fault.Of(err).Kind == fault.Internal {
			return "", err
		}
		return "", ErrHint
	}
	var k struct {
		Issuer  string `json:"iss"`
		Subject string `json:"sub"`
	}
	if jwt.Type != IDType || jwt.Claims(&k) != nil || k.Issuer != a.Issuer(c.Tenant.Host) || k.Subject == "" {
		return "", ErrHint
	}
	return k.Subject, nil
}
