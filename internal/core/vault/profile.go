package vault

import (
	"context"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/user"
	"limen/internal/dbx"
)

// Profile is what the API alone knows of somebody.
type Profile struct {
	Type       string `db:"user_type"`
	Barred     string `db:"interfaces"` // interfaces that the user must not use, with commas
	Methods    string `db:"methods"`    // by which the password is taken, with commas
	Allowed    string `db:"allowed"`    // further ways to log on, with commas
	DN         string `db:"dn"`
	Profession string `db:"profession"`
	Retention  int64  `db:"retention"` // days
	From       int64  `db:"from_hour"` // first hour, UTC, in which the user may log on; -1: any
	To         int64  `db:"to_hour"`   // hour at whose beginning that ends
}

// retention is the number of days where none was said.
const retention = 90

// standard is the profile of somebody of whom nothing was said.
func standard(u user.User) Profile {
	p := Profile{Type: Person, Methods: ByPassword, Retention: retention, From: -1, To: -1}
	if u.Service {
		p.Type = Program
	}
	return p
}

type profiled struct {
	ID string `db:"user_id"`
	Profile
}

const profile = `user_type, interfaces, methods, allowed, dn, profession, retention, from_hour, to_hour`

var (
	profiles = dbx.L[profiled]("vault.profiles", `SELECT user_id, `+profile+` FROM vault_user WHERE tenant = ?`)
	keep     = dbx.E("vault.keep", `INSERT INTO vault_user (tenant, user_id, `+profile+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, user_id) DO UPDATE SET user_type = excluded.user_type, interfaces = excluded.interfaces, methods = excluded.methods,
		allowed = excluded.allowed, dn = excluded.dn, profession = excluded.profession, retention = excluded.retention, from_hour = excluded.from_hour,
		to_hour = excluded.to_hour`)
	forget         = dbx.E("vault.forget", `DELETE FROM vault_user WHERE tenant = ? AND user_id = ?`)
	forgetSessions = dbx.E("vault.forgetSessions", `DELETE FROM vault_session WHERE tenant = ? AND user_id = ?`)
)

// profileOf gives somebody's profile. Whether it is a program's, the directory knows better.
func profileOf(ctx context.Context, c *call.Call, u user.User) (Profile, error) {
	rows, err := profiles.Rows(ctx, c.Tx, dbx.Eq("user_id", u.ID), nil, 1, c.Tenant.ID)
	if err != nil || len(rows) == 0 {
		return standard(u), err
	}
	return rows[0].of(u.Service), nil
}

// of makes the type fit what the directory says: another dialect may have made a person of a program.
func (p Profile) of(service bool) Profile {
	if t, _ := TypeOf(p.Type); t.Component != service {
		p.Type = standard(user.User{Service: service}).Type
	}
	return p
}

// store keeps a profile, and notes in the event how it differs.
func (p Profile) store(ctx context.Context, c *call.Call, id string, was Profile) error {
	if p == was {
		return nil
	}
	if e := c.Event; e != nil {
		call.Changed(e, "UserType", was.Type, p.Type)
		call.Changed(e, "UnAuthorizedInterfaces", was.Barred, p.Barred)
		call.Changed(e, "AuthenticationMethod", was.Methods, p.Methods)
		call.Changed(e, "AllowedAuthenticationMethods", was.Allowed, p.Allowed)
		call.Changed(e, "DistinguishedName", was.DN, p.DN)
		call.Changed(e, "Profession", was.Profession, p.Profession)
		call.Changed(e, "UserActivityLogRetentionDays", was.Retention, p.Retention)
		call.Changed(e, "LoginFromHour", was.From, p.From)
		call.Changed(e, "LoginToHour", was.To, p.To)
	}
	_, err := keep.Do(ctx, c.Tx, c.Tenant.ID, id, p.Type, p.Barred, p.Methods, p.Allowed, p.DN, p.Profession, p.Retention, p.From, p.To)
	return err
}

// open says whether somebody may log on in an hour of the day, UTC.
func (p Profile) open(hour int64) bool {
	switch {
	case p.From < 0 || p.To < 0 || p.From == p.To:
		return true
	case p.From < p.To:
		return p.From <= hour && hour < p.To
	}
	return hour >= p.From || hour < p.To // over midnight
}

// uses says whether somebody may use an interface.
func (p Profile) uses(name string) bool { return !slices.Contains(strings.Split(p.Barred, ","), name) }

// Drop forgets somebody who is being deleted.
func Drop(ctx context.Context, c *call.Call, id string) error {
	for _, e := range []dbx.Exec{forget, forgetSessions} {
		if _, err := e.Do(ctx, c.Tx, c.Tenant.ID, id); err != nil {
			return err
		}
	}
	return nil
}
