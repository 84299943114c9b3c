package dynamic

import (
	"context"
	"errors"
	"time"

	"limen/internal/call"
	"limen/internal/core/attribute"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/dbx"
)

const personColumns = `id, name, display, mail, mobile, reports_to, org, locked, disabled, expired, everybody, oauth_client, password_changed, created, changed, version`

// personRow is what scripts see of the person's own row.
type personRow struct {
	ID              string `db:"id"`
	Name            string `db:"name"`
	Display         string `db:"display"`
	Mail            string `db:"mail"`
	Mobile          string `db:"mobile"`
	ReportsTo       string `db:"reports_to"`
	Org             string `db:"org"`
	Locked          bool   `db:"locked"`
	Disabled        bool   `db:"disabled"`
	Expired         bool   `db:"expired"`
	Everybody       bool   `db:"everybody"`
	OAuthClient     bool   `db:"oauth_client"`
	PasswordChanged int64  `db:"password_changed"`
	Created         int64  `db:"created"`
	Changed         int64  `db:"changed"`
	Version         int64  `db:"version"`
}

var (
	page   = dbx.Q[personRow]("dynamic.page", `SELECT `+personColumns+` FROM users WHERE tenant = ? AND id > ? ORDER BY id LIMIT ?`)
	person = dbx.Q[personRow]("dynamic.people", `SELECT `+personColumns+` FROM users WHERE tenant = ? AND id = ?`)
)

func rowOf(u user.User) personRow {
	return personRow{
		u.ID, u.Name, u.Display, u.Mail, u.Mobile, u.ReportsTo, u.Org, u.Locked, u.Disabled, u.Expired, u.Everybody, u.OAuthClient,
		u.PasswordChanged, u.Created, u.Changed, u.Version,
	}
}

// properties are those of the built-in directory that scripts know (roles.yaml, head). Some names exist and are always null.
func (r personRow) properties() map[string]any {
	return map[string]any{
		"Alias": r.Name, "Name": r.Name, "DisplayName": r.Display, "Mail": r.Mail, "MobileNumber": r.Mobile, "ReportsTo": r.ReportsTo, "OrgId": r.Org,
		"InEverybodyRole": r.Everybody, "OauthClient": r.OAuthClient, "Version": r.Version,
		"State":      user.State{Locked: r.Locked, Disabled: r.Disabled, Expired: r.Expired}.String(),
		"CreateDate": moment(r.Created), "LastModifiedDate": moment(r.Changed), "LastPasswordChangeDate": moment(r.PasswordChanged),
		"role_membership": nil, "Status": nil, "StatusEnum": nil, "Enabled": nil, "Locked": nil, "FirstName": nil, "LastName": nil,
	}
}

func moment(ms int64) any {
	if ms == 0 {
		return nil
	}
	return time.UnixMilli(ms).UTC()
}

// seen is a person as they were when a script was asked, and what tells whether that still holds.
type seen struct {
	Person
	token string
	what  string
	until time.Time // when the roles change by themselves
}

// see reads what scripts see of a person.
func (s *Scripts) see(ctx context.Context, c *call.Call, r personRow) (out seen, err error) {
	out.Person = Person{ID: r.ID, Name: r.Name, Display: r.Display, Mail: r.Mail, Org: r.Org, Properties: r.properties()}
	values, err := attribute.Attributes{}.Get(ctx, c, r.ID)
	if err != nil {
		return out, err
	}
	for _, v := range values {
		out.Properties[v.Name] = v.Value
	}
	if out.Roles, out.until, err = s.Roles.Static(ctx, c, r.ID); err != nil {
		return out, err
	}
	m, err := markOf.One(ctx, c.Tx, c.Tenant.ID, r.ID)
	if err != nil && !errors.Is(err, dbx.ErrNoRow) {
		return out, err
	}
	out.token, out.what = m.Token, m.What
	return out, nil
}

// Describe is what scripts see of a person, in c.Tx; the roles are the static ones.
func (s *Scripts) Describe(ctx context.Context, c *call.Call, u user.User) (Person, error) {
	out, err := s.see(ctx, c, rowOf(u))
	return out.Person, err
}

// Try runs a script for one person and stores nothing. It belongs outside transactions.
func (s *Scripts) Try(ctx context.Context, c *call.Call, userID, text string) (Verdict, error) {
	if len(text) > MaxScript {
		return Verdict{}, ErrLarge
	}
	var who seen
	var known []role.Role
	err := c.Snapshot(ctx, func() error {
		r, err := person.One(ctx, c.Tx, c.Tenant.ID, userID)
		if errors.Is(err, dbx.ErrNoRow) {
			return ErrPerson
		}
		if err == nil {
			who, err = s.see(ctx, c, r)
		}
		if err == nil {
			known, err = s.Roles.List(ctx, c)
		}
		return err
	})
	if err != nil {
		return Verdict{}, err
	}
	out, err := s.Judge(ctx, Batch{Tenant: c.Tenant.ID, Script: text, People: []Person{who.Person}, Roles: known, Now: c.Now, Trace: true})
	if err != nil {
		return Verdict{}, err
	}
	return out[0], nil
}
