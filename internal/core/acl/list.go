package acl

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/fold"
)

// Source is where a right comes from.
type Source uint8

// The sources.
const (
	Direct  Source = iota + 1 // an entry of the row
	Through                   // an entry of a set that the row is in
	Super                     // an administrative right
	Root                      // full administration
)

// Entry is somebody's rights on a row. Times are milliseconds since 1970 UTC.
type Entry struct {
	ID        string // of a stored entry; empty of administrative rights
	Object    string // table of the row whose entry it is; of Through, Collections
	RowKey    string
	Kind      string // User or Role
	Principal string // the principal: UUID of the person, id of the role
	Name      string // login name or role name
	Mask      Mask
	Since     int64
	Until     int64 // 0: without end
	Reason    string
	Granter   string // login name of who gave it; empty when nobody is known
	Source    Source
	On        Table // whose rights the mask has
}

func shown(rows []listRow, from Source, on Table, now int64) (out []Entry) {
	for _, e := range rows {
		if now < role.End(e.Until) {
			out = append(out, Entry{e.ID, e.Object, e.RowKey, e.Kind, e.Principal, e.Name, Mask(e.Mask), e.Since, e.Until, e.Reason, e.Granter, from, on})
		}
	}
	return out
}

// Of lists who has which rights on a row: by its entries, through sets, and by administrative rights. Entries that begin later
// are listed, those that have ended are not. People come before roles, each by name. ErrDenied when the caller may view the
// row only because they are it, or are in it: that tells nobody who administers whom.
func (l *Lists) Of(ctx context.Context, c *call.Call, o Object) ([]Entry, error) {
	if o.Table.Self != "" && !l.super(c, o).Has(View) {
		return nil, ErrDenied
	}
	rows, err := own.All(ctx, c.Tx, list{o, o.Table, false}.where(c)...)
	if err != nil {
		return nil, err
	}
	sets, err := through.All(ctx, c.Tx, c.Tenant.ID, o.Table.Name, o.ID)
	if err != nil {
		return nil, err
	}
	now := c.Now.UnixMilli()
	return l.told(ctx, c, o.Table, l.governing(o), o.Org, append(shown(rows, Direct, o.Table, now), shown(sets, Through, o.Table, now)...))
}

// Entries lists what is given on a row of a table by its own entries and by those of sets, whoever may see it, in no order; Of is for
// callers.
func (l *Lists) Entries(ctx context.Context, c *call.Call, t Table, key string) ([]Entry, error) {
	o := Object{Table: t, Row: Row{ID: key}}
	rows, err := own.All(ctx, c.Tx, list{o, t, false}.where(c)...)
	if err != nil {
		return nil, err
	}
	sets, err := through.All(ctx, c.Tx, c.Tenant.ID, t.Name, key)
	now := c.Now.UnixMilli()
	return append(shown(rows, Direct, t, now), shown(sets, Through, t, now)...), err
}

// OnMembers lists what a set gives on its members, and who has rights on all of them by administrative rights.
func (l *Lists) OnMembers(ctx context.Context, c *call.Call, set Object) ([]Entry, error) {
	of := l.governing(set)
	rows, err := own.All(ctx, c.Tx, list{set, of, true}.where(c)...)
	if err != nil {
		return nil, err
	}
	return l.told(ctx, c, of, of, "", shown(rows, Direct, of, c.Now.UnixMilli()))
}

// told adds administrative rights to entries, and sorts them.
func (l *Lists) told(ctx context.Context, c *call.Call, t, by Table, org string, out []Entry) ([]Entry, error) {
	bearers, err := l.Roles.Bearers(ctx, c, org, right.Of(append(slices.Clone(by.Govern), by.See...)...))
	if err != nil {
		return nil, err
	}
	type who struct{ kind, id string }
	has := map[who]Mask{}
	for _, b := range bearers {
		mask := View
		if slices.Contains(by.Govern, b.Right) {
			mask = t.Full()
		}
		has[who{b.Kind, b.ID}] |= mask
	}
	delete(has, who{role.Sub, role.System})
	for p, mask := range has {
		name, err := nameOf(ctx, c, p.kind, p.id)
		if err != nil {
			return nil, err
		}
		out = append(out, Entry{Kind: p.kind, Principal: p.id, Name: name, Mask: mask, Source: Super, On: t})
	}
	name, err := nameOf(ctx, c, role.Sub, role.System)
	if err != nil {
		return nil, err
	}
	out = append(out, Entry{Kind: role.Sub, Principal: role.System, Name: name, Mask: t.Full(), Source: Root, On: t})
	slices.SortFunc(out, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), strings.Compare(b.Kind, a.Kind), strings.Compare(fold.Key(a.Name), fold.Key(b.Name)), strings.Compare(a.Principal, b.Principal), strings.Compare(a.ID, b.ID))
	})
	return out, nil
}

func nameOf(ctx context.Context, c *call.Call, kind, id string) (string, error) {
	find := roleOf
	if kind == role.User {
		find = person
	}
	names, err := find.All(ctx, c.Tx, c.Tenant.ID, id)
	if err != nil || len(names) == 0 {
		return "", err
	}
	return names[0], nil
}

// Reduced leaves out what system administrators, and roles whose members are such, are given besides: they hold everything
// anyway.
func (l *Lists) Reduced(ctx context.Context, c *call.Call, es []Entry) ([]Entry, error) {
	systems, err := l.Roles.Systems(ctx, c)
	if err != nil {
		return nil, err
	}
	var out []Entry
	for _, e := range es {
		is := e.Kind == role.Sub && systems[e.Principal]
		if e.Kind == role.User {
			if is, err = l.Roles.IsSystem(ctx, c, e.Principal); err != nil {
				return nil, err
			}
		}
		if !is || e.Source == Root {
			out = append(out, e)
		}
	}
	return out, nil
}

// Get finds a stored entry by its id; ErrEntry when there is none, or the caller may not view the row.
func (l *Lists) Get(ctx context.Context, c *call.Call, id string) (Entry, error) {
	rows, err := byID.All(ctx, c.Tx, c.Tenant.ID, strings.ToLower(strings.TrimSpace(id)))
	if err != nil {
		return Entry{}, err
	}
	if len(rows) == 0 || c.Now.UnixMilli() >= role.End(rows[0].Until) {
		return Entry{}, ErrEntry
	}
	t, err := l.Table(rows[0].Object)
	if err != nil {
		return Entry{}, ErrEntry
	}
	o, err := l.Find(ctx, c, t, rows[0].RowKey)
	if err != nil {
		return Entry{}, ErrEntry
	}
	has, err := l.Rights(ctx, c, o)
	if err == nil && !has.Has(View) {
		err = ErrEntry
	}
	on := t
	if rows[0].Members {
		on = l.governing(o)
	}
	if err != nil {
		return Entry{}, err
	}
	return shown(rows, Direct, on, c.Now.UnixMilli())[0], nil
}

// Given lists the rows of a table on which entries give a principal a right now, their own or through sets.
func (l *Lists) Given(ctx context.Context, c *call.Call, t Table, principal string, bit Mask) ([]string, error) {
	now := c.Now.UnixMilli()
	return given.All(ctx, c.Tx, c.Tenant.ID, t.Name, []string{principal}, int64(bit), now, now)
}
