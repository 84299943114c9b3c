package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"limen/internal/call"
	"limen/internal/core/outbox"
	"limen/internal/dbx"
	"limen/internal/fault"
	wire "limen/internal/wire/oauth"
)

// TopicBackchannel is the outbox's topic of decisions that clients are told of.
const TopicBackchannel = "oauth.backchannel"

// TellDecision tells a client that somebody has decided (ping), or sends it the tokens (push), by its bearer (CIBA Core section 10.2 and
// 10.3). It is the outbox's handler of TopicBackchannel. Tokens of a try that failed are made anew by the next: nobody has them.
func (s *Server) TellDecision(ctx context.Context, db *dbx.DB, d outbox.Delivery) error {
	var in promised
	if err := d.Into(&in); err != nil {
		return outbox.Permanent(err)
	}
	if err := s.foreseeDecision(ctx, db, d.Tenant, in.ID); err != nil {
		return err
	}
	var t telling
	err := db.Write(ctx, func(tx *dbx.Tx) error {
		c, err := s.Alone(ctx, d.Tenant, tx)
		if err != nil {
			return err
		}
		c.ID = pushID(in.ID)
		t, err = s.decision(ctx, c, in.ID)
		return err
	})
	if errors.Is(err, ErrDecided) || errors.Is(err, ErrUnknownApp) {
		return nil // it was fetched, is over, or there is nobody to tell
	}
	if err != nil {
		return err
	}
	body, err := t.body(ctx, s)
	if err != nil {
		return err
	}
	if err := s.Tell(ctx, t.uri, t.bearer, body); err != nil {
		return err
	}
	if !t.whole {
		return nil
	}
	return db.Write(ctx, func(tx *dbx.Tx) error {
		_, err := usePending.Do(ctx, tx, time.Now().UnixMilli(), d.Tenant, t.hash)
		return err
	})
}

// telling is what a client is told.
type telling struct {
	uri, bearer string
	handle      string
	whole       bool // with the tokens
	refused     bool
	granted     Granted
	hash        []byte
	c           *call.Call
}

// decision reads what was decided, and gives the tokens that are pushed.
func (s *Server) decision(ctx context.Context, c *call.Call, id string) (t telling, err error) {
	row, err := pendingByID.One(ctx, c.Tx, c.Tenant.ID, id)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && (row.Used != 0 || row.Decided == 0 || row.Expires <= c.Now.UnixMilli()) {
		return t, ErrDecided
	}
	if err != nil {
		return t, err
	}
	row.Decided = 0 // it is shown as it was
	p, err := s.shown(ctx, c, row)
	if err != nil {
		return t, err
	}
	if p.Client.NotificationURI == "" || p.wish.Notify == "" {
		return t, ErrDecided
	}
	t = telling{uri: p.Client.NotificationURI, whole: p.Client.Delivery == "push", refused: row.Granted == "", hash: row.Hash, c: c}
	for to, sealed := range map[*string]string{&t.bearer: p.wish.Notify, &t.handle: p.wish.Handle} {
		plain, err := s.Ring.Open(ctx, c.Tenant.ID, secretPurpose, sealed, "backchannel")
		if err != nil {
			return t, err
		}
		*to = string(plain)
	}
	if !t.whole || t.refused {
		return t, nil
	}
	t.granted, err = s.push(ctx, c, p, row)
	if errors.Is(err, ErrGrant) || err != nil && fault.Of(err).Kind == fault.Denied { // taken back since
		t.refused, err = true, nil
	}
	return t, err
}

// push gives the tokens of a request that was agreed to.
func (s *Server) push(ctx context.Context, c *call.Call, p Pending, row pendingRow) (Granted, error) {
	auth, err := s.standing(ctx, c, row.Granted)
	if err != nil {
		return Granted{}, err
	}
	g, err := s.resume(ctx, c, auth)
	if err != nil {
		return Granted{}, err
	}
	g.app, g.client = p.App, Client{Registration: p.Client, Proved: true}
	if err := s.may(ctx, c, p.App, g.person); err != nil {
		return Granted{}, err
	}
	return s.issue(ctx, c, g, true)
}

// body is the JSON that is sent.
func (t telling) body(ctx context.Context, s *Server) ([]byte, error) {
	out := map[string]any{"auth_req_id": t.handle}
	switch {
	case !t.whole:
	case t.refused:
		out["error"] = wire.AccessDenied
	default:
		if t.granted.id != nil {
			t.granted.id["urn:openid:params:jwt:claim:auth_req_id"] = t.handle
			if t.granted.Refresh != "" {
				t.granted.id["urn:openid:params:jwt:claim:rt_hash"] = wire.HalfHash(s.algOf(t.granted.app, t.granted.client, ForID), t.granted.Refresh)
			}
		}
		g, err := s.Sign(ctx, t.c, t.granted)
		if err != nil {
			return nil, err
		}
		out["access_token"], out["token_type"], out["expires_in"] = g.Access, g.Type, int64(g.Life/time.Second)
		if g.ID != "" {
			out["id_token"] = g.ID
		}
		if g.Refresh != "" {
			out["refresh_token"] = g.Refresh
		}
	}
	return json.Marshal(out)
}
