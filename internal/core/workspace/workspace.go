// Package workspace is the workspaces that people enter (synerise.yaml calls them business profiles): every organization is one.
// Those who belong to the organization are in it, and so are people of others who were invited; roles of the organization give them
// their rights over it, as everywhere. Whoever holds a right over an organization may enter it as well.
package workspace

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/grant"
	"limen/internal/core/invite"
	"limen/internal/core/number"
	"limen/internal/core/org"
	"limen/internal/core/role"
	"limen/internal/core/scope"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Faults of workspaces.
var (
	ErrNotFound = fault.New(fault.NotFound, "workspace.not_found", "There is no such workspace.")
	ErrNone     = fault.New(fault.Denied, "workspace.none", "Your token names no workspace. Choose one first.")
	ErrOutside  = fault.New(fault.Denied, "workspace.outside", "You may not enter this workspace.")
	ErrMember   = fault.New(fault.NotFound, "workspace.member_not_found", "There is no such user in this workspace.")
)

// Workspaces are those of the call's tenant. Its fields are set before use.
type Workspaces struct {
	Orgs    *org.Orgs
	People  *user.Directory
	Roles   *role.Roles
	Changes *change.Log
	// Gates are asked before somebody enters a workspace, and at every call in it: a fault keeps them out. They run in c.Tx, which may be
	// one that only reads, and get what is known of who enters in c.Caller.
	Gates []func(ctx context.Context, c *call.Call, workspace string) error
	// Activates says whether who joins a workspace is kept out of it, without its roles, until they are activated; nil: nobody is.
	Activates func(ctx context.Context, c *call.Call, workspace string) (bool, error)
	// Holder is what somebody is and holds now, by whose rights a role is given that they promised.
	Holder func(ctx context.Context, c *call.Call, userID string) (call.Caller, error)
	// Claimed fails when people of a mail address are another organization's to invite.
	Claimed func(ctx context.Context, c *call.Call, workspace, mail string) error
	// Invites makes the links at which new accounts get their passwords.
	Invites *invite.Invites
}

// Workspace is a workspace as lists show it. Times are milliseconds since 1970 UTC.
type Workspace struct {
	ID       string // of the organization
	Number   int64
	Name     string
	Path     string
	Above    int64 // number of the organization above; 0: none
	Author   int64 // number of who made it; 0: not known
	Created  int64
	Users    int64 // people who may enter
	Favorite bool  // of whoever asks
	parent   string
}

// Hash is a short name of the workspace that is made of its id.
func (w Workspace) Hash() string {
	sum := sha256.Sum256([]byte("workspace/" + w.ID))
	return hex.EncodeToString(sum[:8])
}

// Subdomain is the workspace's name as a label of a host name; of names without letters and digits its hash.
func (w Workspace) Subdomain() string {
	var b strings.Builder
	for _, r := range fold.Key(w.Name) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() == 63 {
			break
		}
	}
	if s := strings.Trim(b.String(), "-"); s != "" {
		return s
	}
	return w.Hash()
}

type row struct {
	ID       string `db:"id"`
	Number   int64  `db:"number"`
	Parent   string `db:"parent"`
	Name     string `db:"name"`
	Path     string `db:"path"`
	Created  int64  `db:"created"`
	Author   string `db:"author"`
	Favorite bool   `db:"favorite"`
}

type countRow struct {
	Org string `db:"org"`
	N   int64  `db:"n"`
}

var (
	list = dbx.L[row]("workspace.list", `SELECT o.id, n.number, o.parent, o.name, o.path, o.created, COALESCE(a.user_id, '') AS author,
		f.org IS NOT NULL AS favorite
		FROM org o JOIN object_number n ON n.tenant = o.tenant AND n.kind = 'Organization' AND n.object = o.id
		LEFT JOIN workspace_author a ON a.tenant = o.tenant AND a.org = o.id
		LEFT JOIN workspace_favorite f ON f.tenant = o.tenant AND f.org = o.id AND f.user_id = ?
		WHERE o.tenant = ?`).By("o.trail")
	homeCount = dbx.Q[countRow]("workspace.homeCount", `SELECT u.org AS org, count(*) AS n FROM users u
		LEFT JOIN workspace_member m ON m.tenant = u.tenant AND m.org = u.org AND m.user_id = u.id
		WHERE u.tenant = ? AND u.org = ANY(?) AND NOT (u.locked OR u.disabled OR u.expired OR u.suspended OR u.cloud_locked)
		AND (u.expires = 0 OR u.expires > ?) AND (m.org IS NULL OR m.state = 'member' AND m.enabled AND (m.until = 0 OR m.until > ?)) GROUP BY u.org`)
	guestCount = dbx.Q[countRow]("workspace.guestCount", `SELECT m.org AS org, count(*) AS n FROM workspace_member m
		JOIN users u ON u.tenant = m.tenant AND u.id = m.user_id
		WHERE m.tenant = ? AND m.org = ANY(?) AND u.org <> m.org AND NOT (u.locked OR u.disabled OR u.expired OR u.suspended OR u.cloud_locked)
		AND (u.expires = 0 OR u.expires > ?) AND m.state = 'member' AND m.enabled AND (m.until = 0 OR m.until > ?) GROUP BY m.org`)
	addFavorite  = dbx.E("workspace.addFavorite", `INSERT INTO workspace_favorite (tenant, user_id, org) VALUES (?, ?, ?) ON CONFLICT (tenant, user_id, org) DO NOTHING`)
	dropFavorite = dbx.E("workspace.dropFavorite", `DELETE FROM workspace_favorite WHERE tenant = ? AND user_id = ? AND org = ?`)
	isFavorite   = dbx.Q[int64]("workspace.isFavorite", `SELECT count(*) FROM workspace_favorite WHERE tenant = ? AND user_id = ? AND org = ?`)
	addAuthor    = dbx.E("workspace.addAuthor", `INSERT INTO workspace_author (tenant, org, user_id) VALUES (?, ?, ?) ON CONFLICT (tenant, org) DO NOTHING`)
)

// Made notes who made an organization (org.Orgs.Made).
func (w *Workspaces) Made(ctx context.Context, c *call.Call, id string) error {
	if c.User() == "" {
		return nil
	}
	return addAuthor.Later(ctx, c.Tx, c.Tenant.ID, id, c.User())
}

// Reach is the workspaces that the caller may enter as far as it depends on them, as a grant over organizations: those of their own,
// and those over which they hold a right; but none of barred.
func (w *Workspaces) Reach(ctx context.Context, c *call.Call) (g grant.Grant, barred []string, err error) {
	if c.Caller == nil {
		return grant.Grant{}, nil, nil
	}
	own, barred, err := own(ctx, c, c.Caller.User, c.Caller.Org)
	if err != nil {
		return grant.Grant{}, nil, err
	}
	held := c.Caller.Held
	if held.Tenant != 0 {
		return grant.All(), barred, nil
	}
	return grant.Orgs(held.Tree, held.Somewhere()...).Or(grant.Rows(own...)), barred, nil
}

// Pick is which workspaces are wanted.
type Pick struct {
	Search    string // part of the name
	Above     int64  // number of the organization above; 0: whichever
	Within    string // id of an organization: those of the same tree; empty: all
	Except    []string
	ByCreated bool // sorted by when they were made instead of by name
	Desc      bool
	Skip      int
	Limit     int
}

// List gives a page of the workspaces that a grant allows, favorites of the caller first, and says how many there are.
func (w *Workspaces) List(ctx context.Context, c *call.Call, g grant.Grant, p Pick) ([]Workspace, int64, error) {
	if g.Nothing() {
		return nil, 0, nil
	}
	where := scope.Allowed(g, c.Tenant.ID, "id", "id")
	if len(p.Except) > 0 {
		where = dbx.And(where, dbx.Not(dbx.In("id", p.Except...)))
	}
	if p.Within != "" {
		at, err := org.ByID(ctx, c, p.Within)
		if err != nil {
			return nil, 0, err
		}
		top, _, _ := strings.Cut(at.Trail, "/")
		where = dbx.And(where, dbx.Prefix("trail", top+"/"))
	}
	rows, err := w.rows(ctx, c, where)
	if err != nil {
		return nil, 0, err
	}
	numbers, err := w.above(ctx, c, rows)
	if err != nil {
		return nil, 0, err
	}
	search := fold.Key(p.Search)
	rows = slices.DeleteFunc(rows, func(r row) bool {
		return search != "" && !strings.Contains(fold.Key(r.Name), search) || p.Above != 0 && numbers[r.Parent] != p.Above
	})
	sorted(rows, p)
	n := int64(len(rows))
	rows = rows[min(p.Skip, len(rows)):]
	out, err := w.full(ctx, c, rows[:min(p.Limit, len(rows))], numbers)
	return out, n, err
}

// sorted brings workspaces in the order that is wanted.
func sorted(rows []row, p Pick) {
	slices.SortFunc(rows, func(a, b row) int {
		if a.Favorite != b.Favorite {
			if a.Favorite {
				return -1
			}
			return 1
		}
		by := cmp.Or(strings.Compare(fold.Key(a.Name), fold.Key(b.Name)), strings.Compare(a.ID, b.ID))
		if p.ByCreated {
			by = cmp.Or(cmp.Compare(a.Created, b.Created), strings.Compare(a.ID, b.ID))
		}
		if p.Desc {
			return -by
		}
		return by
	})
}

func (w *Workspaces) rows(ctx context.Context, c *call.Call, where dbx.Clause) ([]row, error) {
	return list.Rows(ctx, c.Tx, where, nil, org.MaxOrgs, c.User(), c.Tenant.ID)
}

// above gives the numbers of the organizations above some.
func (w *Workspaces) above(ctx context.Context, c *call.Call, rows []row) (map[string]int64, error) {
	var ids []string
	for _, r := range rows {
		if r.Parent != "" {
			ids = append(ids, r.Parent)
		}
	}
	slices.Sort(ids)
	return number.Some(ctx, c, number.Organization, slices.Compact(ids)...)
}

// full completes workspaces by who made them and how many may enter.
func (w *Workspaces) full(ctx context.Context, c *call.Call, rows []row, above map[string]int64) ([]Workspace, error) {
	var ids, authors []string
	for _, r := range rows {
		ids = append(ids, r.ID)
		if r.Author != "" {
			authors = append(authors, r.Author)
		}
	}
	counts, err := w.counts(ctx, c, ids)
	if err != nil {
		return nil, err
	}
	who, err := number.Some(ctx, c, number.User, authors...)
	if err != nil {
		return nil, err
	}
	out := make([]Workspace, len(rows))
	for i, r := range rows {
		out[i] = Workspace{
			ID: r.ID, Number: r.Number, Name: r.Name, Path: r.Path, Above: above[r.Parent], Author: who[r.Author], Created: r.Created,
			Users: counts[r.ID], Favorite: r.Favorite, parent: r.Parent,
		}
	}
	return out, nil
}

func (w *Workspaces) counts(ctx context.Context, c *call.Call, ids []string) (map[string]int64, error) {
	out, now := map[string]int64{}, c.Now.UnixMilli()
	if len(ids) == 0 {
		return out, nil
	}
	for _, q := range []dbx.Query[countRow]{homeCount, guestCount} {
		rows, err := q.All(ctx, c.Tx, c.Tenant.ID, ids, now, now)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			out[r.Org] += r.N
		}
	}
	return out, nil
}

// Get gives one workspace by its id. Fault: ErrNotFound.
func (w *Workspaces) Get(ctx context.Context, c *call.Call, id string) (Workspace, error) {
	rows, err := w.rows(ctx, c, dbx.Eq("id", id))
	if err == nil && len(rows) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Workspace{}, err
	}
	above, err := w.above(ctx, c, rows)
	if err != nil {
		return Workspace{}, err
	}
	out, err := w.full(ctx, c, rows, above)
	if err != nil {
		return Workspace{}, err
	}
	return out[0], nil
}

// Current finds the workspace that the caller's token is for: an input resolves by it what it is about. Faults: ErrNone, ErrNotFound.
func Current(ctx context.Context, c *call.Call) (org.Org, error) {
	if c.Caller == nil || c.Caller.Workspace == "" {
		return org.Org{}, ErrNone
	}
	o, err := org.ByID(ctx, c, c.Caller.Workspace)
	if errors.Is(err, org.ErrNotFound) {
		err = ErrNotFound
	}
	return o, err
}

// Reference finds the id of a workspace that a client names by its number or id. Fault: ErrNotFound.
func Reference(ctx context.Context, c *call.Call, n int64, guid string) (string, error) {
	if n != 0 {
		id, err := number.Find(ctx, c, number.Organization, n)
		if errors.Is(err, number.ErrNotFound) {
			err = ErrNotFound
		}
		return id, err
	}
	o, err := org.ByID(ctx, c, guid)
	if errors.Is(err, org.ErrNotFound) {
		err = ErrNotFound
	}
	return o.ID, err
}

// Favor marks a workspace as a favorite of the caller, or no longer; nil turns it round. It says what it is now.
func (w *Workspaces) Favor(ctx context.Context, c *call.Call, id string, on *bool) (bool, error) {
	n, err := isFavorite.One(ctx, c.Tx, c.Tenant.ID, c.User(), id)
	if err != nil {
		return false, err
	}
	is, now := n > 0, n == 0
	if on != nil {
		now = *on
	}
	e := dropFavorite
	if now {
		e = addFavorite
	}
	if c.Event != nil {
		c.Event.Target, c.Event.Kind = id, "Organization"
		call.Changed(c.Event, "Favorite", is, now)
	}
	_, err = e.Do(ctx, c.Tx, c.Tenant.ID, c.User(), id)
	return now, err
}

// Reaches says whether a workspace is among those of Reach.
func (w *Workspaces) Reaches(ctx context.Context, c *call.Call, id string) (bool, error) {
	g, barred, err := w.Reach(ctx, c)
	return g.Allows(id, id) && !slices.Contains(barred, id), err
}
