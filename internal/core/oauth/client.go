package oauth

import (
	"context"
	"slices"

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
	wire.SecretBasic:   (*Server).bySecret,
	wire.SecretPost:    (*Server).bySecret,
	wire.SecretJWT:     (*Server).bySecretJWT,
	wire.PrivateKeyJWT: (*Server).byKeyJWT,
	wire.TLSClient:     (*Server).byCertificate,
	wire.SelfSignedTLS: (*Server).bySelfSigned,
	wire.None:          (*Server).byName,
}

// Methods are those by which an application's clients may prove themselves, None at the end where some need not, and the algorithms of
// assertions.
func (s *Server) Methods(a App) (methods, algs []string) {
	for _, m := range []wire.Method{wire.SecretBasic, wire.SecretPost, wire.SecretJWT, wire.PrivateKeyJWT, wire.TLSClient, wire.SelfSignedTLS, wire.None} {
		if a.Profile.takes(m) && (s.Certs || m != wire.TLSClient && m != wire.SelfSignedTLS) {
			methods = append(methods, string(m))
		}
	}
	for _, alg := range a.Profile.algorithms() {
		algs = append(algs, string(alg))
	}
	if a.Profile.takes(wire.SecretJWT) {
		for _, alg := range wire.SecretAlgorithms {
			algs = append(algs, string(alg))
		}
	}
	return methods, algs
}

// Authenticate says which client came, outside transactions, since secrets may have to be hashed and keys fetched. It is the same for
// every endpoint that wants clients to prove themselves. ErrClient says that it is none of the application's, or has not proved it:
// which of the two is not told. A client that has registered how it proves itself cannot do so in any other way.
func (s *Server) Authenticate(ctx context.Context, c *call.Call, a App, cred wire.Credentials) (Client, error) {
	if !a.Active {
		return Client{}, ErrUnknownApp
	}
	id, method, err := cred.Claimed()
	if err != nil {
		return Client{}, Fault(err)
	}
	r, err := s.Registration(ctx, c, a, id)
	if err == ErrClient && cred.Secret != "" { //nolint:errorlint // a declared fault, given as it is
		// Service users may come to any application that has no other client of the id: what they may do is the grants' business.
		r, err = Registration{ID: id, Kind: Service}, nil
	}
	if err != nil {
		return Client{}, err
	}
	if method == wire.None && (r.AuthMethod == wire.TLSClient || r.AuthMethod == wire.SelfSignedTLS) {
		method = r.AuthMethod // what it shows came with the connection
	}
	if r.AuthMethod != "" && r.AuthMethod != method || !a.Profile.takes(method) {
		return Client{}, ErrClient
	}
	return provers[method](s, ctx, c, a, r, cred)
}

// takes says whether an application's clients may prove themselves by a method. FAPI 2.0 takes keys alone (Security Profile section
// 5.3.2.1).
func (p Profile) takes(m wire.Method) bool {
	return p.FAPI == "" || slices.Contains(fapiMethods, m)
}

func (s *Server) bySecret(ctx context.Context, c *call.Call, a App, r Registration, cred wire.Credentials) (Client, error) {
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
