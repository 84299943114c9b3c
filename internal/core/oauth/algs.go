package oauth

import (
	"context"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"limen/internal/call"
	"limen/internal/crypt"
	"limen/internal/fault"
	wire "limen/internal/wire/oauth"
)

// Use is what something is signed for.
type Use uint8

// The uses.
const (
	ForAccess Use = iota
	ForID
	ForLogout // as ID tokens (OpenID Connect Back-Channel Logout section 2.6)
	ForInfo
	ForAnswer
	ForIntrospection
)

// ErrNoSecret says that a client wants ID tokens signed with a secret which it does not have.
var ErrNoSecret = fault.New(fault.Invalid, Prefix+string(wire.UnauthorizedClient), "the client wants ID tokens signed with its secret, and has none of 32 bytes or more")

// minShared is the least length of a secret that signs, in bytes (RFC 7518 section 3.2).
const minShared = 32

// algorithms are those that the tenant has keys for or makes them: what a token of ours may be signed with. A token names its key, and
// the key its one algorithm, so that none passes for another.
var algorithms = wire.ResponseAlgorithms

// signatures are those that the application's clients may have.
func (p Profile) signatures() []jose.SignatureAlgorithm {
	if p.FAPI != "" {
		return fapiAlgs
	}
	return algorithms
}

// algOf is what is signed with for a client: what it registered; else what the application says; else the server's.
func (s *Server) algOf(a App, r Registration, use Use) crypt.Alg {
	registered := ""
	switch use {
	case ForAccess:
	case ForID, ForLogout:
		registered = r.IDTokenAlg
		if registered == string(jose.HS256) && a.Profile.FAPI == "" {
			return jose.HS256
		}
	case ForInfo:
		registered = r.UserInfoAlg
	case ForAnswer:
		registered = r.AnswerAlg
	case ForIntrospection:
		registered = r.IntrospectionAlg
	}
	for _, alg := range []crypt.Alg{crypt.Alg(registered), a.Profile.Alg} {
		if slices.Contains(a.Profile.signatures(), alg) {
			return alg
		}
	}
	if a.Profile.FAPI != "" {
		return crypt.ES256
	}
	return s.alg()
}

// Algorithms are what an application's tokens may be signed with, and its ID tokens.
func (a App) Algorithms() (all, id []string) {
	for _, alg := range a.Profile.signatures() {
		all = append(all, string(alg))
	}
	id = slices.Clone(all)
	if a.Profile.FAPI == "" {
		id = append(id, string(jose.HS256))
	}
	return all, id
}

// signable refuses a client whose ID tokens cannot be signed as it wants.
func (r Registration) signable() error {
	if r.IDTokenAlg == string(jose.HS256) && r.Secret == "" {
		return ErrNoSecret
	}
	return nil
}

// sign signs for a client, and encrypts for one that wants it. It must run outside of transactions.
func (s *Server) sign(ctx context.Context, c *call.Call, a App, r Registration, use Use, typ string, claims any) (string, error) {
	alg := s.algOf(a, r, use)
	if alg != jose.HS256 {
		jwt, err := s.Signers.Sign(ctx, c.Tenant.ID, alg, typ, claims)
		if err != nil {
			return "", err
		}
		return s.encrypt(ctx, c, r, use, jwt, IDType)
	}
	secret, err := s.openSecret(ctx, c, a, r)
	if err == nil && len(secret) < minShared {
		err = ErrNoSecret
	}
	if err != nil {
		return "", err
	}
	jwt, err := crypt.SignShared(secret, typ, claims)
	if err != nil {
		return "", err
	}
	return s.encrypt(ctx, c, r, use, jwt, IDType)
}

// verified checks a token that the tenant's keys signed; ErrToken when they did not.
func (s *Server) verified(ctx context.Context, c *call.Call, token string) (crypt.Signed, error) {
	jwt, err := s.Signers.Verify(ctx, c.Tenant.ID, token, algorithms...)
	if err != nil && fault.Of(err).Kind != fault.Internal {
		err = ErrToken
	}
	return jwt, err
}

// client finds what is known of a client that tokens were given to; a service user, or one that is gone, has only its id.
func (s *Server) client(ctx context.Context, c *call.Call, a App, id string) (Registration, error) {
	r, err := s.Registration(ctx, c, a, id)
	if err == ErrClient { //nolint:errorlint // a declared fault, given as it is
		return Registration{ID: id, Kind: Service}, nil
	}
	return r, err
}
