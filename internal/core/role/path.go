package role

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/right"
	"limen/internal/dbx"
	"limen/internal/fold"
)

// Ways of being in a role.
const (
	ByFlag    = "Everybody" // as everybody is
	ByMember  = "Member"
	ByScript  = "Script" // the script of a dynamic role said so
	ByNesting = "Nested" // the role before it is a member
)

// Hop is a step of a path: being in a role. Times are milliseconds since 1970 UTC; 0: no bound.
type Hop struct {
	Role    Role
	How     string
	Since   int64
	Until   int64
	Reason  string
	Granter string // login name; empty when nobody is known
	Open    bool   // the window is open at c.Now
}

// Path leads from a person to a role: by a membership of their own, and nested roles from there.
type Path struct {
	Hops []Hop
	Open bool // every window on it is
}

// End is the role that it leads to.
func (p Path) End() Role { return p.Hops[len(p.Hops)-1].Role }

// Bounds of what is told: how many paths, and how many steps are looked at to find them.
const (
	MaxPaths = 20
	maxSteps = 20_000
)

type hopRow struct {
	Since   int64  `db:"since"`
	Until   int64  `db:"until"`
	Reason  string `db:"reason"`
	Granter string `db:"granter"`
}

var (
	hop = dbx.Q[hopRow]("role.hop", `SELECT m.since AS since, m.until AS until, m.reason AS reason, COALESCE(g.name, '') AS granter
		FROM role_member m LEFT JOIN users g ON g.tenant = m.tenant AND g.id = m.granter
		WHERE m.tenant = ? AND m.role = ? AND m.kind = ? AND m.member = ?`)
	oneRight = dbx.Q[Listed]("role.oneRight", `SELECT t.path AS path, t.since AS since, t.until AS until, t.reason AS reason, COALESCE(g.name, '') AS granter
		FROM role_right t LEFT JOIN users g ON g.tenant = t.tenant AND g.id = t.granter WHERE t.tenant = ? AND t.role = ? AND t.path = ?`)
)

// Paths finds how a person comes to be in roles, whatever the windows: those that are closed say why somebody is not in a role
// any more, or not yet. At most MaxPaths; more says that there may be others. ErrMember when there is no such person.
func (r *Roles) Paths(ctx context.Context, c *call.Call, userID string, ends func(Role) bool) (out []Path, more bool, err error) {
	rows, err := ofUser.All(ctx, c.Tx, c.Tenant.ID, userID)
	if err != nil {
		return nil, false, err
	}
	if len(rows) == 0 {
		return nil, false, ErrMember
	}
	s, err := r.snapshot(ctx, c, rows[0].Version)
	if err != nil {
		return nil, false, err
	}
	f := finder{s: s, ends: ends, on: map[string]bool{}}
	if rows[0].Everybody {
		f.enter(Everybody)
	}
	for _, m := range rows {
		if m.Role != nil {
			f.enter(*m.Role)
		}
	}
	for _, roles := range f.found {
		p, err := r.path(ctx, c, s, userID, roles, rows[0].Everybody)
		if err != nil {
			return nil, false, err
		}
		out = append(out, p)
	}
	return out, f.more, nil
}

// finder looks for paths through nested roles, none of which it enters twice on one path.
type finder struct {
	s     *snapshot
	ends  func(Role) bool
	on    map[string]bool
	at    []string
	steps int
	found [][]string
	more  bool
}

func (f *finder) enter(id string) {
	role, known := f.s.roles[id]
	if !known || f.on[id] {
		return
	}
	if f.steps++; f.steps > maxSteps || len(f.found) >= MaxPaths {
		f.more = true
		return
	}
	f.on[id], f.at = true, append(f.at, id)
	if f.ends(role) {
		f.found = append(f.found, append([]string(nil), f.at...))
	}
	for _, e := range f.s.parents[id] {
		f.enter(e.to)
	}
	f.at = f.at[:len(f.at)-1]
	delete(f.on, id)
}

// path reads what is known of each step.
func (r *Roles) path(ctx context.Context, c *call.Call, s *snapshot, userID string, roles []string, everybody bool) (Path, error) {
	out := Path{Open: true}
	kind, member, now := User, userID, walk{now: c.Now.UnixMilli()}
	for i, id := range roles {
		h := Hop{Role: s.roles[id], How: ByMember, Open: true}
		switch {
		case i > 0:
			h.How = ByNesting
		case id == Everybody && everybody:
			h.How = ByFlag
		case h.Role.Kind == Dynamic:
			h.How = ByScript
		}
		if h.How != ByFlag {
			row, err := hop.One(ctx, c.Tx, c.Tenant.ID, id, kind, member)
			if err != nil && !errors.Is(err, dbx.ErrNoRow) {
				return out, err
			}
			h.Since, h.Until, h.Reason, h.Granter = row.Since, row.Until, row.Reason, row.Granter
			h.Open = now.during(row.Since, row.Until)
		}
		out.Hops, out.Open = append(out.Hops, h), out.Open && h.Open
		kind, member = Sub, id
	}
	return out, nil
}

// Holding is a way in which somebody holds a right through a role.
type Holding struct {
	Path
	Right right.Right // that the role carries: the one asked for, or one that holds nothing less
	Given Listed      // when, why and by whom the role was given it; zero for System Administrator, which has every right
	Open  bool        // it holds at c.Now
}

// Holdings finds how a person holds a right through roles, also where a window is closed. more says that there may be others.
// ErrMember when there is no such person.
func (r *Roles) Holdings(ctx context.Context, c *call.Call, userID string, want right.Right) (out []Holding, more bool, err error) {
	s, err := r.now(ctx, c)
	if err != nil {
		return nil, false, err
	}
	paths, more, err := r.Paths(ctx, c, userID, func(role Role) bool { return len(s.carries(role.ID, want)) > 0 })
	if err != nil {
		return nil, false, err
	}
	for _, p := range paths {
		for _, carried := range s.carries(p.End().ID, want) {
			h := Holding{Path: p, Right: carried, Open: p.Open}
			if carried != right.System {
				h.Given, err = oneRight.One(ctx, c.Tx, c.Tenant.ID, p.End().ID, carried.Info().Path)
				if err != nil && !errors.Is(err, dbx.ErrNoRow) {
					return nil, false, err
				}
				now := walk{now: c.Now.UnixMilli()}
				h.Open = p.Open && err == nil && now.during(h.Given.Since, h.Given.Until)
			}
			out = append(out, h)
		}
	}
	return out, more, nil
}

// carries lists the rights of a role that reach as far as one does.
func (s *snapshot) carries(roleID string, want right.Right) (out []right.Right) {
	if roleID == System {
		return []right.Right{right.System}
	}
	for _, h := range s.rights[roleID] {
		if h.right != right.None && right.Of(h.right).Reach().Has(want) {
			out = append(out, h.right)
		}
	}
	return out
}

// Carriers lists roles that carry a right by themselves, by name.
func (r *Roles) Carriers(ctx context.Context, c *call.Call, want right.Right, most int) ([]Role, error) {
	s, err := r.now(ctx, c)
	if err != nil {
		return nil, err
	}
	var out []Role
	for id, role := range s.roles {
		if len(s.carries(id, want)) > 0 {
			out = append(out, role)
		}
	}
	slices.SortFunc(out, func(a, b Role) int {
		return cmp.Or(strings.Compare(fold.Key(a.Name), fold.Key(b.Name)), strings.Compare(a.ID, b.ID))
	})
	return out[:min(len(out), most)], nil
}
