// Package access is the operations on what people have allowed to clients of applications, and on what became of telling these
// clients that somebody has left. The contract has none of them; they are in its style.
package access

import (
	"context"
	"strings"
	"time"

	"limen/internal/core/app"
	"limen/internal/core/audit"
	"limen/internal/core/oauth"
	"limen/internal/core/provision"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/fold"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// Access is the operations.
type Access struct {
	Server *oauth.Server
	Apps   *app.Apps
	Roles  *role.Roles
	// Provision makes tokens for clients that provision.
	Provision *provision.Directory
}

// ErrSystem keeps others from administrators' clients.
var ErrSystem = fault.New(fault.Denied, "access.system", "Only system administrators may end what a system administrator has allowed.")

// Ops declares them.
func (a Access) Ops() []op.Op {
	manage := op.Has(right.UserManagement)
	found := []*fault.Error{user.ErrNotFound, fault.ErrMissing, fault.ErrInvalid}
	return append(append(a.waiting(), a.provisioning()...), []op.Op{
		op.New(op.Spec{Path: "/UserMgmt/GetAuthorizations", Allow: op.Any(op.Self, manage), Effect: op.Read, Faults: found}, a.GetAuthorizations),
		op.New(op.Spec{
			Path: "/UserMgmt/RevokeAuthorization", Allow: op.Any(op.Self, manage), Effect: op.Write, Audit: audit.OAuthRevoke,
			Faults: append(found, oauth.ErrNoAuthorization, user.ErrStronger, ErrSystem),
		}, a.RevokeAuthorization),
		op.New(op.Spec{Path: "/UserMgmt/GetLogoutReceipts", Allow: op.Any(op.Self, manage), Effect: op.Read, Faults: found}, a.GetLogoutReceipts),
	}...)
}

// Page is whose rows are wanted, and from where on.
type Page struct {
	// ID is the person's UUID or login name; oneself when absent.
	ID string `json:"ID" also:"uuid,userUuid,user"`
	// After is the ID of the last row of the page before; absent or empty: the first page.
	After string `json:"After"`
	// Limit is how many rows a page has, 1 to 1000; 100 when absent or 0.
	Limit int `json:"Limit"`

	found user.User
}

// Check bounds the page.
func (p *Page) Check() error {
	if p.Limit < 0 || p.Limit > 1000 {
		return fault.Bad("Limit", "must be 1 to 1000")
	}
	if p.Limit == 0 {
		p.Limit = 100
	}
	return nil
}

// Resolve finds the person.
func (p *Page) Resolve(ctx context.Context, c *op.Call) (err error) {
	p.found, err = whose(ctx, c, p.ID)
	return err
}

// Target is the person.
func (p *Page) Target() op.Target { return op.Target{ID: p.found.ID, Org: p.found.Org} }

// whose is a person by what they are called; oneself where nobody is.
func whose(ctx context.Context, c *op.Call, ref string) (user.User, error) {
	if strings.TrimSpace(ref) == "" {
		ref = c.Caller.User
	}
	return user.Find(ctx, c, ref)
}

var authorizations = []rpc.Column{
	{Name: "ID", TableKey: "Primary"}, {Name: "App"}, {Name: "AppName"}, {Name: "ClientID"}, {Name: "ClientName"}, {Name: "Scope"}, {Name: "Session"},
	{Name: "Created", Type: rpc.TypeDate}, {Name: "Expires", Type: rpc.TypeDate},
}

// GetAuthorizations lists what a person has allowed to clients and that stands, the newest first.
//
// Columns: ID; App, the application's id, and AppName; ClientID and ClientName, which is empty where the client has not said one; Scope,
// with spaces between; Session, in which it was allowed; Created and Expires.
func (a Access) GetAuthorizations(ctx context.Context, c *op.Call, in Page) (rpc.Query, error) {
	all, err := a.Server.AllowedBy(ctx, c, in.found.ID, in.After, in.Limit)
	if err != nil {
		return rpc.Query{}, err
	}
	out := rpc.Query{Columns: authorizations, FullCount: len(all), Results: make([]rpc.Row, len(all))}
	names := a.names()
	for i, r := range all {
		name, client, err := names(ctx, c, r.App, r.Client)
		if err != nil {
			return rpc.Query{}, err
		}
		out.Results[i] = rpc.Row{
			Entities: []rpc.Entity{{Type: "Authorization", Key: r.ID}},
			Row:      []any{r.ID, r.App, name, r.Client, client, r.Scope, r.Session, rpc.Time(time.UnixMilli(r.Created)), rpc.Time(time.UnixMilli(r.Expires))},
		}
	}
	return out, nil
}

// names gives the names of applications and clients, each read once.
func (a Access) names() func(ctx context.Context, c *op.Call, appID, client string) (name, of string, err error) {
	type pair struct{ name, of string }
	known := map[[2]string]pair{}
	return func(ctx context.Context, c *op.Call, appID, client string) (string, string, error) {
		key := [2]string{appID, client}
		if p, ok := known[key]; ok {
			return p.name, p.of, nil
		}
		it, err := a.Apps.Client(ctx, c, appID)
		if err != nil {
			if fault.Of(err).Kind == fault.Internal {
				return "", "", err
			}
			return "", "", nil // the application is gone
		}
		p := pair{name: it.Name}
		if r, err := a.Server.Registration(ctx, c, it, client); err == nil {
			p.of = r.Name
		} else if fault.Of(err).Kind == fault.Internal {
			return "", "", err
		}
		known[key] = p
		return p.name, p.of, nil
	}
}

// Revocation names an authorization.
type Revocation struct {
	// ID is the person's UUID or login name; oneself when absent.
	ID string `json:"ID" also:"uuid,userUuid,user"`
	// Authorization is the ID of a row of GetAuthorizations, required.
	Authorization string `json:"Authorization"`

	found user.User
}

// Check wants it.
func (r *Revocation) Check() error {
	if strings.TrimSpace(r.Authorization) == "" {
		return fault.Missing("Authorization")
	}
	return nil
}

// Resolve finds the person.
func (r *Revocation) Resolve(ctx context.Context, c *op.Call) (err error) {
	r.found, err = whose(ctx, c, r.ID)
	return err
}

// Target is the person.
func (r *Revocation) Target() op.Target { return op.Target{ID: r.found.ID, Org: r.found.Org} }

// RevokeAuthorization ends what a person has allowed to the client of an authorization: all tokens that came of any of theirs for this
// client, and the memory of their consent. The client is told if it wants to be. What system administrators have allowed is ended by
// themselves or by others of them.
func (a Access) RevokeAuthorization(ctx context.Context, c *op.Call, in Revocation) (op.None, error) {
	if in.found.ID != c.Caller.User {
		if err := a.Roles.Guard(ctx, c, in.found.ID, ErrSystem, user.ErrStronger); err != nil {
			return op.None{}, err
		}
	}
	c.Event.Target, c.Event.Kind, c.Event.User, c.Event.Login = in.found.ID, "User", in.found.ID, in.found.Name
	r, err := a.Server.Withdraw(ctx, c, in.found.ID, fold.Key(in.Authorization))
	c.Event.Set("Application", r.App)
	c.Event.Set("ClientID", r.Client)
	c.Event.Set("Scope", r.Scope)
	return op.None{}, err
}

var receipts = []rpc.Column{
	{Name: "ID", TableKey: "Primary"}, {Name: "App"}, {Name: "AppName"}, {Name: "ClientID"}, {Name: "ClientName"}, {Name: "Session"}, {Name: "Reason"},
	{Name: "State"}, {Name: "Tries"}, {Name: "Error"}, {Name: "Created", Type: rpc.TypeDate}, {Name: "Changed", Type: rpc.TypeDate},
}

// GetLogoutReceipts lists what became of telling clients that a person has left, one row a client and session, the newest first. It goes
// back as far as a year.
//
// Columns: ID; App, the application's id, and AppName; ClientID and ClientName; Session, that the person has left; Reason: signed out,
// everywhere (all sessions ended), revoked, replayed (a token was used twice), access lost, application; State: waiting, acknowledged,
// failed; Tries so far, and the Error of the last; Created, when the person left, and Changed.
func (a Access) GetLogoutReceipts(ctx context.Context, c *op.Call, in Page) (rpc.Query, error) {
	all, err := a.Server.Receipts(ctx, c, c.Grant, in.found.ID, "", in.After, in.Limit)
	if err != nil {
		return rpc.Query{}, err
	}
	out := rpc.Query{Columns: receipts, FullCount: len(all), Results: make([]rpc.Row, len(all))}
	names := a.names()
	for i, r := range all {
		name, client, err := names(ctx, c, r.App, r.Client)
		if err != nil {
			return rpc.Query{}, err
		}
		out.Results[i] = rpc.Row{
			Entities: []rpc.Entity{{Type: "LogoutReceipt", Key: r.ID}},
			Row: []any{
				r.ID, r.App, name, r.Client, client, r.Session, string(r.Reason), r.State, int(r.Tries), r.Error, rpc.Time(time.UnixMilli(r.Created)), rpc.Time(time.UnixMilli(r.Changed)),
			},
		}
	}
	return out, nil
}
