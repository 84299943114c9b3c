// Package oauth is the authorization server: which clients may have tokens, codes and tokens and what becomes of them, and
// what is in them. Requests and answers are read and written by wire/oauth; where they come in is surface/oauth.
//
// Every way to tokens is a grant, and all grants go the same way through Server.Exchange: the application, the client's proof
// of who it is, the grant's own check, the scope, the key that tokens are bound to, issue, event. A grant cannot leave a step
// out, since it does not call them.
package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/outbox"
	"limen/internal/core/revocation"
	"limen/internal/core/session"
	"limen/internal/core/throttle"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
	wire "limen/internal/wire/oauth"
)

// Prefix is what the codes of this package's faults begin with; behind it stands the OAuth error code.
const Prefix = "oauth."

// Faults of the server. What they say goes to the client's developers.
var (
	ErrRequest    = fault.New(fault.Invalid, Prefix+string(wire.InvalidRequest), "The request is not well-formed.")
	ErrUnknownApp = fault.New(fault.Invalid, Prefix+string(wire.InvalidRequest), "unknown app")
	ErrClient     = fault.New(fault.Unauthenticated, Prefix+string(wire.InvalidClient), "invalid client creds")
	ErrGrant      = fault.New(fault.Invalid, Prefix+string(wire.InvalidGrant), "supplied code does not match known request")
	ErrPerson     = fault.New(fault.Invalid, Prefix+string(wire.InvalidGrant), "wrong username or password")
	ErrFlow       = fault.New(fault.Invalid, Prefix+string(wire.UnauthorizedClient), "the application does not allow this grant type")
	ErrGrantType  = fault.New(fault.Invalid, Prefix+string(wire.UnsupportedGrantType), "invalid grant type")
	ErrScope      = fault.New(fault.Invalid, Prefix+string(wire.InvalidScope), "unknown scope requested")
	ErrDenied     = fault.New(fault.Denied, Prefix+string(wire.AccessDenied), "the user may not use this application")
	ErrGuarded    = fault.New(fault.Denied, Prefix+string(wire.AccessDenied), "the application has rules of its own, which cannot be decided here")
	ErrToken      = fault.New(fault.Unauthenticated, Prefix+string(wire.InvalidToken), "the token is not valid")
	ErrProof      = fault.New(fault.Invalid, Prefix+string(wire.InvalidDPoPProof), "the DPoP proof is not valid")
	ErrNonce      = fault.New(fault.Invalid, Prefix+string(wire.UseDPoPNonce), "the DPoP proof must have the nonce of the header DPoP-Nonce")
	ErrTarget     = fault.New(fault.Invalid, Prefix+string(wire.InvalidTarget), "the resource is not one of the application's")
)

// Fault turns an error of the protocol into one of the program.
func Fault(err error) error {
	var e *wire.Error
	if !errors.As(err, &e) {
		return err
	}
	kind := fault.Invalid
	switch e.Code {
	case wire.InvalidClient, wire.InvalidToken:
		kind = fault.Unauthenticated
	case wire.AccessDenied, wire.InsufficientScope:
		kind = fault.Denied
	}
	return fault.New(kind, Prefix+string(e.Code), e.Description)
}

// Person is somebody whom tokens are about.
type Person struct {
	ID, Name string // UUID, login name
	Org      string // organization; empty: none
	Barred   bool
	Service  bool // a service user that is a confidential client
	Claims   Claims
}

// Server is the authorization server of all tenants on this node. The fields are set once, before use.
type Server struct {
	Signers  *crypt.Signers
	Alg      crypt.Alg // where neither client nor application says what is signed with; RS256 when empty
	Ring     *crypt.Ring
	Sessions *session.Sessions
	Ways     []string          // mechanisms that people can enrol and pass here
	Throttle throttle.Throttle // counts codes that are none
	// App finds an application of the call's tenant by its ServiceName or id; ErrUnknownApp where there is none.
	App func(ctx context.Context, c *call.Call, service string) (App, error)
	// AppOfClient finds the application of the call's tenant that alone has a client of an id, besides those that are registered; empty where
	// there is none. nil: none is found.
	AppOfClient func(ctx context.Context, c *call.Call, client string) (id string, err error)
	// Origin says whether any application of the call's tenant lets scripts of an origin call its endpoints. nil: none does.
	Origin func(ctx context.Context, c *call.Call, origin string) (bool, error)
	// Person reads somebody of the call's tenant by UUID, in c.Tx. A NotFound fault says that there is none.
	Person func(ctx context.Context, c *call.Call, id string) (Person, error)
	// May says whether somebody may use an application, in c.Tx.
	May func(ctx context.Context, c *call.Call, personID string, a App) (bool, error)
	// Service checks the name and password of a confidential client, outside transactions, and gives its UUID; empty: they
	// are wrong. It takes as long for names that do not exist.
	Service func(ctx context.Context, c *call.Call, name, secret string) (id string, err error)
	// Rules decides by an application's own rules about somebody, in c.Tx; nil: nobody may use an application that has some.
	Rules func(ctx context.Context, c *call.Call, a App, personID string) (Demand, error)
	// ScriptClaims asks an application's script what tokens tell, and ScriptPolicy its PolicyScript about somebody, outside of transactions;
	// nil: an application with such a script gives no tokens. person is empty of a client in its own name.
	ScriptClaims func(ctx context.Context, c *call.Call, a App, client, person string, scope wire.Scope) (map[string]json.RawMessage, error)
	ScriptPolicy func(ctx context.Context, c *call.Call, a App, person string, strong bool, proved time.Time) (Demand, error)
	// Fetch gets a request object from where a client has registered that it lies, outside transactions; nil: nothing is fetched.
	Fetch func(ctx context.Context, uri string) ([]byte, error)
	// Password checks a person's password as a sign-in does, with its limits and counters; ErrPerson when they may not in.
	Password func(ctx context.Context, c *call.Call, name, password string) (Checked, error)

	// What follows is for work between requests.

	// Tenant finds a tenant by its id.
	Tenant func(ctx context.Context, id string) (call.Tenant, error)
	Rand   io.Reader
	// ByName finds somebody of the call's tenant by login name, in c.Tx. A NotFound fault says that there is none.
	ByName func(ctx context.Context, c *call.Call, name string) (Person, error)
	// TellAsked tells a person that a client has them asked, in c.Tx; nil: nobody is told.
	TellAsked func(ctx context.Context, c *call.Call, p Person, what Pending) error
	// Tell sends JSON with a bearer to an address that a client registered. An address of the inner network is refused.
	Tell func(ctx context.Context, uri, bearer string, body []byte) error
	// Promise gives a delivery to the outbox.
	Promise func(ctx context.Context, c *call.Call, d outbox.Delivery) error
	// Notify sends a form to an address that a client registered, and wants it to answer that all went well. An address of the
	// inner network is refused.
	Notify func(ctx context.Context, uri string, form url.Values) error

	// DB is where what is good once is kept, whatever becomes of the request.
	DB *dbx.DB
	// CertHost is the host, with its port, of the endpoints that ask for certificates, by the tenant's own; nil: there are none.
	CertHost func(host string) string
	Certs    bool // clients can show certificates, there or by way of a proxy
	// Revoked knows which certificates of authorities were revoked; nil: none is looked up. Unchecked says whether those are taken of which it
	// cannot be found out; nil: they are not.
	Revoked   *revocation.Lists
	Unchecked func(ctx context.Context, c *call.Call) (bool, error)

	// LongestLife is how long a token of the call's tenant can live that is signed, in c.Tx; StoreKeys stores signing keys in c.Tx.
	LongestLife func(ctx context.Context, c *call.Call) (time.Duration, error)
	StoreKeys   func(ctx context.Context, c *call.Call, keys ...crypt.SigningKey) error

	// Changes tells and hears what is remembered until it changes; nil: nothing is remembered.
	Changes *change.Log

	looks     change.Memory[[32]byte, Live]
	clients   change.Memory[[2]string, knownClient] // by tenant and id
	claimants change.Memory[[2]string, string]      // applications, by tenant and client
	changed   changed
	remote    remoteKeys
	derived   Derived // of the tenants' issuers
	ahead     ahead
}

// Checked is a password that was checked outside of a transaction; Commit decides in one.
type Checked interface {
	// Whose is the UUID of the person whose password was sent, right or wrong; empty: of nobody.
	Whose() string
	Commit(ctx context.Context, c *call.Call) (personID, session string, err error)
}

func (s *Server) alg() crypt.Alg {
	if s.Alg == "" {
		return crypt.RS256
	}
	return s.Alg
}

// Ensure makes the tenant's first signing key where there is none. It must run before the transaction that signs.
func (s *Server) Ensure(ctx context.Context, c *call.Call) error {
	return s.Signers.Ensure(ctx, c.Tenant.ID, s.alg())
}

// Keys are the public keys of what the tenant signs, one at least of each of the published algorithms: who keeps the set knows what their first
// token is signed with. Keys that sign no more stay until what they signed has expired.
func (s *Server) Keys(ctx context.Context, c *call.Call) (jose.JSONWebKeySet, error) {
	return s.Signers.Public(ctx, c.Tenant.ID, published...)
}

// published are the algorithms whose keys are made before anything is signed with them. EdDSA has one from its first use on: some receivers
// that do not know its kind of key read none of a set that has it.
var published = []crypt.Alg{crypt.RS256, crypt.PS256, crypt.ES256}

// codeLife is how long a code may wait to be exchanged (RFC 6749 section 4.1.2 recommends at most ten minutes).
const codeLife = time.Minute
