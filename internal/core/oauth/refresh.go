package oauth

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/crypt"
	"limen/internal/dbx"
)

// byRefresh exchanges a refresh token, which is good once (RFC 6749 section 6, RFC 9700 section 4.14.2), but for FAPI 2.0, whose clients
// prove themselves by keys and keep theirs (Security Profile section 5.3.2.1). The scope can be made smaller, and never larger.
func (s *Server) byRefresh(ctx context.Context, c *call.Call, a Ask) (grantee, error) {
	hash := crypt.TokenHash(a.Params.Get("refresh_token"))
	row, err := findRefresh.One(ctx, c.Tx, c.Tenant.ID, hash)
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
	if !auth.from(a.App) || auth.Client != a.Client.ID || row.Thumbprint != "" && row.Thumbprint != a.Key {
		return grantee{}, ErrGrant
	}
	if row.Used == 0 {
		if err := s.rejudge(ctx, c, a, auth); err != nil {
			return grantee{}, err
		}
	}
	n, keeps := int64(0), a.App.Profile.FAPI != ""
	switch {
	case row.Used != 0:
	case keeps:
		n = 1
	default:
		if n, err = useRefresh.Do(ctx, c.Tx, c.Now.UnixMilli(), c.Tenant.ID, hash); err != nil {
			return grantee{}, err
		}
	}
	if n == 0 {
		return grantee{}, s.again(ctx, c, auth.ID)
	}
	g, err := s.resume(ctx, c, auth)
	g.keeps = keeps
	if err != nil {
		return g, err
	}
	if len(a.Scope) > 0 {
		if !a.Scope.Within(g.scope) {
			return g, ErrScope
		}
		g.scope = a.Scope
	}
	// Who uses what they have been given keeps it: the authorization lives on with the new token.
	end := c.Now.Add(a.App.Profile.refreshLife()).UnixMilli()
	if g.auth.Expires < end {
		g.auth.Expires = end
		_, err = prolong.Do(ctx, c.Tx, end, c.Tenant.ID, auth.ID, end)
	}
	return g, err
}

// ofRefresh is to whom a refresh token was given.
func (s *Server) ofRefresh(ctx context.Context, c *call.Call, a Ask) (grantee, error) {
	row, err := findRefresh.One(ctx, c.Tx, c.Tenant.ID, crypt.TokenHash(a.Params.Get("refresh_token")))
	if err != nil || row.Used != 0 {
		return grantee{}, errors.Join(err, ErrGrant)
	}
	g, err := s.granted(ctx, c, row.Granted)
	if len(a.Scope) > 0 {
		g.scope = a.Scope
	}
	return g, err
}

// refresh makes a refresh token of an authorization.
func (s *Server) refresh(ctx context.Context, c *call.Call, g grantee) (string, error) {
	plain, hash := crypt.NewToken(c.Rand)
	end := min(c.Now.Add(g.app.Profile.refreshLife()).UnixMilli(), g.auth.Expires)
	key := ""
	if !g.client.Proved { // a client that proves itself at every use needs no other bond (RFC 9449 section 5)
		key = g.key
	}
	return plain, insertRefresh.Later(ctx, c.Tx, c.Tenant.ID, hash, g.auth.ID, key, c.Now.UnixMilli(), end)
}
