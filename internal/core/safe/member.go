package safe

import (
	"context"
	"errors"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/role"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Faults of members.
var (
	ErrNoMember  = fault.New(fault.NotFound, "safe.member_not_found", "There is no such member of a safe.")
	ErrMember    = fault.New(fault.Exists, "safe.member_exists", "This person or role is a member of the safe already.")
	ErrPrincipal = fault.New(fault.NotFound, "safe.principal_not_found", "There is no such person or role.")
	ErrNotHeld   = fault.New(fault.Denied, "safe.right_not_held", "Rights in a safe can only be given, changed or taken by somebody who holds them, and for no longer than they do.")
	ErrNothing   = fault.New(fault.Invalid, "safe.no_rights", "A member of a safe has one right at least.")
	ErrUntil     = fault.New(fault.Invalid, "safe.until", "The end of a membership must lie ahead.")
	ErrOwns      = fault.New(fault.Conflict, "safe.owner_member", "The owner of a safe has every right in it, without end. Give the safe another owner first.")
	ErrFull      = fault.New(fault.Conflict, "safe.full", "The safe has as many members as it may have.")
)

// maxMembers is how many members a safe has.
const maxMembers = 1000

// Member is somebody's rights in a safe. Times are milliseconds since 1970 UTC.
type Member struct {
	Safe      string `db:"safe"` // UUID
	SafeName  string `db:"safe_name"`
	SafeKey   string `db:"safe_key"`
	Org       string `db:"org"`  // of the safe
	Kind      string `db:"kind"` // role.User or role.Sub
	Principal string `db:"principal"`
	Name      string `db:"name"` // login name, or name of the role
	NameKey   string `db:"who_key"`
	Bits      int64  `db:"rights"`
	Until     int64  `db:"until"` // 0: without end
	Created   int64  `db:"created"`
	Changed   int64  `db:"changed"`
}

// Rights are the member's rights.
func (m Member) Rights() Rights { return Rights(m.Bits) }

var (
	members = dbx.L[Member]("safe.members", `SELECT m.safe AS safe, s.name AS safe_name, s.name_key AS safe_key, s.org AS org, m.kind AS kind, m.principal AS principal,
		COALESCE(u.name, r.name, '') AS name, COALESCE(u.name_key, r.name_key, '') AS who_key, m.rights AS rights, m.until AS until,
		m.created AS created, m.changed AS changed
		FROM safe_member m JOIN safe s ON s.tenant = m.tenant AND s.id = m.safe
		LEFT JOIN users u ON u.tenant = m.tenant AND m.kind = 'User' AND u.id = m.principal
		LEFT JOIN role r ON r.tenant = m.tenant AND m.kind = 'Role' AND r.id = m.principal WHERE m.tenant = ?`)
	size = dbx.Q[int64]("safe.size", `SELECT count(*) FROM safe_member WHERE tenant = ? AND safe = ?`)
	join = dbx.E("safe.join", `INSERT INTO safe_member (tenant, safe, kind, principal, rights, until, granter, created, changed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, safe, kind, principal) DO UPDATE SET rights = excluded.rights, until = excluded.until, granter = excluded.granter, changed = excluded.changed`)
	leave         = dbx.E("safe.leave", `DELETE FROM safe_member WHERE tenant = ? AND safe = ? AND kind = ? AND principal = ?`)
	dropSafe      = dbx.E("safe.drop_members", `DELETE FROM safe_member WHERE tenant = ? AND safe = ?`)
	dropPrincipal = dbx.E("safe.drop_principal", `DELETE FROM safe_member WHERE tenant = ? AND principal = ?`)
	sweep         = dbx.S("safe.sweep_members", "safe_member", "tenant, safe, kind, principal", "until <> 0 AND until < ?")
)

func put(ctx context.Context, c *call.Call, safeID string, e entry) error {
	now := c.Now.UnixMilli()
	_, err := join.Do(ctx, c.Tx, c.Tenant.ID, safeID, e.Kind, e.Principal, e.Rights, e.Until, c.User(), now, now)
	return err
}

// Sweep forgets memberships that ended more than a day ago.
func Sweep(ctx context.Context, db *dbx.DB, now time.Time) error {
	return sweep.Run(ctx, db, now.Add(-24*time.Hour).UnixMilli())
}

// lasting holds for memberships that have not ended.
func lasting(c *call.Call) dbx.Clause {
	return dbx.Or(dbx.Eq("until", int64(0)), dbx.Gt("until", c.Now.UnixMilli()))
}

// told holds for the members of safes whose members the caller may see.
func told(c *call.Call, g grant.Grant) dbx.Clause {
	return dbx.And(reached(c, g, "safe", "org", ViewSafeMembers|ManageSafeMembers), lasting(c))
}

// Members gives a page of who has which rights in which safes, of those whose members the caller may see: by the grant, which is one by Vault
// Management, or as a member who may.
func (s *Safes) Members(ctx context.Context, c *call.Call, g grant.Grant, p Pick) ([]Member, error) {
	return page(ctx, c, members, told(c, g), p)
}

// CountMembers counts what Members gives.
func (s *Safes) CountMembers(ctx context.Context, c *call.Call, g grant.Grant, where dbx.Clause) (int64, error) {
	return members.Count(ctx, c.Tx, dbx.And(told(c, g), where), c.Tenant.ID)
}

// Column gives a member's values in the columns of an order.
func (m Member) Column(order []dbx.Order) []any {
	out := make([]any, len(order))
	for i, o := range order {
		out[i] = map[string]any{
			"safe_key": m.SafeKey, "who_key": m.NameKey, "kind": m.Kind, "principal": m.Principal, "created": m.Created, "changed": m.Changed, "safe": m.Safe,
		}[o.Column]
	}
	return out
}

// Member finds a member of a safe by the principal's id, or its name, whatever the case; people come before roles. Faults: ErrNotFound and ErrNoMember.
func (s *Safes) Member(ctx context.Context, c *call.Call, safeName, who string) (Member, error) {
	v, err := s.Find(ctx, c, safeName)
	if err != nil {
		return Member{}, err
	}
	return find(ctx, c, v, who)
}

func find(ctx context.Context, c *call.Call, v View, who string) (Member, error) {
	if v.Rights&(ViewSafeMembers|ManageSafeMembers) == 0 {
		return Member{}, ErrNoMember
	}
	of := dbx.And(dbx.Eq("safe", v.ID), lasting(c))
	order := []dbx.Order{{Column: "kind", Desc: true}, {Column: "principal"}}
	for _, by := range []dbx.Clause{dbx.Eq("principal", who), dbx.Eq("who_key", fold.Key(who))} {
		rows, err := members.Rows(ctx, c.Tx, dbx.And(of, by), order, 1, c.Tenant.ID)
		if err != nil || len(rows) > 0 {
			return first(rows), err
		}
	}
	return Member{}, ErrNoMember
}

func first(rows []Member) (m Member) {
	if len(rows) > 0 {
		m = rows[0]
	}
	return m
}

// Given is what a member is to have.
type Given struct {
	Rights Rights
	Until  int64 // 0: without end
}

func (g Given) check(c *call.Call) error {
	switch {
	case g.Rights == 0:
		return ErrNothing.At("rights")
	case g.Rights&^Full != 0:
		return ErrRight.At("rights")
	case g.Until != 0 && g.Until <= c.Now.UnixMilli():
		return ErrUntil.At("membershipExpirationDate")
	}
	return nil
}

// Add makes a person or role a member of a safe: one whom the caller administers, or the caller, by id or login name. It takes what Put takes.
// Faults: ErrNotFound, ErrDenied, ErrNotHeld, ErrPrincipal, ErrMember, ErrFull, ErrNothing, ErrUntil.
func (s *Safes) Add(ctx context.Context, c *call.Call, safeName, kind, who string, g Given) (Member, error) {
	v, err := s.need(ctx, c, safeName, ManageSafeMembers)
	if err == nil {
		err = g.check(c)
	}
	if err != nil {
		return Member{}, err
	}
	ms, err := s.Roles.Principals(ctx, c, c.Grant.Or(grant.Rows(c.User())), kind, who)
	if errors.Is(err, role.ErrMember) || errors.Is(err, role.ErrGroup) {
		err = ErrPrincipal
	}
	if err != nil {
		return Member{}, err
	}
	if _, err = find(ctx, c, v, ms[0].ID); !errors.Is(err, ErrNoMember) {
		return Member{}, errors.Join(err, ErrMember)
	}
	n, err := size.One(ctx, c.Tx, c.Tenant.ID, v.ID)
	if err == nil && n >= maxMembers {
		err = ErrFull
	}
	if err != nil {
		return Member{}, err
	}
	return s.give(ctx, c, v, Member{Kind: kind, Principal: ms[0].ID}, g)
}

// Put changes what a member of a safe has, by the principal's id or name. The caller manages the safe's members, and has every right
// that changes, for as long as it is given; owners and administrators need not. fresh refuses what is not the version wanted. Faults:
// ErrNotFound, ErrNoMember, ErrDenied, ErrNotHeld, ErrOwns, ErrNothing, ErrUntil.
func (s *Safes) Put(ctx context.Context, c *call.Call, safeName, who string, g Given, fresh func(Member) error) (Member, error) {
	v, m, err := s.seat(ctx, c, safeName, who, fresh)
	if err == nil {
		err = g.check(c)
	}
	if err != nil {
		return Member{}, err
	}
	return s.give(ctx, c, v, m, g)
}

// Remove takes a member off a safe. It takes what Put takes.
func (s *Safes) Remove(ctx context.Context, c *call.Call, safeName, who string, fresh func(Member) error) error {
	v, m, err := s.seat(ctx, c, safeName, who, fresh)
	if err != nil {
		return err
	}
	_, err = s.give(ctx, c, v, m, Given{})
	return err
}

// seat finds a member who is to be changed.
func (s *Safes) seat(ctx context.Context, c *call.Call, safeName, who string, fresh func(Member) error) (View, Member, error) {
	v, err := s.need(ctx, c, safeName, ManageSafeMembers)
	if err != nil {
		return v, Member{}, err
	}
	m, err := find(ctx, c, v, who)
	if err == nil {
		err = fresh(m)
	}
	if err == nil && m.Kind == role.User && m.Principal == v.Owner {
		err = ErrOwns
	}
	return v, m, err
}

// give changes a membership, and ends it when nothing is given.
func (s *Safes) give(ctx context.Context, c *call.Call, v View, m Member, g Given) (Member, error) {
	if err := s.may(ctx, c, v, m, g); err != nil {
		return Member{}, err
	}
	var err error
	if g.Rights == 0 {
		_, err = leave.Do(ctx, c.Tx, c.Tenant.ID, v.ID, m.Kind, m.Principal)
	} else {
		err = put(ctx, c, v.ID, entry{m.Kind, m.Principal, int64(g.Rights), g.Until})
	}
	if err != nil {
		return Member{}, err
	}
	rows, err := members.Rows(ctx, c.Tx, dbx.And(dbx.Eq("safe", v.ID), dbx.Eq("kind", m.Kind), dbx.Eq("principal", m.Principal)), nil, 1, c.Tenant.ID)
	if err != nil {
		return Member{}, err
	}
	is := first(rows)
	if e := c.Event; e != nil {
		name := is.Name
		if name == "" {
			name = m.Name
		}
		e.Set("Member", m.Kind+" "+name)
		call.Changed(e, "Rights", m.Rights().String(), is.Rights().String())
		call.Changed(e, "Until", moment(m.Until), moment(is.Until))
	}
	return is, nil
}

func moment(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).UTC().Format(time.RFC3339)
}

// may fails with ErrNotHeld when the caller may not change what a member has.
func (s *Safes) may(ctx context.Context, c *call.Call, v View, m Member, g Given) error {
	terms, err := s.Roles.Terms(ctx, c)
	if err != nil {
		return err
	}
	rows, err := entries.All(ctx, c.Tx, c.Tenant.ID, v.ID, principals(c))
	if err != nil {
		return err
	}
	leads := leading(c, terms, v.Safe)
	held := func(until int64) (out Rights) {
		if leads >= until {
			return Full
		}
		for _, e := range rows {
			end := role.End(e.Until)
			if e.Kind == role.Sub {
				end = min(end, terms.Roles[e.Principal])
			}
			if end >= until {
				out |= Rights(e.Rights)
			}
		}
		return out
	}
	now := c.Now.UnixMilli() + 1
	changed := m.Rights() ^ g.Rights
	if g.Until != m.Until {
		changed = m.Rights() | g.Rights
	}
	if !held(now).Has(ManageSafeMembers|changed) || !held(max(role.End(g.Until), now)).Has(changed&g.Rights) {
		return ErrNotHeld
	}
	return nil
}

// Split cuts the name of a membership, which is a safe's name and a principal's name or id with a colon between them.
func Split(name string) (safeName, who string) {
	safeName, who, _ = strings.Cut(name, ":")
	return safeName, who
}
