package app_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/grant"
	"limen/internal/core/job"
	"limen/internal/core/right"
	"limen/internal/core/user"
	"limen/internal/dbx"
)

// What the game of raise_test.go looks at: what there is in the tenant, and what everybody has to gain.

// moments are when the game looks at what people hold.
func (g *game) moments() (out []time.Time) {
	for _, m := range []int{0, 45, 90, 150, 240, 100_000} {
		if at := g.base.Add(time.Duration(m) * time.Minute); at.After(g.now) {
			out = append(out, at)
		} else {
			out = append(out, g.now)
		}
	}
	return out
}

// standing is what there is to gain of somebody: what they hold at moments, what opens their account, and what they may do
// with sets and applications, now and in the end.
type standing struct {
	held  []right.Held
	door  string
	roles string
	rows  [2]map[string]acl.Mask

	places []string        // organizations at moments
	owns   map[string]bool // applications of their own
}

func (g *game) look() map[string]standing {
	out := map[string]standing{}
	c := g.site.App.Shell(g.site.ID)
	err := c.Snapshot(context.Background(), func() error {
		clear(out)
		for _, id := range g.people {
			u, err := g.site.App.People.ByID(context.Background(), c, id)
			if errors.Is(err, user.ErrNotFound) {
				continue
			}
			s := standing{door: fmt.Sprintf("%v %v %v %v %v %v %v %v %v", u.Name, u.PasswordChanged, u.Mail, u.Mobile, u.Home, u.MfaUser, u.State(), u.CloudLocked, u.Suspended)}
			at := g.moments()
			for i := range at {
				c.Now = at[i]
				m, err2 := g.site.App.Roles.Of(context.Background(), c, id)
				err = errors.Join(err, err2)
				s.held = append(s.held, m.Held)
				if end := i == len(at)-1; i == 0 || end {
					s.roles += fmt.Sprint(m.Roles)
					s.rows[map[bool]int{end: 1}[true]], err2 = g.rows(c, &call.Caller{User: id, Roles: m.Roles, Held: m.Held})
					err = errors.Join(err, err2)
				}
			}
			places, err2 := g.places(c, u)
			owns, err3 := g.owned(c, u)
			if err = errors.Join(err, err2, err3); err != nil {
				return err
			}
			s.places, s.owns = places, owns
			out[id] = s
		}
		return nil
	})
	if err != nil {
		g.rt.Fatal(err)
	}
	return out
}

// rows are what somebody may do with each set and application.
func (g *game) rows(c *call.Call, who *call.Caller) (map[string]acl.Mask, error) {
	was := c.Caller
	c.Caller = who
	defer func() { c.Caller = was }()
	out := map[string]acl.Mask{}
	for _, name := range []string{acl.Collections, "Application"} {
		t, err := g.site.App.Lists.Table(name)
		if err != nil {
			return nil, err
		}
		all, err := t.Rows.Rows(context.Background(), c.Tx, dbx.Clause{}, nil, 100, c.Tenant.ID)
		if err != nil {
			return nil, err
		}
		for _, row := range all {
			if out[row.ID], err = g.site.App.Lists.Rights(context.Background(), c, acl.Object{Table: t, Row: row}); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// things finds which sets and applications there are by now, and waits for what works in the background.
func (g *game) things() {
	c := g.site.App.Shell(g.site.ID)
	for busy := true; busy; {
		err := c.Snapshot(context.Background(), func() error {
			g.apps, g.jobs, g.sets, busy = nil, nil, map[string]string{}, false
			for _, name := range []string{acl.Collections, "Application"} {
				t, err := g.site.App.Lists.Table(name)
				if err != nil {
					return err
				}
				all, err := t.Rows.Rows(context.Background(), c.Tx, dbx.Clause{}, []dbx.Order{{Column: "id"}}, 100, c.Tenant.ID)
				if err != nil {
					return err
				}
				for _, row := range all {
					if name == acl.Collections {
						g.sets[row.ID] = row.Type
					} else {
						g.apps = append(g.apps, row.ID)
					}
				}
			}
			jobs, err := g.site.App.Jobs.List(context.Background(), c, grant.All(), job.Query{Limit: 100})
			for _, i := range jobs {
				g.jobs = append(g.jobs, i.ID)
				busy = busy || i.State == job.Running || i.State == job.Waiting && i.Due <= time.Now().UnixMilli()
			}
			return err
		})
		if err != nil {
			g.rt.Fatal(err)
		}
		if busy {
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// everyone finds who is in the tenant by now: operations make people, too.
func (g *game) everyone() {
	c := g.site.App.Shell(g.site.ID)
	_ = c.Snapshot(context.Background(), func() error {
		rows, err := g.site.App.People.List(context.Background(), c, grant.All(), user.Query{Limit: 100})
		for _, u := range rows {
			if g.names[u.ID] == "" {
				g.names[u.ID] = "new " + u.Name
				g.people = append(g.people, u.ID)
			}
		}
		all, err2 := g.site.App.Roles.List(context.Background(), c)
		for _, r := range all {
			if g.names[r.ID] == "" {
				g.names[r.ID] = "new " + r.Name
				g.roles = append(g.roles, r.ID)
			}
		}
		return errors.Join(err, err2)
	})
}

// beyond is what a holds beyond b, over the tenant and over each of some organizations.
func beyond(a, b right.Held, orgs []string) right.Held {
	out := right.Held{Tenant: a.Tenant &^ b.Tenant, Tree: a.Tree}
	for _, id := range orgs {
		out.Add(id, a.At(id)&^(b.Tenant|b.At(id)))
	}
	return out
}

// reach sees that nobody was given more on a set or application than the one who gave it has on it.
func (g *game) reach(did, who, whom string, mine, was, now standing) {
	for i, rows := range now.rows {
		for row, mask := range rows {
			if _, there := was.rows[i][row]; !there {
				continue
			}
			if gained := mask &^ was.rows[i][row]; gained&^mine.rows[i][row] != 0 {
				g.rt.Errorf("%s by %s, who has %v on %s\ngives %s: %v", did, g.names[who], mine.rows[i][row], row, g.names[whom], gained)
			}
		}
	}
}
