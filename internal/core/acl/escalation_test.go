package acl_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/collection"
	"limen/internal/core/role"
	"limen/internal/dbx"
	"limen/internal/fault"

	"pgregory.net/rapid"
)

// game is a tenant in which people without full administration do what they are let with things and sets of them.
type game struct {
	*world
	t       *rapid.T
	base    time.Time
	people  []string
	roles   []string
	objects []acl.Object // things first, then sets
	things  int
	has     map[string][][]acl.Mask // person -> moment -> object -> rights
}

// moments are when the game looks: now, and between the ends of the windows that it gives.
func (g *game) moments() []time.Time {
	out := []time.Time{g.now}
	for _, m := range []int{30, 90, 6000} {
		if at := g.base.Add(time.Duration(m) * time.Minute); at.After(g.now) {
			out = append(out, at)
		}
	}
	return out
}

// look reads what rights everybody has on everything, now and at the moments ahead.
func (g *game) look() {
	caller, now := g.caller, g.now
	defer func() { g.caller, g.now = caller, now }()
	moments := g.moments()
	err := g.db.Read(context.Background(), func(tx *dbx.Tx) error {
		g.has = map[string][][]acl.Mask{}
		for _, p := range g.people {
			for _, at := range moments {
				c := g.call(tx)
				c.Now = at
				m, err := g.world.roles.Of(context.Background(), c, p)
				if err != nil {
					return err
				}
				c.Caller = &call.Caller{User: p, Roles: m.Roles, Held: m.Held}
				var masks []acl.Mask
				for _, o := range g.objects {
					mask, err := g.lists.Rights(context.Background(), c, o)
					if err != nil {
						return err
					}
					masks = append(masks, mask)
				}
				g.has[p] = append(g.has[p], masks)
			}
		}
		return nil
	})
	if err != nil {
		g.t.Fatal(err)
	}
}

func (g *game) given() acl.Given {
	out := acl.Given{Kind: role.User, Principal: rapid.SampledFrom(g.people).Draw(g.t, "person")}
	if rapid.Bool().Draw(g.t, "to a role") {
		out = acl.Given{Kind: role.Sub, Principal: rapid.SampledFrom(g.roles).Draw(g.t, "role")}
	}
	out.Mask = rapid.SampledFrom([]acl.Mask{0, acl.View, acl.View | acl.Edit, acl.Edit | acl.Grant, acl.View | acl.Delete | acl.Grant, 77}).Draw(g.t, "mask")
	if h := rapid.SampledFrom([]int{0, 0, 1}).Draw(g.t, "from"); h > 0 {
		out.Since = g.base.Add(time.Duration(h) * time.Hour)
	}
	if h := rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(g.t, "until"); h > 0 {
		out.Until = g.base.Add(time.Duration(h) * time.Hour)
	}
	return out
}

func (g *game) pick(label string, from []acl.Object) acl.Object {
	return rapid.SampledFrom(from).Draw(g.t, label)
}

// step does something as the caller.
func (g *game) step(ctx context.Context, c *call.Call) error {
	things, sets := g.objects[:g.things], g.objects[g.things:]
	set, thing := g.pick("set", sets), g.pick("thing", things)
	one := []collection.Member{{Table: "Thing", Key: thing.ID}}
	switch rapid.IntRange(0, 8).Draw(g.t, "what") {
	case 0, 1, 2:
		return g.lists.Permit(ctx, c, g.pick("object", g.objects), g.given(), g.given())
	case 3, 4:
		return g.lists.PermitMembers(ctx, c, set, g.given())
	case 5, 6:
		return g.sets.Shift(ctx, c, set.ID, one, nil)
	case 7:
		return g.sets.Shift(ctx, c, set.ID, nil, one)
	default:
		return g.sets.Permit(ctx, c, set.ID, g.given())
	}
}

// play lets somebody take a step; it may be refused, but not fail because of the program.
func (g *game) play(by *call.Caller) {
	g.caller = by
	err := g.db.Write(context.Background(), func(tx *dbx.Tx) error { return g.step(context.Background(), g.call(tx)) })
	if err != nil && fault.Of(err).Kind == fault.Internal {
		g.t.Fatal(err)
	}
}

// limited takes a step of somebody, and sees that whatever right anybody has then on anything, and had not before, the one who
// took the step had on it, at the same moment.
func (g *game) limited() {
	who := rapid.SampledFrom(g.people).Draw(g.t, "who")
	before := g.has
	g.as(who)
	g.play(g.caller)
	g.look()
	for p, moments := range g.has {
		for i, masks := range moments {
			for j, mask := range masks {
				if gained := mask &^ before[p][i][j]; gained&^before[who][i][j] != 0 {
					o := g.objects[j]
					g.t.Fatalf("%s gave %s %v on %s %s at moment %d, having %v", who, p, o.Table.Names(gained), o.Table.Name, o.Name, i, o.Table.Names(before[who][i][j]))
				}
			}
		}
	}
}

// Whatever people do with rows and sets who are no system administrators: nobody comes by a right on a row that nobody who
// had it gave, or for longer.
func TestNobodyGivesWhatTheyDoNotHold(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			n++
			g := &game{world: &world{t: t, db: w.db, lists: w.lists, sets: w.sets, roles: w.roles, users: w.users, id: w.id, now: w.now, caller: root()}, t: rt, base: w.now, things: 2}
			for i := range 3 {
				g.people = append(g.people, g.user(fmt.Sprintf("p%d-%d", n, i)))
			}
			// The first is in a role, for an hour; the second administers things, for as long.
			end := g.base.Add(time.Hour)
			g.roles = []string{
				g.role(fmt.Sprintf("club%d", n), role.Member{Kind: role.User, ID: g.people[0], Until: end}, role.Member{Kind: role.User, ID: g.people[2]}),
				g.role(fmt.Sprintf("vault%d", n), role.Member{Kind: role.User, ID: g.people[1], Until: end}),
			}
			g.write(nil, func(ctx context.Context, c *call.Call) error {
				return g.world.roles.Assign(ctx, c, g.roles[1], role.Given{Path: "/lib/rights/vaultman.json"})
			})
			for _, r := range g.roles {
				g.objects = append(g.objects, g.object("Thing", r))
			}
			for i := range 2 {
				g.objects = append(g.objects, g.object(acl.Collections, g.set("Thing", fmt.Sprintf("set%d-%d", n, i))))
			}
			g.permit(nil, g.objects[0], members(g.roles[0], 77))
			for range 3 {
				g.play(root())
			}
			g.look()
			for range rapid.IntRange(4, 10).Draw(rt, "steps") {
				switch rapid.IntRange(0, 6).Draw(rt, "turn") {
				case 0:
					g.play(root())
					g.look()
				case 1:
					g.now = g.now.Add(20 * time.Minute)
					g.look()
				default:
					g.limited()
				}
			}
		})
	})
}
