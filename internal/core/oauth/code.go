package oauth

import (
	"context"
	"encoding/json"
	"errors"

	"limen/internal/call"
	"limen/internal/crypt"
	"limen/internal/dbx"
	wire "limen/internal/wire/oauth"
)

// byCode exchanges a code (RFC 6749 section 4.1.3, RFC 7636 section 4.6).
func (s *Server) byCode(ctx context.Context, c *call.Call, a Ask) (grantee, error) {
	hash := crypt.TokenHash(a.Params.Get("code"))
	row, err := findCode.One(ctx, c.Tx, c.Tenant.ID, hash)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && row.Expires <= c.Now.UnixMilli() {
		return grantee{}, ErrGrant
	}
	if err != nil {
		return grantee{}, err
	}
	auth, err := s.standing(ctx, c, row.Granted)
	if err != nil {
		return grantee{}, err
	}
	if !auth.from(a.App) || auth.Client != a.Client.ID {
		return grantee{}, ErrGrant // another client's, or another issuer's: it tells nothing, and ends nothing
	}
	if row.Used != 0 {
		return grantee{}, s.again(ctx, c, auth.ID)
	}
	var of asked
	if err := json.Unmarshal([]byte(row.Request), &of); err != nil {
		return grantee{}, err
	}
	if err := of.answered(a); err != nil {
		return grantee{}, err
	}
	n, err := useCode.Do(ctx, c.Tx, c.Now.UnixMilli(), c.Tenant.ID, hash)
	if err != nil {
		return grantee{}, err
	}
	if n == 0 {
		return grantee{}, s.again(ctx, c, auth.ID)
	}
	g, err := s.resume(ctx, c, auth)
	g.nonce = of.Nonce
	return g, err
}

// ofCode is to whom a code was given.
func (s *Server) ofCode(ctx context.Context, c *call.Call, a Ask) (grantee, error) {
	row, err := peekCode.One(ctx, c.Tx, c.Tenant.ID, crypt.TokenHash(a.Params.Get("code")))
	if err != nil || row.Used != 0 {
		return grantee{}, errors.Join(err, ErrGrant)
	}
	return s.granted(ctx, c, row.Granted)
}

// granted is to whom an authorization was given that stands.
func (s *Server) granted(ctx context.Context, c *call.Call, id string) (grantee, error) {
	auth, err := s.standing(ctx, c, id)
	if err != nil {
		return grantee{}, err
	}
	return s.resume(ctx, c, auth)
}

// answered checks what the exchange of a code must repeat or answer.
func (of asked) answered(a Ask) error {
	verifier := a.Params.Get("code_verifier")
	switch {
	case of.Redirect != a.Params.Get("redirect_uri"):
		return Fault(&wire.Error{Code: wire.InvalidGrant, Description: "mismatched redirect"})
	case of.Challenge.Value != "" && !of.Challenge.Verify(verifier), of.Challenge.Value == "" && verifier != "", of.Challenge.Value == "" && !a.Client.Proved:
		return ErrGrant
	case of.Key != "" && of.Key != a.Key:
		return ErrProof
	}
	return nil
}

// resume reads what tokens of an authorization say.
func (s *Server) resume(ctx context.Context, c *call.Call, auth Authorization) (grantee, error) {
	facts, err := auth.facts()
	if err != nil {
		return grantee{}, err
	}
	scope, err := wire.ReadScope(auth.Scope)
	if err != nil {
		return grantee{}, err
	}
	p, err := s.whose(ctx, c, auth.User)
	return grantee{person: p, auth: auth, facts: facts, scope: scope}, err
}
