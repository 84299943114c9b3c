package org

import "limen/internal/dbx"

const columns = `id, parent, name, description, path, created, changed`

type countRow struct {
	Org string `db:"org"`
	N   int64  `db:"n"`
}

type scopeRow struct {
	Org       string `db:"org"`
	Kind      string `db:"kind"`
	Principal string `db:"principal"`
	Path      string `db:"path"`
}

type heldRow struct {
	Kind      string `db:"kind"`
	Principal string `db:"principal"`
	Path      string `db:"path"`
	Name      string `db:"name"`
}

var (
	all    = dbx.Q[Org]("org.all", `SELECT `+columns+` FROM org WHERE tenant = ?`)
	some   = dbx.L[Org]("org.some", `SELECT `+columns+` FROM org WHERE tenant = ?`)
	byID   = dbx.Q[Org]("org.byID", `SELECT `+columns+` FROM org WHERE tenant = ? AND id = ?`)
	insert = dbx.E("org.insert", `INSERT INTO org (tenant, id, parent, name, description, path, path_key, created, changed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	update = dbx.E("org.update", `UPDATE org SET parent = ?, name = ?, description = ?, path = ?, path_key = ?, changed = ? WHERE tenant = ? AND id = ?`)
	repath = dbx.E("org.repath", `UPDATE org SET path = ?, path_key = ?, changed = ? WHERE tenant = ? AND id = ?`)
	remove = dbx.E("org.delete", `DELETE FROM org WHERE tenant = ? AND id = ?`)

	members   = dbx.Q[countRow]("org.members", `SELECT org, count(*) AS n FROM users WHERE tenant = ? AND org > '' GROUP BY org`)
	membersOf = dbx.Q[int64]("org.membersOf", `SELECT count(*) FROM users WHERE tenant = ? AND org = ?`)
	rolesIn   = dbx.Q[string]("org.roles", `SELECT id FROM role WHERE tenant = ? AND org = ? ORDER BY id`)

	adminRows = dbx.L[Admin]("org.admins", `SELECT a.org AS org, a.kind AS kind, a.principal AS principal, COALESCE(u.name, r.name, '') AS name,
		COALESCE(u.display, '') AS display FROM org_admin a
		LEFT JOIN users u ON u.tenant = a.tenant AND a.kind = 'User' AND u.id = a.principal
		LEFT JOIN role r ON r.tenant = a.tenant AND a.kind = 'Role' AND r.id = a.principal
		WHERE a.tenant = ?`)
	appoint = dbx.E("org.appoint", `INSERT INTO org_admin (tenant, org, kind, principal, granted, granter) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, org, kind, principal) DO NOTHING`)
	dismiss    = dbx.E("org.dismiss", `DELETE FROM org_admin WHERE tenant = ? AND org = ? AND kind = ? AND principal = ?`)
	dropAdmins = dbx.E("org.dropAdmins", `DELETE FROM org_admin WHERE tenant = ? AND org = ?`)
	goneAdmin  = dbx.E("org.goneAdmin", `DELETE FROM org_admin WHERE tenant = ? AND kind = ? AND principal = ?`)

	allRights = dbx.Q[scopeRow]("org.allRights", `SELECT org, kind, principal, path FROM org_right WHERE tenant = ?`)
	rightRows = dbx.Q[heldRow]("org.rights", `SELECT h.kind AS kind, h.principal AS principal, h.path AS path, COALESCE(u.name, r.name, '') AS name FROM org_right h
		LEFT JOIN users u ON u.tenant = h.tenant AND h.kind = 'User' AND u.id = h.principal
		LEFT JOIN role r ON r.tenant = h.tenant AND h.kind = 'Role' AND r.id = h.principal
		WHERE h.tenant = ? AND h.org = ? ORDER BY h.kind DESC, h.principal, h.path`)
	countRights = dbx.Q[int64]("org.countRights", `SELECT count(*) FROM org_right WHERE tenant = ?`)
	heldBy      = dbx.Q[int64]("org.heldBy", `SELECT count(*) FROM org_right WHERE tenant = ? AND org = ? AND kind = ? AND principal = ?`)
	giveRight   = dbx.E("org.giveRight", `INSERT INTO org_right (tenant, org, kind, principal, path, granted, granter) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, org, kind, principal, path) DO NOTHING`)
	takeRight  = dbx.E("org.takeRight", `DELETE FROM org_right WHERE tenant = ? AND org = ? AND kind = ? AND principal = ? AND path = ?`)
	dropHeld   = dbx.E("org.dropHeld", `DELETE FROM org_right WHERE tenant = ? AND org = ? AND kind = ? AND principal = ?`)
	dropRights = dbx.E("org.dropRights", `DELETE FROM org_right WHERE tenant = ? AND org = ?`)
	goneRight  = dbx.E("org.goneRight", `DELETE FROM org_right WHERE tenant = ? AND kind = ? AND principal = ?`)
)
