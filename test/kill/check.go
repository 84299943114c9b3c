package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/ncruces/go-sqlite3/driver"

	"limen/test/rig"
)

// stored is a user as the store has it, with what must stand beside its row.
type stored struct {
	id, text, state   string
	everybody, secret bool
	created, changed  int // events
}

// total sums up what a run has shown.
type total struct {
	acknowledged, limited, lost, users int
	statuses                           map[int]int
}

func (t total) String() string {
	return fmt.Sprintf("%d writes acknowledged and all there, %d calls without an answer, %d told to wait, %d users; statuses %v", t.acknowledged, t.lost, t.limited, t.users, t.statuses)
}

// check compares the store with what the writers remember, and settles what they could not know. Every difference is an
// error.
func check(ctx context.Context, s *rig.Server, writers []*writer) (total, error) {
	db, err := open(s)
	if err != nil {
		return total{}, err
	}
	defer db.Close()
	there, err := read(ctx, db)
	if err != nil {
		return total{}, err
	}
	sum := total{statuses: map[int]int{}}
	var errs []error
	known := map[string]bool{}
	for _, w := range writers {
		errs = append(errs, w.settle(there, known)...)
		sum.acknowledged += w.acknowledged
		sum.limited += w.limited
		sum.lost += w.lost
		for status, n := range w.statuses {
			sum.statuses[status] += n
		}
		for _, text := range w.odd {
			errs = append(errs, errors.New(text))
		}
		w.odd = nil
	}
	for name, u := range there {
		if !known[name] && name != s.Admin {
			errs = append(errs, fmt.Errorf("user %s (%s) is there, and nobody made it", name, u.id))
		}
	}
	sum.users = len(there)
	if len(errs) > 10 {
		errs = append(errs[:10], fmt.Errorf("and %d more", len(errs)-10))
	}
	return sum, errors.Join(errs...)
}

// settle compares one writer's memory with the store.
func (w *writer) settle(there map[string]stored, known map[string]bool) (errs []error) {
	for _, p := range w.maybe { // made wholly, or not at all
		if u, ok := there[p.name]; ok {
			p.id = u.id
			w.people = append(w.people, p)
		}
	}
	w.maybe = nil
	for _, p := range w.people {
		known[p.name] = true
		u, ok := there[p.name]
		if !ok {
			errs = append(errs, fmt.Errorf("user %s (%s) was acknowledged and is gone", p.name, p.id))
			continue
		}
		if u.id != p.id || !u.everybody || u.created != 1 || u.secret != p.secret {
			errs = append(errs, fmt.Errorf("user %s (%s) is half there: %+v", p.name, p.id, u))
		}
		if !p.text.may(u.text) {
			errs = append(errs, fmt.Errorf("user %s: the description is %q, acknowledged was %q", p.name, u.text, p.text.known))
		}
		if !p.state.may(u.state) {
			errs = append(errs, fmt.Errorf("user %s: the state is %q, acknowledged was %q", p.name, u.state, p.state.known))
		}
		if u.changed < p.changes || u.changed > p.changes+p.unsure {
			errs = append(errs, fmt.Errorf("user %s: %d events of change, %d changes were acknowledged and %d unanswered", p.name, u.changed, p.changes, p.unsure))
		}
		p.text, p.state = value{known: u.text}, value{known: u.state}
		p.changes, p.unsure = u.changed, 0
	}
	return errs
}

func open(s *rig.Server) (*sql.DB, error) {
	if s.DB != "" {
		return sql.Open("pgx", s.DB)
	}
	return sql.Open("sqlite3", "file:"+filepath.Join(s.Data, "limen.db")+"?mode=ro&_pragma=busy_timeout(10000)")
}

// read takes one snapshot of the store.
func read(ctx context.Context, db *sql.DB) (map[string]stored, error) {
	rows, err := db.QueryContext(ctx, `
		WITH made AS (SELECT target, count(*) AS n FROM event WHERE type = 'Cloud.Core.UserCreate' AND outcome = 'success' GROUP BY target),
			changed AS (SELECT target, count(*) AS n FROM event WHERE type = 'Cloud.Core.UserChange' AND outcome = 'success' GROUP BY target)
		SELECT u.id, u.name, u.description, u.locked, u.disabled, u.expired, u.everybody,
			(SELECT count(*) FROM user_password p WHERE p.tenant = u.tenant AND p.user_id = u.id), coalesce(made.n, 0), coalesce(changed.n, 0)
		FROM users u LEFT JOIN made ON made.target = u.id LEFT JOIN changed ON changed.target = u.id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]stored{}
	for rows.Next() {
		var u stored
		var name string
		var locked, disabled, expired bool
		var secrets int
		if err := rows.Scan(&u.id, &name, &u.text, &locked, &disabled, &expired, &u.everybody, &secrets, &u.created, &u.changed); err != nil {
			return nil, err
		}
		u.state, u.secret = state(locked, disabled, expired), secrets == 1
		out[name] = u
	}
	return out, errors.Join(rows.Err(), orphans(ctx, db))
}

// orphans wants no event of a user that is not there: nothing is deleted here.
func orphans(ctx context.Context, db *sql.DB) error {
	var n int
	err := db.QueryRowContext(ctx, `SELECT count(*) FROM event e WHERE e.type IN ('Cloud.Core.UserCreate', 'Cloud.Core.UserChange', 'Cloud.Core.UserStateChange')
		AND e.outcome = 'success' AND e.target <> '' AND NOT EXISTS (SELECT 1 FROM users u WHERE u.tenant = e.tenant AND u.id = e.target)`).Scan(&n)
	if err == nil && n > 0 {
		err = fmt.Errorf("%d events tell of users that are not there", n)
	}
	return err
}

func state(locked, disabled, expired bool) string {
	var out []string
	for _, f := range []struct {
		set  bool
		word string
	}{{locked, "Locked"}, {disabled, "Disabled"}, {expired, "Expired"}} {
		if f.set {
			out = append(out, f.word)
		}
	}
	if len(out) == 0 {
		return "None"
	}
	return strings.Join(out, ",")
}

// verified runs "limen audit verify" beside the server.
func verified(ctx context.Context, s *rig.Server) error {
	d, err := s.Run(ctx, nil, "audit", "verify")
	if err != nil {
		return err
	}
	if d.Code != 0 {
		return fmt.Errorf("limen audit verify ends with %d: %s%s", d.Code, d.Out, d.Err)
	}
	return nil
}
