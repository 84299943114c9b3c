package repo

import (
	"regexp"
	"strings"
	"testing"

	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

// growing are the tables that have many rows in one tenant.
var growing = regexp.MustCompile(`^(SCAN|SEARCH) (users|u|a|b|user_seen|user_password|user_answer|role_member|role_tally|m|session|refresh_token|throttle|known_device|login|login_link|event|e|event_seal|outbox|job|change|oauth_access)\b`)

// wide are the statements that rightly go through a table, or all of a tenant's rows in it, each with its reason.
var wide = map[string]string{
	"job.kinds":         "one row per kind that waits, from an index of what waits",
	"outbox.page":       "in the order of its index, a page at a time",
	"outbox.page_state": "the same",
	"job.sums":          "counts a tenant's jobs, which are remembered for a month, for its administrators",
	"job.oldest":        "the same",
	"job.clear":         "the same, and each call takes ten thousand at most",
	"audit.last_link":   "the last row of its index",
	"role.there":        "counts every role's members once a day, from an index",
	"role.tallied":      "adds up every role's count once a day, from an index",
	"vault.used":        "counts a tenant's users by their types for its administrators, at the rate of costly operations",
}

// mailed is who has a mail address.
const mailed = " AND (id IN (SELECT id FROM users WHERE tenant = 'a' AND mail_key = 'm' UNION ALL SELECT user_id FROM user_detail WHERE tenant = 'a' AND kind = 'mail' AND value_key = 'm')" +
	" AND (mail_key <> '' AND mail_key = 'm' OR id IN (SELECT user_id FROM user_detail WHERE tenant = 'a' AND (kind = 'mail' AND (value_key <> '' AND value_key = 'm')))))"

// tails make of a List what the program makes of it.
var tails = map[string][]string{
	"audit.list": {
		" ORDER BY at DESC, id DESC LIMIT 9", " AND target = 'x' ORDER BY at DESC, id DESC LIMIT 9", " AND user_id = 'x' ORDER BY at DESC, id DESC LIMIT 9",
	},
	"audit.signins": {
		" AND at >= 1 ORDER BY at DESC, id DESC LIMIT 9", " AND at >= 1 AND at <= 9 AND (at < 9 OR at = 9 AND id < 'x') ORDER BY at DESC, id DESC LIMIT 9",
	},
	"role.ofUsers": {" AND u.id IN ('a', 'b') ORDER BY u.id, m.role LIMIT 9"},
	"user.list": {
		" AND u.name_key >= 'a' AND u.name_key < 'b' ORDER BY u.name_key, u.id LIMIT 9",
		" AND (u.name_key > 'a' OR u.name_key = 'a' AND u.id > 'b') ORDER BY u.name_key, u.id LIMIT 9",
		" AND u.org IN (SELECT below FROM org_below WHERE tenant = 'a' AND above IN (SELECT value FROM json_each('[]'))) AND u.id > '' LIMIT 9",
		" AND (u.display_key > 'a' OR u.display_key = 'a' AND u.id > 'b') ORDER BY u.display_key, u.id LIMIT 9",
	},
	"user.pick": { // SCIM's filters, which are counted and, where they find few, sorted; and its first and last page
		" AND name_key = 'a' ORDER BY name_key LIMIT 9", " AND name_key >= 'a' AND name_key < 'b' ORDER BY name_key LIMIT 9",
		" ORDER BY name_key LIMIT 9", " ORDER BY name_key DESC LIMIT 9", " AND name_key > 'a' ORDER BY name_key LIMIT 9", " ORDER BY changed, id LIMIT 9",
		" AND id IN (SELECT object FROM external_id WHERE tenant = 'a' AND client = 'b' AND kind = 'User' AND value = 'x')",
		" AND id IN (SELECT object FROM external_id WHERE tenant = 'a' AND client = 'b' AND kind = 'User' AND value = 'x') ORDER BY (name_key || '') LIMIT 9",
		" AND id IN (SELECT user_id FROM user_detail WHERE tenant = 'a' AND (kind = 'title' AND value_key = 'x'))",
		" AND id IN (SELECT user_id FROM user_detail WHERE tenant = 'a' AND (kind = 'title' AND value_key = 'x')) ORDER BY (name_key || '') LIMIT 9",
		mailed, mailed + " ORDER BY (name_key || '') LIMIT 9",
		" AND org IN (SELECT below FROM org_below WHERE tenant = 'a' AND above IN (SELECT value FROM json_each('[]'))) AND name_key = 'a' ORDER BY name_key LIMIT 9",
	},
	"role.members": {
		" ORDER BY m.kind, m.member LIMIT 9",
		" AND (m.name_key > 'a' OR m.name_key = 'a' AND (m.kind > 'b' OR m.kind = 'b' AND m.member > 'c')) ORDER BY m.name_key, m.kind, m.member LIMIT 9",
	},
	"role.brought": {
		" AND m.role IN ('a', 'b') AND m.kind = 'User' AND m.member IN ('a', 'b') AND (m.until = 0 OR m.until > 7) LIMIT 9",
	},
	"role.keys": {" ORDER BY m.name_key, m.kind, m.member LIMIT 1 OFFSET 9", " ORDER BY m.name_key DESC, m.kind DESC, m.member DESC LIMIT 1 OFFSET 9"},
	"role.standings": {
		" AND m.kind = 'User' AND m.member IN ('a', 'b') ORDER BY m.member, m.role LIMIT 9",
		" AND m.role IN ('a', 'b') ORDER BY m.role, m.kind, m.member LIMIT 9",
		" AND m.role = 'a' AND m.kind IN ('User', 'Role') AND m.member IN ('a', 'b') ORDER BY m.kind, m.member LIMIT 9",
	},
	"role.partNested": {" AND member IN ('a', 'b') LIMIT 9"},
	"role.endings":    {" AND role IN ('a', 'b') AND until > 7 ORDER BY until LIMIT 1"},
	"role.tallies":    {" AND role IN ('a', 'b') ORDER BY role, id LIMIT 9"},
	"role.everybody":  {" ORDER BY u.name_key LIMIT 9"},
	"role.someone":    {" AND id = 'a' LIMIT 1", " AND name_key = 'a' LIMIT 1"},
}

// TestStatementsUseIndexes finds statements that read through a table, or through all that a tenant has in it, and those
// that sort what they have read.
func TestStatementsUseIndexes(t *testing.T) {
	db, used := dbxtest.Fresh(t, dbx.SQLite), map[string]bool{}
	for _, s := range dbx.Statements() {
		if strings.HasSuffix(s.Package, "_test") {
			continue
		}
		with := []string{""}
		if s.List {
			with = tails[s.Name]
		}
		for _, tail := range with {
			for _, step := range plan(t, db, s, tail) {
				narrow := !strings.HasPrefix(step, "SCAN") && !strings.HasSuffix(step, "(tenant=?)")
				ordered := strings.Contains(tail, " ORDER BY") && !strings.Contains(tail, " AND ") // a page of all there is
				if !growing.MatchString(step) || narrow || ordered {
					continue
				}
				if used[s.Name] = true; wide[s.Name] == "" {
					t.Errorf("%s%s: %s\n%s", s.Name, tail, step, s.Text)
				}
			}
		}
	}
	for name := range wide {
		if !used[name] {
			t.Errorf("the list of wide statements names %s, which is none", name)
		}
	}
}

func plan(t *testing.T, db *dbx.DB, s dbx.Statement, tail string) (steps []string) {
	t.Helper()
	text := strings.NewReplacer("FOR UPDATE", "", "SKIP LOCKED", "", "= ANY(?)", "IN (SELECT value FROM json_each(?))").Replace(s.Text)
	args := make([]any, strings.Count(text, "?"))
	for i := range args {
		args[i] = 1
	}
	rows, err := db.SQL().Query("EXPLAIN QUERY PLAN "+text+tail, args...)
	if err != nil {
		t.Fatal(s.Name, err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return steps
}
