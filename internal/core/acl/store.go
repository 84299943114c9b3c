package acl

import (
	"limen/internal/core/role"
	"limen/internal/dbx"
)

// entryRow is what an entry gives to whom.
type entryRow struct {
	Kind      string `db:"kind"`
	Principal string `db:"principal"`
	Mask      int64  `db:"mask"`
	Since     int64  `db:"since"`
	Until     int64  `db:"until"`
}

func (e entryRow) open(now int64) bool { return e.Since <= now && now < role.End(e.Until) }

// listRow is an entry as lists show it.
type listRow struct {
	ID string `db:"id"`
	entryRow
	Object  string `db:"object"`
	RowKey  string `db:"row_key"`
	Members bool   `db:"members"`
	Name    string `db:"name"`
	Reason  string `db:"reason"`
	Granter string `db:"granter"`
}

const listing = `SELECT a.id AS id, a.kind AS kind, a.principal AS principal, a.mask AS mask, a.since AS since, a.until AS until, a.object AS object,
	a.row_key AS row_key, a.members AS members, COALESCE(u.name, r.name, '') AS name, a.reason AS reason, COALESCE(g.name, '') AS granter `

const names = ` LEFT JOIN users u ON u.tenant = a.tenant AND a.kind = 'User' AND u.id = a.principal
	LEFT JOIN role r ON r.tenant = a.tenant AND a.kind = 'Role' AND r.id = a.principal
	LEFT JOIN users g ON g.tenant = a.tenant AND g.id = a.granter `

var (
	// What is given on a row, by its own entries and through sets, to some principals.
	entries = dbx.Q[entryRow]("acl.entries", `SELECT kind, principal, mask, since, until FROM rr_ace
		WHERE tenant = ? AND object = ? AND row_key = ? AND principal = ANY(?)`)
	// Rows on which some principals are given a right.
	given = dbx.Q[string]("acl.given", `SELECT row_key FROM rr_ace WHERE tenant = ? AND object = ? AND principal = ANY(?)
		AND (mask & ?) <> 0 AND since <= ? AND (until = 0 OR until > ?)`)

	// The entries of a row, or of a set on its members.
	own = dbx.Q[listRow]("acl.own", listing+`FROM ace a`+names+`WHERE a.tenant = ? AND a.object = ? AND a.row_key = ? AND a.members = ?`)
	// The entries that sets have on a row that is in them.
	through = dbx.Q[listRow]("acl.through", listing+`FROM collection_member m
		JOIN ace a ON a.tenant = m.tenant AND a.object = 'Collections' AND a.row_key = m.collection AND a.members`+names+
		`WHERE m.tenant = ? AND m.object = ? AND m.member = ?`)
	byID = dbx.Q[listRow]("acl.byID", listing+`FROM ace a`+names+`WHERE a.tenant = ? AND a.id = ?`)

	members = dbx.Q[string]("acl.members", `SELECT member FROM collection_member WHERE tenant = ? AND collection = ?`)

	lock = dbx.E("acl.lock", `INSERT INTO ace_list (tenant, object, row_key, version) VALUES (?, ?, ?, 1)
		ON CONFLICT (tenant, object, row_key) DO UPDATE SET version = ace_list.version + 1`)
	put = dbx.E("acl.put", `INSERT INTO ace (tenant, object, row_key, members, kind, principal, id, mask, since, until, reason, granter, granted)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, object, row_key, members, kind, principal) DO UPDATE
		SET mask = excluded.mask, since = excluded.since, until = excluded.until, reason = excluded.reason, granter = excluded.granter, granted = excluded.granted`)
	drop = dbx.E("acl.drop", `DELETE FROM ace WHERE tenant = ? AND object = ? AND row_key = ? AND members = ? AND kind = ? AND principal = ?`)

	dropRow       = dbx.E("acl.dropRow", `DELETE FROM ace WHERE tenant = ? AND object = ? AND row_key = ?`)
	dropList      = dbx.E("acl.dropList", `DELETE FROM ace_list WHERE tenant = ? AND object = ? AND row_key = ?`)
	dropPrincipal = dbx.E("acl.dropPrincipal", `DELETE FROM ace WHERE tenant = ? AND principal = ?`)
	sweep         = dbx.S("acl.sweep", "ace", "tenant, object, row_key, members, kind, principal", "until <> 0 AND until < ?")

	person = dbx.Q[string]("acl.person", `SELECT name FROM users WHERE tenant = ? AND id = ?`)
	roleOf = dbx.Q[string]("acl.role", `SELECT name FROM role WHERE tenant = ? AND id = ?`)
)
