package org

import "limen/internal/dbx"

const columns = `id, parent, name, description, path, trail, created, changed`

type countRow struct {
	Org string `db:"org"`
	N   int64  `db:"n"`
}

type parentRow struct {
	ID     string `db:"id"`
	Parent string `db:"parent"`
}

type scopeRow struct {
	Org       string `db:"org"`
	Kind      string `db:"kind"`
	Principal string `db:"principal"`
	Path      string `db:"path"`
	Since     int64  `db:"since"`
	Until     int64  `db:"until"`
}

type heldRow struct {
	Kind      string `db:"kind"`
	Principal string `db:"principal"`
	Path      string `db:"path"`
	Name      string `db:"name"`
	Since     int64  `db:"since"`
	Until     int64  `db:"until"`
	Reason    string `db:"reason"`
	Granter   string `db:"granter"`
}

var (
	all     = dbx.Q[Org]("org.all", `SELECT `+columns+` FROM org WHERE tenant = ?`)
	parents = dbx.Q[parentRow]("org.parents", `SELECT id, parent FROM org WHERE tenant = ?`)
	some    = dbx.L[Org]("org.some", `SELECT `+columns+` FROM org WHERE tenant = ?`)
	byID    = dbx.Q[Org]("org.byID", `SELECT `+columns+` FROM org WHERE tenant = ? AND id = ?`)
	insert  = dbx.E("org.insert", `INSERT INTO org (tenant, id, parent, name, description, path, path_key, trail, created, changed)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	update = dbx.E("org.update", `UPDATE org SET parent = ?, name = ?, description = ?, path = ?, path_key = ?, trail = ?, changed = ?
		WHERE tenant = ? AND id = ?`)
	// repath follows a move: lengths are in characters.
	repath = dbx.E("org.repath", `UPDATE org SET path = ? || substr(path, ?), path_key = ? || substr(path_key, ?), trail = ? || substr(trail, ?), changed = ?
		WHERE tenant = ? AND trail > ? AND trail < ?`)
	count  = dbx.Q[int64]("org.count", `SELECT count(*) FROM org WHERE tenant = ?`)
	byPath = dbx.Q[Org]("org.byPath", `SELECT `+columns+` FROM org WHERE tenant = ? AND path_key = ?`)

	// What is kept in memory of the tree and of what is held over it is of this version.
	version = dbx.Q[int64]("org.version", `SELECT version FROM org_tree WHERE tenant = ?`)
	bump    = dbx.E("org.bump", `INSERT INTO org_tree (tenant, version) VALUES (?, 1) ON CONFLICT (tenant) DO UPDATE SET version = org_tree.version + 1`)
	remove  = dbx.E("org.delete", `DELETE FROM org WHERE tenant = ? AND id = ?`)

	members   = dbx.Q[countRow]("org.members", `SELECT org, count(*) AS n FROM users WHERE tenant = ? AND org > '' GROUP BY org`)
	membersOf = dbx.Q[int64]("org.membersOf", `SELECT count(*) FROM users WHERE tenant = ? AND org = ?`)
	rolesIn   = dbx.Q[string]("org.roles", `SELECT id FROM role WHERE tenant = ? AND org = ? ORDER BY id`)

	adminRows = dbx.L[Admin]("org.admins", `SELECT a.org AS org, a.kind AS kind, a.principal AS principal, COALESCE(u.name, r.name, '') AS name,
		COALESCE(u.display, '') AS display, a.since AS since, a.until AS until, a.reason AS reason, COALESCE(g.name, '') AS granter FROM org_admin a
		LEFT JOIN users g ON g.tenant = a.tenant AND g.id = a.granter
		LEFT JOIN users u ON u.tenant = a.tenant AND a.kind = 'User' AND u.id = a.principal
		LEFT JOIN role r ON r.tenant = a.tenant AND a.kind = 'Role' AND r.id = a.principal
		WHERE a.tenant = ? AND (a.until = 0 OR a.until > ?)`)
	appoint = dbx.E("org.appoint", `INSERT INTO org_admin (tenant, org, kind, principal, since, until, reason, granted, granter) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, org, kind, principal) DO UPDATE SET since = excluded.since, until = excluded.until, reason = excluded.reason,
		granted = excluded.granted, granter = excluded.granter`)
	dismiss    = dbx.E("org.dismiss", `DELETE FROM org_admin WHERE tenant = ? AND org = ? AND kind = ? AND principal = ?`)
	dropAdmins = dbx.E("org.dropAdmins", `DELETE FROM org_admin WHERE tenant = ? AND org = ?`)
	goneAdmin  = dbx.E("org.goneAdmin", `DELETE FROM org_admin WHERE tenant = ? AND kind = ? AND principal = ?`)

	allRights = dbx.Q[scopeRow]("org.allRights", `SELECT org, kind, principal, path, since, until FROM org_right WHERE tenant = ?`)
	// Names are looked up one by one: planned for a tenant of average size, a join would go through all of its people and roles.
	rightRows = dbx.Q[heldRow]("org.rights", `SELECT h.kind AS kind, h.principal AS principal, h.path AS path,
		COALESCE((SELECT u.name FROM users u WHERE h.kind = 'User' AND u.tenant = h.tenant AND u.id = h.principal),
			(SELECT r.name FROM role r WHERE h.kind = 'Role' AND r.tenant = h.tenant AND r.id = h.principal), '') AS name,
		h.since AS since, h.until AS until, h.reason AS reason,
		COALESCE((SELECT g.name FROM users g WHERE g.tenant = h.tenant AND g.id = h.granter), '') AS granter FROM org_right h
		WHERE h.tenant = ? AND h.org = ? AND (h.until = 0 OR h.until > ?) ORDER BY h.kind DESC, h.principal, h.since, h.until, h.reason, h.granter, h.path`).Anew()
	countRights = dbx.Q[int64]("org.countRights", `SELECT count(*) FROM org_right WHERE tenant = ?`)
	heldBy      = dbx.Q[string]("org.heldBy", `SELECT path FROM org_right WHERE tenant = ? AND org = ? AND kind = ? AND principal = ? AND (until = 0 OR until > ?)`)
	giveRight   = dbx.E("org.giveRight", `INSERT INTO org_right (tenant, org, kind, principal, path, since, until, reason, granted, granter)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, org, kind, principal, path) DO UPDATE SET since = excluded.since, until = excluded.until, reason = excluded.reason,
		granted = excluded.granted, granter = excluded.granter`)
	takeRight   = dbx.E("org.takeRight", `DELETE FROM org_right WHERE tenant = ? AND org = ? AND kind = ? AND principal = ? AND path = ?`)
	dropHeld    = dbx.E("org.dropHeld", `DELETE FROM org_right WHERE tenant = ? AND org = ? AND kind = ? AND principal = ?`)
	dropRights  = dbx.E("org.dropRights", `DELETE FROM org_right WHERE tenant = ? AND org = ?`)
	sweepRights = dbx.S("org.sweep_rights", "org_right", "tenant, org, kind, principal, path", "until <> 0 AND until < ?")
	sweepAdmins = dbx.S("org.sweep_admins", "org_admin", "tenant, org, kind, principal", "until <> 0 AND until < ?")
	goneRight   = dbx.E("org.goneRight", `DELETE FROM org_right WHERE tenant = ? AND kind = ? AND principal = ?`)
)
