package safe_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/role"
	"limen/internal/core/safe"
	"limen/internal/dbx"
	"limen/internal/fault"

	"pgregory.net/rapid"
)

// game is a tenant in which people do what they are let with safes and their members.
type game struct {
	*world
	t      *rapid.T
	base   time.Time
	people []string
	roles  []string
	safes  []string
	has    map[string][][]state // person -> moment -> safe
}

// state is what somebody has in a safe.
type state struct {
	rights, gives safe.Rights // what they have, and what they can give
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

// look reads what everybody has in every safe, now and at the moments ahead.
func (g *game) look() {
	caller, now := g.caller, g.now
	defer func() { g.caller, g.now = caller, now }()
	moments := g.moments()
	err := g.db.Read(context.Background(), func(tx *dbx.Tx) error {
		g.has = map[string][][]state{}
		for _, p := range g.people {
			for _, at := range moments {
				g.now = at
				m, err := g.world.roles.Of(context.Background(), g.call(tx), p)
				if err != nil {
					return err
				}
				g.caller = &call.Caller{User: p, Roles: m.Roles, Held: m.Held}
				c, states := g.call(tx), []state{}
				for _, name := range g.safes {
					v, err := g.world.safes.Find(context.Background(), c, name)
					if err != nil && fault.Of(err).Kind == fault.Internal {
						return err
					}
					s := state{v.Rights, v.Rights}
					if v.Leads {
						s.gives = safe.Full
					}
					states = append(states, s)
				}
				g.has[p] = append(g.has[p], states)
			}
		}
		return nil
	})
	if err != nil {
		g.t.Fatal(err)
	}
}

// step does something as the caller.
func (g *game) step(ctx context.Context, c *call.Call) error {
	name, kind := rapid.SampledFrom(g.safes).Draw(g.t, "safe"), role.User
	who := rapid.SampledFrom(g.people).Draw(g.t, "person")
	if rapid.Bool().Draw(g.t, "to a role") {
		kind, who = role.Sub, rapid.SampledFrom(g.roles).Draw(g.t, "role")
	}
	in := safe.Given{Rights: rapid.SampledFrom([]safe.Rights{
		safe.ListAccounts, safe.RetrieveAccounts, safe.ManageSafe | safe.ListAccounts, safe.ManageSafeMembers, safe.ManageSafeMembers | safe.RetrieveAccounts, safe.Full,
	}).Draw(g.t, "rights")}
	if h := rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(g.t, "until"); h > 0 {
		in.Until = g.base.Add(time.Duration(h) * time.Hour).UnixMilli()
	}
	var err error
	switch rapid.IntRange(0, 7).Draw(g.t, "what") {
	case 0, 1, 2:
		_, err = g.world.safes.Add(ctx, c, name, kind, who, in)
	case 3, 4, 5:
		_, err = g.world.safes.Put(ctx, c, name, who, in, anyMember)
	case 6:
		err = g.world.safes.Remove(ctx, c, name, who, anyMember)
	default:
		_, err = g.world.safes.Change(ctx, c, name, safe.Settings{Name: name, Owner: who}, anySafe)
	}
	return err
}

// play lets somebody take a step; it may be refused, but not fail because of the program.
func (g *game) play(by *call.Caller) {
	g.caller = by
	err := g.db.Write(context.Background(), func(tx *dbx.Tx) error { return g.step(context.Background(), g.call(tx)) })
	if err != nil && fault.Of(err).Kind == fault.Internal {
		g.t.Fatal(err)
	}
}

// limited takes a step of somebody, and sees that whatever right anybody has then in a safe, and had not before, the one who took the step had, or
// could give, at the same moment.
func (g *game) limited() {
	who := rapid.SampledFrom(g.people).Draw(g.t, "who")
	before := g.has
	g.as(who)
	g.play(g.caller)
	g.look()
	for p, moments := range g.has {
		for i, states := range moments {
			for j, now := range states {
				if gained := now.rights &^ before[p][i][j].rights; gained&^before[who][i][j].gives != 0 {
					g.t.Fatalf("%s gave %s %v in %s at moment %d, and could give %v", who, p, gained, g.safes[j], i, before[who][i][j].gives)
				}
			}
		}
	}
}

// Whatever people do with safes who are no system administrators: nobody comes by a right in one, that of reading its secrets above all, that
// nobody who had it, owned the safe or administered it gave, or for longer than those had or did.
func TestNobodyGivesWhatTheyDoNotHold(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			n++
			g := &game{world: &world{t: t, db: w.db, safes: w.safes, roles: w.roles, users: w.users, id: w.id, now: w.now, caller: root()}, t: rt, base: w.now}
			for i := range 3 {
				g.people = append(g.people, g.user(fmt.Sprintf("p%d-%d", n, i), ""))
			}
			// One administers safes for an hour, and one is in a role for as long.
			g.people = append(g.people, g.manager(fmt.Sprintf("m%d", n), "", g.base.Add(time.Hour)))
			g.roles = []string{g.role(fmt.Sprintf("club%d", n), "", role.Member{Kind: role.User, ID: g.people[0], Until: g.base.Add(time.Hour)}, role.Member{Kind: role.User, ID: g.people[2]})}
			for i, owner := range []string{g.people[0], g.people[3]} {
				g.caller = root()
				g.safes = append(g.safes, g.create(nil, "", safe.Settings{Name: fmt.Sprintf("s%d-%d", n, i), Owner: owner}).Name)
			}
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
