package role

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"

	"limen/internal/call"
	"limen/internal/dbx"
)

// tally is what is known of a role's members without reading them. It is exact: its rows are written with the members.
type tally struct {
	n    int64  // rows in role_member, of members whose time has ended too
	mark uint64 // another one after each change of a member; of two equal marks the members are the same
}

type tallyRow struct {
	Role string `db:"role"`
	ID   string `db:"id"`
	N    int64  `db:"n"`
	Mark int64  `db:"mark"`
}

type sumRow struct {
	N    int64 `db:"n"`
	Mark int64 `db:"mark"`
}

type roleRow struct {
	Tenant string `db:"tenant"`
	Role   string `db:"role"`
}

type roleCount struct {
	roleRow
	N int64 `db:"n"`
}

var (
	tallyRows  = dbx.L[tallyRow]("role.tallies", `SELECT role, id, n, mark FROM role_tally WHERE tenant = ?`)
	addTally   = dbx.E("role.addTally", `INSERT INTO role_tally (tenant, role, id, n, mark) VALUES (?, ?, ?, ?, ?)`)
	takeTally  = dbx.W[sumRow]("role.takeTally", `DELETE FROM role_tally WHERE tenant = ? AND role = ? RETURNING n, mark`)
	dropTally  = dbx.E("role.dropTally", `DELETE FROM role_tally WHERE tenant = ? AND role = ?`)
	countEnded = dbx.Q[int64]("role.countEnded", `SELECT count(*) FROM role_member WHERE tenant = ? AND role = ? AND until <> 0 AND until <= ?`)

	// What was counted, and what is there: see Mend.
	tallied = dbx.Q[roleCount]("role.tallied", `SELECT tenant, role, CAST(sum(n) AS BIGINT) AS n FROM role_tally GROUP BY tenant, role`)
	there   = dbx.Q[roleCount]("role.there", `SELECT tenant, role, count(*) AS n FROM role_member GROUP BY tenant, role`)
	// One statement, for it sees one moment: whoever changes members meanwhile adds a row of their own.
	mend = dbx.E("role.mend", `INSERT INTO role_tally (tenant, role, id, n, mark) SELECT CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT),
		(SELECT count(*) FROM role_member m WHERE m.tenant = ? AND m.role = ?)
		- (SELECT COALESCE(CAST(sum(n) AS BIGINT), 0) FROM role_tally t WHERE t.tenant = ? AND t.role = ?), CAST(? AS BIGINT)`)
)

// foldEvery is after how many changes of a role's members, on average, their rows are put together.
const foldEvery = 32

// counted notes that a role has n more members, or that something of its members changed.
func (r *Roles) counted(ctx context.Context, c *call.Call, roleID string, n int64) error {
	return note(ctx, c.Tx, c.Tenant.ID, roleID, c.NewID(), n)
}

func note(ctx context.Context, tx *dbx.Tx, tenant, roleID, id string, n int64) error {
	mark := markOf(id)
	sum := sumRow{n, int64(mark)}
	if mark%foldEvery == 0 {
		// Who does the same at the same time finds what is left: a row is deleted once.
		rows, err := takeTally.All(ctx, tx, tenant, roleID)
		if err != nil {
			return err
		}
		for _, row := range rows {
			sum.N, sum.Mark = sum.N+row.N, sum.Mark+row.Mark // marks may wrap
		}
	}
	return addTally.Later(ctx, tx, tenant, roleID, id, sum.N, sum.Mark)
}

// markOf draws a mark from an id.
func markOf(id string) uint64 {
	h := sha256.Sum256([]byte(id))
	return binary.LittleEndian.Uint64(h[:])
}

// tallies gives those of roles; a role that never had members has a zero one.
func tallies(ctx context.Context, c *call.Call, roles []string) (map[string]tally, error) {
	out := make(map[string]tally, len(roles))
	order := []dbx.Order{{Column: "role"}, {Column: "id"}}
	for len(roles) > 0 {
		n := min(len(roles), chunk)
		in := dbx.In("role", roles[:n]...)
		roles = roles[n:]
		for where := in; ; {
			rows, err := tallyRows.Rows(ctx, c.Tx, where, order, many, c.Tenant.ID)
			if err != nil {
				return nil, err
			}
			for _, row := range rows {
				t := out[row.Role]
				out[row.Role] = tally{t.n + row.N, t.mark + uint64(row.Mark)}
			}
			if len(rows) < many {
				break
			}
			last := rows[len(rows)-1]
			where = dbx.And(in, dbx.After(order, last.Role, last.ID))
		}
	}
	return out, nil
}

// size is how many direct members of a role count at c.Now.
func (t tally) size(ctx context.Context, c *call.Call, roleID string) (int64, error) {
	ended, err := countEnded.One(ctx, c.Tx, c.Tenant.ID, roleID, c.Now.UnixMilli())
	return t.n - ended, err
}

// Mend corrects the tallies that are wrong, as those are whose members a program of an older version has changed. It gives
// how many were.
func (r *Roles) Mend(ctx context.Context, db *dbx.DB) (int, error) {
	off := map[roleRow]int64{}
	err := db.Read(ctx, func(tx *dbx.Tx) error {
		clear(off)
		if err := tallied.Each(ctx, tx, func(row roleCount) error { off[row.roleRow] -= row.N; return nil }); err != nil {
			return err
		}
		return there.Each(ctx, tx, func(row roleCount) error { off[row.roleRow] += row.N; return nil })
	})
	n := 0
	for at, by := range off {
		if err != nil {
			return n, err
		}
		if by == 0 {
			continue
		}
		n++
		err = db.Write(ctx, func(tx *dbx.Tx) error {
			id := call.NewID(time.Now(), rand.Reader)
			_, err := mend.Do(ctx, tx, at.Tenant, at.Role, id, at.Tenant, at.Role, at.Tenant, at.Role, int64(markOf(id)))
			return err
		})
	}
	return n, err
}

// Sizes counts the direct members of roles at c.Now, by the roles' ids, those who begin later included; what has none is left out. It
// reads no members but those who have ended.
func (r *Roles) Sizes(ctx context.Context, c *call.Call, ids ...string) (map[string]int64, error) {
	all, err := tallies(ctx, c, ids)
	out := make(map[string]int64, len(all))
	for id, t := range all {
		n, bad := t.size(ctx, c, id)
		out[id], err = n, errors.Join(err, bad)
	}
	return out, err
}
