package role_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/dbx"
	"limen/internal/fault"

	"pgregory.net/rapid"
)

// game is a tenant in which people without full administration try what they can.
type game struct {
	*world
	t      *rapid.T
	base   time.Time
	people []string
	roles  []string
	holds  map[string][]right.Held // person -> what they hold at moments
}

// moments are when the game looks at what people hold, from hours before the windows that it gives to long behind them.
func (g *game) moments() []time.Time {
	out := []time.Time{g.now}
	for _, m := range []int{15, 45, 75, 105, 135, 165, 195, 6000} {
		if at := g.base.Add(time.Duration(m) * time.Minute); at.After(g.now) {
			out = append(out, at)
		} else {
			out = append(out, g.now)
		}
	}
	return out
}

// look reads what everybody holds, now and at the moments ahead.
func (g *game) look() map[string][]right.Held {
	out := map[string][]right.Held{}
	err := g.db.Read(context.Background(), func(tx *dbx.Tx) error {
		clear(out)
		c := g.call(tx)
		for _, p := range g.people {
			for _, at := range g.moments() {
				c.Now = at
				m, err := g.world.roles.Of(context.Background(), c, p)
				if err != nil {
					return err
				}
				out[p] = append(out[p], m.Held)
			}
		}
		return nil
	})
	if err != nil {
		g.t.Fatal(err)
	}
	return out
}

// more is what a holds beyond b.
func more(a, b right.Held) right.Held {
	out := right.Held{Tenant: a.Tenant &^ b.Tenant, Tree: a.Tree}
	for org, s := range a.Orgs {
		out.Add(org, s&^(b.Tenant|b.At(org)))
	}
	return out
}

func (g *game) pick(label string, from []string) string {
	return rapid.SampledFrom(from).Draw(g.t, label)
}

func (g *game) window(label string) (since, until time.Time) {
	at := func(h int) time.Time {
		if h == 0 {
			return time.Time{}
		}
		return g.base.Add(time.Duration(h) * time.Hour)
	}
	from := rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(g.t, label+" from")
	to := rapid.SampledFrom([]int{0, 0, 1, 2, 3}).Draw(g.t, label+" until")
	return at(from), at(to)
}

func (g *game) member() role.Member {
	m := role.Member{Kind: role.User, ID: g.pick("person", g.people)}
	if rapid.Bool().Draw(g.t, "nest") {
		m = role.Member{Kind: role.Sub, ID: g.pick("sub", g.roles)}
	}
	m.Since, m.Until = g.window("member")
	return m
}

var tried = []right.Right{right.RoleManagement, right.UserManagement, right.ReadUsers, right.VaultManagement, right.AdminPortal}

// step does something as the caller.
func (g *game) step(ctx context.Context, c *call.Call) error {
	r, to := g.world.roles, g.pick("role", g.roles)
	path := rapid.SampledFrom(tried).Draw(g.t, "right").Info().Path
	switch what := rapid.IntRange(0, 11).Draw(g.t, "what"); what {
	case 0:
		made, err := r.Create(ctx, c, role.New{Name: fmt.Sprint("r", g.id, g.people[0], len(g.roles)), Org: g.pick("org", []string{"", "o1", "o2"})})
		if err == nil {
			g.roles = append(g.roles, made.ID)
		}
		return err
	case 1, 2, 3, 4:
		return r.Add(ctx, c, to, g.member())
	case 5:
		return r.Remove(ctx, c, to, g.member())
	case 6, 7, 8:
		since, until := g.window("right")
		return r.Assign(ctx, c, to, role.Given{Path: path, Since: since, Until: until})
	case 9:
		return r.Unassign(ctx, c, to, path)
	case 10:
		return r.SetOrg(ctx, c, to, g.pick("org", []string{"", "o1", "o2"}))
	default:
		return r.Delete(ctx, c, to)
	}
}

// play lets somebody take a step; it may fail, but not because of the program.
func (g *game) play(who string, held right.Held) {
	g.caller = &call.Caller{User: who, Held: held}
	err := g.db.Write(context.Background(), func(tx *dbx.Tx) error { return g.step(context.Background(), g.call(tx)) })
	if err != nil && fault.Of(err).Kind == fault.Internal {
		g.t.Fatal(err)
	}
}

// limited takes a step of somebody without full administration, and sees that whatever anybody holds now or later, and
// did not before, the one who took the step holds too, for as long; and that nobody lost what the one does not hold.
func (g *game) limited() {
	who := g.pick("who", g.people[:3])
	before, at := g.holds, g.moments()
	g.play(who, before[who][0])
	g.holds = g.look()
	for _, p := range g.people {
		for i := range at {
			if gained := more(g.holds[p][i], before[p][i]); !before[who][i].Covers(gained) {
				g.t.Fatalf("%s gave %s at %v %+v, holding %+v", who, p, at[i].Sub(g.base), gained, before[who][i])
			}
			if lost := more(before[p][i], g.holds[p][i]); !before[who][0].Covers(lost) {
				g.t.Fatalf("%s took from %s at %v %+v, holding %+v", who, p, at[i].Sub(g.base), lost, before[who][0])
			}
		}
	}
}

// Whatever people do with roles who are no system administrators: nobody comes by a right that they, or whoever gave it to
// them, did not hold, or for longer than that.
func TestNobodyGivesWhatTheyDoNotHold(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		root, n := *w.caller, 0
		rapid.Check(t, func(rt *rapid.T) {
			n++
			g := &game{world: &world{t: t, db: w.db, roles: w.roles, users: w.users, id: w.id, now: w.now, caller: &root}, t: rt, base: w.now}
			for i := range 5 {
				g.people = append(g.people, g.user(fmt.Sprintf("p%d-%d", n, i)))
			}
			for i := range 5 {
				id := g.role(fmt.Sprintf("start%d-%d", n, i))
				g.roles = append(g.roles, id)
			}
			w.roles.Scopes = func(context.Context, *call.Call) (role.Scopes, error) {
				return role.Scopes{Tree: right.Tree{"o1": "", "o2": "o1"}, Held: map[role.Holder][]role.Scope{
					{Kind: role.Sub, ID: g.roles[0]}:   {{Org: "o1", Right: right.UserManagement}},
					{Kind: role.User, ID: g.people[1]}: {{Org: "o2", Right: right.RoleManagement, Until: g.base.Add(2 * time.Hour).UnixMilli()}},
				}}, nil
			}
			g.assign(nil, g.roles[1], role.Given{Path: roleman})
			g.assign(nil, g.roles[2], role.Given{Path: userman, Until: g.base.Add(2 * time.Hour)})
			g.add(nil, g.roles[1], person(g.people[0]), person(g.people[1]))
			g.add(nil, g.roles[2], role.Member{Kind: role.User, ID: g.people[0], Until: g.base.Add(time.Hour)}, person(g.people[2]))
			g.holds = g.look()
			for range rapid.IntRange(5, 16).Draw(rt, "steps") {
				switch rapid.IntRange(0, 5).Draw(rt, "turn") {
				case 0:
					g.play("root", root.Held)
					g.holds = g.look()
				case 1:
					g.now = g.now.Add(20 * time.Minute)
					g.holds = g.look()
				default:
					g.limited()
				}
			}
		})
	})
}

// A role's organization says how far its rights reach: it is moved by somebody who holds them here and there alone.
func TestRolesMoveWithinWhatIsHeld(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p, r := w.user("p"), w.role("r")
		w.roles.Scopes = func(context.Context, *call.Call) (role.Scopes, error) {
			return role.Scopes{
				Tree: right.Tree{"o1": "", "o2": "o1", "o3": ""},
				Held: map[role.Holder][]role.Scope{{Kind: role.User, ID: p}: {{Org: "o1", Right: right.UserManagement}}},
			}, nil
		}
		w.assign(nil, r, role.Given{Path: userman})
		root := w.caller
		move := func(want error, by *call.Caller, to string) {
			t.Helper()
			w.caller = by
			w.write(want, func(ctx context.Context, c *call.Call) error { return w.roles.SetOrg(ctx, c, r, to) })
		}
		limited := &call.Caller{User: p, Held: w.of(p).Held}
		move(role.ErrNotHeld, limited, "o1") // its members hold the right everywhere
		move(nil, root, "o3")
		move(role.ErrNotHeld, limited, "o1")
		move(nil, root, "o1")
		move(nil, limited, "o2")
		move(nil, limited, "o1")
		move(role.ErrNotHeld, limited, "o3")
		move(role.ErrNotHeld, limited, "")
		w.add(nil, r, person(p))
		w.assign(role.ErrNotHeld, r, role.Given{Path: roleman})
		w.assign(nil, r, role.Given{Path: "/lib/rights/rouserman.json"})
	})
}
