package acl

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/role"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Bounds of a list.
const (
	maxEntries = 1000
	maxReason  = 1000
	// maxMembers is how many members of a set are asked for one by one, when somebody gives rights on them who does not
	// administer their table.
	maxMembers = 1000
)

// Given is what somebody is to have on a row.
type Given struct {
	Kind         string // role.User or role.Sub
	Principal    string // UUID of the person, id of the role
	Mask         Mask   // all of it; 0: nothing
	Since, Until time.Time
	Reason       string
}

func (g Given) check(t Table, now time.Time) error {
	switch {
	case g.Mask&^t.Full() != 0:
		return ErrRight
	case len(g.Reason) > maxReason || !utf8.ValidString(g.Reason):
		return fault.Bad("Reason", "may have %d bytes", maxReason)
	case !g.Until.IsZero() && !g.Until.After(g.Since):
		return fault.Bad("Until", "must be later than the beginning")
	case !g.Until.IsZero() && !g.Until.After(now):
		return fault.Bad("Until", "must lie ahead")
	}
	return nil
}

func (g Given) row() entryRow {
	ms := func(t time.Time) int64 {
		if t.IsZero() {
			return 0
		}
		return t.UnixMilli()
	}
	return entryRow{g.Kind, g.Principal, int64(g.Mask), ms(g.Since), ms(g.Until)}
}

// Permit sets what principals have on a row by its own entries: each ends with exactly what is given, those that are not named
// keep theirs. The caller needs Grant on the row, and every right that they give, change or take, for as long. Faults:
// ErrNotHeld, ErrPrincipal, ErrRight, ErrMany, ErrNoEntries.
func (l *Lists) Permit(ctx context.Context, c *call.Call, o Object, gs ...Given) error {
	return l.permit(ctx, c, list{o, o.Table, false}, gs)
}

// PermitMembers sets what principals have on the members of a set, those that it has and those that it will have. The caller
// needs Grant on the set, and on each member what Permit asks for. Faults as Permit.
func (l *Lists) PermitMembers(ctx context.Context, c *call.Call, set Object, gs ...Given) error {
	return l.permit(ctx, c, list{set, l.governing(set), true}, gs)
}

// list is one list of entries.
type list struct {
	of      Object
	on      Table // whose rights they are
	members bool
}

func (x list) where(c *call.Call) []any {
	return []any{c.Tenant.ID, x.of.Table.Name, x.of.ID, x.members}
}

func (l *Lists) permit(ctx context.Context, c *call.Call, x list, gs []Given) error {
	if !x.on.Direct {
		return ErrNoEntries
	}
	if err := l.Lock(ctx, c, x.of); err != nil {
		return err
	}
	before, err := own.All(ctx, c.Tx, x.where(c)...)
	if err != nil {
		return err
	}
	var give []stake
	for _, g := range gs {
		if err := g.check(x.on, c.Now); err != nil {
			return err
		}
		give = append(give, changes(before, g.row(), c.Now.UnixMilli())...)
	}
	if err := l.allowed(ctx, c, x, give); err != nil {
		return err
	}
	for _, g := range gs {
		if err := l.put(ctx, c, x, before, g); err != nil {
			return err
		}
	}
	after, err := own.All(ctx, c.Tx, x.where(c)...)
	if err == nil && len(after) > maxEntries {
		err = ErrMany.Say("A row may have %d entries.", maxEntries)
	}
	noted(c, x, before, after)
	if err != nil {
		return err
	}
	return l.Changed(ctx, c)
}

// changes are the rights that change when a principal's entry becomes another, each until when it is given.
func changes(before []listRow, to entryRow, now int64) []stake {
	var was entryRow
	for _, e := range before {
		if e.Kind == to.Kind && e.Principal == to.Principal && now < role.End(e.Until) {
			was = e.entryRow
		}
	}
	touched := was.Mask ^ to.Mask
	if was.Since != to.Since || was.Until != to.Until {
		touched = was.Mask | to.Mask
	}
	return []stake{{Mask(touched & to.Mask), role.End(to.Until)}, {Mask(touched), 0}} // what is added, and what is taken
}

// allowed fails with ErrNotHeld when the caller may not change what a list gives.
func (l *Lists) allowed(ctx context.Context, c *call.Call, x list, give []stake) error {
	terms, err := l.Roles.Terms(ctx, c)
	if err != nil {
		return err
	}
	if !x.members {
		return l.may(ctx, c, terms, x.of, append(give, stake{Grant, 0}))
	}
	if err := l.may(ctx, c, terms, x.of, []stake{{Grant, 0}}); err != nil {
		return err
	}
	// Who may so with any row of the table, since administering it, is not asked of each.
	if l.may(ctx, c, terms, Object{Table: x.on}, give) == nil {
		return nil
	}
	keys, err := members.All(ctx, c.Tx, c.Tenant.ID, x.of.ID)
	if err != nil {
		return err
	}
	rows, err := l.rows(ctx, c, x.on, keys)
	if err == nil && len(rows) > maxMembers {
		err = ErrNotHeld
	}
	if err != nil {
		return err
	}
	for _, r := range rows {
		if err := l.may(ctx, c, terms, Object{x.on, r}, give); err != nil {
			return err
		}
	}
	return nil
}

func (l *Lists) put(ctx context.Context, c *call.Call, x list, before []listRow, g Given) error {
	if g.Mask == 0 {
		_, err := drop.Do(ctx, c.Tx, append(x.where(c), g.Kind, g.Principal)...)
		return err
	}
	if err := exists(ctx, c, g); err != nil {
		return err
	}
	id := c.NewID()
	if at := slices.IndexFunc(before, func(e listRow) bool { return e.Kind == g.Kind && e.Principal == g.Principal }); at >= 0 {
		id = before[at].ID
	}
	e := g.row()
	_, err := put.Do(ctx, c.Tx, append(x.where(c), g.Kind, g.Principal, id, e.Mask, e.Since, e.Until, g.Reason, c.User(), c.Now.UnixMilli())...)
	return err
}

// exists wants a principal to be there.
func exists(ctx context.Context, c *call.Call, g Given) (err error) {
	switch g.Kind {
	case role.User:
		_, err = person.One(ctx, c.Tx, c.Tenant.ID, g.Principal)
	case role.Sub:
		_, err = roleOf.One(ctx, c.Tx, c.Tenant.ID, g.Principal)
	default:
		return ErrPrincipal
	}
	if errors.Is(err, dbx.ErrNoRow) {
		err = ErrPrincipal
	}
	return err
}

// noted keeps in the event what was given before and after.
func noted(c *call.Call, x list, before, after []listRow) {
	if c.Event == nil {
		return
	}
	field := "Permissions"
	if x.members {
		field = "MemberPermissions"
	}
	call.Changed(c.Event, field, told(x.on, before, c.Now), told(x.on, after, c.Now))
}

// told tells of entries in an event.
func told(t Table, es []listRow, now time.Time) string {
	var out []string
	at := func(word string, ms int64) string {
		if ms == 0 {
			return ""
		}
		return word + time.UnixMilli(ms).UTC().Format(time.RFC3339)
	}
	for _, e := range es {
		if now.UnixMilli() < role.End(e.Until) {
			out = append(out, e.Kind+" "+e.Name+": "+strings.Join(t.Names(Mask(e.Mask)), " ")+at(" from ", e.Since)+at(" until ", e.Until))
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// Lock lets one change of a row's lists, or of a set's members, happen at a time. It comes before what is changed is read.
func (l *Lists) Lock(ctx context.Context, c *call.Call, o Object) error {
	_, err := lock.Do(ctx, c.Tx, c.Tenant.ID, o.Table.Name, o.ID)
	return err
}

// Own gives the caller every right on a row that they have just made. At the server's own command line nobody is given any.
func (l *Lists) Own(ctx context.Context, c *call.Call, o Object) error {
	if c.User() == "" || c.Caller.Means == call.ByShell {
		return nil
	}
	g := Given{Kind: role.User, Principal: c.User(), Mask: o.Table.Full()}
	if err := exists(ctx, c, g); err != nil {
		return err
	}
	if err := l.put(ctx, c, list{o, o.Table, false}, nil, g); err != nil {
		return err
	}
	return l.Changed(ctx, c)
}

// Admit fails with ErrNotHeld when the caller may not put a row into a set: by the set's entries on its members others would
// come by rights that the caller may not give. The set's list is locked.
func (l *Lists) Admit(ctx context.Context, c *call.Call, set, row Object) error {
	es, err := own.All(ctx, c.Tx, list{set, row.Table, true}.where(c)...)
	if err != nil {
		return err
	}
	var give []stake
	for _, e := range es {
		if c.Now.UnixMilli() < role.End(e.Until) {
			give = append(give, stake{Mask(e.Mask), role.End(e.Until)})
		}
	}
	if len(give) == 0 {
		return nil
	}
	terms, err := l.Roles.Terms(ctx, c)
	if err != nil {
		return err
	}
	return l.may(ctx, c, terms, row, give)
}

// RowGone forgets the lists of a row that is deleted.
func (l *Lists) RowGone(ctx context.Context, c *call.Call, table, key string) error {
	n, err := dropRow.Do(ctx, c.Tx, c.Tenant.ID, table, key)
	if err == nil {
		err = dropList.Later(ctx, c.Tx, c.Tenant.ID, table, key)
	}
	if err != nil || n == 0 {
		return err
	}
	return l.Changed(ctx, c)
}

// Gone forgets what is given to a person or role who is deleted.
func (l *Lists) Gone(ctx context.Context, c *call.Call, principal string) error {
	n, err := dropPrincipal.Do(ctx, c.Tx, c.Tenant.ID, principal)
	if err != nil || n == 0 {
		return err
	}
	return l.Changed(ctx, c)
}

// keeps is how long entries that have ended stay in the store.
const keeps = 24 * time.Hour

// Sweep forgets entries that ended more than a day ago.
func (l *Lists) Sweep(ctx context.Context, db *dbx.DB, now time.Time) error {
	return sweep.Run(ctx, db, now.Add(-keeps).UnixMilli())
}
