package oauth

import (
	"context"

	"github.com/go-jose/go-jose/v4"

	"limen/internal/call"
	"limen/internal/crypt"
	"limen/internal/fault"
	wire "limen/internal/wire/oauth"
)

// ErrHint is an id_token_hint that is none of an application's tokens, or of somebody else's.
var ErrHint = fault.New(fault.Invalid, Prefix+string(wire.InvalidRequest), "id_token_hint is not an ID token of the person who is signed in")

// Hint is what an ID token says of whom it was given for.
type Hint struct {
	Person  string // UUID; another text where the person cannot be found by what the client knows
	Client  string // client_id
	Session string // sid; empty: it was given in none
}

// Hinted reads an ID token that an application got, also one that has expired (OpenID Connect RP-Initiated Logout section 2); ErrHint
// where it is none.
func (s *Server) Hinted(ctx context.Context, c *call.Call, a App, token string) (Hint, error) {
	if len(token) > 16<<10 {
		return Hint{}, ErrHint
	}
	jwt, err := s.verified(ctx, c, token)
	if err != nil {
		jwt, err = s.sharedHint(ctx, c, a, token, err)
	}
	if err != nil {
		return Hint{}, err
	}
	k, ok := hinted(jwt)
	if !ok || k.Issuer != a.Issuer(c.Tenant.Host) {
		return Hint{}, ErrHint
	}
	person, err := s.known(ctx, c, a, k)
	if err != nil {
		return Hint{}, err
	}
	return Hint{Person: person, Client: k.Audience[0], Session: k.Session}, nil
}

// hint are the claims of an ID token that count.
type hint struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience audience `json:"aud"`
	Session  string   `json:"sid"`
	Expires  int64    `json:"exp"` // UserInfo that is signed has none, and is no ID token
}

func hinted(jwt crypt.Signed) (k hint, ok bool) {
	ok = jwt.Type == IDType && jwt.Claims(&k) == nil && k.Subject != "" && len(k.Audience) == 1 && k.Expires > 0
	return k, ok
}

// sharedHint reads an ID token that is signed with the secret of the client that it names, where that client has registered so. failed is
// what the tenant's keys said.
func (s *Server) sharedHint(ctx context.Context, c *call.Call, a App, token string, failed error) (crypt.Signed, error) {
	if failed != ErrToken { //nolint:errorlint // a declared fault, given as it is
		return crypt.Signed{}, failed
	}
	unproved, err := crypt.ReadShared(token)
	if err != nil {
		return crypt.Signed{}, ErrHint
	}
	k, ok := hinted(unproved.Claimed())
	if !ok {
		return crypt.Signed{}, ErrHint
	}
	r, err := s.client(ctx, c, a, k.Audience[0])
	if err != nil {
		return crypt.Signed{}, err
	}
	if s.algOf(a, r, ForID) != jose.HS256 {
		return crypt.Signed{}, ErrHint
	}
	secret, err := s.openSecret(ctx, c, a, r)
	if err != nil {
		return crypt.Signed{}, err
	}
	if len(secret) < minShared {
		return crypt.Signed{}, ErrHint
	}
	jwt, err := unproved.Verify(secret)
	if err != nil {
		return crypt.Signed{}, ErrHint
	}
	return jwt, nil
}
