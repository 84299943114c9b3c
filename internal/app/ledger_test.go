package app_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/audit"
	"limen/internal/core/oauth"
	"limen/internal/core/portal"
	"limen/internal/core/provision"
	"limen/internal/core/user"
)

// What the game of fair_test.go looks at besides rights: whatever opens something to who holds it. Each entry says whose it is.

// ledger is what there is of tokens, clients, consent and secrets.
type ledger struct {
	tokens   map[string]provision.Token // by id; User is the service user
	initials map[string]oauth.Initial
	clients  map[string]client
	agreed   map[string]string // authorization, with whose it is
	asked    map[string]string // what a client has somebody asked, with whom
	kept     map[string]secret // secured items
}

// client is a registered client, with the application's id.
type client struct {
	app string
	oauth.Known
}

// secret is what somebody keeps.
type secret struct{ owner, value string }

// write reads the ledger.
func (g *fair) write() (l ledger) {
	c := g.site.App.Shell(g.site.ID)
	ctx := context.Background()
	err := c.Snapshot(ctx, func() (err error) {
		l = ledger{map[string]provision.Token{}, map[string]oauth.Initial{}, map[string]client{}, map[string]string{}, map[string]string{}, map[string]secret{}}
		for _, id := range g.people {
			u, err := g.site.App.People.ByID(ctx, c, id)
			if errors.Is(err, user.ErrNotFound) {
				continue
			}
			if err = errors.Join(err, g.ofPerson(ctx, c, id, &l)); err != nil {
				return err
			}
			if u.Service {
				all, err := (&provision.Directory{}).Tokens(ctx, c, id)
				if err != nil {
					return err
				}
				for _, t := range all {
					l.tokens[t.ID] = t
				}
			}
		}
		for service := range g.services {
			a, err := g.site.App.Apps.Client(ctx, c, service)
			if err != nil {
				return err
			}
			initials, err := g.site.App.OAuth.Initials(ctx, c, a)
			clients, err2 := g.site.App.OAuth.Clients(ctx, c, a)
			if err := errors.Join(err, err2); err != nil {
				return err
			}
			for _, i := range initials {
				l.initials[i.ID] = i
			}
			for _, k := range clients {
				l.clients[k.ID] = client{a.ID, k}
			}
		}
		return nil
	})
	if err != nil {
		g.rt.Fatal(err)
	}
	return l
}

// ofPerson notes what somebody agreed to, is asked and keeps.
func (g *fair) ofPerson(ctx context.Context, c *call.Call, id string, l *ledger) error {
	was := c.Caller
	c.Caller = &call.Caller{User: id}
	defer func() { c.Caller = was }()
	agreed, err := g.site.App.OAuth.AllowedBy(ctx, c, id, "", 1000)
	for _, a := range agreed {
		l.agreed[a.ID] = id
	}
	asked, err2 := g.site.App.OAuth.Backchannels(ctx, c)
	for _, p := range asked {
		l.asked[p.ID] = id
	}
	items, err3 := g.site.App.Portal.Secured(ctx, c)
	for _, it := range items {
		s, err4 := g.site.App.Portal.Reveal(ctx, c, it.ID)
		err3 = errors.Join(err3, err4)
		l.kept[it.ID] = secret{id, fmt.Sprint(it.Name, s)}
	}
	return errors.Join(err, err2, err3)
}

// power is what who plays may lean on: what they hold, or nothing for a stranger.
type power struct {
	who     string // empty: a stranger
	is      standing
	shown   string // id of the initial access token that they showed
	manages string // id of the client whose registration access token they showed
}

// over says whether somebody administers a service user and holds all that it holds.
func (p power) over(of standing) bool {
	return p.who != "" && p.is.manages(of, 0) && p.is.held[0].Covers(of.held[0])
}

// edits says whether somebody administers an application.
func (p power) edits(app string) bool { return p.is.rows[0][app]&acl.Edit != 0 }

// audit sees that every change of the ledger was in the power of who made it.
func (g *fair) audit(did string, p power, was, now ledger, before map[string]standing) {
	wrong := func(format string, args ...any) {
		g.rt.Errorf("%s by %q\n%s", did, g.names[p.who], fmt.Sprintf(format, args...))
	}
	for id, t := range now.tokens {
		if old, known := was.tokens[id]; (!known || old != t) && !p.over(before[t.User]) {
			wrong("makes or renews a token of %s, who holds %+v", g.names[t.User], before[t.User].held[0])
		}
	}
	for id, t := range was.tokens {
		if _, there := now.tokens[id]; !there && !p.over(before[t.User]) {
			wrong("ends a token of %s", g.names[t.User])
		}
	}
	g.auditApps(p, was, now, wrong)
	for id, whose := range now.agreed {
		if _, known := was.agreed[id]; !known && whose != p.who {
			wrong("has %s agree to what a client wants", g.names[whose])
		}
	}
	for id, whose := range was.asked {
		if _, there := now.asked[id]; !there && whose != p.who && g.there(whose) {
			wrong("decides for %s", g.names[whose])
		}
	}
	for id, s := range was.kept {
		if then, there := now.kept[id]; s.owner != p.who && then != s {
			if there && then.value == s.value && then.owner != p.who { // handed over
				g.entrusted(p, id, s.owner, then.owner, before, wrong)
			} else if there || !p.is.manages(before[s.owner], 0) {
				wrong("changes what %s keeps: %v > %v", g.names[s.owner], s, then)
			}
		}
	}
}

// there says whether somebody has not been deleted.
func (g *fair) there(id string) bool {
	c := g.site.App.Shell(g.site.ID)
	return c.Snapshot(context.Background(), func() error { _, err := g.site.App.People.ByID(context.Background(), c, id); return err }) == nil
}

// entrusted sees that what somebody keeps goes only to whom it may go, by who administers both.
func (g *fair) entrusted(p power, item, from, to string, before map[string]standing, wrong func(string, ...any)) {
	if !p.is.hands(before[from], before[to]) {
		wrong("hands %s of %s to %s", item, g.names[from], g.names[to])
	}
}

// auditApps is about tokens for registering and the clients that come of them.
func (g *fair) auditApps(p power, was, now ledger, wrong func(string, ...any)) {
	for id, i := range now.initials {
		old, known := was.initials[id]
		switch {
		case known && old == i:
		case known && old.Uses == i.Uses+1 && p.shown == id:
		case !p.edits(i.App):
			wrong("makes or changes an initial access token of %s", i.App)
		}
	}
	for id, i := range was.initials {
		if _, there := now.initials[id]; !there && i.Uses > 0 && !p.edits(i.App) {
			wrong("ends an initial access token of %s", i.App)
		}
	}
	for id, k := range now.clients {
		old, known := was.clients[id]
		by := was.initials[p.shown].App == k.app && was.initials[p.shown].Uses == now.initials[p.shown].Uses+1
		people := !slices.Contains(k.Metadata.GrantTypes, "client_credentials")
		switch {
		case known && old.Changed == k.Changed || p.edits(k.app):
		case known && p.manages == id:
			if machine := slices.Contains(old.Metadata.GrantTypes, "client_credentials"); !people && !machine && g.services[g.names[k.app]] == oauth.Anybody {
				wrong("the client %s gives itself a grant in which nobody decides", id)
			}
		case !known && (by || p.shown == "" && g.services[g.names[k.app]] == oauth.Anybody && people):
		default:
			wrong("registers or changes the client %s of %s: %v", id, g.names[k.app], k.Metadata.GrantTypes)
		}
	}
	for id, k := range was.clients {
		if _, there := now.clients[id]; !there && p.manages != id && !p.edits(k.app) {
			wrong("deletes the client %s of %s", id, g.names[k.app])
		}
	}
}

// leaks sees that an answer tells nobody what others keep.
func (g *fair) leaks(did, who, answer string, l ledger) {
	for _, s := range l.kept {
		for mark := range maps.Keys(g.marks) {
			if strings.Contains(s.value, mark) && strings.Contains(answer, mark) && s.owner != who {
				g.rt.Errorf("%s by %s\nis told what %s keeps: %s", did, g.names[who], g.names[s.owner], mark)
			}
		}
	}
}

// stash has somebody keep a secured item with a password that is nobody else's.
func (g *fair) stash(b *branches, name string) {
	mark := "Secret-of-" + name
	g.marks[mark] = true
	b.do(audit.PortalItem, func(ctx context.Context, c *call.Call) error {
		c.Caller = &call.Caller{User: b.id[name], Name: name}
		_, err := g.site.App.Portal.Add(ctx, c, portal.NewItem{Kind: portal.Secured, Type: "Password", Name: "of " + name, Secret: portal.Secret{Username: name, Password: mark}})
		return err
	})
}
