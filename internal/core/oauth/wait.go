package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"limen/internal/call"
	"limen/internal/crypt"
	"limen/internal/dbx"
)

// waitLife is for how long an authorization request waits for somebody to sign in and to agree.
const waitLife = 30 * time.Minute

type waitRow struct {
	App     string `db:"app"`
	Params  string `db:"params"`
	Expires int64  `db:"expires"`
}

var (
	putWait  = dbx.E("oauth.put_wait", `INSERT INTO oauth_request (tenant, hash, app, client, params, expires) VALUES (?, ?, ?, '', ?, ?)`)
	findWait = dbx.Q[waitRow]("oauth.find_wait", `SELECT app, params, expires FROM oauth_request WHERE tenant = ? AND hash = ? AND client = ''`)
	dropWait = dbx.E("oauth.drop_wait", `DELETE FROM oauth_request WHERE tenant = ? AND hash = ?`)
)

// Waiting is an authorization request that waits in the store while somebody signs in or thinks.
type Waiting struct {
	Presented
	Since  time.Time
	handle string
}

// Handle is the one by which the browser comes back to it.
func (w Waiting) Handle() string { return w.handle }

// Wait keeps an authorization request and gives the handle by which the browser comes back to it.
func (s *Server) Wait(ctx context.Context, c *call.Call, r Request) (handle string, err error) {
	text, err := json.Marshal(r.Presented)
	if err != nil {
		return "", err
	}
	handle, hash := crypt.NewToken(c.Rand)
	return handle, putWait.Later(ctx, c.Tx, c.Tenant.ID, hash, r.App.ID, string(text), c.Now.Add(waitLife).UnixMilli())
}

// Resume gives a request that waits; ErrRequest when there is none of the handle.
func (s *Server) Resume(ctx context.Context, c *call.Call, handle string) (Waiting, error) {
	gone := ErrRequest.Say("the request has expired; start again at the application")
	row, err := findWait.One(ctx, c.Tx, c.Tenant.ID, crypt.TokenHash(handle))
	if errors.Is(err, dbx.ErrNoRow) || err == nil && row.Expires <= c.Now.UnixMilli() {
		return Waiting{}, gone
	}
	if err != nil {
		return Waiting{}, err
	}
	w := Waiting{Since: time.UnixMilli(row.Expires).Add(-waitLife), handle: handle}
	if err := json.Unmarshal([]byte(row.Params), &w.Presented); err != nil {
		return Waiting{}, err
	}
	if w.Params == nil { // kept by a version before this one
		return Waiting{}, gone
	}
	return w, nil
}

// Done takes a request away that has been answered. One that was pushed is good once, by whichever way it waited: ErrRequestURI where it
// was answered before.
func (s *Server) Done(ctx context.Context, c *call.Call, w Waiting) error {
	if err := s.answered(ctx, c, w.Presented); err != nil || w.handle == "" {
		return err
	}
	_, err := dropWait.Do(ctx, c.Tx, c.Tenant.ID, crypt.TokenHash(w.handle))
	return err
}
