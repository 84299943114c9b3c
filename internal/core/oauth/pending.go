package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
	wire "limen/internal/wire/oauth"
)

// A client that cannot send anybody to a page waits, and asks again and again, until somebody decides elsewhere (RFC 8628, CIBA
// Core). Both kinds are kept and decided alike.

// Kinds of what is pending.
const (
	deviceKind = "device"
	cibaKind   = "ciba"
)

// pace is how many seconds a client waits between two polls, and how many more whenever it does not (RFC 8628 section 3.5).
const pace = 5

// Faults of what is pending.
var (
	ErrPending  = fault.New(fault.Invalid, Prefix+string(wire.AuthorizationPending), "nobody has decided yet")
	ErrSlowDown = fault.New(fault.Invalid, Prefix+string(wire.SlowDown), "wait five seconds longer between two requests")
	ErrExpired  = fault.New(fault.Invalid, Prefix+string(wire.ExpiredToken), "the time to decide is over")
	ErrRefused  = fault.New(fault.Denied, Prefix+string(wire.AccessDenied), "the user refused")
	ErrNobody   = fault.New(fault.Unauthenticated, Prefix+string(wire.LoginRequired), "Sign in first.")
	ErrDecided  = fault.New(fault.NotFound, Prefix+"nothing_pending", "There is no such request, or it has been decided or has expired.")
)

type pendingRow struct {
	Hash    []byte `db:"hash"`
	Kind    string `db:"kind"`
	App     string `db:"app"`
	Client  string `db:"client"`
	User    string `db:"user_id"`
	ID      string `db:"id"`
	Request string `db:"request"`
	Created int64  `db:"created"`
	Expires int64  `db:"expires"`
	Pace    int64  `db:"pace"`
	Polled  int64  `db:"polled"`
	Decided int64  `db:"decided"`
	Granted string `db:"granted"`
	Used    int64  `db:"used"`
}

// wish is what a client asked for.
type wish struct {
	Scope    string   `json:"scope,omitempty"`
	Resource []string `json:"resource,omitempty"`
	IP       string   `json:"ip,omitempty"` // of the client
	ACR      []string `json:"acr_values,omitempty"`
	Message  string   `json:"binding_message,omitempty"`
	Notify   string   `json:"notify,omitempty"` // client_notification_token, sealed
	Handle   string   `json:"handle,omitempty"` // auth_req_id, sealed, for who is told of the decision
	Wide     bool     `json:"wide,omitempty"`   // asked for at the tenant's issuer
}

const pendingColumns = `hash, kind, app, client, user_id, id, request, created, expires, pace, polled, decided, granted, used`

var (
	insertPending = dbx.E("oauth.insert_pending", `INSERT INTO oauth_pending (tenant, hash, kind, code, app, client, user_id, id, request, created, expires, pace, polled, decided, granted, used)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, '', 0)`)
	findPending   = dbx.Q[pendingRow]("oauth.find_pending", `SELECT `+pendingColumns+` FROM oauth_pending WHERE tenant = ? AND hash = ? AND kind = ? FOR UPDATE`)
	pendingByCode = dbx.Q[pendingRow]("oauth.pending_by_code", `SELECT `+pendingColumns+` FROM oauth_pending WHERE tenant = ? AND code = ?`)
	pendingByID   = dbx.Q[pendingRow]("oauth.pending_by_id", `SELECT `+pendingColumns+` FROM oauth_pending WHERE tenant = ? AND id = ?`)
	pendingOfUser = dbx.Q[pendingRow]("oauth.pending_of_user", `SELECT `+pendingColumns+` FROM oauth_pending
		WHERE tenant = ? AND user_id = ? AND decided = 0 AND expires > ? ORDER BY id DESC LIMIT 100`)
	polled        = dbx.E("oauth.polled", `UPDATE oauth_pending SET polled = ?, pace = ? WHERE tenant = ? AND hash = ?`)
	decidePending = dbx.E("oauth.decide_pending", `UPDATE oauth_pending SET decided = ?, granted = ? WHERE tenant = ? AND hash = ? AND decided = 0`)
	usePending    = dbx.E("oauth.use_pending", `UPDATE oauth_pending SET used = ? WHERE tenant = ? AND hash = ? AND used = 0`)
)

// Pending is a request that waits for somebody, as they are shown it.
type Pending struct {
	ID      string // for who is asked by name
	App     App
	Client  Registration
	Scope   wire.Scope
	IP      string // where the client asked from: who is asked compares it with where their device is
	Message string // binding_message; empty: none
	Asked   time.Time
	Expires time.Time

	row     pendingRow
	wish    wish
	settled bool
}

// begin finds and proves a client that wants somebody asked elsewhere, and checks what it asks for, before the
// transaction. unwrap takes the parameters out of what they came in; nil: they are as they came.
func (s *Server) begin(ctx context.Context, c *call.Call, grant, service, authorization string, p wire.Params, unwrap func(a *Ask) error) (Ask, error) {
	a := Ask{Type: grant, Params: p}
	cred, err := wire.ReadCredentials(authorization, p)
	if err != nil {
		return a, Fault(err)
	}
	if a.App, err = s.Called(ctx, c, service, authorization, p); err != nil {
		return a, err
	}
	if a.Client, err = s.Authenticate(ctx, c, a.App, cred); err != nil {
		return a, err
	}
	if unwrap != nil {
		if err := unwrap(&a); err != nil {
			return a, err
		}
	}
	if a.Scope, err = wire.ReadScope(a.Params.Get("scope")); err != nil {
		return a, Fault(err)
	}
	way := grants[grant]
	switch {
	case !a.App.Profile.allows(way.flow), way.machine && !a.Client.Proved, a.Client.Kind == Registered && !a.Client.Grants(grant):
		return a, ErrFlow
	case !a.Scope.Within(a.App.Profile.Known()) || !a.Client.mayAsk(a.Scope):
		return a, ErrScope
	}
	return a, s.Ring.Ensure(ctx, c.Tenant.ID, secretPurpose)
}

// keep stores a request that waits, and gives the handle by which its client asks for the decision. code is the keyed hash of what
// somebody types, userID who is asked.
func (s *Server) keep(ctx context.Context, c *call.Call, a Ask, kind, handle, code, userID string, w wish, life time.Duration) (id string, err error) {
	w.Scope, w.Resource, w.IP, w.Wide = a.Scope.String(), a.Params["resource"], c.Client.IP.Unmap().String(), a.App.Wide
	text, err := json.Marshal(w)
	if err != nil {
		return "", err
	}
	id = c.NewID()
	if c.Event != nil {
		c.Event.Kind, c.Event.Target, c.Event.Name, c.Event.User = "Application", a.App.ID, a.App.Name, userID
		c.Event.Set("ClientID", a.Client.ID)
		c.Event.Set("GrantType", a.Type)
		c.Event.Set("Scope", w.Scope)
	}
	return id, insertPending.Later(ctx, c.Tx, c.Tenant.ID, crypt.TokenHash(handle), kind, code, a.App.ID, a.Client.ID, userID, id, string(text), c.Now.UnixMilli(),
		c.Now.Add(life).UnixMilli(), pace)
}

// poll is a client that asks for the decision. That nobody has decided yet, and that it asks too often, is noted with when.
func (s *Server) poll(ctx context.Context, c *call.Call, a Ask, kind, handle string) (grantee, error) {
	hash, now := crypt.TokenHash(handle), c.Now.UnixMilli()
	row, err := findPending.One(ctx, c.Tx, c.Tenant.ID, hash, kind)
	var w wish
	if err == nil {
		err = json.Unmarshal([]byte(row.Request), &w)
	}
	switch {
	case errors.Is(err, dbx.ErrNoRow), err == nil && (row.App != a.App.ID || w.Wide != a.App.Wide || row.Client != a.Client.ID):
		return grantee{}, ErrGrant // another client's: it tells nothing, and changes nothing
	case err != nil:
		return grantee{}, err
	case row.Used != 0:
		return grantee{}, s.again(ctx, c, row.Granted)
	case row.Expires <= now:
		return grantee{}, ErrExpired
	case row.Decided == 0:
		return grantee{}, s.wait(ctx, c, row, now)
	case row.Granted == "":
		return grantee{}, ErrRefused
	}
	auth, err := s.standing(ctx, c, row.Granted)
	if err != nil {
		return grantee{}, err
	}
	n, err := usePending.Do(ctx, c.Tx, now, c.Tenant.ID, hash)
	if err != nil {
		return grantee{}, err
	}
	if n == 0 {
		return grantee{}, s.again(ctx, c, auth.ID)
	}
	return s.resume(ctx, c, auth)
}

// wait answers a client that has to ask again. One that came too soon has to wait longer from now on.
func (s *Server) wait(ctx context.Context, c *call.Call, row pendingRow, now int64) error {
	why := ErrPending
	if row.Polled != 0 && now-row.Polled < row.Pace*1000-paceSkew {
		why = ErrSlowDown
		row.Pace += pace
	}
	if c.Event != nil {
		c.Event.Type = "" // nothing happened
	}
	if _, err := polled.Do(ctx, c.Tx, now, row.Pace, c.Tenant.ID, row.Hash); err != nil {
		return err
	}
	return &ReplayError{why}
}

// paceSkew is by how many milliseconds a client's clock, and the way to here, may shorten its wait.
const paceSkew = 500

// shown reads what a person is shown of a row.
func (s *Server) shown(ctx context.Context, c *call.Call, row pendingRow) (Pending, error) {
	out := Pending{ID: row.ID, Asked: time.UnixMilli(row.Created), Expires: time.UnixMilli(row.Expires), row: row}
	if row.Decided != 0 || row.Expires <= c.Now.UnixMilli() {
		return out, ErrDecided
	}
	err := json.Unmarshal([]byte(row.Request), &out.wish)
	if err != nil {
		return out, err
	}
	out.IP, out.Message = out.wish.IP, out.wish.Message
	if out.Scope, err = wire.ReadScope(out.wish.Scope); err != nil {
		return out, err
	}
	if out.App, err = s.App(ctx, c, row.App); err != nil {
		return out, err
	}
	out.App.Wide = out.wish.Wide
	if out.Client, err = s.Registration(ctx, c, out.App, row.Client); err == ErrClient { //nolint:errorlint // a declared fault: a service user in its own name
		out.Client, err = Registration{ID: row.Client, Kind: Service}, nil
	}
	return out, err
}

// request is what a pending one would be as an authorization request.
func (p Pending) request() Request {
	return Request{App: p.App, Client: p.Client, Presented: Presented{Settled: p.settled}, Ask: wire.Authorization{
		ClientID: p.Client.ID, Type: wire.ResponseType{Code: true}, Scope: p.Scope, MaxAge: -1, ACR: p.wish.ACR, Resource: p.wish.Resource,
	}}
}

// decide notes what somebody decided. It goes the way of an authorization: what has to happen first, such as a fresh sign-in, is told, and nothing is noted
// then. That they agree is what they were asked just now, and is not remembered for other requests.
func (s *Server) decide(ctx context.Context, c *call.Call, p Pending, by SignedIn, yes bool) (Next, error) {
	if c.Event != nil {
		c.Event.Kind, c.Event.Target, c.Event.Name = "Application", p.App.ID, p.App.Name
		c.Event.Set("ClientID", p.Client.ID)
		c.Event.Set("Scope", p.Scope.String())
		c.Event.Set("Confirmed", yes)
	}
	granted := ""
	if yes {
		r := p.request()
		if next, err := s.Next(ctx, c, r, &by, true); err != nil || next != Answer && next != Consent {
			return next, err
		}
		g := grantee{
			app: p.App, client: Client{Registration: p.Client}, person: by.Person, scope: p.Scope,
			facts: Facts{AuthTime: by.Proved.Unix(), ACR: r.acr(by), AMR: by.Factors, Resource: p.wish.Resource, Seen: look(c, by)},
		}
		if err := s.may(ctx, c, p.App, by.Person); err != nil {
			return Answer, err
		}
		if err := s.authorize(ctx, c, &g, by.Session); err != nil {
			return Answer, err
		}
		granted = g.auth.ID
	}
	n, err := decidePending.Do(ctx, c.Tx, c.Now.UnixMilli(), granted, c.Tenant.ID, p.row.Hash)
	if err == nil && n == 0 {
		err = ErrDecided
	}
	if c.Event != nil {
		c.Event.Type = audit.OAuthAuthorize
	}
	return Answer, err
}
