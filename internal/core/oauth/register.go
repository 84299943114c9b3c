package oauth

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/crypt"
	"limen/internal/dbx"
	wire "limen/internal/wire/oauth"
)

// Registering says who may register clients with an application (RFC 7591).
type Registering string

// Who may.
const (
	Nobody      Registering = ""
	TokenHolder Registering = "Token" // who has an initial access token of an administrator's
	Anybody     Registering = "Open"  // clients that act for people only, each asked
)

// maxClients bounds the clients of an application.
const maxClients = 1000

// ErrClients is an application that has as many clients as it may have.
var ErrClients = ErrDenied.Say("the application has as many clients as it may have")

var (
	insertClient = dbx.E("oauth.insert_client", `INSERT INTO oauth_client (tenant, id, app, metadata, secret, token, created, changed, version)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)`)
	changeClient = dbx.E("oauth.change_client", `UPDATE oauth_client SET metadata = ?, secret = ?, token = ?, changed = ?, version = version + 1
		WHERE tenant = ? AND id = ? AND version = ?`)
	deleteClient  = dbx.E("oauth.delete_client", `DELETE FROM oauth_client WHERE tenant = ? AND id = ?`)
	deleteClients = dbx.E("oauth.delete_clients", `DELETE FROM oauth_client WHERE tenant = ? AND app = ?`)
	countClients  = dbx.Q[struct {
		N int64 `db:"n"`
	}]("oauth.count_clients", `SELECT COUNT(*) AS n FROM oauth_client WHERE tenant = ? AND app = ?`)
	endOfRegistered = dbx.E("oauth.end_of_registered",
		`UPDATE oauth_authorization SET ended = ?, gone = ?, reason = ? WHERE tenant = ? AND app = ? AND client = ? AND ended = 0`)
	// Those of people end with what they authorized.
	accessOfClient = dbx.E("oauth.access_of_client", `DELETE FROM oauth_access WHERE tenant = ? AND app = ? AND client = ? AND granted = ''`)
)

// Draft is a client on its way into the store: checked, its secrets drawn, outside of transactions.
type Draft struct {
	App      App
	ID       string // of the client
	Metadata wire.Metadata
	Secret   string // plain; empty: it has none
	Token    string // plain, by which the client manages itself; empty: it has the one that it had, or none
	sealed   string
	told     string // the secret that it had
	initial  []byte // hash of the initial access token; nil: none is needed
	old      clientRow
}

// Created is when the client was registered, in seconds since 1970.
func (d Draft) Created() int64 { return d.old.Created / 1000 }

// PrepareRegister checks what a client says of itself and whether it may be registered (RFC 7591 section 3.1), and draws what it gets. It
// may ask an address that the client names, but not before it is known to be allowed to register.
func (s *Server) PrepareRegister(ctx context.Context, c *call.Call, service, token string, m wire.Metadata) (Draft, error) {
	a, err := s.registrar(ctx, c, service, token)
	if err != nil {
		return Draft{}, err
	}
	d := Draft{App: a, ID: c.NewID(), Metadata: m, old: clientRow{Created: c.Now.UnixMilli()}}
	how := a.Profile.Registering
	switch {
	case !a.Active || how == Nobody || how == Anybody && a.Profile.Platform:
		return d, ErrDenied.Say("the application does not let clients be registered")
	case how == TokenHolder || token != "":
		d.initial = crypt.TokenHash(token)
		if err := c.Snapshot(ctx, func() error { return s.initial(ctx, c, a, d.initial) }); err != nil {
			return d, err
		}
	}
	if err := s.checkClient(ctx, a, &d.Metadata, len(d.initial) > 0); err != nil {
		return d, err
	}
	return d, s.draw(ctx, c, &d)
}

// token is the hash of the registration access token; empty: there is none.
func (d Draft) token() []byte {
	switch {
	case d.Token != "":
		return crypt.TokenHash(d.Token)
	case d.old.Token != nil:
		return d.old.Token
	}
	return []byte{}
}

// draw draws the secrets of a client that manages itself.
func (s *Server) draw(ctx context.Context, c *call.Call, d *Draft) error {
	d.Token, _ = crypt.NewToken(c.Rand)
	return s.drawSecret(ctx, c, d)
}

// drawSecret seals the secret of a client, and draws one where it needs one and has none.
func (s *Server) drawSecret(ctx context.Context, c *call.Call, d *Draft) (err error) {
	switch d.Metadata.AuthMethod {
	case wire.SecretBasic, wire.SecretPost, wire.SecretJWT:
		if d.Secret == "" { // two of them: HS512 wants 64 bytes (RFC 7518 section 3.2)
			one, _ := crypt.NewToken(c.Rand)
			two, _ := crypt.NewToken(c.Rand)
			d.Secret = one + two
		}
		d.sealed, err = s.SealSecret(ctx, c, d.ID, d.Secret)
	default:
		d.Secret, d.sealed = "", ""
	}
	return err
}

// Register stores a client.
func (s *Server) Register(ctx context.Context, c *call.Call, d Draft) error {
	a := d.App
	if d.initial != nil {
		n, err := useInitial.Do(ctx, c.Tx, c.Tenant.ID, a.ID, d.initial, c.Now.UnixMilli())
		if err == nil && n == 0 {
			err = ErrToken
		}
		if err != nil {
			return err
		}
	}
	row, err := countClients.One(ctx, c.Tx, c.Tenant.ID, a.ID)
	if err == nil && row.N >= maxClients {
		err = ErrClients
	}
	if err != nil {
		return err
	}
	text, err := json.Marshal(d.Metadata)
	if err != nil {
		return err
	}
	noteClient(c, audit.OAuthClientCreate, d.App, d.ID, d.Metadata)
	if err := d.differ(c.Event); err != nil {
		return err
	}
	_, err = insertClient.Do(ctx, c.Tx, c.Tenant.ID, d.ID, a.ID, string(text), d.sealed, d.token(), c.Now.UnixMilli(), c.Now.UnixMilli())
	if err != nil {
		return err
	}
	if err := keepOrigins(ctx, c, d); err != nil {
		return err
	}
	return s.told(ctx, c, d.ID)
}

// Managed finds the client that a registration access token is for (RFC 7592 section 2); ErrToken where it is for none, or for another.
func (s *Server) Managed(ctx context.Context, c *call.Call, service, id, token string) (Draft, error) {
	a, err := s.At(ctx, c, service, id)
	if errors.Is(err, ErrShared) {
		err = ErrToken
	}
	if err != nil {
		return Draft{}, err
	}
	row, err := s.readRegistered(ctx, c, id)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && (row.App != a.ID || token == "" || subtle.ConstantTimeCompare(row.Token, crypt.TokenHash(token)) != 1) {
		return Draft{}, ErrToken
	}
	if err != nil {
		return Draft{}, err
	}
	d := Draft{App: a, ID: id, Token: token, sealed: row.Secret, old: row}
	if err := json.Unmarshal([]byte(row.Metadata), &d.Metadata); err != nil {
		return d, err
	}
	d.Secret, err = s.openSecret(ctx, c, a, Registration{ID: id, Kind: Registered, Secret: row.Secret})
	d.told = d.Secret
	return d, err
}

// PrepareChange checks what a client wants to be from now on (RFC 7592 section 2.2). secret is what it sent as its own, which it may leave
// out. It gets another registration access token.
func (s *Server) PrepareChange(ctx context.Context, c *call.Call, d Draft, secret string, m wire.Metadata) (Draft, error) {
	if secret != "" && !crypt.SameText(secret, d.Secret) {
		return d, Fault(&wire.Error{Code: wire.InvalidClientMetadata, Description: "client_secret is not the client's"})
	}
	d.Metadata = m
	var was wire.Metadata
	if err := json.Unmarshal([]byte(d.old.Metadata), &was); err != nil {
		return d, err
	}
	// What only who holds an initial access token may be, it may stay.
	wider := slices.Contains(was.GrantTypes, "client_credentials") || d.App.Profile.Registering == TokenHolder
	if err := s.checkClient(ctx, d.App, &d.Metadata, wider); err != nil {
		return d, err
	}
	return d, s.draw(ctx, c, &d)
}

// Change stores a changed client. What it was allowed stays, but for scopes and redirect URIs that it has no more.
func (s *Server) Change(ctx context.Context, c *call.Call, d Draft) error {
	text, err := json.Marshal(d.Metadata)
	if err != nil {
		return err
	}
	noteClient(c, audit.OAuthClientChange, d.App, d.ID, d.Metadata)
	if err := d.differ(c.Event); err != nil {
		return err
	}
	n, err := changeClient.Do(ctx, c.Tx, string(text), d.sealed, d.token(), c.Now.UnixMilli(), c.Tenant.ID, d.ID, d.old.Version)
	if err == nil && n == 0 {
		err = ErrChanged
		if d.Token != "" {
			err = ErrToken // changed or deleted meanwhile, and the token with it
		}
	}
	if err != nil {
		return err
	}
	if err := keepOrigins(ctx, c, d); err != nil {
		return err
	}
	return s.told(ctx, c, d.ID)
}

// differ notes what of a client is another, or new.
func (d Draft) differ(e *call.Event) error {
	var was wire.Metadata
	if e == nil {
		return nil
	}
	if d.old.Metadata != "" {
		if err := json.Unmarshal([]byte(d.old.Metadata), &was); err != nil {
			return err
		}
		if d.NewSecret() != "" {
			e.Set("Renewed", true)
		}
	}
	m := d.Metadata
	call.Changed(e, "ClientName", was.Name, m.Name)
	call.Changed(e, "Redirects", strings.Join(was.Redirects, " "), strings.Join(m.Redirects, " "))
	call.Changed(e, "GrantTypes", strings.Join(was.GrantTypes, " "), strings.Join(m.GrantTypes, " "))
	call.Changed(e, "AuthMethod", was.AuthMethod, m.AuthMethod)
	call.Changed(e, "Keys", was.KeysURI+string(was.Keys), m.KeysURI+string(m.Keys))
	call.Changed(e, "Scope", was.Scope, m.Scope)
	return nil
}

// Unregister deletes a client, with what it was allowed and its tokens.
func (s *Server) Unregister(ctx context.Context, c *call.Call, a App, id string, m wire.Metadata) error {
	noteClient(c, audit.OAuthClientDelete, a, id, m)
	if _, err := deleteClient.Do(ctx, c.Tx, c.Tenant.ID, id); err != nil {
		return err
	}
	if _, err := dropOrigins.Do(ctx, c.Tx, c.Tenant.ID, id); err != nil {
		return err
	}
	if err := s.ending(ctx, c, endOfRegistered, AppWithdrew, a.ID, id); err != nil {
		return err
	}
	if err := accessOfClient.Later(ctx, c.Tx, c.Tenant.ID, a.ID, id); err != nil {
		return err
	}
	return s.told(ctx, c, id)
}

// AppGone forgets the clients of an application that is deleted, and its initial access tokens.
func (s *Server) AppGone(ctx context.Context, c *call.Call, appID string) error {
	if _, err := deleteClients.Do(ctx, c.Tx, c.Tenant.ID, appID); err != nil {
		return err
	}
	if _, err := originsGone.Do(ctx, c.Tx, c.Tenant.ID, appID); err != nil {
		return err
	}
	_, err := dropInitials.Do(ctx, c.Tx, c.Tenant.ID, appID)
	return err
}

func noteClient(c *call.Call, kind string, a App, id string, m wire.Metadata) {
	e := c.Event
	if e == nil {
		return
	}
	e.Type, e.Kind, e.Target, e.Name = kind, "Application", a.ID, a.Name
	e.Set("ClientID", id)
	if m.Name != "" {
		e.Set("ClientName", m.Name)
	}
}

// checkClient is whether a client may be as it says, at an application: on top of what every client must keep. It completes what the
// client left to its defaults.
func (s *Server) checkClient(ctx context.Context, a App, m *wire.Metadata, trusted bool) error {
	if err := m.Check(); err != nil {
		return Fault(err)
	}
	no := func(format string, args ...any) error {
		return Fault(&wire.Error{Code: wire.InvalidClientMetadata, Description: fmt.Sprintf(format, args...)})
	}
	if m.AuthMethod == "" {
		m.AuthMethod = wire.SecretBasic
	}
	if len(m.GrantTypes) == 0 {
		m.GrantTypes = []string{"authorization_code"}
	}
	methods, _ := s.Methods(a)
	has := a.GrantTypes()
	switch at := slices.IndexFunc(m.GrantTypes, func(g string) bool { return !slices.Contains(has, g) }); {
	case at >= 0:
		return no("the application does not allow the grant type %.50q", m.GrantTypes[at])
	case !slices.Contains(methods, string(m.AuthMethod)), m.AuthMethod == wire.None && !a.Profile.Public:
		return no("the application does not take this token_endpoint_auth_method")
	case !trusted && slices.ContainsFunc(m.GrantTypes, func(g string) bool { return !slices.Contains(forPeople, g) }):
		return no("who registers without a token gets grants that people decide on, and no others")
	}
	if err := m.Complete(a.ResponseTypes()); err != nil {
		return Fault(err)
	}
	if scope, err := wire.ReadScope(m.Scope); err != nil || !scope.Within(a.Profile.Known()) {
		return no("the application does not know all of scope")
	}
	return s.checkSector(ctx, *m)
}

// forPeople are the grants in which somebody signs in and agrees.
var forPeople = []string{"authorization_code", "refresh_token", "implicit", "urn:ietf:params:oauth:grant-type:device_code"}

// checkSector wants the document at sector_identifier_uri to have all of the client's redirect URIs (OpenID Connect Registration section 5).
func (s *Server) checkSector(ctx context.Context, m wire.Metadata) error {
	if m.SectorURI == "" {
		return nil
	}
	var has []string
	body, err := s.Fetch(ctx, m.SectorURI)
	if err == nil {
		err = json.Unmarshal(body, &has)
	}
	if err != nil || slices.ContainsFunc(m.Redirects, func(uri string) bool { return !slices.Contains(has, uri) }) {
		return Fault(&wire.Error{Code: wire.InvalidClientMetadata, Description: "sector_identifier_uri cannot be read, or does not list all redirect_uris"})
	}
	return nil
}
