package domain

import "limen/internal/dbx"

const columns = `id, org, name, code, code_until, state, method, verified, checked, failing`

// dueRow is a domain of any tenant.
type dueRow struct {
	Tenant string `db:"tenant"`
	Domain
}

var (
	find = dbx.Q[Domain]("domain.find", `SELECT `+columns+` FROM managed_domain WHERE tenant = ? AND org = ? AND name = ?`)
	lock = dbx.Q[Domain]("domain.lock", `SELECT `+columns+` FROM managed_domain WHERE tenant = ? AND org = ? AND name = ? FOR UPDATE`)
	byID = dbx.Q[Domain]("domain.byID", `SELECT `+columns+` FROM managed_domain WHERE tenant = ? AND org = ? AND id = ?`)
	list = dbx.Q[Domain]("domain.list", `SELECT `+columns+` FROM managed_domain WHERE tenant = ? AND org = ? ORDER BY name`)
	// count counts what is left to be proved, too.
	count  = dbx.Q[int64]("domain.count", `SELECT count(*) FROM managed_domain WHERE tenant = ? AND org = ?`)
	holder = dbx.Q[string]("domain.holder", `SELECT org FROM managed_domain WHERE tenant = ? AND name = ? AND state = 'VERIFIED'`)
	below  = dbx.Q[string]("domain.below", `SELECT below FROM org_below WHERE tenant = ? AND above = ? AND below = ?`)

	// people are members whose address is in the domain and who are managed by it, by the spellings that their addresses end with: those
	// who belong to the organization, and those who joined it and belong to none, or to one below it.
	peopleOwn = dbx.Q[int64]("domain.peopleOwn", `SELECT count(*) FROM users u WHERE u.tenant = ? AND u.org = ?
		AND (u.mail_key LIKE ? OR u.mail_key LIKE ?) AND NOT (u.service OR u.oauth_client OR u.mail_unproved)`)
	peopleJoined = dbx.Q[int64]("domain.peopleJoined", `SELECT count(*) FROM workspace_member m JOIN users u ON u.tenant = m.tenant AND u.id = m.user_id
		WHERE m.tenant = ? AND m.org = ? AND m.state = 'member' AND u.org <> m.org
		AND (u.mail_key LIKE ? OR u.mail_key LIKE ?) AND NOT (u.service OR u.oauth_client OR u.mail_unproved)
		AND (u.org = '' OR EXISTS (SELECT 1 FROM org_below b WHERE b.tenant = m.tenant AND b.above = m.org AND b.below = u.org))`)

	insert = dbx.E("domain.insert", `INSERT INTO managed_domain (tenant, org, name, id, code, code_until, state, method, verified, checked, failing, created)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, org, name) DO NOTHING`)
	update = dbx.E("domain.update", `UPDATE managed_domain SET code = ?, code_until = ?, state = ?, method = ?, verified = ?, checked = ?, failing = ?
		WHERE tenant = ? AND org = ? AND name = ?`)
	remove = dbx.E("domain.delete", `DELETE FROM managed_domain WHERE tenant = ? AND org = ? AND name = ?`)

	due = dbx.Q[dueRow]("domain.due", `SELECT tenant, `+columns+` FROM managed_domain WHERE state = 'VERIFIED' AND checked <= ? ORDER BY checked LIMIT ?`)
	// looked moves a domain whose proof was there behind all others.
	looked = dbx.E("domain.looked", `UPDATE managed_domain SET checked = ?, failing = ? WHERE tenant = ? AND org = ? AND name = ? AND state = 'VERIFIED' AND code = ?`)
	old    = dbx.Q[dueRow]("domain.old", `SELECT tenant, `+columns+` FROM managed_domain WHERE state = 'PENDING' AND code_until < ? LIMIT ?`)
)
