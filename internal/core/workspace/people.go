package workspace

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Statuses of people in a workspace.
const (
	Active  = "ACTIVE"
	Expired = "EXPIRED"
	Pending = "PENDING"
	Refused = "REJECTED"
)

// Person is somebody in a workspace, or invited to it. Times are milliseconds since 1970 UTC; 0: none.
type Person struct {
	ID         string `db:"id"` // UUID
	Number     int64  `db:"number"`
	Name       string `db:"name"` // login name
	Mail       string `db:"mail"`
	Unproved   bool   `db:"mail_unproved"`
	Display    string `db:"display"`
	Mobile     string `db:"mobile"`
	Org        string `db:"org"`
	Barred     bool   `db:"barred"` // the account may not be used anywhere
	Ends       int64  `db:"expires"`
	Service    bool   `db:"service"`
	Client     bool   `db:"oauth_client"`
	Created    int64  `db:"created"`
	LastLogin  int64  `db:"last_login"`
	State      string `db:"state"`
	Enabled    bool   `db:"enabled"`
	Until      int64  `db:"until"`
	Invitation int64  `db:"invitation"` // number of one that is open or was rejected; 0: none
	Factor     bool   `db:"factor"`     // an authenticator is set up
	Roles      []role.Role
}

// Status is where the person stands at a time.
func (p Person) Status(now time.Time) string {
	ms := now.UnixMilli()
	switch {
	case p.State == Invited:
		return Pending
	case p.State == Rejected:
		return Refused
	case p.Until != 0 && p.Until <= ms, p.Ends != 0 && p.Ends <= ms:
		return Expired
	}
	return Active
}

// May says whether the person may enter as far as the workspace and the account say.
func (p Person) May() bool { return p.Enabled && !p.Barred }

// Unknown says whether nothing is to be told of the person but the address: they have not joined, and do not belong to the workspace.
func (p Person) Unknown(workspace string) bool { return p.State != Joined && p.Org != workspace }

// User is the person's row as far as it is known here.
func (p Person) User() user.User {
	return user.User{ID: p.ID, Name: p.Name, Mail: p.Mail, MailUnproved: p.Unproved, Display: p.Display, Org: p.Org, Service: p.Service, OAuthClient: p.Client}
}

var (
	peopleOf = dbx.L[Person]("workspace.people", `SELECT u.id, n.number, u.name, u.mail, u.mail_unproved, u.display, u.mobile, u.org,
		(u.locked OR u.disabled OR u.expired OR u.suspended OR u.cloud_locked) AS barred, u.expires, u.service, u.oauth_client, u.created,
		COALESCE(s.last_login, 0) AS last_login, COALESCE(m.state, 'member') AS state, COALESCE(m.enabled, TRUE) AS enabled,
		COALESCE(m.until, 0) AS until, CASE WHEN m.state <> 'member' THEN COALESCE(i.number, 0) ELSE 0 END AS invitation,
		EXISTS (SELECT 1 FROM oath_profile o WHERE o.tenant = u.tenant AND o.user_id = u.id AND o.confirmed AND NOT o.own) AS factor
		FROM users u JOIN object_number n ON n.tenant = u.tenant AND n.kind = 'User' AND n.object = u.id
		LEFT JOIN workspace_member m ON m.tenant = u.tenant AND m.org = ? AND m.user_id = u.id
		LEFT JOIN object_number i ON i.tenant = u.tenant AND i.kind = 'Invitation' AND i.object = m.id
		LEFT JOIN user_seen s ON s.tenant = u.tenant AND s.user_id = u.id WHERE u.tenant = ?`).By("u.name_key", "u.mail_key", "u.display_key")
	// homeKeys are the people of the workspace's organization, guestKeys those of others who are in it or invited: by these pages are found and
	// counted, each from an index of its own.
	homeKeys = dbx.L[keyRow]("workspace.homeKeys", `SELECT u.id, u.display_key, u.mail_key, u.created, COALESCE(m.state, 'member') AS state,
		COALESCE(m.until, 0) AS until FROM users u LEFT JOIN workspace_member m ON m.tenant = u.tenant AND m.org = ? AND m.user_id = u.id
		WHERE u.tenant = ?`).By("u.name_key", "u.org", "u.expires")
	guestKeys = dbx.L[keyRow]("workspace.guestKeys", `SELECT u.id, u.display_key, u.mail_key, u.created, m.state, m.until FROM workspace_member m
		JOIN users u ON u.tenant = m.tenant AND u.id = m.user_id WHERE m.tenant = ? AND m.org = ?`).By("u.name_key", "u.org", "u.expires")
	inside = dbx.Q[string]("workspace.inside", `SELECT id FROM users WHERE tenant = ? AND org = ?
		UNION ALL SELECT user_id FROM workspace_member WHERE tenant = ? AND org = ?`)
)

type keyRow struct {
	ID      string `db:"id"`
	Display string `db:"display_key"`
	Mail    string `db:"mail_key"`
	Created int64  `db:"created"`
	State   string `db:"state"`
	Until   int64  `db:"until"`
}

// compare compares by the column that a list is sorted by, as the store does.
func (k keyRow) compare(o keyRow, column string) int {
	by := strings.Compare(k.Display, o.Display)
	switch column {
	case "mail_key":
		by = strings.Compare(k.Mail, o.Mail)
	case "created":
		by = cmp.Compare(k.Created, o.Created)
	}
	return cmp.Or(by, strings.Compare(k.ID, o.ID))
}

// Filter picks people of a workspace.
type Filter struct {
	Search string // part of the name or mail address
	Status string // one of the statuses; empty: all
	Role   string // id of a role of the workspace that they hold
	Sort   string // column: display_key, mail_key, created; display_key when empty
	Desc   bool
	Skip   int
	Limit  int
	// NoNames and NoMail keep the search from names, and from mail addresses and login names.
	NoNames, NoMail bool
}

// found is what a search looks into. Of who is not in the workspace yet nothing is told but the address.
func (f Filter) found(key, workspace string) dbx.Clause {
	var in, own []dbx.Clause
	if !f.NoMail {
		in, own = append(in, dbx.Contains("mail_key", key)), append(own, dbx.Contains("name_key", key))
	}
	if !f.NoNames {
		own = append(own, dbx.Contains("display_key", key))
	}
	return dbx.Or(append(in, dbx.And(dbx.Or(dbx.Eq("state", Joined), dbx.Eq("org", workspace)), dbx.Or(own...)))...)
}

func (f Filter) where(c *call.Call, workspace string) (dbx.Clause, error) {
	var all []dbx.Clause
	if key := fold.Key(f.Search); key != "" {
		all = append(all, f.found(key, workspace))
	}
	if f.Role != "" {
		all = append(all, role.Containing(c, "id", f.Role))
	}
	now := c.Now.UnixMilli()
	over := dbx.Or(dbx.And(dbx.Ne("until", 0), dbx.Le("until", now)), dbx.And(dbx.Ne("expires", 0), dbx.Le("expires", now)))
	joined := dbx.Eq("state", Joined)
	switch f.Status {
	case "":
	case Active:
		all = append(all, joined, dbx.Not(over))
	case Expired:
		all = append(all, joined, over)
	case Pending:
		all = append(all, dbx.Eq("state", Invited))
	case Refused:
		all = append(all, dbx.Eq("state", Rejected))
	default:
		return dbx.Clause{}, fault.Bad("status", "must be ACTIVE, EXPIRED, PENDING or REJECTED")
	}
	return dbx.And(all...), nil
}

// ListPeople gives a page of the people of a workspace that the grant allows, with those who are invited, and says how many they are.
func (w *Workspaces) ListPeople(ctx context.Context, c *call.Call, g grant.Grant, workspace string, f Filter) ([]Person, int64, error) {
	if !g.Allows(workspace, workspace) {
		return nil, 0, nil
	}
	where, err := f.where(c, workspace)
	if err != nil {
		return nil, 0, err
	}
	keys, n, err := f.page(ctx, c, workspace, where)
	if err != nil {
		return nil, 0, err
	}
	rows, err := w.inOrder(ctx, c, workspace, keys)
	if err != nil {
		return nil, 0, err
	}
	return rows, n, w.withRoles(ctx, c, workspace, rows)
}

// page finds the keys of a page, and counts those of all pages.
func (f Filter) page(ctx context.Context, c *call.Call, workspace string, where dbx.Clause) (out []keyRow, n int64, err error) {
	column := cmp.Or(f.Sort, "display_key")
	order := []dbx.Order{{Column: column, Desc: f.Desc}, {Column: "id", Desc: f.Desc}}
	for _, of := range []struct {
		keys  dbx.List[keyRow]
		where dbx.Clause
		args  []any
	}{
		{homeKeys, dbx.And(dbx.Eq("org", workspace), where), []any{workspace, c.Tenant.ID}},
		{guestKeys, dbx.And(dbx.Ne("org", workspace), where), []any{c.Tenant.ID, workspace}},
	} {
		some, err := of.keys.Count(ctx, c.Tx, of.where, of.args...)
		if err != nil {
			return nil, 0, err
		}
		if n += some; some == 0 {
			continue
		}
		rows, err := of.keys.Rows(ctx, c.Tx, of.where, order, min(f.Skip+f.Limit, maxRead), of.args...)
		if err != nil {
			return nil, 0, err
		}
		out = append(out, rows...)
	}
	slices.SortFunc(out, func(a, b keyRow) int {
		if f.Desc {
			a, b = b, a
		}
		return a.compare(b, column)
	})
	return out[min(f.Skip, len(out)):min(f.Skip+f.Limit, len(out))], n, nil
}

// inOrder reads people by their keys, in their order.
func (w *Workspaces) inOrder(ctx context.Context, c *call.Call, workspace string, keys []keyRow) ([]Person, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	ids, at := make([]string, len(keys)), make(map[string]int, len(keys))
	for i, k := range keys {
		ids[i], at[k.ID] = k.ID, i
	}
	rows, err := peopleOf.Rows(ctx, c.Tx, dbx.In("id", ids...), nil, len(ids), workspace, c.Tenant.ID)
	slices.SortFunc(rows, func(a, b Person) int { return at[a.ID] - at[b.ID] })
	return rows, err
}

// maxRead is how far into a list pages are given.
const maxRead = 100_000

// withRoles tells of people which roles of the workspace they are directly in.
func (w *Workspaces) withRoles(ctx context.Context, c *call.Call, workspace string, rows []Person) error {
	of, err := w.Orgs.RolesIn(ctx, c, workspace)
	if err != nil || len(of) == 0 {
		return err
	}
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	in, err := w.Roles.Load(ctx, c, ids)
	if err != nil {
		return err
	}
	for i := range rows {
		has := in.Roles(rows[i].ID, c.Now)
		for _, r := range of {
			if slices.Contains(has, r.ID) {
				rows[i].Roles = append(rows[i].Roles, r)
			}
		}
	}
	return nil
}

// GetPerson gives one person of a workspace. Fault: ErrMember.
func (w *Workspaces) GetPerson(ctx context.Context, c *call.Call, workspace, userID string) (Person, error) {
	where := dbx.And(dbx.Eq("id", userID), dbx.InQuery("id", inside, c.Tenant.ID, workspace, c.Tenant.ID, workspace))
	rows, err := peopleOf.Rows(ctx, c.Tx, where, nil, 1, workspace, c.Tenant.ID)
	if err == nil && len(rows) == 0 {
		err = ErrMember
	}
	if err != nil {
		return Person{}, err
	}
	return rows[0], w.withRoles(ctx, c, workspace, rows)
}
