package user

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/scope"
	"limen/internal/dbx"
	"limen/internal/fold"
)

// Listed is a user as lists show it. The fields are those of User.
type Listed struct {
	ID              string `db:"id"`
	Name            string `db:"name"`
	Display         string `db:"display"`
	Mail            string `db:"mail"`
	Mobile          string `db:"mobile"`
	Home            string `db:"home"`
	Office          string `db:"office"`
	Description     string `db:"description"`
	ReportsTo       string `db:"reports_to"`
	Locked          bool   `db:"locked"`
	Disabled        bool   `db:"disabled"`
	Expired         bool   `db:"expired"`
	CloudLocked     bool   `db:"cloud_locked"`
	Suspended       bool   `db:"suspended"`
	Invited         int64  `db:"invited"`
	Active          int64  `db:"active"`
	Service         bool   `db:"service"`
	OAuthClient     bool   `db:"oauth_client"`
	Everybody       bool   `db:"everybody"`
	PasswordChanged int64  `db:"password_changed"`
	Created         int64  `db:"created"`
	Org             string `db:"org"`        // id of the organization; empty when in none
	LastLogin       int64  `db:"last_login"` // ms since 1970 UTC; 0: never
}

// Status is that of the user.
func (l *Listed) Status() Status { return statusOf(l.Suspended, l.Active, l.Invited) }

// State is that of the user.
func (l *Listed) State() State {
	return State{Locked: l.Locked, Disabled: l.Disabled, Expired: l.Expired}
}

// key is what pages behind the user are found by. The keys are not read: they are made of what is.
func (l *Listed) key() keyed {
	return keyed{ID: l.ID, NameKey: fold.Key(l.Name), DisplayKey: fold.Key(l.Display), MailKey: fold.Key(l.Mail), Created: l.Created}
}

// Sort is what a list is sorted by; rows that are equal in it are sorted by id.
type Sort string

// The orders.
const (
	ByNames    Sort = "name_key"
	ByDisplay  Sort = "display_key"
	ByMails    Sort = "mail_key"
	ByCreation Sort = "created"
)

// Query picks users.
type Query struct {
	Prefix string // login names that begin so, whatever the case
	Sort   Sort   // ByNames when empty
	Desc   bool
	// After gives the page behind this user; the zero value the first page.
	After User
	Limit int // most users given, at most MaxPage
}

// MaxPage is the most users that one page has.
const MaxPage = 100_000

var list = dbx.L[Listed]("user.list", `SELECT u.id, u.name, u.display, u.mail, u.mobile, u.home, u.office, u.description, u.reports_to, u.locked,
	u.disabled, u.expired, u.cloud_locked, u.suspended, u.invited, u.active, u.service, u.oauth_client, u.everybody, u.password_changed, u.created, u.org,
	COALESCE(s.last_login, 0) AS last_login
	FROM users u LEFT JOIN user_seen s ON s.tenant = u.tenant AND s.user_id = u.id WHERE u.tenant = ?`).
	By("u.name_key", "u.display_key", "u.mail_key", "u.org")

// keyed is what pages are counted by.
type keyed struct {
	ID         string `db:"id"`
	NameKey    string `db:"name_key"`
	DisplayKey string `db:"display_key"`
	MailKey    string `db:"mail_key"`
	Created    int64  `db:"created"`
	Org        string `db:"org"`
}

var keys = dbx.L[keyed]("user.keys", `SELECT id, name_key, display_key, mail_key, created, org FROM users WHERE tenant = ?`)

// Allowed is the clause that keeps a list of users within a grant.
func Allowed(c *call.Call, g grant.Grant) dbx.Clause {
	return AllowedBy(c, g, "org", "id")
}

// AllowedBy is Allowed by the columns of a person's organization and id.
func AllowedBy(c *call.Call, g grant.Grant, org, id string) dbx.Clause {
	return scope.Allowed(g, c.Tenant.ID, org, id)
}

func (q Query) where(c *call.Call, g grant.Grant) dbx.Clause {
	cs := []dbx.Clause{scope.Sorted(g, c.Tenant.ID, "org", "id")}
	if q.Prefix != "" {
		cs = append(cs, dbx.Prefix("name_key", fold.Key(q.Prefix)))
	}
	if q.After.ID != "" {
		cs = append(cs, dbx.After(q.order(), q.values(q.After)...))
	}
	return dbx.And(cs...)
}

func (q Query) column() string {
	switch q.Sort {
	case ByDisplay, ByMails, ByCreation:
		return string(q.Sort)
	}
	return string(ByNames)
}

// order is the column and then the id, but for names: they are unique, and PostgreSQL would sort them again by the id.
func (q Query) order() []dbx.Order {
	order := []dbx.Order{{Column: q.column(), Desc: q.Desc}, {Column: "id", Desc: q.Desc}}
	if q.column() == string(ByNames) {
		return order[:1]
	}
	return order
}

// values are a user's in the columns of order.
func (q Query) values(u User) []any {
	switch q.Sort {
	case ByDisplay:
		return []any{u.DisplayKey, u.ID}
	case ByMails:
		return []any{u.MailKey, u.ID}
	case ByCreation:
		return []any{u.Created, u.ID}
	}
	return []any{u.NameKey}
}

// List gives a page of the users that the grant allows.
func (d *Directory) List(ctx context.Context, c *call.Call, g grant.Grant, q Query) ([]Listed, error) {
	if g.Nothing() {
		return nil, nil
	}
	return list.Rows(ctx, c.Tx, q.where(c, g), q.order(), min(max(q.Limit, 1), MaxPage), c.Tenant.ID)
}
