package oauth

import (
	"context"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"

	"limen/internal/call"
	"limen/internal/dbx"
	wire "limen/internal/wire/oauth"
)

// assertionLife is how far ahead the end of a client assertion may be: an hour is what some libraries give theirs, which are good once all
// the same. strictLife is that of FAPI 2.0's clients, and assertionSkew by how much a client's clock may differ (its Security Profile,
// section 5.3.2.1, wants ten seconds to be taken).
const (
	assertionLife = time.Hour
	strictLife    = 10 * time.Minute
	assertionSkew = 10 * time.Second
)

// bySecretJWT takes an assertion that is signed with the client's secret (OpenID Connect Core section 9).
func (s *Server) bySecretJWT(ctx context.Context, c *call.Call, a App, r Registration, cred wire.Credentials) (Client, error) {
	secret, err := s.openSecret(ctx, c, a, r)
	if err != nil {
		return Client{}, err
	}
	if secret == "" {
		return Client{}, ErrClient
	}
	got, err := wire.Prove(cred.Assertion, only(wire.SecretAlgorithms, r.AuthAlg), []jose.JSONWebKey{{Key: []byte(secret)}})
	if err != nil {
		return Client{}, ErrClient.Because(err)
	}
	return s.asserted(ctx, c, a, r, got)
}

// byKeyJWT takes an assertion that is signed with a key of the client's (OpenID Connect Core section 9). Keys, and addresses of keys,
// that the assertion itself names are nothing to go by.
func (s *Server) byKeyJWT(ctx context.Context, c *call.Call, a App, r Registration, cred wire.Credentials) (Client, error) {
	var got wire.Asserted
	err := s.withKeys(ctx, c, r, func(keys []jose.JSONWebKey) (err error) {
		got, err = wire.Prove(cred.Assertion, only(a.Profile.algorithms(), r.AuthAlg), keys)
		return err
	})
	if err != nil {
		return Client{}, ErrClient.Because(err)
	}
	return s.asserted(ctx, c, a, r, got)
}

// asserted checks what an assertion says whose signature is right, and takes it out of use (RFC 7523 section 3).
func (s *Server) asserted(ctx context.Context, c *call.Call, a App, r Registration, got wire.Asserted) (Client, error) {
	here, life := s.audiences(c, a), assertionLife
	if a.Profile.FAPI != "" {
		life = strictLife
	}
	err := got.Live(c.Now, life, assertionSkew, here...)
	switch {
	case err != nil:
		return Client{}, Fault(err)
	case slices.ContainsFunc(got.Audience, func(aud string) bool { return !slices.Contains(here, aud) }):
		// Whoever else it is for could show it here.
		return Client{}, ErrClient.Say("the assertion is for others as well")
	case got.Issuer != r.ID || got.Subject != r.ID:
		return Client{}, ErrClient
	case got.ID == "" || len(got.ID) > 256:
		return Client{}, ErrClient.Say("the assertion has no jti")
	}
	fresh, err := s.onceApart(ctx, c, "assertion", r.ID+"\x00"+got.ID, got.Expires.Add(2*assertionSkew))
	if err == nil && !fresh {
		err = ErrClient.Say("the assertion was used before")
	}
	if err != nil {
		return Client{}, err
	}
	return Client{Registration: r, Proved: true}, nil
}

// audiences are what an assertion may name this server by: its issuer, its token endpoint, or the endpoint that was called. FAPI 2.0
// takes the issuer only (Security Profile section 5.3.2.1), since other servers can claim an endpoint of ours to be theirs.
func (s *Server) audiences(c *call.Call, a App) []string {
	out := []string{a.Issuer(c.Tenant.Host)}
	if a.Profile.FAPI != "" {
		return out
	}
	for _, host := range []string{c.Tenant.Host, s.certHost(c.Tenant.Host)} {
		if host != "" {
			out = append(out, "https://"+host+a.Endpoint("Token"), "https://"+host+c.Client.Path)
		}
	}
	return out
}

// onceApart is Once in a transaction of its own: what was used stays so, whatever becomes of the request.
func (s *Server) onceApart(ctx context.Context, c *call.Call, kind, id string, until time.Time) (fresh bool, err error) {
	err = s.DB.Write(ctx, func(tx *dbx.Tx) (err error) {
		in := *c
		in.Tx = tx
		fresh, err = s.Once(ctx, &in, kind, id, until)
		return err
	})
	return fresh, err
}
