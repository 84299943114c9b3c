package role

import (
	"context"
	"maps"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/right"
	"limen/internal/dbx"
)

// Proposal is a change of one role that might be made.
type Proposal struct {
	Role   string // id
	Delete bool   // nothing else counts then
	Add    []Member
	Remove []Member
	Assign []Given
	Take   []string // paths of rights
}

// View is who is in which role and holds what: as it is, or as it would be with proposals. It is of one transaction.
type View struct {
	r      *Roles
	c      *call.Call
	s      *snapshot
	joins  map[string][]edge // person -> roles that they would join
	leaves map[string]map[string]bool
}

// Now is what is.
func (r *Roles) Now(ctx context.Context, c *call.Call) (*View, error) {
	s, err := r.now(ctx, c)
	return &View{r: r, c: c, s: s}, err
}

// Propose is what would be with proposals, in their order. Whether the caller may make them is another question. Faults: those
// of Add, Remove, Assign, Unassign and Delete, but ErrNotHeld, ErrSystem and ErrLast.
func (r *Roles) Propose(ctx context.Context, c *call.Call, all []Proposal) (*View, error) {
	v, err := r.Now(ctx, c)
	if err != nil {
		return nil, err
	}
	v.s = v.s.copy()
	v.joins, v.leaves = map[string][]edge{}, map[string]map[string]bool{}
	for _, p := range all {
		if err := v.apply(ctx, p); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// copy is a snapshot of its own whose nesting and rights may be changed.
func (s *snapshot) copy() *snapshot {
	out := *s
	out.roles, out.scopes = maps.Clone(s.roles), maps.Clone(s.scopes)
	out.parents, out.members, out.rights = map[string][]edge{}, nil, map[string][]held{}
	for id, es := range s.parents {
		out.parents[id] = slices.Clone(es)
	}
	for id, hs := range s.rights {
		out.rights[id] = slices.Clone(hs)
	}
	return &out
}

func (v *View) apply(ctx context.Context, p Proposal) error {
	role, known := v.s.roles[p.Role]
	if !known {
		return ErrNotFound
	}
	if p.Delete {
		return v.drop(role)
	}
	for _, m := range slices.Concat(p.Add, p.Remove) {
		if err := v.member(ctx, role, m); err != nil {
			return err
		}
	}
	for _, m := range p.Remove {
		v.leave(role.ID, m)
	}
	for _, m := range p.Add {
		if err := m.check(v.c.Now); err != nil {
			return err
		}
		if err := v.join(role.ID, m); err != nil {
			return err
		}
	}
	return v.endow(role, p)
}

// drop takes a role away: nobody is in it, and nothing names it.
func (v *View) drop(role Role) error {
	if role.BuiltIn {
		return ErrBuiltIn
	}
	delete(v.s.roles, role.ID) // whose walk leads to it ends there
	delete(v.s.rights, role.ID)
	delete(v.s.scopes, holder{Sub, role.ID})
	return nil
}

// member wants somebody who can be a member of the role.
func (v *View) member(ctx context.Context, role Role, m Member) error {
	switch {
	case role.Kind == Open:
		return ErrEverybody
	case role.Kind == Dynamic:
		return ErrDynamic
	case m.Kind == Sub && v.s.roles[m.ID].ID == "":
		return ErrMember
	}
	_, err := v.r.nameKey(ctx, v.c, m)
	return err
}

func (v *View) leave(roleID string, m Member) {
	if m.Kind == Sub {
		v.s.parents[m.ID] = slices.DeleteFunc(v.s.parents[m.ID], func(e edge) bool { return e.to == roleID })
		return
	}
	if v.leaves[m.ID] == nil {
		v.leaves[m.ID] = map[string]bool{}
	}
	v.leaves[m.ID][roleID] = true
	v.joins[m.ID] = slices.DeleteFunc(v.joins[m.ID], func(e edge) bool { return e.to == roleID })
}

// join puts a member in; who is in already gets the new window.
func (v *View) join(roleID string, m Member) error {
	v.leave(roleID, m)
	e := edge{roleID, millis(m.Since), millis(m.Until)}
	if m.Kind == User {
		v.joins[m.ID] = append(v.joins[m.ID], e)
		return nil
	}
	above := v.s.reached(map[string]int64{roleID: endless}, func(_, _ int64) bool { return true })
	if _, in := above[m.ID]; in {
		return ErrCycle
	}
	v.s.parents[m.ID] = append(v.s.parents[m.ID], e)
	return nil
}

// endow gives a role rights and takes others.
func (v *View) endow(role Role, p Proposal) error {
	if role.ID == System && len(p.Assign)+len(p.Take) > 0 {
		return ErrBuiltIn
	}
	without := func(path string) {
		v.s.rights[role.ID] = slices.DeleteFunc(v.s.rights[role.ID], func(h held) bool { return h.path == path })
	}
	for _, path := range p.Take {
		path, err := canonical(path)
		if err != nil {
			return err
		}
		without(path)
	}
	for _, g := range p.Assign {
		path, err := canonical(g.Path)
		if err == nil {
			err = g.check(v.c.Now)
		}
		if err != nil {
			return err
		}
		without(path)
		v.s.rights[role.ID] = append(v.s.rights[role.ID], held{path, right.Parse(path), millis(g.Since), millis(g.Until)})
	}
	return nil
}

// several reads what people are in directly.
var several = dbx.L[severalRow]("role.ofUsers", `SELECT u.id AS id, u.everybody AS everybody, COALESCE(m.role, '') AS role, COALESCE(m.since, 0) AS since,
	COALESCE(m.until, 0) AS until FROM users u LEFT JOIN role_member m ON m.tenant = u.tenant AND m.kind = 'User' AND m.member = u.id
	WHERE u.tenant = ?`)

type severalRow struct {
	ID        string `db:"id"`
	Everybody bool   `db:"everybody"`
	Role      string `db:"role"`
	Since     int64  `db:"since"`
	Until     int64  `db:"until"`
}

// batch is how many people are read at once.
const batch = 500

// Direct is what people are in without nesting. Views of one transaction share it.
type Direct map[string][]severalRow

// Load reads what people are in; who does not exist is left out.
func (r *Roles) Load(ctx context.Context, c *call.Call, userIDs []string) (Direct, error) {
	out := Direct{}
	for part := range slices.Chunk(userIDs, batch) {
		in := dbx.In("id", part...)
		for after := (*severalRow)(nil); ; {
			where, order := in, []dbx.Order{{Column: "id"}, {Column: "role"}}
			if after != nil {
				where = dbx.And(in, dbx.After(order, after.ID, after.Role))
			}
			const most = 50_000
			rows, err := several.Rows(ctx, c.Tx, where, order, most, c.Tenant.ID)
			if err != nil {
				return nil, err
			}
			for _, row := range rows {
				out[row.ID] = append(out[row.ID], row)
			}
			if len(rows) < most {
				break
			}
			after = &rows[most-1]
		}
	}
	return out, nil
}

// Of is what people hold, by their ids. Who is in the same roles shares one answer: it is read only.
func (v *View) Of(of Direct) map[string]*Membership {
	out, same := make(map[string]*Membership, len(of)), map[string]*Membership{}
	now := v.c.Now.UnixMilli()
	for id, rows := range of {
		w := walk{s: v.s, now: now, in: map[string]bool{}, people: []string{id}}
		roots := v.roots(&w, id, rows)
		key := strings.Join(roots, "\x00")
		alone := len(v.s.scopes[holder{User, id}]) > 0 // holds something by themselves
		if m := same[key]; m != nil && !alone {
			out[id] = m
			continue
		}
		for _, role := range roots {
			w.enter(role)
		}
		m := w.membership()
		if out[id] = &m; !alone {
			same[key] = &m
		}
	}
	return out
}

// roots are the roles that somebody is in directly now.
func (v *View) roots(w *walk, id string, rows []severalRow) (roots []string) {
	if rows[0].Everybody {
		roots = append(roots, Everybody)
	}
	for _, m := range rows {
		if m.Role != "" && !v.leaves[id][m.Role] && w.during(m.Since, m.Until) {
			roots = append(roots, m.Role)
		}
	}
	for _, e := range v.joins[id] {
		if w.during(e.since, e.until) {
			roots = append(roots, e.to)
		}
	}
	slices.Sort(roots)
	return slices.Compact(roots)
}

// Reached lists the people for whom proposals may change something: who would join or leave, and who is in the roles that
// change, by themselves or by nesting, before or after. At most most of them; more says that there are others.
func (r *Roles) Reached(ctx context.Context, c *call.Call, all []Proposal, before, after *View, most int) (ids []string, more bool, err error) {
	seen := map[string]bool{}
	add := func(id string) bool {
		if !seen[id] && len(ids) == most {
			more = true
			return false
		}
		if !seen[id] {
			seen[id], ids = true, append(ids, id)
		}
		return true
	}
	roles := map[string]bool{}
	now := c.Now.UnixMilli()
	for _, p := range all {
		whole := p.Delete || len(p.Assign)+len(p.Take) > 0
		for _, m := range slices.Concat(p.Add, p.Remove) {
			if m.Kind == User && !add(m.ID) {
				return ids, more, nil
			}
			if m.Kind == Sub {
				maps.Copy(roles, before.within(m.ID, now))
				maps.Copy(roles, after.within(m.ID, now))
			}
		}
		if whole {
			maps.Copy(roles, before.within(p.Role, now))
			maps.Copy(roles, after.within(p.Role, now))
		}
	}
	for _, role := range slices.Sorted(maps.Keys(roles)) {
		if more, err = everyone(ctx, c, role, add); more || err != nil {
			return ids, more, err
		}
	}
	return ids, false, nil
}

// within lists the roles whose members are in a role.
func (v *View) within(roleID string, now int64) map[string]bool {
	out := map[string]bool{}
	for id := range v.s.inside(roleID, now) {
		out[id] = true
	}
	return out
}

// everyone goes through the people who are directly in a role, until add wants no more.
func everyone(ctx context.Context, c *call.Call, roleID string, add func(id string) bool) (more bool, err error) {
	l := lister{c: c, q: Query{Sort: ByKind}, g: grant.All(), everybody: roleID == Everybody}
	for behind := (*MemberRow)(nil); ; {
		rows, err := l.rows(ctx, roleID, behind, 5000)
		if err != nil {
			return false, err
		}
		for i := range rows {
			if rows[i].Kind == User && !add(rows[i].ID) {
				return true, nil
			}
		}
		if len(rows) < 5000 {
			return false, nil
		}
		behind = &rows[len(rows)-1]
	}
}
