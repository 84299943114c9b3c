package app_test

import (
	"context"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/portal"
	"limen/internal/core/right"
	"limen/internal/core/user"
)

// What the game of raise_test.go looks at besides rights: in which organizations people are and will be, which decides whose
// administrators reach them, and whose the applications are that people keep with their passwords.

// places are the organizations that a person is in at moments.
func (g *game) places(c *call.Call, u user.User) ([]string, error) {
	s, err := g.site.App.Orgs.StayOf(context.Background(), c, u.ID)
	var out []string
	for _, at := range g.moments() {
		out = append(out, s.At(u.Org, at))
	}
	return out, err
}

// owned are the applications of a person's own.
func (g *game) owned(c *call.Call, u user.User) (map[string]bool, error) {
	was := c.Caller
	c.Caller = &call.Caller{User: u.ID, Name: u.Name}
	defer func() { c.Caller = was }()
	shelf, err := g.site.App.Portal.Of(context.Background(), c, u)
	out := map[string]bool{}
	for _, t := range shelf.Tiles {
		if t.Item != nil {
			out[t.Item.ID] = true
		}
	}
	return out, err
}

// manages says whether somebody administers a person at a moment. Who was not there administers nobody.
func (s standing) manages(of standing, i int) bool {
	return len(s.held) > i && s.held[i].Over(right.UserManagement, of.places[i])
}

// touched sees that whoever changed what opens an account, or where its person is, administers the person; and that nobody comes
// to administer a person, now or later, by somebody who does not.
func (g *game) touched(did, who string, before, after map[string]standing) {
	mine := before[who]
	for id, now := range after {
		was, known := before[id]
		if !known || id == who {
			continue
		}
		if was.door != now.door && !mine.manages(was, 0) {
			g.rt.Errorf("%s by %s\nhas changed the account of %s, in %s: %s > %s", did, g.names[who], g.names[id], g.names[was.places[0]], was.door, now.door)
		}
		for i := range now.places {
			if was.places[i] != now.places[i] && !mine.manages(was, i) && !mine.manages(was, 0) {
				g.rt.Errorf("%s by %s\nmoves %s, at moment %d, from %s to %s", did, g.names[who], g.names[id], i, g.names[was.places[i]], g.names[now.places[i]])
			}
			for x, then := range after {
				if x != id && then.manages(now, i) && !before[x].manages(was, i) && !mine.manages(was, i) {
					g.rt.Errorf("%s by %s\nlets %s administer %s at moment %d, in %s, before in %s", did, g.names[who], g.names[x], g.names[id], i, g.names[now.places[i]], g.names[was.places[i]])
				}
			}
		}
		for item := range now.owns {
			g.handed(did, who, item, id, before)
		}
	}
}

// handed sees that what somebody keeps goes to somebody else only by whom both belong to.
func (g *game) handed(did, who, item, to string, before map[string]standing) {
	for from, was := range before {
		if from == to || !was.owns[item] || from == who {
			continue
		}
		if to == who || !before[who].hands(was, before[to]) {
			g.rt.Errorf("%s by %s\nhands what %s keeps to %s", did, g.names[who], g.names[from], g.names[to])
		}
	}
}

// hands says whether somebody may hand what one person keeps to another: they administer the applications of both, and hold
// whatever the first one holds.
func (s standing) hands(from, to standing) bool {
	if len(s.held) == 0 || len(from.places) == 0 || len(to.places) == 0 {
		return false
	}
	reaches := func(of standing) bool { return s.held[0].Over(right.ApplicationManagement, of.places[0]) }
	return reaches(from) && reaches(to) && s.held[0].Covers(from.held[0])
}

// keeping has people keep applications of their own, and lets them be handed over.
func (g *game) keeping(t *testing.T, b *branches) {
	if a := b.ask(b.token("admin"), "/Policy/SavePolicyBlock3", map[string]any{
		"policy": map[string]any{"Path": "/Policy/Portal", "Newpolicy": true, "Version": 1, "Settings": map[string]any{"/Core/Authentication/TransferOwnership": true}},
		"plinks": []any{map[string]any{"PolicySet": "/Policy/Portal", "LinkType": "Global", "Params": []any{}}},
	}); !a.Success {
		t.Fatal(a.MessageID)
	}
	for _, name := range []string{"anna", "ben", "carl", "strong"} {
		g.site.Do(t, audit.AppCreate, func(ctx context.Context, c *call.Call) error {
			c.Caller = &call.Caller{User: b.id[name], Name: name}
			_, err := g.site.App.Portal.Add(ctx, c, portal.NewItem{Kind: portal.App, Type: "Added", Name: "of " + name, URL: "https://example.com/"})
			return err
		})
	}
}

// pass has time go on, and moves whose time in an organization begins or ends by then.
func (g *game) pass(by time.Duration) {
	g.now = g.now.Add(by)
	if err := g.site.App.Orgs.Turn(context.Background(), g.now); err != nil {
		g.rt.Fatal(err)
	}
}
