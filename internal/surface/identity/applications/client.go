package applications

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"limen/internal/core/app"
	"limen/internal/core/audit"
	"limen/internal/core/oauth"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/oauth"
	"limen/internal/wire/rpc"
)

// clients declares what administrators do with the clients that are registered with an application, beyond the contract.
func (a Applications) clients() []op.Op {
	spec := func(name, event string, faults ...*fault.Error) op.Spec {
		out := op.Spec{
			Path: "/SaasManage/" + name, Allow: op.OnRow("right Admin on the application"), Effect: op.Write, Audit: event,
			Faults: slices.Concat(unknown, []*fault.Error{oauth.ErrUnknownApp}, faults),
		}
		if event == "" {
			out.Effect = op.Read
		}
		return out
	}
	bad := func(code wire.Code) *fault.Error {
		return fault.New(fault.Invalid, oauth.Prefix+string(code), "The metadata is not valid.")
	}
	of := []*fault.Error{bad(wire.InvalidClientMetadata), bad(wire.InvalidRedirectURI)}
	return []op.Op{
		op.New(spec("GetClients", ""), a.GetClients),
		op.New(spec("GetClient", "", oauth.ErrNoClient), a.GetClient),
		op.Prepared(spec("CreateClient", audit.OAuthClientCreate, append(of, oauth.ErrClients)...), a.prepareCreate, a.CreateClient),
		op.Prepared(spec("UpdateClient", audit.OAuthClientChange, append(of, oauth.ErrNoClient, oauth.ErrChanged)...), a.prepareUpdate, a.UpdateClient),
		op.New(spec("DeleteClient", audit.OAuthClientDelete, oauth.ErrNoClient), a.DeleteClient),
		op.New(spec("GetInitialAccessTokens", ""), a.GetInitialAccessTokens),
		op.New(spec("CreateInitialAccessToken", audit.OAuthInitialCreate, oauth.ErrInitials), a.CreateInitialAccessToken),
		op.New(spec("DeleteInitialAccessToken", audit.OAuthInitialDelete, oauth.ErrNoInitial), a.DeleteInitialAccessToken),
	}
}

// Service names an application by its ServiceName.
type Service struct {
	// ServiceName of the application, required.
	ServiceName string `json:"ServiceName"`
}

// Check wants it.
func (s *Service) Check() error {
	if strings.TrimSpace(s.ServiceName) == "" {
		return fault.Missing("ServiceName")
	}
	return nil
}

// ClientRef names a client that is registered with an application.
type ClientRef struct {
	// ServiceName of the application, required.
	ServiceName string `json:"ServiceName"`
	// ClientID is the client's id, required.
	ClientID string `json:"ClientId"`
}

// Check wants both.
func (r *ClientRef) Check() error {
	switch {
	case strings.TrimSpace(r.ServiceName) == "":
		return fault.Missing("ServiceName")
	case strings.TrimSpace(r.ClientID) == "":
		return fault.Missing("ClientId")
	}
	return nil
}

var clientColumns = []rpc.Column{
	{Name: "ClientId", TableKey: "Primary"}, {Name: "Name"}, {Name: "AuthMethod"}, {Name: "GrantTypes"}, {Name: "Scope"}, {Name: "SelfRegistered", Type: rpc.TypeBool},
	{Name: "Created", Type: rpc.TypeDate}, {Name: "Changed", Type: rpc.TypeDate},
}

// GetClients lists the clients that are registered with an application, by themselves or by its administrators, at most 1,000; its own
// client, which is in its record, is none of them. The caller needs Admin on the application. Errors: app.not_found, acl.denied.
func (a Applications) GetClients(ctx context.Context, c *op.Call, in Service) (rpc.Query, error) {
	it, err := a.Apps.Administered(ctx, c, in.ServiceName)
	if err != nil {
		return rpc.Query{}, err
	}
	all, err := a.OAuth.Clients(ctx, c, it)
	out := rpc.Query{Columns: clientColumns, FullCount: len(all), Results: make([]rpc.Row, len(all))}
	for i, k := range all {
		m := k.Metadata
		out.Results[i] = rpc.Row{Entities: []rpc.Entity{{Type: "OAuthClient", Key: k.ID}}, Row: []any{
			k.ID, m.Name, string(m.AuthMethod), strings.Join(m.GrantTypes, " "), m.Scope, k.Itself, rpc.Time(time.UnixMilli(k.Created)), rpc.Time(time.UnixMilli(k.Changed)),
		}}
	}
	return out, err
}

// Client is a client that is registered with an application.
type Client struct {
	ClientID       string        `json:"ClientId"`
	ClientSecret   string        `json:"ClientSecret,omitempty"` // told once: when it was drawn
	SecretSet      bool          `json:"SecretSet"`              // it has a secret
	SelfRegistered bool          `json:"SelfRegistered"`         // people are always asked before it gets anything
	Created        *rpc.Time     `json:"Created,omitempty"`
	Changed        *rpc.Time     `json:"Changed,omitempty"`
	Metadata       wire.Metadata `json:"Metadata"` // by the names of RFC 7591 section 2
}

// GetClient reads a client that is registered with an application. Its secret is never given. The caller needs Admin on the application.
// Errors: app.not_found, acl.denied, oauth.client_not_found.
func (a Applications) GetClient(ctx context.Context, c *op.Call, in ClientRef) (Client, error) {
	it, err := a.Apps.Administered(ctx, c, in.ServiceName)
	if err != nil {
		return Client{}, err
	}
	k, err := a.OAuth.ClientOf(ctx, c, it, strings.TrimSpace(in.ClientID))
	if err != nil {
		return Client{}, err
	}
	created, changed := rpc.Time(time.UnixMilli(k.Created)), rpc.Time(time.UnixMilli(k.Changed))
	return Client{ClientID: k.ID, SecretSet: k.Secret, SelfRegistered: k.Itself, Created: &created, Changed: &changed, Metadata: k.Metadata}, nil
}

// NewClient is a client to be registered.
type NewClient struct {
	// ServiceName of the application, required.
	ServiceName string `json:"ServiceName"`
	// Metadata are the members of RFC 7591 section 2 and of OpenID Connect Dynamic Client Registration section 2, by their names there.
	// Those that are not known are ignored; required.
	Metadata map[string]any `json:"Metadata"`

	read wire.Metadata
}

// Check reads the metadata.
func (n *NewClient) Check() (err error) {
	switch {
	case strings.TrimSpace(n.ServiceName) == "":
		return fault.Missing("ServiceName")
	case n.Metadata == nil:
		return fault.Missing("Metadata")
	}
	n.read, err = metadata(n.Metadata)
	return err
}

func metadata(members map[string]any) (wire.Metadata, error) {
	raw, err := json.Marshal(members)
	if err != nil {
		return wire.Metadata{}, err
	}
	r, err := wire.ReadRegistration(raw)
	if err == nil {
		err = r.Check()
	}
	return r.Metadata, oauth.Fault(err)
}

// drafted drafts a client in the name of the application's administrator, before the transaction that stores it: an address of the
// client's may be asked.
func (a Applications) drafted(ctx context.Context, c *op.Call, service, id string, m wire.Metadata, renew bool) (oauth.Draft, error) {
	var it oauth.App
	err := c.Snapshot(ctx, func() (err error) { it, err = a.Apps.Administered(ctx, c, service); return err })
	if err != nil {
		return oauth.Draft{}, err
	}
	return a.OAuth.PrepareClient(ctx, c, it, id, m, renew)
}

func (a Applications) prepareCreate(ctx context.Context, c *op.Call, in NewClient) (oauth.Draft, error) {
	return a.drafted(ctx, c, in.ServiceName, "", in.read, false)
}

func told(d oauth.Draft) Client {
	return Client{ClientID: d.ID, ClientSecret: d.NewSecret(), SecretSet: d.Secret != "", SelfRegistered: d.Itself(), Metadata: d.Metadata}
}

// CreateClient registers a client with an application. What the metadata leaves out has its default. The id is drawn, and a secret where
// token_endpoint_auth_method needs one; it is told this once. The client cannot change itself. The metadata must keep what dynamic
// registration demands, but for who may have which grant: any that the application allows. The caller needs Admin on the application.
// Errors: app.not_found, acl.denied, oauth.invalid_client_metadata, oauth.invalid_redirect_uri, oauth.access_denied beyond 1,000 clients.
func (a Applications) CreateClient(ctx context.Context, c *op.Call, in NewClient, d oauth.Draft) (Client, error) {
	if err := a.still(ctx, c, in.ServiceName, d); err != nil {
		return Client{}, err
	}
	return told(d), a.OAuth.Register(ctx, c, d)
}

// still is whether the caller administers the application of a draft, now that it is stored.
func (a Applications) still(ctx context.Context, c *op.Call, service string, d oauth.Draft) error {
	it, err := a.Apps.Administered(ctx, c, service)
	if err == nil && it.ID != d.App.ID {
		err = app.ErrNotFound // another one has the name now
	}
	return err
}

// ClientChange is what a client is to be from now on.
type ClientChange struct {
	// ServiceName of the application, required.
	ServiceName string `json:"ServiceName"`
	// ClientID is the client's id, required.
	ClientID string `json:"ClientId"`
	// Metadata replaces all that is registered of the client: what is left out is forgotten; required.
	Metadata map[string]any `json:"Metadata"`
	// NewSecret draws another secret, and the old one is good no more.
	NewSecret bool `json:"NewSecret"`

	read wire.Metadata
}

// Check reads the metadata.
func (u *ClientChange) Check() (err error) {
	switch {
	case strings.TrimSpace(u.ServiceName) == "":
		return fault.Missing("ServiceName")
	case strings.TrimSpace(u.ClientID) == "":
		return fault.Missing("ClientId")
	case u.Metadata == nil:
		return fault.Missing("Metadata")
	}
	u.read, err = metadata(u.Metadata)
	return err
}

func (a Applications) prepareUpdate(ctx context.Context, c *op.Call, in ClientChange) (oauth.Draft, error) {
	return a.drafted(ctx, c, in.ServiceName, strings.TrimSpace(in.ClientID), in.read, in.NewSecret)
}

// UpdateClient replaces what is registered of a client. Its id stays, and its secret, unless another is wanted; a secret is told when it
// was drawn. One that registered itself still can change itself afterwards. The caller needs Admin on the application. Errors:
// app.not_found, acl.denied, oauth.client_not_found, oauth.invalid_client_metadata, oauth.invalid_redirect_uri, oauth.client_changed.
func (a Applications) UpdateClient(ctx context.Context, c *op.Call, in ClientChange, d oauth.Draft) (Client, error) {
	if err := a.still(ctx, c, in.ServiceName, d); err != nil {
		return Client{}, err
	}
	return told(d), a.OAuth.Change(ctx, c, d)
}

// DeleteClient deletes a client that is registered with an application, with all that people allowed it and its tokens. The caller needs
// Admin on the application. Errors: app.not_found, acl.denied, oauth.client_not_found.
func (a Applications) DeleteClient(ctx context.Context, c *op.Call, in ClientRef) (op.None, error) {
	it, err := a.Apps.Administered(ctx, c, in.ServiceName)
	if err != nil {
		return op.None{}, err
	}
	k, err := a.OAuth.ClientOf(ctx, c, it, strings.TrimSpace(in.ClientID))
	if err != nil {
		return op.None{}, err
	}
	return op.None{}, a.OAuth.Unregister(ctx, c, it, k.ID, k.Metadata)
}
