package collection

import "limen/internal/dbx"

const columns = `id, object, sub, kind, name, description, script, created, changed, version`

var (
	byID  = dbx.Q[Set]("collection.byID", `SELECT `+columns+` FROM collection WHERE tenant = ? AND id = ?`)
	sets  = dbx.L[Set]("collection.list", `SELECT `+columns+` FROM collection WHERE tenant = ?`).By("name_key")
	count = dbx.Q[int64]("collection.count", `SELECT count(*) FROM collection WHERE tenant = ?`)
	taken = dbx.Q[int64]("collection.taken", `SELECT count(*) FROM collection WHERE tenant = ? AND object = ? AND name_key = ? AND id <> ?`)

	insert = dbx.E("collection.insert", `INSERT INTO collection (tenant, id, object, sub, kind, name, name_key, description, script, created, changed, version)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (tenant, object, name_key) DO NOTHING`)
	update = dbx.E("collection.update", `UPDATE collection SET name = ?, name_key = ?, description = ?, script = ?, changed = ?, version = version + 1
		WHERE tenant = ? AND id = ?`)
	touch  = dbx.E("collection.touch", `UPDATE collection SET changed = ?, version = version + 1 WHERE tenant = ? AND id = ?`)
	remove = dbx.E("collection.delete", `DELETE FROM collection WHERE tenant = ? AND id = ?`)

	members = dbx.Q[string]("collection.members", `SELECT member FROM collection_member WHERE tenant = ? AND collection = ? ORDER BY member`)
	size    = dbx.Q[int64]("collection.size", `SELECT count(*) FROM collection_member WHERE tenant = ? AND collection = ?`)
	join    = dbx.E("collection.join", `INSERT INTO collection_member (tenant, collection, object, member, added, adder) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, collection, member) DO NOTHING`)
	leave       = dbx.E("collection.leave", `DELETE FROM collection_member WHERE tenant = ? AND collection = ? AND member IN (?, ?)`)
	dropMembers = dbx.E("collection.dropMembers", `DELETE FROM collection_member WHERE tenant = ? AND collection = ?`)
	rowGone     = dbx.E("collection.rowGone", `DELETE FROM collection_member WHERE tenant = ? AND object = ? AND member = ?`)
)
