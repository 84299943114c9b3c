package oauth

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"time"

	"limen/internal/call"
	"limen/internal/core/outbox"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// TopicLogout is the outbox's topic of logout tokens that are on their way.
const TopicLogout = "oauth.logout"

// LogoutType is the header's typ of a logout token (OpenID Connect Back-Channel Logout section 2.4).
const LogoutType = "logout+jwt"

// logoutLife is how long a logout token is good; each try has a fresh one.
const logoutLife = 2 * time.Minute

// tellFor is for how long a client is tried that does not answer.
const tellFor = 7 * 24 * time.Hour

const tellPage = 100

type leaver struct {
	Tenant  string `db:"tenant"`
	ID      string `db:"id"`
	App     string `db:"app"`
	Client  string `db:"client"`
	User    string `db:"user_id"`
	Session string `db:"session"`
	Reason  string `db:"reason"`
	Wide    int64  `db:"wide"`
}

var (
	leavers = dbx.Q[leaver]("oauth.leavers",
		`SELECT tenant, id, app, client, user_id, session, reason, wide FROM oauth_authorization WHERE tell = 1 AND gone > 0 ORDER BY gone LIMIT ?`)
	told = dbx.E("oauth.told",
		`UPDATE oauth_authorization SET tell = 0 WHERE tenant = ? AND user_id = ? AND app = ? AND client = ? AND session = ? AND wide = ? AND tell = 1 AND gone > 0`)
)

// TellClients promises a logout token to every client that wants to hear that somebody has left, in short transactions, until none
// is left. It runs on one node at a time.
func (s *Server) TellClients(ctx context.Context, db *dbx.DB) error {
	for {
		n := 0
		err := db.Write(ctx, func(tx *dbx.Tx) error {
			rows, err := leavers.All(ctx, tx, tellPage)
			n = len(rows)
			if err != nil {
				return err
			}
			seen := map[leaver]bool{} // several authorizations of the same client in the same session are one
			for _, r := range rows {
				id := r
				id.ID, id.Reason = "", ""
				if seen[id] {
					continue
				}
				seen[id] = true
				if err := s.tell(ctx, tx, r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || n < tellPage {
			return err
		}
	}
}

// tell writes the receipt for one client and promises the delivery. A client or an application that is gone hears nothing.
func (s *Server) tell(ctx context.Context, tx *dbx.Tx, r leaver) error {
	if _, err := told.Do(ctx, tx, r.Tenant, r.User, r.App, r.Client, r.Session, r.Wide); err != nil {
		return err
	}
	c, err := s.Alone(ctx, r.Tenant, tx)
	if err != nil {
		return err
	}
	a, err := s.App(ctx, c, r.App)
	if errors.Is(err, ErrUnknownApp) {
		return nil
	}
	if err != nil {
		return err
	}
	a.Wide = r.Wide == 1
	client, err := s.Registration(ctx, c, a, r.Client)
	if errors.Is(err, ErrClient) || err == nil && client.BackLogoutURI == "" {
		return nil
	}
	if err != nil {
		return err
	}
	p, err := s.Person(ctx, c, r.User)
	if err != nil && fault.Of(err).Kind != fault.NotFound { // who is deleted has left as well
		return err
	}
	sub, err := s.Subject(ctx, c, client, r.User)
	if err != nil {
		return err
	}
	out := Receipt{
		ID: c.NewID(), App: r.App, Client: r.Client, User: r.User, Org: p.Org, Session: r.Session, Issuer: a.Issuer(c.Tenant.Host), Subject: sub,
		URI: client.BackLogoutURI, Reason: Reason(r.Reason), State: StateWaiting, Created: c.Now.UnixMilli(), Changed: c.Now.UnixMilli(),
	}
	if err := out.insert(ctx, c); err != nil {
		return err
	}
	return s.Promise(ctx, c, outbox.Delivery{Topic: TopicLogout, Key: out.ID, Payload: promised{out.ID}, Expires: c.Now.Add(tellFor)})
}

// promised is what the outbox holds: all else is in the receipt.
type promised struct {
	ID string `json:"id"`
}

// TellClient sends a logout token to a client and keeps what came of it. It is the outbox's handler of TopicLogout.
func (s *Server) TellClient(ctx context.Context, db *dbx.DB, d outbox.Delivery) error {
	var in promised
	if err := d.Into(&in); err != nil {
		return outbox.Permanent(err)
	}
	var r Receipt
	err := db.Read(ctx, func(tx *dbx.Tx) (err error) { r, err = findReceipt.One(ctx, tx, d.Tenant, in.ID); return err })
	if errors.Is(err, dbx.ErrNoRow) {
		return nil
	}
	if err != nil || r.State == StateAcknowledged {
		return err
	}
	token, err := s.logoutToken(ctx, db, d.Tenant, r, d.Try)
	if err != nil {
		return err
	}
	failure := s.Notify(ctx, r.URI, url.Values{"logout_token": {token}})
	r.Tries, r.State, r.Error = int64(d.Try), StateAcknowledged, ""
	if failure != nil {
		r.State, r.Error = StateWaiting, outward(failure)
	}
	if err := r.keep(ctx, db, d.Tenant, time.Now()); err != nil {
		return err
	}
	return failure
}

// logoutToken is that of Back-Channel Logout section 2.4: it has no nonce, so that it is no ID token.
func (s *Server) logoutToken(ctx context.Context, db *dbx.DB, tenant string, r Receipt, try int) (string, error) {
	now := time.Now().Unix()
	claims := map[string]any{
		"iss": r.Issuer, "sub": r.Subject, "aud": r.Client, "iat": now, "exp": now + int64(logoutLife/time.Second), "jti": r.ID + "-" + strconv.Itoa(try),
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	}
	if r.Session != "" {
		claims["sid"] = r.Session
	}
	var c *call.Call
	var a App
	var client Registration
	err := db.Read(ctx, func(tx *dbx.Tx) (err error) {
		if c, err = s.Alone(ctx, tenant, tx); err != nil {
			return err
		}
		if a, err = s.App(ctx, c, r.App); errors.Is(err, ErrUnknownApp) { // deleted since: it still hears who has left
			return nil
		}
		if err == nil {
			client, err = s.client(ctx, c, a, r.Client)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	c.Tx = nil
	return s.sign(ctx, c, a, client, ForLogout, LogoutType, claims)
}

// outward is what a receipt says of a failure. People read their receipts, and clients register addresses by themselves: what this server
// met in its network on the way to one is for the outbox, which administrators see.
func outward(failure error) string {
	if f, ok := errors.AsType[*fault.Error](failure); ok {
		return clipped(f.Public)
	}
	return clipped(failure.Error())
}

// GaveUp notes in the transaction that gives a delivery up that its client was not reached. The receipt keeps what the last try said.
func (s *Server) GaveUp(ctx context.Context, tx *dbx.Tx, d outbox.Delivery) error {
	var in promised
	if d.Into(&in) != nil {
		return nil //nolint:nilerr // what cannot be read names no receipt
	}
	_, err := failReceipt.Do(ctx, tx, StateFailed, time.Now().UnixMilli(), d.Tenant, in.ID, StateWaiting)
	return err
}

// Alone is a call of nobody's, for work between requests, in a transaction.
func (s *Server) Alone(ctx context.Context, tenant string, tx *dbx.Tx) (*call.Call, error) {
	t, err := s.Tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	c := &call.Call{Tenant: t, Now: time.Now(), Rand: s.Rand, Tx: tx}
	c.Snapshot = func(_ context.Context, f func() error) error { return f() }
	return c, nil
}
