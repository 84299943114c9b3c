package oauth

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/change"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Whoever may not use an application any more is refused at the next use of a token. Clients that want to hear of it at once are told by
// Review: it looks at what they were allowed when something has changed, and every so often, since rights come and go by time as well.

// reviewEvery is for how long nobody looks when nothing has changed.
const reviewEvery = time.Hour

const reviewPage = 200

// changed is whom something has changed for since Review ran.
type changed struct {
	mu      sync.Mutex
	all     bool
	tenants map[string]bool
	people  map[[2]string]bool // tenant, UUID
}

// maxChanged bounds the people in memory; beyond it everybody is looked at.
const maxChanged = 10_000

// Watch has the server notice what may take applications from people, and what it remembers of tokens and clients. It is called before Review.
func (s *Server) Watch(watch func(topic string, f func(item string))) {
	for _, topic := range []string{"user", "role", "app", acl.Topic} {
		watch(topic, s.changed.note)
	}
	s.looks.Log, s.clients.Log = s.Changes, s.Changes
	s.looks.Watch(watch, Topic, KeysTopic, "user", "role", "app", acl.Topic)
	s.clients.Watch(watch, Topic)
	s.claimants.Log = s.Changes
	s.claimants.Watch(watch, "app")
}

// note hears of a tenant, or of a person of one: tenant/UUID.
func (h *changed) note(item string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	tenant, person, one := strings.Cut(item, "/")
	switch {
	case item == change.Reset || len(h.people)+len(h.tenants) >= maxChanged:
		h.all, h.tenants, h.people = true, nil, nil
	case one:
		if h.people == nil {
			h.people = map[[2]string]bool{}
		}
		h.people[[2]string{tenant, person}] = true
	default:
		if h.tenants == nil {
			h.tenants = map[string]bool{}
		}
		h.tenants[tenant] = true
	}
}

func (h *changed) take() (all bool, tenants map[string]bool, people map[[2]string]bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	all, tenants, people = h.all, h.tenants, h.people
	h.all, h.tenants, h.people = false, nil, nil
	return all, tenants, people
}

// dueNow names rows by their keys in batches, so that no statement holds the store for long.
const dueNow = `UPDATE oauth_authorization SET review = 0 WHERE (tenant, id) IN (SELECT tenant, id FROM oauth_authorization WHERE tell = 1 AND gone = 0 AND review > 0`

var (
	dueAll    = dbx.E("oauth.review_all", dueNow+` LIMIT ?)`)
	dueTenant = dbx.E("oauth.review_tenant", dueNow+` AND tenant = ? LIMIT ?)`)
	duePerson = dbx.E("oauth.review_person", dueNow+` AND tenant = ? AND user_id = ? LIMIT ?)`)
	due       = dbx.Q[leaver]("oauth.review_due", `SELECT tenant, id, app, client, user_id, session, reason, wide FROM oauth_authorization
		WHERE tell = 1 AND gone = 0 AND review <= ? ORDER BY review LIMIT ?`)
	reviewed = dbx.E("oauth.reviewed", `UPDATE oauth_authorization SET review = ? WHERE tenant = ? AND id = ?`)
)

// Review ends what people have allowed to applications that they may not use any more, where the client wants to hear of it. It runs
// on one node at a time.
func (s *Server) Review(ctx context.Context, db *dbx.DB, now time.Time) error {
	if err := s.dueChanged(ctx, db); err != nil {
		return err
	}
	for {
		var rows []leaver
		var lost []bool
		err := db.Read(ctx, func(tx *dbx.Tx) (err error) {
			if rows, err = due.All(ctx, tx, now.UnixMilli(), reviewPage); err != nil {
				return err
			}
			lost, err = s.lost(ctx, tx, rows)
			return err
		})
		if err != nil || len(rows) == 0 {
			return err
		}
		if err := db.Write(ctx, func(tx *dbx.Tx) error { return s.judged(ctx, tx, rows, lost, now) }); err != nil {
			return err
		}
		if len(rows) < reviewPage {
			return nil
		}
	}
}

// dueChanged has those looked at for whom something has changed. Where that fails, everybody is looked at the next time: what was noted
// is not noted again.
func (s *Server) dueChanged(ctx context.Context, db *dbx.DB) error {
	all, tenants, people := s.changed.take()
	err := markDue(ctx, db, all, tenants, people)
	if err != nil {
		s.changed.note(change.Reset)
	}
	return err
}

func markDue(ctx context.Context, db *dbx.DB, all bool, tenants map[string]bool, people map[[2]string]bool) error {
	mark := func(e dbx.Exec, where ...any) error {
		for {
			var n int64
			err := db.Write(ctx, func(tx *dbx.Tx) (err error) { n, err = e.Do(ctx, tx, append(where, reviewPage)...); return err })
			if err != nil || n < reviewPage {
				return err
			}
		}
	}
	if all {
		return mark(dueAll)
	}
	for t := range tenants {
		if err := mark(dueTenant, t); err != nil {
			return err
		}
	}
	for p := range people {
		if tenants[p[0]] {
			continue
		}
		if err := mark(duePerson, p[0], p[1]); err != nil {
			return err
		}
	}
	return nil
}

// lost says of which authorizations the person may not use the application any more.
func (s *Server) lost(ctx context.Context, tx *dbx.Tx, rows []leaver) ([]bool, error) {
	out := make([]bool, len(rows))
	known := map[[3]string]bool{}
	for i, r := range rows {
		of := [3]string{r.Tenant, r.User, r.App}
		gone, seen := known[of]
		if !seen {
			c, err := s.Alone(ctx, r.Tenant, tx)
			if err != nil {
				return nil, err
			}
			a, err := s.App(ctx, c, r.App)
			var p Person
			if err == nil {
				p, err = s.Person(ctx, c, r.User)
			}
			if err == nil {
				err = s.may(ctx, c, a, p)
			}
			switch {
			case errors.Is(err, ErrUnknownApp), err != nil && (fault.Of(err).Kind == fault.NotFound || fault.Of(err).Kind == fault.Denied):
				gone = true
			case err != nil:
				return nil, err
			default:
				gone = !a.Active
			}
			known[of] = gone
		}
		out[i] = gone
	}
	return out, nil
}

// judged ends what was lost, and puts the rest off.
func (s *Server) judged(ctx context.Context, tx *dbx.Tx, rows []leaver, lost []bool, now time.Time) error {
	for i, r := range rows {
		var err error
		if lost[i] {
			var c *call.Call
			if c, err = s.Alone(ctx, r.Tenant, tx); err == nil {
				err = s.ending(ctx, c, endOfUserApp, AccessLost, r.User, r.App)
			}
		} else {
			_, err = reviewed.Do(ctx, tx, now.Add(reviewEvery).UnixMilli(), r.Tenant, r.ID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
