package oauth

import (
	"context"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/scope"
	"limen/internal/dbx"
)

// States of a receipt.
const (
	StateWaiting      = "waiting"      // the client was not reached yet, or did not acknowledge
	StateAcknowledged = "acknowledged" // it answered that the person is signed out there
	StateFailed       = "failed"       // it was given up
)

// Receipt says what became of telling a client that somebody left. Times are milliseconds since 1970 UTC.
type Receipt struct {
	ID      string `db:"id"`
	App     string `db:"app"`
	Client  string `db:"client"`
	User    string `db:"user_id"`
	Org     string `db:"org"`     // of the person then; empty: none
	Session string `db:"session"` // sid of the logout token; empty: it had none
	Issuer  string `db:"issuer"`
	Subject string `db:"subject"`
	URI     string `db:"uri"` // where the client listens
	Reason  Reason `db:"reason"`
	State   string `db:"state"`
	Tries   int64  `db:"tries"`
	Error   string `db:"error"` // of the last try
	Created int64  `db:"created"`
	Changed int64  `db:"changed"`
}

const receiptColumns = `id, app, client, user_id, org, session, issuer, subject, uri, reason, state, tries, error, created, changed`

var (
	insertReceipt = dbx.E("oauth.insert_receipt", `INSERT INTO oauth_logout (tenant, `+receiptColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	findReceipt   = dbx.Q[Receipt]("oauth.find_receipt", `SELECT `+receiptColumns+` FROM oauth_logout WHERE tenant = ? AND id = ?`)
	keepReceipt   = dbx.E("oauth.keep_receipt", `UPDATE oauth_logout SET state = ?, tries = ?, error = ?, changed = ? WHERE tenant = ? AND id = ?`)
	failReceipt   = dbx.E("oauth.fail_receipt", `UPDATE oauth_logout SET state = ?, changed = ? WHERE tenant = ? AND id = ? AND state = ?`)
	listReceipts  = dbx.L[Receipt]("oauth.list_receipts", `SELECT `+receiptColumns+` FROM oauth_logout WHERE tenant = ?`)
)

func (r Receipt) insert(ctx context.Context, c *call.Call) error {
	_, err := insertReceipt.Do(ctx, c.Tx, c.Tenant.ID, r.ID, r.App, r.Client, r.User, r.Org, r.Session, r.Issuer, r.Subject, r.URI, string(r.Reason), r.State,
		r.Tries, r.Error, r.Created, r.Changed)
	return err
}

func (r Receipt) keep(ctx context.Context, db *dbx.DB, tenant string, now time.Time) error {
	return db.Write(ctx, func(tx *dbx.Tx) error {
		_, err := keepReceipt.Do(ctx, tx, r.State, r.Tries, r.Error, now.UnixMilli(), tenant, r.ID)
		return err
	})
}

// Receipts lists them, the newest first, older than the one named (empty: the first page): those of a person or of an application,
// where named, of people within the grant.
func (s *Server) Receipts(ctx context.Context, c *call.Call, g grant.Grant, user, app, after string, limit int) ([]Receipt, error) {
	where := []dbx.Clause{scope.Sorted(g, c.Tenant.ID, "org", "user_id")}
	if user != "" {
		where = append(where, dbx.Eq("user_id", user))
	}
	if app != "" {
		where = append(where, dbx.Eq("app", app))
	}
	if after != "" {
		where = append(where, dbx.Lt("id", after))
	}
	return listReceipts.Rows(ctx, c.Tx, dbx.And(where...), []dbx.Order{{Column: "id", Desc: true}}, limit, c.Tenant.ID)
}

// clipped bounds what is kept of an error.
func clipped(s string) string {
	const most = 500
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\x00", "?")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}
