package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"limen/internal/call"
	"limen/internal/crypt"
	"limen/internal/dbx"
	wire "limen/internal/wire/oauth"
)

// Authorization is what somebody has allowed a client. Times are milliseconds since 1970 UTC.
type Authorization struct {
	ID      string `db:"id"`
	App     string `db:"app"`
	Client  string `db:"client"`
	User    string `db:"user_id"`
	Session string `db:"session"`
	Scope   string `db:"scope"`
	Facts   string `db:"facts"` // JSON of Facts
	Created int64  `db:"created"`
	Expires int64  `db:"expires"`
	Ended   int64  `db:"ended"` // 0: it stands
	Tell    int64  `db:"tell"`  // 1: the client wants to hear when the person leaves
	Held    int64  `db:"held"`  // 1: it ends when the session is signed out of
	Wide    int64  `db:"wide"`  // 1: it was given at the tenant's issuer
}

// Facts are what tokens say of the sign-in, and what was asked for beside scopes.
type Facts struct {
	AuthTime int64        `json:"auth_time,omitempty"` // seconds since 1970
	ACR      string       `json:"acr,omitempty"`
	AMR      []string     `json:"amr,omitempty"`
	Resource []string     `json:"resource,omitempty"`
	Claims   *wire.Claims `json:"claims,omitempty"`
	// Seen is what the application's rules went by, for when they are asked again.
	Seen *seen `json:"seen,omitempty"`
	// Of a token that was given for another: who acts for the person (RFC 8693 section 4.1), and what it ends with.
	Act    map[string]any `json:"act,omitempty"`
	Source *source        `json:"source,omitempty"`
}

func (a Authorization) facts() (f Facts, err error) { return f, json.Unmarshal([]byte(a.Facts), &f) }

type codeRow struct {
	Granted string `db:"granted"`
	Request string `db:"request"`
	Expires int64  `db:"expires"`
	Used    int64  `db:"used"`
}

// asked is what of an authorization request the exchange of its code must repeat or answer.
type asked struct {
	Redirect  string         `json:"redirect_uri,omitempty"`
	Challenge wire.Challenge `json:"challenge,omitzero"`
	Nonce     string         `json:"nonce,omitempty"`
	Key       string         `json:"dpop_jkt,omitempty"`
}

type refreshRow struct {
	Granted    string `db:"granted"`
	Thumbprint string `db:"thumbprint"`
	Expires    int64  `db:"expires"`
	Used       int64  `db:"used"`
}

type accessRow struct {
	Granted    string `db:"granted"`
	App        string `db:"app"`
	Client     string `db:"client"`
	User       string `db:"user_id"`
	Scope      string `db:"scope"`
	Audience   string `db:"audience"`
	Thumbprint string `db:"thumbprint"`
	Issued     int64  `db:"issued"`
	Expires    int64  `db:"expires"`
	Wide       int64  `db:"wide"`
}

const authorizationColumns = `id, app, client, user_id, session, scope, facts, created, expires, ended, tell, held, wide`

var (
	insertAuthorization = dbx.E("oauth.insert_authorization", `INSERT INTO oauth_authorization (tenant, `+authorizationColumns+`, review)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?)`)
	findAuthorization = dbx.Q[Authorization]("oauth.find_authorization", `SELECT `+authorizationColumns+` FROM oauth_authorization WHERE tenant = ? AND id = ?`)
	prolong           = dbx.E("oauth.prolong", `UPDATE oauth_authorization SET expires = ? WHERE tenant = ? AND id = ? AND expires < ?`)

	insertCode = dbx.E("oauth.insert_code", `INSERT INTO oauth_code (tenant, hash, granted, request, expires, used) VALUES (?, ?, ?, ?, ?, 0)`)
	findCode   = dbx.Q[codeRow]("oauth.find_code", `SELECT granted, request, expires, used FROM oauth_code WHERE tenant = ? AND hash = ? FOR UPDATE`)
	useCode    = dbx.E("oauth.use_code", `UPDATE oauth_code SET used = ? WHERE tenant = ? AND hash = ? AND used = 0`)

	insertRefresh = dbx.E("oauth.insert_refresh", `INSERT INTO oauth_refresh (tenant, hash, granted, thumbprint, created, expires, used) VALUES (?, ?, ?, ?, ?, ?, 0)`)
	findRefresh   = dbx.Q[refreshRow]("oauth.find_refresh", `SELECT granted, thumbprint, expires, used FROM oauth_refresh WHERE tenant = ? AND hash = ?`)
	useRefresh    = dbx.E("oauth.use_refresh", `UPDATE oauth_refresh SET used = ? WHERE tenant = ? AND hash = ? AND used = 0`)

	insertAccess = dbx.E("oauth.insert_access", `INSERT INTO oauth_access (tenant, hash, granted, app, client, user_id, scope, audience, thumbprint, issued, expires, wide)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	findAccess   = dbx.Q[accessRow]("oauth.find_access", `SELECT granted, app, client, user_id, scope, audience, thumbprint, issued, expires, wide FROM oauth_access WHERE tenant = ? AND hash = ?`)
	deleteAccess = dbx.E("oauth.delete_access", `DELETE FROM oauth_access WHERE tenant = ? AND hash = ?`)

	spend = dbx.E("oauth.spend", `INSERT INTO oauth_spent (tenant, id, expires) VALUES (?, ?, ?) ON CONFLICT (tenant, id) DO NOTHING`)
	spent = dbx.Q[struct {
		N int64 `db:"n"`
	}]("oauth.spent", `SELECT COUNT(*) AS n FROM oauth_spent WHERE tenant = ? AND id = ?`)
)

// sweeps remove what has expired, in all tenants.
var sweeps = []dbx.Sweep{
	dbx.S("oauth.sweep_authorization", "oauth_authorization", "tenant, id", "expires < ?"),
	dbx.S("oauth.sweep_code", "oauth_code", "tenant, hash", "expires < ?"),
	dbx.S("oauth.sweep_refresh", "oauth_refresh", "tenant, hash", "expires < ?"),
	dbx.S("oauth.sweep_access", "oauth_access", "tenant, hash", "expires < ?"),
	dbx.S("oauth.sweep_spent", "oauth_spent", "tenant, id", "expires < ?"),
	dbx.S("oauth.sweep_initial", "oauth_initial", "tenant, id", "expires < ?"),
	dbx.S("oauth.sweep_request", "oauth_request", "tenant, hash", "expires < ?"),
	dbx.S("oauth.sweep_pending", "oauth_pending", "tenant, hash", "expires < ?"),
}

// Sweep removes what is of no use any more, in all tenants.
func (s *Server) Sweep(ctx context.Context, db *dbx.DB, now time.Time) error {
	for _, sweep := range sweeps {
		if err := sweep.Run(ctx, db, now.Add(-keepExpired).UnixMilli()); err != nil {
			return err
		}
	}
	return sweepReceipts.Run(ctx, db, now.Add(-keepReceipts).UnixMilli())
}

// keepExpired is for how long what has expired stays: a client that asks late is told that the time is over (CIBA Core section 11), and a
// code that is shown again still ends what came of it (RFC 6749 section 4.1.2).
const keepExpired = time.Hour

// keepReceipts is for how long receipts of sign-outs stay, as events do.
const keepReceipts = 400 * 24 * time.Hour

var sweepReceipts = dbx.S("oauth.sweep_logout", "oauth_logout", "tenant, id", "created < ?")

// standing gives an authorization that has not ended or expired; ErrGrant otherwise.
func (s *Server) standing(ctx context.Context, c *call.Call, id string) (Authorization, error) {
	a, err := findAuthorization.One(ctx, c.Tx, c.Tenant.ID, id)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && (a.Ended != 0 || a.Expires <= c.Now.UnixMilli()) {
		return Authorization{}, ErrGrant
	}
	if err != nil {
		return a, err
	}
	f, err := a.facts()
	if err == nil {
		err = s.stands(ctx, c, f.Source)
	}
	return a, err
}

// Once says whether an id was never taken before, and takes it: of proofs and assertions, which are good once.
func (s *Server) Once(ctx context.Context, c *call.Call, kind, id string, until time.Time) (bool, error) {
	n, err := spend.Do(ctx, c.Tx, c.Tenant.ID, onceHash(kind, id), until.UnixMilli())
	return n == 1, err
}

func onceHash(kind, id string) []byte { return crypt.TokenHash(kind + "\x00" + id) }
