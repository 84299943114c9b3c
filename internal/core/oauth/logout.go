package oauth

import (
	"context"

	"limen/internal/call"
	"limen/internal/fault"
	wire "limen/internal/wire/oauth"
)

// ErrHint is an id_token_hint that is none of an application's tokens, or of somebody else's.
var ErrHint = fault.New(fault.Invalid, Prefix+string(wire.InvalidRequest), "id_token_hint is not an ID token of the person who is signed in")

// Hint is what an ID token says of whom it was given for.
type Hint struct {
	Person  string // UUID
	Client  string // client_id
	Session string // sid; empty: it was given in none
}

// Hinted reads an ID token that an application got, also one that has expired (OpenID Connect RP-Initiated Logout section 2); ErrHint
// where it is none.
func (s *Server) Hinted(ctx context.Context, c *call.Call, a App, token string) (Hint, error) {
	if len(token) > 16<<10 {
		return Hint{}, ErrHint
	}
	jwt, err := s.Signers.Verify(ctx, c.Tenant.ID, token, s.alg())
	if err != nil {
		if fault.Of(err).Kind == fault.Internal {
			return Hint{}, err
		}
		return Hint{}, ErrHint
	}
	var k struct {
		Issuer   string   `json:"iss"`
		Subject  string   `json:"sub"`
		Audience audience `json:"aud"`
		Session  string   `json:"sid"`
	}
	if jwt.Type != IDType || jwt.Claims(&k) != nil || k.Issuer != a.Issuer(c.Tenant.Host) || k.Subject == "" || len(k.Audience) != 1 {
		return Hint{}, ErrHint
	}
	return Hint{Person: k.Subject, Client: k.Audience[0], Session: k.Session}, nil
}
