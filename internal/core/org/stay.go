package org

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// A person belongs to one organization. For a time they can be in another one instead: they move there when it begins, and
// return when it is over. Who may do what with them follows from where they are, as for everybody, so that nothing that reads
// organizations knows of such times; the price is that somebody has to move them, which every node does.

// Faults of times in an organization.
var (
	// ErrRoleStay keeps the rights of roles from reaching further by themselves: a role that returned to no organization would
	// give them over the whole tenant.
	ErrRoleStay = fault.New(fault.Invalid, "org.role_stay", "Only people can be in an organization for a time. Give the rights of the role an end instead.")
	ErrHome     = fault.New(fault.Conflict, "org.home", "A member belongs to this organization without an end. Move them for good first.")

	// errTurned undoes what somebody else has done meanwhile.
	errTurned = errors.New("nothing is due any more")
)

// stay is a person's time in an organization. Times are milliseconds since 1970 UTC.
type stay struct {
	User    string `db:"user_id"`
	Org     string `db:"org"`
	Home    string `db:"home"`
	Since   int64  `db:"since"`
	Until   int64  `db:"until"`
	Reason  string `db:"reason"`
	Granter string `db:"granter"`
	Begun   bool   `db:"begun"`
	Due     int64  `db:"due"`
}

type dueRow struct {
	Tenant string `db:"tenant"`
	User   string `db:"user_id"`
}

const stayColumns = `user_id, org, home, since, until, reason, granter, begun, due`

var (
	stayOf  = dbx.Q[stay]("org.stay", `SELECT `+stayColumns+` FROM org_stay WHERE tenant = ? AND user_id = ? FOR UPDATE`)
	stayNow = dbx.Q[stay]("org.stay_now", `SELECT `+stayColumns+` FROM org_stay WHERE tenant = ? AND user_id = ?`)
	staysIn = dbx.Q[stay]("org.stays", `SELECT `+stayColumns+` FROM org_stay WHERE tenant = ? AND org = ? FOR UPDATE`)
	putStay = dbx.E("org.put_stay", `INSERT INTO org_stay (tenant, `+stayColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, user_id) DO UPDATE SET org = excluded.org, home = excluded.home, since = excluded.since, until = excluded.until,
		reason = excluded.reason, granter = excluded.granter, begun = excluded.begun, due = excluded.due`)
	dropStay = dbx.E("org.drop_stay", `DELETE FROM org_stay WHERE tenant = ? AND user_id = ?`)
	homeless = dbx.E("org.homeless", `UPDATE org_stay SET home = '' WHERE tenant = ? AND home = ?`)
	dueStays = dbx.Q[dueRow]("org.due_stays", `SELECT tenant, user_id FROM org_stay WHERE due <= ? ORDER BY due LIMIT 100`)
)

// stay puts a person into an organization for a term, in place of an earlier one.
func (o *Orgs) stay(ctx context.Context, c *call.Call, id, userID string, term role.Term) error {
	if err := term.Check(c.Now); err != nil {
		return err
	}
	u, was, err := o.whereabouts(ctx, c, userID)
	if err != nil {
		return err
	}
	s := stay{User: u.ID, Org: id, Home: u.Org, Reason: term.Reason, Granter: c.User()}
	if was.Begun {
		s.Home = was.Home
	}
	if s.Home == id {
		return ErrHome
	}
	if err := o.Roles.Opens(ctx, c, s.Home, id, term.Until, user.OnPeople); err != nil {
		return err
	}
	now := c.Now.UnixMilli()
	s.Since, s.Until = term.Millis()
	s.Since = max(s.Since, now)
	s.Begun, s.Due = s.Since <= now, s.Since
	at := s.Home
	if s.Begun {
		at, s.Due = id, s.Until
	}
	if err := o.resettle(ctx, c, u, at); err != nil {
		return err
	}
	o.tell(c, u, s, "Set")
	return o.keepStay(ctx, c, s)
}

// whereabouts gives a person with the time that they spend in an organization, the zero value when there is none.
func (o *Orgs) whereabouts(ctx context.Context, c *call.Call, userID string) (user.User, stay, error) {
	rows, err := stayOf.All(ctx, c.Tx, c.Tenant.ID, userID)
	if err != nil {
		return user.User{}, stay{}, err
	}
	u, err := o.People.ByID(ctx, c, userID)
	if err != nil || len(rows) == 0 {
		return u, stay{}, missing(err)
	}
	return u, rows[0], nil
}

// Stay is a time that a person spends in an organization, or will.
type Stay struct {
	Org     string // its id
	Home    string // id of the organization to which they return; empty: none
	Since   time.Time
	Until   time.Time // zero: they stay for good
	Reason  string
	Granter string // UUID; empty: the server's own command line
	Begun   bool
}

// At gives the organization that a person is in at a time who is in one now.
func (s Stay) At(now string, t time.Time) string {
	switch {
	case s.Org == "" || !s.Begun && t.Before(s.Since):
		return now
	case s.Until.IsZero() || t.Before(s.Until):
		return s.Org
	}
	return s.Home
}

// StayOf gives the time that a person spends in an organization; the zero value when there is none.
func (o *Orgs) StayOf(ctx context.Context, c *call.Call, userID string) (Stay, error) {
	rows, err := stayNow.All(ctx, c.Tx, c.Tenant.ID, userID)
	if err != nil || len(rows) == 0 {
		return Stay{}, err
	}
	s := rows[0]
	return Stay{Org: s.Org, Home: s.Home, Since: moment(s.Since), Until: moment(s.Until), Reason: s.Reason, Granter: s.Granter, Begun: s.Begun}, nil
}

// keepStay stores a time in an organization that is not over; what has begun for good is none.
func (o *Orgs) keepStay(ctx context.Context, c *call.Call, s stay) error {
	if s.Begun && s.Until == 0 {
		return o.PersonMoved(ctx, c, s.User)
	}
	_, err := putStay.Do(ctx, c.Tx, c.Tenant.ID, s.User, s.Org, s.Home, s.Since, s.Until, s.Reason, s.Granter, s.Begun, s.Due)
	return err
}

// resettle moves a person to where a time in an organization takes them, with an event of its own. Who may was decided when the
// time was set.
func (o *Orgs) resettle(ctx context.Context, c *call.Call, u user.User, at string) error {
	if u.Org == at {
		return nil
	}
	event := c.Event
	defer func() { c.Event = event }()
	c.Event = c.Record(audit.UserChange)
	_, err := o.People.Change(ctx, c, u.ID, user.Change{Org: &at, OrgSettled: true})
	return missing(err)
}

// tell leaves an event about a time in an organization: what became of it.
func (o *Orgs) tell(c *call.Call, u user.User, s stay, what string) {
	e := c.Record(audit.OrgStay)
	noteStay(e, u, s, what)
}

func noteStay(e *call.Event, u user.User, s stay, what string) {
	e.Target, e.Kind, e.Name = u.ID, "User", u.Name
	e.Set("Stay", what)
	e.Set("OrgId", s.Org)
	e.Set("HomeOrgId", s.Home)
	e.Set("Window", strings.TrimSpace(role.Term{Since: moment(s.Since), Until: moment(s.Until)}.String()))
	if s.Reason != "" {
		e.Set("Reason", s.Reason)
	}
}

// returns ends a person's time in an organization, or takes back one that is to come; false when there is none.
func (o *Orgs) returns(ctx context.Context, c *call.Call, id string, p Principal) (bool, error) {
	if p.Kind != role.User {
		return false, nil
	}
	u, s, err := o.whereabouts(ctx, c, p.ID)
	if err != nil || s.Org != id {
		return false, err
	}
	return true, o.end(ctx, c, u, s)
}

func (o *Orgs) end(ctx context.Context, c *call.Call, u user.User, s stay) error {
	o.tell(c, u, s, "Ended")
	if s.Begun {
		if err := o.resettle(ctx, c, u, s.Home); err != nil {
			return err
		}
	}
	return o.PersonMoved(ctx, c, u.ID)
}

// close ends all times in an organization that is about to be deleted.
func (o *Orgs) close(ctx context.Context, c *call.Call, id string) error {
	rows, err := staysIn.All(ctx, c.Tx, c.Tenant.ID, id)
	if err != nil {
		return err
	}
	for _, s := range rows {
		u, err := o.People.ByID(ctx, c, s.User)
		if err == nil {
			err = o.end(ctx, c, u, s)
		}
		if err != nil {
			return err
		}
	}
	_, err = homeless.Do(ctx, c.Tx, c.Tenant.ID, id)
	return err
}

// PersonMoved forgets a person's time in an organization; for those who are being deleted, and those who were moved for good.
func (o *Orgs) PersonMoved(ctx context.Context, c *call.Call, userID string) error {
	_, err := dropStay.Do(ctx, c.Tx, c.Tenant.ID, userID)
	return err
}

// Stored hears of people whose row changed (user.Directory.Stored): whoever is moved otherwise does not return.
func (o *Orgs) Stored(ctx context.Context, c *call.Call, old, now *user.User) error {
	if old.ID == "" || now.ID == "" || old.Org == now.Org {
		return nil
	}
	return o.PersonMoved(ctx, c, now.ID)
}

// every is how often times that begin or end are looked for. Together with a transaction and the log of changes it is less than
// the second within which all nodes see it.
const every = 400 * time.Millisecond

// Run moves people whose time in an organization begins or ends, until ctx does. Every node does, so that it is done as long as
// one of them answers requests.
func (o *Orgs) Run(ctx context.Context) error {
	t := time.NewTicker(every)
	defer t.Stop()
	for failing := false; ; {
		err := o.Turn(ctx, time.Now())
		if err != nil && !failing && ctx.Err() == nil {
			slog.WarnContext(ctx, "people whose time in an organization is over were not moved; it is tried again", slog.String("error", err.Error()))
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// Turn moves whose time in an organization begins or ends by now, up to 100 people.
func (o *Orgs) Turn(ctx context.Context, now time.Time) error {
	var rows []dueRow
	err := o.DB.Read(ctx, func(tx *dbx.Tx) (err error) {
		rows, err = dueStays.All(ctx, tx, now.UnixMilli())
		return err
	})
	for _, r := range rows {
		moved := o.Act(ctx, r.Tenant, audit.OrgStay, func(ctx context.Context, c *call.Call) error {
			c.Now = now
			return o.turn(ctx, c, r.User)
		})
		if !errors.Is(moved, errTurned) {
			err = errors.Join(err, moved)
		}
	}
	return err
}

// turn moves one person, if they are still to be moved.
func (o *Orgs) turn(ctx context.Context, c *call.Call, userID string) error {
	u, s, err := o.whereabouts(ctx, c, userID)
	if errors.Is(err, ErrMember) {
		return errTurned
	}
	now := c.Now.UnixMilli()
	switch {
	case err != nil:
		return err
	case s.User == "" || s.Due > now:
		return errTurned
	case s.Begun || s.Until != 0 && s.Until <= now: // or it went by while no server ran
		noteStay(c.Event, u, s, "Ended")
		if s.Begun {
			err = o.resettle(ctx, c, u, s.Home)
		}
		return errors.Join(err, o.PersonMoved(ctx, c, u.ID))
	}
	noteStay(c.Event, u, s, "Began")
	s.Begun, s.Due = true, s.Until
	if err := o.resettle(ctx, c, u, s.Org); err != nil {
		return err
	}
	return o.keepStay(ctx, c, s)
}
