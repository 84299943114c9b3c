package oauth

import (
	"context"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/fault"
	wire "limen/internal/wire/oauth"
)

// ErrNoClient says that an application has no client of an id, or that it is a service user.
var ErrNoClient = fault.New(fault.NotFound, Prefix+"client_not_found", "The application has no such client.")

// Lives of tokens that an administrator makes for a client.
const (
	clientTokenLife = 15 * time.Minute
	clientTokenMost = time.Hour
)

// ClientToken gives an access token in the name of a client of an application, for who administers it: what the client would get
// for its own credentials, and no more (oauth.yaml n 34). Service users are no such clients: their tokens have a person's rights,
// which nobody is given by administering an application. life is 15 minutes when 0, and an hour at most.
func (s *Server) ClientToken(ctx context.Context, c *call.Call, a App, clientID string, scope wire.Scope, life time.Duration) (Granted, error) {
	if !a.Active {
		return Granted{}, ErrUnknownApp
	}
	r, err := s.Registration(ctx, c, a, clientID)
	switch {
	case err == ErrClient, err == nil && r.Kind == Service: //nolint:errorlint // a declared fault, given as it is
		return Granted{}, ErrNoClient
	case err != nil:
		return Granted{}, err
	case a.Guarded, a.Ruled:
		return Granted{}, ErrGuarded
	case !a.Profile.allows(Credentials), r.Kind == Registered && !r.Grants("client_credentials"), r.DPoPBound, r.TLSBound:
		return Granted{}, ErrFlow
	case !scope.Within(a.Profile.Known()) || !r.mayAsk(scope):
		return Granted{}, ErrScope
	}
	if life <= 0 {
		life = clientTokenLife
	}
	a.Profile.Life = min(a.Profile.life(), life, clientTokenMost)
	if c.Event != nil {
		c.Event.Type, c.Event.Kind, c.Event.Target, c.Event.Name = audit.OAuthCreate, "Application", a.ID, a.Name
		c.Event.Set("ClientID", r.ID)
		c.Event.Set("Scope", scope.String())
		c.Event.Set("Seconds", int64(a.Profile.Life/time.Second))
	}
	return s.issue(ctx, c, grantee{app: a, client: Client{Registration: r}, scope: scope}, false)
}
