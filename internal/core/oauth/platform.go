package oauth

import (
	"context"
	"maps"
	"time"

	"limen/internal/call"
	"limen/internal/core/token"
)

// platformLife bounds platform tokens, as it does those of sessions (core/token).
const platformLife = 15 * time.Minute

// PlatformToken is Exchange for service users of the application that every tenant has: an access token for this program's own
// API, of a short life, that says as the tokens of sessions do which tenant it is of (oauth.yaml n 33). It is no session, so
// nothing but the password, the end of the account and its own end takes it away.
func (s *Server) PlatformToken(ctx context.Context, c *call.Call, a Ask) (Granted, error) {
	a.App.Profile.Life = min(a.App.Profile.life(), platformLife)
	g, err := s.Exchange(ctx, c, a)
	if err == nil && g.access != nil {
		maps.Copy(g.access, placed(c))
	}
	return g, err
}

// placed are the claims of which clients make the address of the tenant.
func placed(c *call.Call) map[string]any {
	sub, domain := token.Split(c.Tenant.Host)
	return map[string]any{"tenant_id": c.Tenant.ID, "subdomain": sub, "platform_domain": domain}
}

// bearing makes an ID token one that its client may send as a bearer, where the application has such: that of a service user
// who came with an access token of their own and not with a browser's session, which any page can make a browser use. It names
// the authorization that it ends with, and no scope but what that has.
func (g grantee) bearing(c *call.Call, id map[string]any) {
	if !g.app.Profile.IDBearer || !g.person.Service || g.auth.ID == "" || g.auth.Session != "" {
		return
	}
	id["jti"], id["scope"] = g.auth.ID+"."+c.NewID(), g.scope.String()
	maps.Copy(id, placed(c))
}
