package role

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
	"sync"

	"limen/internal/call"
	"limen/internal/dbx"
)

// union is the members of several roles, each once: those of the largest role, and those whom the others add.
type union struct {
	largest string
	most    int64       // members of the largest
	mark    uint64      // of the largest
	extra   []memberKey // in no order; never changed

	from, until int64 // the moments at which extra holds, until apart; 0: without end
}

// standing is a membership of a role.
type standing struct {
	Role string `db:"role"`
	memberKey
}

type endRow struct {
	Role  string `db:"role"`
	Until int64  `db:"until"`
}

var (
	standings = dbx.L[standing]("role.standings", `SELECT m.role, m.kind, m.member, m.name_key FROM role_member m WHERE m.tenant = ?`).By("m.until")
	endings   = dbx.L[endRow]("role.endings", `SELECT role, until FROM role_member WHERE tenant = ? AND until <> 0`)
)

// stands picks memberships, in the order of an index: by role, or by member.
type picking struct {
	where dbx.Clause
	order []dbx.Order
}

func stands(where dbx.Clause, order ...string) picking {
	p := picking{where: where}
	for _, column := range order {
		p.order = append(p.order, dbx.Order{Column: column})
	}
	return p
}

// each hands over every membership picked.
func (p picking) each(ctx context.Context, c *call.Call, f func(standing)) error {
	for where := p.where; ; {
		rows, err := standings.Rows(ctx, c.Tx, where, p.order, many, c.Tenant.ID)
		if err != nil {
			return err
		}
		for _, row := range rows {
			f(row)
		}
		if len(rows) < many {
			return nil
		}
		last, values := rows[len(rows)-1], []any{}
		for _, o := range p.order {
			values = append(values, map[string]any{"role": last.Role, "kind": last.Kind, "member": last.ID}[o.Column])
		}
		where = dbx.And(p.where, dbx.After(p.order, values...))
	}
}

// union gives the members that are listed of some roles.
func (r *Roles) union(ctx context.Context, l *lister, inside map[string]int64) (union, error) {
	ids := slices.Sorted(maps.Keys(inside))
	known, err := tallies(ctx, l.c, ids)
	if err != nil {
		return union{}, err
	}
	u := union{largest: ids[0]}
	for _, id := range ids {
		if known[id].n > known[u.largest].n {
			u.largest = id
		}
	}
	u.mark = known[u.largest].mark
	if !l.whole() {
		p, err := l.count(ctx, u.largest)
		if u.most = p.all; err == nil {
			u.extra, err = l.extra(ctx, u.largest, ids)
		}
		return u, err
	}
	if u.most, err = known[u.largest].size(ctx, l.c, u.largest); err != nil {
		return u, err
	}
	// What a transaction that writes sees is no single moment.
	key, now, keep := unionKey(l.c.Tenant.ID, ids, known), l.c.Now.UnixMilli(), !l.c.Tx.Writable()
	if old, ok := r.unions.get(key, now); ok && keep {
		u.extra = old.extra
		return u, nil
	}
	if u.extra, err = l.extra(ctx, u.largest, ids); err != nil || !keep {
		return u, err
	}
	u.from = now
	if u.until, err = l.changes(ctx, ids); err == nil {
		r.unions.put(key, u)
	}
	return u, err
}

// extra gives the members of roles who are not in the largest of them, each once.
func (l *lister) extra(ctx context.Context, largest string, ids []string) ([]memberKey, error) {
	of := map[memberKey]memberKey{}
	others := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == largest })
	if err := l.everyone(ctx, others, func(k memberKey) { of[k.id()] = k }); err != nil {
		return nil, err
	}
	left := make([]string, 0, len(of))
	for k := range of {
		left = append(left, k.ID)
	}
	slices.Sort(left) // neighbours in the index
	live := dbx.Or(dbx.Eq("until", 0), dbx.Gt("until", l.c.Now.UnixMilli()))
	for part := range slices.Chunk(left, chunk) {
		where := dbx.And(dbx.Eq("role", largest), dbx.In("kind", User, Group, Sub), dbx.In("member", part...), live)
		if err := stands(where, "kind", "member").each(ctx, l.c, func(row standing) { delete(of, row.id()) }); err != nil {
			return nil, err
		}
	}
	return slices.Collect(maps.Values(of)), nil
}

// everyone hands over every member of roles that is listed, once for each role they are in.
func (l *lister) everyone(ctx context.Context, ids []string, f func(memberKey)) error {
	if l.bare() {
		for part := range slices.Chunk(ids, chunk) {
			picks := stands(dbx.And(dbx.In("role", part...), l.where(nil)), "role", "kind", "member")
			if err := picks.each(ctx, l.c, func(row standing) { f(row.memberKey) }); err != nil {
				return err
			}
		}
		return nil
	}
	for _, id := range ids { // a grant is about the people behind the memberships
		st := stream{role: id}
		for !st.done {
			if err := st.fill(ctx, l, many); err != nil {
				return err
			}
			for _, k := range st.keys {
				f(k)
			}
			st.keys = nil
		}
	}
	return nil
}

// changes is when the next membership of some roles ends; 0: none does.
func (l *lister) changes(ctx context.Context, ids []string) (next int64, err error) {
	ahead := dbx.Gt("until", l.c.Now.UnixMilli())
	for part := range slices.Chunk(ids, chunk) {
		rows, err := endings.Rows(ctx, l.c.Tx, dbx.And(dbx.In("role", part...), ahead), []dbx.Order{{Column: "until"}}, 1, l.c.Tenant.ID)
		if err != nil {
			return 0, err
		}
		if len(rows) > 0 && (next == 0 || rows[0].Until < next) {
			next = rows[0].Until
		}
	}
	return next, nil
}

// unionKey names some roles and who is in them.
func unionKey(tenant string, ids []string, known map[string]tally) [32]byte {
	b := append([]byte(tenant), 0)
	for _, id := range ids {
		b = append(append(b, id...), 0)
		b = binary.LittleEndian.AppendUint64(b, known[id].mark)
	}
	return sha256.Sum256(b)
}

// unions remembers what was merged. What it says of a key is true for good: a key is never met again once a member changed.
type unions struct {
	mu   sync.Mutex
	of   map[[32]byte]union
	kept int // members
}

// maxKept bounds the members that are remembered, of about 200 bytes each.
const maxKept = 100_000

func (us *unions) get(key [32]byte, now int64) (union, bool) {
	us.mu.Lock()
	defer us.mu.Unlock()
	u, ok := us.of[key]
	return u, ok && u.from <= now && (u.until == 0 || now < u.until)
}

func (us *unions) put(key [32]byte, u union) {
	us.mu.Lock()
	defer us.mu.Unlock()
	if len(u.extra)+1 > maxKept {
		return
	}
	us.drop(key)
	for k := range us.of { // any: a map's order is random
		if us.kept+len(u.extra)+1 <= maxKept {
			break
		}
		us.drop(k)
	}
	if us.of == nil {
		us.of = map[[32]byte]union{}
	}
	us.of[key] = u
	us.kept += len(u.extra) + 1
}

func (us *unions) drop(key [32]byte) {
	if u, ok := us.of[key]; ok {
		delete(us.of, key)
		us.kept -= len(u.extra) + 1
	}
}
