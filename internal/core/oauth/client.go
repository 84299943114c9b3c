package oauth

import (
	"context"

	"limen/internal/call"
	"limen/internal/crypt"
	wire "limen/internal/wire/oauth"
)

// Client is who asks for tokens, proved as far as it can be.
type Client struct {
	Registration
	Proved bool   // it has shown who it is; else it only says so
	User   string // UUID of the service user that it is
}

// secretPurpose seals the secrets of clients.
const secretPurpose = "oauth-client"

// SealSecret seals the secret of an application's own client, for Profile.Secret.
func (s *Server) SealSecret(ctx context.Context, c *call.Call, app, secret string) (string, error) {
	return s.Ring.Seal(ctx, c.Tenant.ID, secretPurpose, []byte(secret), app)
}

// openSecret gives a client's secret; empty where it has none. Secrets are sealed and not hashed, since they also sign.
func (s *Server) openSecret(ctx context.Context, c *call.Call, a App, r Registration) (string, error) {
	if r.Secret == "" {
		return "", nil
	}
	bound := a.ID
	if r.Kind == Registered {
		bound = r.ID
	}
	out, err := s.Ring.Open(ctx, c.Tenant.ID, secretPurpose, r.Secret, bound)
	return string(out), err
}

// provers check what clients show of themselves, by method.
var provers = map[wire.Method]func(s *Server, ctx context.Context, c *call.Call, a App, r Registration, cred wire.Credentials) (Client, error){
	wire.SecretBasic: (*Server).bySecret,
	wire.SecretPost:  (*Server).bySecret,
	wire.None:        (*Server).byName,
}

// Authenticate says which client came, outside transactions, since secrets may have to be hashed. ErrClient says that it is
// none of the application's, or has not proved it: which of the two is not told.
func (s *Server) Authenticate(ctx context.Context, c *call.Call, a App, cred wire.Credentials) (Client, error) {
	if !a.Active {
		return Client{}, ErrUnknownApp
	}
	prove, ok := provers[cred.Method]
	if !ok {
		return Client{}, ErrClient
	}
	r, err := s.Registration(ctx, c, a, cred.ClientID)
	if err == ErrClient && cred.Secret != "" { //nolint:errorlint // a declared fault, given as it is
		// Service users may come to any application that has no other client of the id: what they may do is the grants' business.
		r, err = Registration{ID: cred.ClientID, Kind: Service}, nil
	}
	if err != nil {
		return Client{}, err
	}
	return prove(s, ctx, c, a, r, cred)
}

func (s *Server) bySecret(ctx context.Context, c *call.Call, a App, r Registration, cred wire.Credentials) (Client, error) {
	if r.AuthMethod != "" && r.AuthMethod != cred.Method {
		return Client{}, ErrClient
	}
	if r.Kind == Service || r.Kind == Named {
		id, err := s.Service(ctx, c, cred.ClientID, cred.Secret)
		if err == nil && id == "" {
			err = ErrClient
		}
		r.Kind, r.public = Service, false
		return Client{Registration: r, Proved: true, User: id}, err
	}
	want, err := s.openSecret(ctx, c, a, r)
	if err != nil {
		return Client{}, err
	}
	if want == "" || !crypt.SameText(cred.Secret, want) {
		return Client{}, ErrClient
	}
	return Client{Registration: r, Proved: true}, nil
}

// byName takes a client that shows nothing.
func (s *Server) byName(_ context.Context, _ *call.Call, _ App, r Registration, _ wire.Credentials) (Client, error) {
	if !r.Public() {
		return Client{}, ErrClient
	}
	return Client{Registration: r}, nil
}
