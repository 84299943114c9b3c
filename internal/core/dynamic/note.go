package dynamic

import (
	"context"
	"maps"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/user"
	"limen/internal/dbx"
)

type mark struct {
	Token string `db:"token"`
	What  string `db:"what"`
}

var (
	markOf = dbx.Q[mark]("dynamic.mark", `SELECT token, what FROM role_script_person WHERE tenant = ? AND user_id = ?`)
	// One statement, whose answer nobody waits for: tenants without scripts pay next to nothing for each change of a person.
	note = dbx.E("dynamic.note", `INSERT INTO role_script_person (tenant, user_id, token, what, due, changed)
		SELECT CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS BIGINT)
		WHERE EXISTS (SELECT 1 FROM role_script s WHERE s.tenant = ?)
		ON CONFLICT (tenant, user_id) DO UPDATE SET token = excluded.token, due = excluded.due, changed = excluded.changed,
		what = CASE WHEN role_script_person.due = 0 THEN excluded.what WHEN length(role_script_person.what) > 2000 THEN '*'
			ELSE role_script_person.what || ',' || excluded.what END`)
	forget = dbx.E("dynamic.forget", `DELETE FROM role_script_person WHERE tenant = ? AND user_id = ?`)
	settle = dbx.E("dynamic.settle", `UPDATE role_script_person SET due = ?, what = ?, changed = ? WHERE tenant = ? AND user_id = ? AND token = ?`)
)

// Note says in the transaction that changes something of a person what it is: names of properties. For nobody in particular, an
// empty id, the scripts that read it judge everybody.
func (s *Scripts) Note(ctx context.Context, c *call.Call, userID string, names ...string) error {
	if userID == "" {
		return s.everybody(ctx, c, names)
	}
	if len(names) == 0 {
		return nil
	}
	now := c.Now.UnixMilli()
	return note.Later(ctx, c.Tx, c.Tenant.ID, userID, c.NewID(), strings.Join(names, ","), now, now, c.Tenant.ID)
}

func (s *Scripts) everybody(ctx context.Context, c *call.Call, names []string) error {
	scripts, read, err := s.scripts(ctx, c)
	if err != nil {
		return err
	}
	for _, is := range scripts {
		if matter(strings.Join(names, ","), read[is.Role]) {
			if err := s.again(ctx, c, is, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// scripts are those of the tenant, and what each reads.
func (s *Scripts) scripts(ctx context.Context, c *call.Call) ([]Script, map[string]map[string]bool, error) {
	scripts, err := ofTenant.All(ctx, c.Tx, c.Tenant.ID)
	if err != nil || len(scripts) == 0 {
		return nil, nil, err
	}
	rows, err := reads.All(ctx, c.Tx, c.Tenant.ID)
	read := map[string]map[string]bool{}
	for _, is := range scripts {
		read[is.Role] = map[string]bool{}
	}
	for _, r := range rows {
		if read[r.Role] != nil {
			read[r.Role][r.Name] = true
		}
	}
	return scripts, read, err
}

// Moved says that a person joined or left a static role; an empty id: that roles joined or left roles.
func (s *Scripts) Moved(ctx context.Context, c *call.Call, userID string) error {
	return s.Note(ctx, c, userID, roles)
}

// Stored says that a person's own row changed; old is zero for somebody new.
func (s *Scripts) Stored(ctx context.Context, c *call.Call, old, now *user.User) error {
	if old.ID == "" {
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
