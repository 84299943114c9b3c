package dynamic

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fold"
)

type mark struct {
	Token string `db:"token"`
	What  string `db:"what"`
}

// Rows of role_script_person that are about nobody in particular: the scripts that read what changed judge everybody.
const (
	everybody = ""
	later     = "*" // a second time, see twice
)

var (
	markOf = dbx.Q[mark]("dynamic.mark", `SELECT token, what FROM role_script_person WHERE tenant = ? AND user_id = ?`)
	// One statement, whose answer nobody waits for: tenants without scripts pay next to nothing for each change of a person.
	note = dbx.E("dynamic.note", `INSERT INTO role_script_person (tenant, user_id, token, what, due, changed)
		SELECT CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS BIGINT)
		WHERE EXISTS (SELECT 1 FROM role_script s WHERE s.tenant = ?)
		ON CONFLICT (tenant, user_id) DO UPDATE SET token = excluded.token, due = excluded.due, changed = excluded.changed,
		what = CASE WHEN role_script_person.due = 0 THEN excluded.what WHEN length(role_script_person.what) > 2000 THEN '*'
			ELSE role_script_person.what || ',' || excluded.what END`)
	// await has somebody be due at a later time, unless they are due before.
	await = dbx.E("dynamic.await", `INSERT INTO role_script_person (tenant, user_id, token, what, due, changed) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, user_id) DO UPDATE SET due = excluded.due, what = excluded.what
		WHERE role_script_person.due = 0 OR role_script_person.due > excluded.due`)
	forget = dbx.E("dynamic.forget", `DELETE FROM role_script_person WHERE tenant = ? AND user_id = ?`)
	settle = dbx.E("dynamic.settle", `UPDATE role_script_person SET due = ?, what = ?, changed = ? WHERE tenant = ? AND user_id = ? AND token = ?`)
)

// Note says in the transaction that changes something of a person what it is: names of properties. For nobody in particular, an
// empty id, the scripts that read it judge everybody. Who reads it is asked later, by who judges: a script may be learning in
// another transaction that it does.
func (s *Scripts) Note(ctx context.Context, c *call.Call, userID string, names ...string) error {
	if len(names) == 0 {
		return nil
	}
	now := c.Now.UnixMilli()
	c.Tx.After(s.wake)
	return note.Later(ctx, c.Tx, c.Tenant.ID, userID, c.NewID(), strings.Join(names, ","), now, now, c.Tenant.ID)
}

// twice has everybody judged once more after the first script of a tenant: a transaction that began before may not have noted
// what it changed. On SQLite there is no such transaction.
func (s *Scripts) twice(ctx context.Context, c *call.Call) error {
	if s.DB.Engine() == dbx.SQLite {
		return nil
	}
	const transaction = 10 * time.Second // none takes longer
	_, err := await.Do(ctx, c.Tx, c.Tenant.ID, later, c.NewID(), all, c.Now.Add(transaction).UnixMilli(), c.Now.UnixMilli())
	return err
}

// Moved says that a person joined or left a static role; an empty id: that roles joined or left roles, or are called otherwise.
func (s *Scripts) Moved(ctx context.Context, c *call.Call, userID string) error {
	return s.Note(ctx, c, userID, roles)
}

// Stored says that a person's own row changed; old is zero for somebody new. Rows of nobody say what changed of many.
func (s *Scripts) Stored(ctx context.Context, c *call.Call, old, now *user.User) error {
	if old.ID == "" && now.ID != "" {
		return s.Note(ctx, c, now.ID, all)
	}
	before, after := rowOf(*old).properties(), rowOf(*now).properties()
	var names []string
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if before[name] != after[name] {
			names = append(names, name)
		}
	}
	if old.Everybody != now.Everybody {
		names = append(names, roles)
	}
	return s.Note(ctx, c, now.ID, names...)
}

// Gone forgets a person who is being deleted.
func (s *Scripts) Gone(ctx context.Context, c *call.Call, userID string) error {
	_, err := forget.Do(ctx, c.Tx, c.Tenant.ID, userID)
	return err
}

// reading is what a script reads, by fold.Key: scripts may spell a name as they like, even before there is such a property.
type reading map[string]bool

func (r reading) add(name string) { r[fold.Key(name)] = true }

// matters says whether what changed of a person is something that a script reads.
func (r reading) matters(what string) bool {
	if r[all] || r[unjudged] {
		return true
	}
	for name := range strings.SplitSeq(what, ",") {
		if name == all || name != "" && r[fold.Key(name)] {
			return true
		}
	}
	return false
}

// scripts are those of the tenant, and what each reads.
func (s *Scripts) scripts(ctx context.Context, c *call.Call) ([]Script, map[string]reading, error) {
	scripts, err := ofTenant.All(ctx, c.Tx, c.Tenant.ID)
	if err != nil || len(scripts) == 0 {
		return nil, nil, err
	}
	rows, err := reads.All(ctx, c.Tx, c.Tenant.ID)
	read := map[string]reading{}
	for _, is := range scripts {
		read[is.Role] = reading{}
	}
	for _, r := range rows {
		if read[r.Role] != nil {
			read[r.Role].add(r.Name)
		}
	}
	return scripts, read, err
}
