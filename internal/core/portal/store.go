package portal

import (
	"limen/internal/dbx"
)

// Item is an application or a secured item of a person's own. Times are milliseconds since 1970 UTC.
type Item struct {
	ID          string `db:"id"`
	User        string `db:"user_id"`
	Kind        string `db:"kind"` // App, Secured
	Type        string `db:"type"` // Added, Imported; of secured items Password, SecureNote ...
	Name        string `db:"name"`
	NameKey     string `db:"name_key"`
	Description string `db:"description"`
	URL         string `db:"url"`
	Icon        int64  `db:"icon"` // when it was set; 0: none
	Created     int64  `db:"created"`
	Changed     int64  `db:"changed"`
}

// Kinds of items.
const (
	App     = "App"
	Secured = "Item"
)

type entry struct {
	Target   string `db:"target"`
	Secret   string `db:"secret"`
	Added    bool   `db:"added"`
	Visited  int64  `db:"visited"`
	Place    int64  `db:"place"`
	Matching string `db:"matching"`
	Pattern  string `db:"pattern"`
	Version  int64  `db:"version"`
}

type taggedRow struct {
	Target string `db:"target"`
	Name   string `db:"name"`
}

type iconRow struct {
	Item string `db:"item"`
	Type string `db:"type"`
	Body []byte `db:"body"`
}

// Import is what became of an imported file. Created is milliseconds since 1970 UTC.
type Import struct {
	ID       string `db:"id"`
	Name     string `db:"name"`
	Provider string `db:"provider"`
	Done     int64  `db:"done"`
	Skipped  int64  `db:"skipped"`
	Failed   int64  `db:"failed"`
	Created  int64  `db:"created"`
}

const (
	itemColumns  = `id, user_id, kind, type, name, name_key, description, url, icon, created, changed`
	entryColumns = `target, secret, added, visited, place, matching, pattern, version`
)

var (
	findItem  = dbx.Q[Item]("portal.item", `SELECT `+itemColumns+` FROM portal_item WHERE tenant = ? AND id = ? AND user_id = ? AND kind = ?`)
	items     = dbx.Q[Item]("portal.items", `SELECT `+itemColumns+` FROM portal_item WHERE tenant = ? AND user_id = ? AND kind = ?`)
	countItem = dbx.Q[int64]("portal.count_items", `SELECT count(*) FROM portal_item WHERE tenant = ? AND user_id = ?`)
	putItem   = dbx.E("portal.put_item", `INSERT INTO portal_item (tenant, id, user_id, kind, type, name, name_key, description, url, icon, created, changed)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?)`)
	setItem = dbx.E("portal.set_item", `UPDATE portal_item SET name = ?, name_key = ?, description = ?, url = ?, changed = ?
		WHERE tenant = ? AND id = ? AND user_id = ?`)
	dropItem  = dbx.E("portal.drop_item", `DELETE FROM portal_item WHERE tenant = ? AND id = ? AND user_id = ?`)
	moveItem  = dbx.E("portal.move_item", `UPDATE portal_item SET user_id = ?, changed = ? WHERE tenant = ? AND id = ? AND user_id = ?`)
	dropItems = dbx.E("portal.drop_items", `DELETE FROM portal_item WHERE tenant = ? AND user_id = ?`)

	markIcon  = dbx.E("portal.mark_icon", `UPDATE portal_item SET icon = ?, changed = ? WHERE tenant = ? AND id = ? AND user_id = ?`)
	countIcon = dbx.Q[int64]("portal.count_icons", `SELECT count(*) FROM portal_item WHERE tenant = ? AND user_id = ? AND icon <> 0`)
	putIcon   = dbx.E("portal.put_icon", `INSERT INTO portal_icon (tenant, item, type, body) VALUES (?, ?, ?, ?)
		ON CONFLICT (tenant, item) DO UPDATE SET type = excluded.type, body = excluded.body`)
	icons = dbx.Q[iconRow]("portal.icons", `SELECT c.item AS item, c.type AS type, c.body AS body FROM portal_item i
		JOIN portal_icon c ON c.tenant = i.tenant AND c.item = i.id WHERE i.tenant = ? AND i.user_id = ? AND i.kind = ?`)
	dropIcon  = dbx.E("portal.drop_icon", `DELETE FROM portal_icon WHERE tenant = ? AND item = ?`)
	dropIcons = dbx.E("portal.drop_icons", `DELETE FROM portal_icon WHERE tenant = ?
		AND item IN (SELECT id FROM portal_item WHERE tenant = ? AND user_id = ?)`)

	findEntry = dbx.Q[entry]("portal.entry", `SELECT `+entryColumns+` FROM portal_entry WHERE tenant = ? AND user_id = ? AND target = ?`)
	entries   = dbx.Q[entry]("portal.entries", `SELECT `+entryColumns+` FROM portal_entry WHERE tenant = ? AND user_id = ?`)
	// Nothing is written where the entry is not the one that was read.
	putEntry = dbx.E("portal.put_entry", `INSERT INTO portal_entry (tenant, user_id, target, secret, added, visited, place, matching, pattern, version, changed)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?) ON CONFLICT (tenant, user_id, target) DO UPDATE SET secret = excluded.secret, added = excluded.added,
		visited = excluded.visited, place = excluded.place, matching = excluded.matching, pattern = excluded.pattern, changed = excluded.changed,
		version = portal_entry.version + 1 WHERE portal_entry.version = ?`)
	visit = dbx.E("portal.visit", `INSERT INTO portal_entry (tenant, user_id, target, secret, added, visited, place, matching, pattern, version, changed)
		VALUES (?, ?, ?, '', ?, ?, ?, '', '', 1, ?) ON CONFLICT (tenant, user_id, target) DO UPDATE SET visited = excluded.visited`)
	dropEntry   = dbx.E("portal.drop_entry", `DELETE FROM portal_entry WHERE tenant = ? AND user_id = ? AND target = ?`)
	dropEntries = dbx.E("portal.drop_entries", `DELETE FROM portal_entry WHERE tenant = ? AND user_id = ?`)
	dropTarget  = dbx.E("portal.drop_target", `DELETE FROM portal_entry WHERE tenant = ? AND target = ?`)

	tags     = dbx.Q[string]("portal.tags", `SELECT name FROM portal_tag WHERE tenant = ? AND user_id = ? ORDER BY name_key`)
	findTag  = dbx.Q[string]("portal.tag", `SELECT name FROM portal_tag WHERE tenant = ? AND user_id = ? AND name_key = ?`)
	countTag = dbx.Q[int64]("portal.count_tags", `SELECT count(*) FROM portal_tag WHERE tenant = ? AND user_id = ?`)
	putTag   = dbx.E("portal.put_tag", `INSERT INTO portal_tag (tenant, user_id, name_key, name) VALUES (?, ?, ?, ?)
		ON CONFLICT (tenant, user_id, name_key) DO NOTHING`)
	renameTag = dbx.E("portal.rename_tag", `UPDATE portal_tag SET name_key = ?, name = ? WHERE tenant = ? AND user_id = ? AND name_key = ?`)
	dropTag   = dbx.E("portal.drop_tag", `DELETE FROM portal_tag WHERE tenant = ? AND user_id = ? AND name_key = ?`)
	dropTags  = dbx.E("portal.drop_tags", `DELETE FROM portal_tag WHERE tenant = ? AND user_id = ?`)

	tagged = dbx.Q[taggedRow]("portal.tagged", `SELECT g.target AS target, t.name AS name FROM portal_tagged g
		JOIN portal_tag t ON t.tenant = g.tenant AND t.user_id = g.user_id AND t.name_key = g.name_key
		WHERE g.tenant = ? AND g.user_id = ? ORDER BY g.target, g.name_key`)
	putTagged      = dbx.E("portal.put_tagged", `INSERT INTO portal_tagged (tenant, user_id, target, name_key) VALUES (?, ?, ?, ?)`)
	moveTagged     = dbx.E("portal.move_tagged", `UPDATE portal_tagged SET name_key = ? WHERE tenant = ? AND user_id = ? AND name_key = ?`)
	dropTaggedTag  = dbx.E("portal.drop_tagged_tag", `DELETE FROM portal_tagged WHERE tenant = ? AND user_id = ? AND name_key = ?`)
	dropTaggedOne  = dbx.E("portal.drop_tagged_one", `DELETE FROM portal_tagged WHERE tenant = ? AND user_id = ? AND target = ?`)
	dropTaggedAll  = dbx.E("portal.drop_tagged_all", `DELETE FROM portal_tagged WHERE tenant = ? AND user_id = ?`)
	dropTaggedGone = dbx.E("portal.drop_tagged_gone", `DELETE FROM portal_tagged WHERE tenant = ? AND target = ?`)

	imports   = dbx.Q[Import]("portal.imports", `SELECT id, name, provider, done, skipped, failed, created FROM portal_import WHERE tenant = ? AND user_id = ? ORDER BY id DESC LIMIT ?`)
	importLog = dbx.Q[logRow]("portal.import_log", `SELECT name, log FROM portal_import WHERE tenant = ? AND id = ? AND user_id = ?`)
	putImport = dbx.E("portal.put_import", `INSERT INTO portal_import (tenant, id, user_id, name, provider, done, skipped, failed, log, created)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	trimImports = dbx.E("portal.trim_imports", `DELETE FROM portal_import WHERE tenant = ? AND user_id = ? AND id NOT IN
		(SELECT id FROM portal_import WHERE tenant = ? AND user_id = ? ORDER BY id DESC LIMIT ?)`)
	dropImports = dbx.E("portal.drop_imports", `DELETE FROM portal_import WHERE tenant = ? AND user_id = ?`)
)

type logRow struct {
	Name string `db:"name"`
	Log  string `db:"log"`
}
