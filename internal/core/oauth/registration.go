package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/dbx"
	wire "limen/internal/wire/oauth"
)

// Kind is where a client comes from.
type Kind uint8

// The kinds.
const (
	Own        Kind = iota // the application's own, of its profile
	Registered             // registered with the application, with metadata of its own
	Service                // a service user, with its login name and password (Confidential)
	Named                  // an id without a secret, of AnyClient or ListedClients
)

// Registration is a client of an application and what is known of it. Where the metadata says nothing, the application does.
type Registration struct {
	wire.Metadata
	ID     string
	Kind   Kind
	Secret string // sealed; empty: it has none
	public bool
	// Itself says that the client was registered by whoever it is, and not by an administrator.
	Itself bool
}

// Public says whether the client may come without proving who it is. It must use PKCE then.
func (r Registration) Public() bool { return r.public }

// mayAsk says whether the client may have a scope. One that names none may have all of the application's.
func (r Registration) mayAsk(scope wire.Scope) bool {
	most, err := wire.ReadScope(r.Scope)
	return err == nil && (len(most) == 0 || scope.Within(most))
}

type clientRow struct {
	ID       string `db:"id"`
	App      string `db:"app"`
	Metadata string `db:"metadata"`
	Secret   string `db:"secret"`
	Token    []byte `db:"token"`
	Created  int64  `db:"created"`
	Version  int64  `db:"version"`
}

var findClient = dbx.Q[clientRow]("oauth.find_client", `SELECT id, app, metadata, secret, token, created, version FROM oauth_client WHERE tenant = ? AND id = ?`)

// own says whether a client id is that of the application's own client. Clients of the shared application call it by the
// application's name (oauth.yaml n 24).
func (a App) own(id string) bool {
	return a.Profile.ClientID != "" && (id == a.Profile.ClientID || strings.EqualFold(id, a.Service))
}

// Registration finds a client of an application by its id, inside a transaction or outside; ErrClient where there is none that
// may come. Of service users that come in their own names it says nothing: they are known when they have proved themselves.
func (s *Server) Registration(ctx context.Context, c *call.Call, a App, id string) (Registration, error) {
	p := a.Profile
	out := Registration{Metadata: p.Client, ID: id, Kind: Own, Secret: p.Secret, public: p.Public && (p.Client.AuthMethod == "" || p.Client.AuthMethod == wire.None)}
	out.Redirects, out.LogoutRedirects = p.Redirects, p.LogoutRedirects
	switch {
	case id == "" || len(id) > 255:
		return Registration{}, ErrClient
	case a.own(id):
		out.ID = p.ClientID
		return out, nil
	}
	row, err := s.registered(ctx, c, id)
	if err == nil && row.App == a.ID {
		out = Registration{ID: row.ID, Kind: Registered, Secret: row.Secret, Itself: len(row.Token) > 0}
		err = json.Unmarshal([]byte(row.Metadata), &out.Metadata)
		out.public = out.AuthMethod == wire.None
		return out, err
	}
	if err != nil && !errors.Is(err, dbx.ErrNoRow) {
		return Registration{}, err
	}
	// What the application says of its own client's proof is not said of others.
	out.Secret, out.AuthMethod, out.public = "", "", false
	switch {
	case p.ClientID != "":
		return Registration{}, ErrClient
	case p.Clients == AnyClient, p.Clients == ListedClients && slices.Contains(p.Allowed, id):
		out.Kind, out.public = Named, true
		return out, nil
	case p.Clients == Confidential:
		out.Kind, out.public = Service, false
		return out, nil
	}
	return Registration{}, ErrClient
}

// knownClient is what is remembered of a client id: a registered client, or that there is none.
type knownClient struct {
	row   clientRow
	there bool
}

// registered finds a client, by what is remembered where that is good.
func (s *Server) registered(ctx context.Context, c *call.Call, id string) (clientRow, error) {
	k, err := s.clients.Get(ctx, c, [2]string{c.Tenant.ID, id}, func() (change.Answer[knownClient], error) {
		row, err := findClient.One(ctx, c.Tx, c.Tenant.ID, id)
		if errors.Is(err, dbx.ErrNoRow) {
			return change.Answer[knownClient]{Of: []string{id}}, nil
		}
		return change.Answer[knownClient]{Value: knownClient{row, true}, Of: []string{id}}, err
	})
	if err == nil && !k.there {
		err = dbx.ErrNoRow
	}
	return k.row, err
}

// readRegistered reads a client from the store, in a snapshot of its own where no transaction is open.
func (s *Server) readRegistered(ctx context.Context, c *call.Call, id string) (row clientRow, err error) {
	err = c.Snapshot(ctx, func() (err error) { row, err = findClient.One(ctx, c.Tx, c.Tenant.ID, id); return err })
	return row, err
}
