package oauth

import (
	"context"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/crypt"
	wire "limen/internal/wire/oauth"
)

// Client is who asks for tokens, proved as far as it can be.
type Client struct {
	ID     string // client_id
	Public bool   // nothing was proved: it only says who it is
	User   string // UUID of the service user that it is; empty: it is the application's own client
}

// secretPurpose seals the secrets of applications' own clients.
const secretPurpose = "oauth-client"

// SealSecret seals the secret of an application's own client, for Profile.Secret.
func (s *Server) SealSecret(ctx context.Context, c *call.Call, app, secret string) (string, error) {
	return s.Ring.Seal(ctx, c.Tenant.ID, secretPurpose, []byte(secret), app)
}

// OpenSecret gives it back.
func (s *Server) OpenSecret(ctx context.Context, c *call.Call, a App) (string, error) {
	if a.Profile.Secret == "" {
		return "", nil
	}
	out, err := s.Ring.Open(ctx, c.Tenant.ID, secretPurpose, a.Profile.Secret, a.ID)
	return string(out), err
}

// Authenticate says which client came, outside transactions, since secrets may have to be hashed. ErrClient says that it is
// none of the application's, or has not proved it: which of the two is not told.
func (s *Server) Authenticate(ctx context.Context, c *call.Call, a App, cred wire.Credentials) (Client, error) {
	switch {
	case !a.Active:
		return Client{}, ErrUnknownApp
	case cred.Method == wire.PrivateKeyJWT:
		return Client{}, ErrClient // no client has registered keys
	case a.own(cred.ClientID):
		return s.authenticateOwn(ctx, c, a, cred)
	case cred.Secret != "":
		id, err := s.Service(ctx, c, cred.ClientID, cred.Secret)
		if err == nil && id == "" {
			err = ErrClient
		}
		return Client{ID: cred.ClientID, User: id}, err
	case a.Public(cred.ClientID):
		return Client{ID: cred.ClientID, Public: true}, nil
	}
	return Client{}, ErrClient
}

// own says whether a client id is that of the application's own client. Clients of the shared application call it by the
// application's name (oauth.yaml n 24).
func (a App) own(id string) bool {
	return a.Profile.ClientID != "" && (id == a.Profile.ClientID || strings.EqualFold(id, a.Service))
}

func (s *Server) authenticateOwn(ctx context.Context, c *call.Call, a App, cred wire.Credentials) (Client, error) {
	if cred.Secret == "" {
		if !a.Public(cred.ClientID) {
			return Client{}, ErrClient
		}
		return Client{ID: a.Profile.ClientID, Public: true}, nil
	}
	want, err := s.OpenSecret(ctx, c, a)
	if err != nil {
		return Client{}, err
	}
	if want == "" || !crypt.SameText(cred.Secret, want) {
		return Client{}, ErrClient
	}
	return Client{ID: a.Profile.ClientID}, nil
}

// Public says whether a client id may come without a secret. It must use PKCE then.
func (a App) Public(id string) bool {
	p := a.Profile
	switch {
	case id == "":
		return false
	case a.own(id):
		return p.Public
	case p.ClientID != "":
		return false
	case p.Clients == AnyClient:
		return true
	case p.Clients == ListedClients:
		return slices.Contains(p.Allowed, id)
	}
	return false
}

// Knows says whether an authorization request may name a client, which proves itself later, if it must.
func (s *Server) Knows(ctx context.Context, c *call.Call, a App, id string) bool {
	return a.Active && (a.own(id) || a.Public(id) || a.Profile.ClientID == "" && a.Profile.Clients == Confidential && id != "")
}
