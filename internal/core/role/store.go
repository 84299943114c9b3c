package role

import "limen/internal/dbx"

const columns = `id, name, description, kind, built_in, org, created, changed, version`

// A membership row as Of reads it; the fields of the member are nil when the person is in no role.
type ofRow struct {
	Version   int64   `db:"version"`
	Everybody bool    `db:"everybody"`
	Role      *string `db:"role"`
	Since     *int64  `db:"since"`
	Until     *int64  `db:"until"`
}

type nestRow struct {
	Role   string `db:"role"`
	Member string `db:"member"`
	Since  int64  `db:"since"`
	Until  int64  `db:"until"`
}

type rightRow struct {
	Role  string `db:"role"`
	Path  string `db:"path"`
	Since int64  `db:"since"`
	Until int64  `db:"until"`
}

// MemberRow is a member of a role. Times are milliseconds since 1970 UTC.
type MemberRow struct {
	memberKey
	Name    string `db:"name"` // login name or role name; empty for groups
	Org     string `db:"org"`  // organization of a person
	Since   int64  `db:"since"`
	Until   int64  `db:"until"` // 0: without end
	Reason  string `db:"reason"`
	Granter string `db:"granter"` // login name of who made them a member; empty when nobody is known

	Through string // id of the nested role through which they are members; empty: directly
}

// memberKey is what members are sorted by.
type memberKey struct {
	Kind string `db:"kind"`   // User, Group, Role
	ID   string `db:"member"` // UUID of the person or group, id of the role
	Key  string `db:"name_key"`
}

var (
	ofUser = dbx.Q[ofRow]("role.ofUser", `SELECT r.version AS version, u.everybody AS everybody, m.role AS role, m.since AS since, m.until AS until
		FROM users u JOIN role r ON r.tenant = u.tenant AND r.id = 'Everybody'
		LEFT JOIN role_member m ON m.tenant = u.tenant AND m.kind = 'User' AND m.member = u.id
		WHERE u.tenant = ? AND u.id = ?`)
	version = dbx.Q[int64]("role.version", `SELECT version FROM role WHERE tenant = ? AND id = 'Everybody'`)
	// bump comes before anything else that changes nesting or rights is read: it lets only one such change happen at a time.
	bump     = dbx.E("role.bump", `UPDATE role SET version = version + 1 WHERE tenant = ? AND id = 'Everybody'`)
	lockSys  = dbx.Q[string]("role.lockSystem", `SELECT id FROM role WHERE tenant = ? AND id = 'sysadmin' FOR UPDATE`)
	allRoles = dbx.Q[Role]("role.all", `SELECT `+columns+` FROM role WHERE tenant = ? ORDER BY name_key, id`)
	nesting  = dbx.Q[nestRow]("role.nesting", `SELECT role, member, since, until FROM role_member WHERE tenant = ? AND kind = 'Role'`)

	allRights = dbx.Q[rightRow]("role.rights", `SELECT role, path, since, until FROM role_right WHERE tenant = ?`)
	giveRight = dbx.E("role.giveRight", `INSERT INTO role_right (tenant, role, path, since, until, reason, granter) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, role, path) DO UPDATE SET since = excluded.since, until = excluded.until, reason = excluded.reason, granter = excluded.granter`)
	takeRight = dbx.E("role.takeRight", `DELETE FROM role_right WHERE tenant = ? AND role = ? AND path = ?`)
	oneRights = dbx.Q[Listed]("role.oneRights", `SELECT t.path AS path, t.since AS since, t.until AS until, t.reason AS reason, COALESCE(g.name, '') AS granter
		FROM role_right t LEFT JOIN users g ON g.tenant = t.tenant AND g.id = t.granter
		WHERE t.tenant = ? AND t.role = ? AND (t.until = 0 OR t.until > ?) ORDER BY t.path`)
	dropRights  = dbx.E("role.dropRights", `DELETE FROM role_right WHERE tenant = ? AND role = ?`)
	dropMembers = dbx.E("role.dropMembers", `DELETE FROM role_member WHERE tenant = ? AND role = ?`)
	dropNested  = dbx.W[string]("role.dropNested", `DELETE FROM role_member WHERE tenant = ? AND kind = 'Role' AND member = ? RETURNING role`)

	byID   = dbx.Q[Role]("role.byID", `SELECT `+columns+` FROM role WHERE tenant = ? AND id = ?`)
	byName = dbx.Q[Role]("role.byName", `SELECT `+columns+` FROM role WHERE tenant = ? AND name_key = ?`)
	count  = dbx.Q[int64]("role.count", `SELECT count(*) FROM role WHERE tenant = ?`)
	insert = dbx.E("role.insert", `INSERT INTO role (tenant, id, name, name_key, description, kind, built_in, org, created, changed, version)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (tenant, name_key) DO NOTHING`)
	taken  = dbx.Q[int64]("role.taken", `SELECT count(*) FROM role WHERE tenant = ? AND name_key = ? AND id <> ?`)
	update = dbx.E("role.update", `UPDATE role SET name = ?, name_key = ?, description = ?, changed = ?, version = version + 1 WHERE tenant = ? AND id = ?`)
	setOrg = dbx.E("role.setOrg", `UPDATE role SET org = ?, changed = ?, version = version + 1 WHERE tenant = ? AND id = ?`)
	remove = dbx.E("role.remove", `DELETE FROM role WHERE tenant = ? AND id = ?`)

	join = dbx.E("role.join", `INSERT INTO role_member (tenant, role, kind, member, name_key, since, until, reason, granter)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, role, kind, member) DO NOTHING`)
	rejoin = dbx.E("role.rejoin", `UPDATE role_member SET name_key = ?, since = ?, until = ?, reason = ?, granter = ?
		WHERE tenant = ? AND role = ? AND kind = ? AND member = ?`)
	leave    = dbx.E("role.leave", `DELETE FROM role_member WHERE tenant = ? AND role = ? AND kind = ? AND member = ?`)
	leaveAll = dbx.W[string]("role.leaveAll", `DELETE FROM role_member WHERE tenant = ? AND kind = 'User' AND member = ? RETURNING role`)
	direct   = dbx.Q[int64]("role.direct", `SELECT count(*) FROM role_member WHERE tenant = ? AND role = ? AND kind = 'User' AND member = ?`)
	called   = dbx.W[string]("role.called", `UPDATE role_member SET name_key = ? WHERE tenant = ? AND kind = ? AND member = ? RETURNING role`)
	person   = dbx.Q[string]("role.person", `SELECT name_key FROM users WHERE tenant = ? AND id = ?`)
	someone  = dbx.L[foundRow]("role.someone", `SELECT id, name, org FROM users WHERE tenant = ?`).By("name_key")

	// Keys of members alone, from an index, to step over many of them and to count.
	keys = dbx.L[memberKey]("role.keys", `SELECT m.kind, m.member, m.name_key FROM role_member m WHERE m.tenant = ? AND m.role = ?`).By("m.until")

	// The roles are looked up one by one: PostgreSQL, which plans for a tenant of some few, would go through all of them.
	members = dbx.L[MemberRow]("role.members", `SELECT m.kind AS kind, m.member AS member, m.name_key AS name_key,
		COALESCE(u.name, (SELECT r.name FROM role r WHERE m.kind = 'Role' AND r.tenant = m.tenant AND r.id = m.member), '') AS name,
		COALESCE(u.org, (SELECT r.org FROM role r WHERE m.kind = 'Role' AND r.tenant = m.tenant AND r.id = m.member), '') AS org,
		m.since AS since, m.until AS until, m.reason AS reason, COALESCE(g.name, '') AS granter FROM role_member m
		LEFT JOIN users g ON g.tenant = m.tenant AND g.id = m.granter
		LEFT JOIN users u ON u.tenant = m.tenant AND m.kind = 'User' AND u.id = m.member
		WHERE m.tenant = ? AND m.role = ?`)

	// The same of several roles.
	brought = dbx.L[broughtRow]("role.brought", `SELECT m.role AS role, m.kind AS kind, m.member AS member, m.name_key AS name_key,
		COALESCE(u.name, (SELECT r.name FROM role r WHERE m.kind = 'Role' AND r.tenant = m.tenant AND r.id = m.member), '') AS name,
		COALESCE(u.org, (SELECT r.org FROM role r WHERE m.kind = 'Role' AND r.tenant = m.tenant AND r.id = m.member), '') AS org,
		m.since AS since, m.until AS until, m.reason AS reason, COALESCE(g.name, '') AS granter FROM role_member m
		LEFT JOIN users g ON g.tenant = m.tenant AND g.id = m.granter
		LEFT JOIN users u ON u.tenant = m.tenant AND m.kind = 'User' AND u.id = m.member
		WHERE m.tenant = ?`)

	// Who is in the role Everybody, a flag of the person.
	anybody = dbx.L[MemberRow]("role.everybody", `SELECT 'User' AS kind, u.id AS member, u.name_key AS name_key, u.name AS name, u.org AS org, 0 AS since,
		0 AS until, '' AS reason, '' AS granter FROM users u WHERE u.tenant = ? AND u.everybody`)

	// Retention.
	sweepMembers = dbx.W[roleRow]("role.sweep_members", `DELETE FROM role_member WHERE (tenant, role, kind, member) IN
		(SELECT tenant, role, kind, member FROM role_member WHERE until <> 0 AND until < ? LIMIT ?) RETURNING tenant, role`)
	sweepRights = dbx.S("role.sweep_rights", "role_right", "tenant, role, path", "until <> 0 AND until < ?")

	// Direct members of roles, and whose factors answer for them.
	systems = dbx.L[systemRow]("role.systems", `SELECT m.role AS role, m.member AS member, u.mfa_user AS mfa_user FROM role_member m
		JOIN users u ON u.tenant = m.tenant AND u.id = m.member WHERE m.tenant = ? AND m.kind = 'User'`)

	// The roles behind a person: their own, and those of people for whom their factors answer.
	behind = dbx.Q[behindRow]("role.behind", `SELECT role, since, until FROM role_member WHERE tenant = ? AND kind = 'User' AND member = ?
		UNION SELECT m.role, m.since, m.until FROM users u CROSS JOIN role_member m
		WHERE u.tenant = ? AND u.mfa_user = ? AND u.mfa_user <> '' AND m.tenant = u.tenant AND m.kind = 'User' AND m.member = u.id`)

	answered = dbx.Q[string]("role.answered", `SELECT id FROM users WHERE tenant = ? AND mfa_user = ? AND mfa_user <> ''`)

	// Those who can administer now and for good: what is locked, suspended, ending or ended does not count.
	active = dbx.L[activeRow]("role.activeSystem", `SELECT m.role AS role, m.member AS member FROM role_member m
		JOIN users u ON u.tenant = m.tenant AND u.id = m.member
		WHERE m.tenant = ? AND m.kind = 'User' AND m.until = 0 AND m.since <= ? AND u.expires = 0
		AND NOT u.locked AND NOT u.disabled AND NOT u.expired AND NOT u.cloud_locked AND NOT u.suspended`)
)

type foundRow struct {
	ID   string `db:"id"`
	Name string `db:"name"`
	Org  string `db:"org"`
}

type activeRow struct {
	Role   string `db:"role"`
	Member string `db:"member"`
}

type behindRow struct {
	Role  string `db:"role"`
	Since int64  `db:"since"`
	Until int64  `db:"until"`
}

type systemRow struct {
	Role   string `db:"role"`
	Member string `db:"member"`
	Mfa    string `db:"mfa_user"`
}
