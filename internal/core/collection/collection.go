// Package collection is sets of objects of one type: manual ones, whose members are listed, and dynamic ones, whose members a
// query finds whenever they are asked for, with the rights of whoever asks. Who may do what with a set is for its access
// control list (core/acl); a manual set may give rights on its members, a dynamic one does not: what it holds depends on who
// looks, so its rights would decide about themselves.
package collection

import (
	"context"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/policy"
	"limen/internal/core/report"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Faults of sets.
var (
	ErrNotFound  = fault.New(fault.NotFound, "collection.not_found", "The requested data or its dependent data was not found in the service.")
	ErrNameTaken = fault.New(fault.Exists, "collection.name_taken", "A set of that name already exists.")
	ErrType      = fault.New(fault.Invalid, "collection.type", "There are no sets of this type of object.")
	ErrSubtype   = fault.New(fault.Invalid, "collection.subtype", "Only sets of applications have a subtype: Web or Desktop.")
	ErrKind      = fault.New(fault.Invalid, "collection.kind", "A set is a ManualBucket or SqlDynamic, and stays what it is.")
	ErrDynamic   = fault.New(fault.Invalid, "collection.dynamic", "The members of a dynamic set come from its query.")
	ErrManual    = fault.New(fault.Invalid, "collection.manual", "The set is dynamic: it keeps no list of members.")
	ErrScript    = fault.New(fault.Invalid, "collection.script", "The query of a set gives the key of its members.")
	ErrMember    = fault.New(fault.NotFound, "collection.member_not_found", "The requested data or its dependent data was not found in the service.")
	ErrUsed      = fault.New(fault.Conflict, "collection.used", "The set is in use.")
	ErrTooMany   = fault.New(fault.Conflict, "collection.too_many", "There are as many sets, or members of this set, as there may be.")
)

// Kinds of sets.
const (
	Manual  = "ManualBucket"
	Dynamic = "SqlDynamic"
)

// Bounds.
const (
	maxSets        = 5000
	maxMembers     = 10_000
	maxName        = 200
	maxDescription = 4000
)

// Set is a set. Times are milliseconds since 1970 UTC.
type Set struct {
	ID          string `db:"id"`
	Object      string `db:"object"` // type of the members: the name of a table (acl.Tables)
	Sub         string `db:"sub"`    // subtype, of applications: Web or Desktop; empty: any
	Kind        string `db:"kind"`
	Name        string `db:"name"` // unique among the sets of its type, whatever the case
	Description string `db:"description"`
	Script      string `db:"script"` // of a dynamic set
	Created     int64  `db:"created"`
	Changed     int64  `db:"changed"`
	Version     int64  `db:"version"`
}

// Sets are the sets of the call's tenant.
type Sets struct {
	Lists    *acl.Lists
	Reports  *report.Reports
	Policies *policy.Policies
}

// Type finds a type of object of which there can be sets; ErrType.
func (s *Sets) Type(name string) (acl.Table, error) {
	t, err := s.Lists.Table(strings.TrimSpace(name))
	if err != nil || !t.Set {
		return acl.Table{}, ErrType.At("ObjectType").Say("There are no sets of %.100q.", name)
	}
	return t, nil
}

// need finds a set on which the caller has rights, with the row that has its access control list. Faults: ErrNotFound,
// acl.ErrDenied.
func (s *Sets) need(ctx context.Context, c *call.Call, id string, rights acl.Mask) (Set, acl.Object, error) {
	o, err := s.Lists.Need(ctx, c, acl.Collections, id, rights)
	if errors.Is(err, acl.ErrRow) {
		err = ErrNotFound
	}
	if err != nil {
		return Set{}, acl.Object{}, err
	}
	set, err := byID.One(ctx, c.Tx, c.Tenant.ID, o.ID)
	return set, o, err
}

// locked is need for changes of a set's members or permissions: it lets one happen at a time, and sees the set as the one
// before left it.
func (s *Sets) locked(ctx context.Context, c *call.Call, id string, rights acl.Mask) (Set, acl.Object, error) {
	_, o, err := s.need(ctx, c, id, rights)
	if err == nil {
		err = s.Lists.Lock(ctx, c, o)
	}
	if err != nil {
		return Set{}, acl.Object{}, err
	}
	return s.need(ctx, c, o.ID, rights)
}

// Get finds a set that the caller may view, with their rights on it. Faults: ErrNotFound, acl.ErrDenied.
func (s *Sets) Get(ctx context.Context, c *call.Call, id string) (Set, acl.Mask, error) {
	set, o, err := s.need(ctx, c, id, acl.View)
	if err != nil {
		return Set{}, 0, err
	}
	rights, err := s.Lists.Rights(ctx, c, o)
	return set, rights, err
}

// Rights are the caller's rights on a set, in words; ErrNotFound when there is no such set.
func (s *Sets) Rights(ctx context.Context, c *call.Call, id string) ([]string, error) {
	t, err := s.Lists.Table(acl.Collections)
	if err != nil {
		return nil, err
	}
	o, err := s.Lists.Find(ctx, c, t, id)
	if errors.Is(err, acl.ErrRow) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	rights, err := s.Lists.Rights(ctx, c, o)
	return t.Names(rights), err
}

// Filter says which sets are listed; what is empty does not matter.
type Filter struct{ Object, Sub, Kind string }

// List gives the sets that the caller may view, by name.
func (s *Sets) List(ctx context.Context, c *call.Call, f Filter) ([]Set, error) {
	t, err := s.Lists.Table(acl.Collections)
	if err != nil {
		return nil, err
	}
	where := []dbx.Clause{s.Lists.Shown(c, t, acl.View)}
	if f.Object != "" {
		of, err := s.Type(f.Object)
		if err != nil {
			return nil, err
		}
		where = append(where, dbx.Eq("object", of.Name))
	}
	if f.Sub != "" {
		where = append(where, dbx.Eq("sub", f.Sub))
	}
	if f.Kind != "" {
		where = append(where, dbx.Eq("kind", f.Kind))
	}
	return sets.Rows(ctx, c.Tx, dbx.And(where...), []dbx.Order{{Column: "name_key"}, {Column: "id"}}, maxSets, c.Tenant.ID)
}

// New is a set to be made.
type New struct {
	Object, Sub, Kind string // Kind: Manual when empty
	Name, Description string
	Script            string // of a dynamic set
}

// Create makes a set, on which its maker has every right. The caller administers the type of object. Faults: ErrType,
// ErrSubtype, ErrKind, ErrNameTaken, ErrScript, ErrTooMany, acl.ErrDenied, report.Scripts.
func (s *Sets) Create(ctx context.Context, c *call.Call, n New) (Set, error) {
	t, err := s.Type(n.Object)
	if err != nil {
		return Set{}, err
	}
	if !s.Lists.Governs(c, t) {
		return Set{}, acl.ErrDenied
	}
	if err := s.check(c, t, &n); err != nil {
		return Set{}, err
	}
	have, err := count.One(ctx, c.Tx, c.Tenant.ID)
	if err != nil {
		return Set{}, err
	}
	if have >= maxSets {
		return Set{}, ErrTooMany.Say("A tenant may have %d sets.", maxSets)
	}
	now := c.Now.UnixMilli()
	set := Set{c.NewID(), t.Name, n.Sub, n.Kind, n.Name, n.Description, n.Script, now, now, 1}
	made, err := insert.Do(ctx, c.Tx, c.Tenant.ID, set.ID, set.Object, set.Sub, set.Kind, set.Name, fold.Key(set.Name), set.Description, set.Script, now, now)
	if err != nil {
		return Set{}, err
	}
	if made == 0 {
		return Set{}, ErrNameTaken
	}
	noted(c, set)
	changed(c, Set{}, set)
	o, err := s.object(set)
	if err == nil {
		err = s.Lists.Own(ctx, c, o)
	}
	return set, err
}

// object is the row of a set that is not looked up.
func (s *Sets) object(set Set) (acl.Object, error) {
	t, err := s.Lists.Table(acl.Collections)
	return acl.Object{Table: t, Row: acl.Row{ID: set.ID, Name: set.Name, Type: set.Object}}, err
}

// check brings what is new of a set into its form.
func (s *Sets) check(c *call.Call, t acl.Table, n *New) error {
	if n.Kind = strings.TrimSpace(n.Kind); n.Kind == "" {
		n.Kind = Manual
	}
	switch {
	case strings.EqualFold(n.Kind, Manual):
		n.Kind, n.Script = Manual, ""
	case strings.EqualFold(n.Kind, Dynamic):
		n.Kind = Dynamic
	default:
		return ErrKind.At("CollectionType")
	}
	switch n.Sub = strings.TrimSpace(n.Sub); {
	case n.Sub == "":
	case t.Name != "Application":
		return ErrSubtype.At("SubObjectType")
	case strings.EqualFold(n.Sub, "Web"):
		n.Sub = "Web"
	case strings.EqualFold(n.Sub, "Desktop"):
		n.Sub = "Desktop"
	default:
		return ErrSubtype.At("SubObjectType")
	}
	if n.Kind == Dynamic {
		if _, err := s.key(c, t, n.Script); err != nil {
			return err
		}
	}
	n.Name = strings.TrimSpace(n.Name)
	return checkTexts(n.Name, n.Description)
}

func checkTexts(name, description string) error {
	switch {
	case name == "":
		return fault.Blank("Name")
	case len(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return fault.Bad("Name", "may have %d bytes and no control characters", maxName)
	case len(description) > maxDescription || !utf8.ValidString(description):
		return fault.Bad("Description", "may have %d bytes", maxDescription)
	}
	return nil
}

// Change is a partial change of a set: what is nil stays.
type Change struct {
	Name, Description *string
	Object, Kind      *string // for comparison: neither can change
	Script            *string // of a dynamic set; of a manual one it does not matter
}

// Change changes a set. The caller needs Edit. Faults: ErrNotFound, acl.ErrDenied, ErrKind, ErrType, ErrNameTaken, ErrScript,
// report.Scripts.
func (s *Sets) Change(ctx context.Context, c *call.Call, id string, ch Change) error {
	old, _, err := s.need(ctx, c, id, acl.Edit)
	if err != nil {
		return err
	}
	now := old
	replace(&now.Name, ch.Name)
	replace(&now.Description, ch.Description)
	if now.Name = strings.TrimSpace(now.Name); ch.Kind != nil && *ch.Kind != "" && !strings.EqualFold(*ch.Kind, old.Kind) {
		return ErrKind.At("CollectionType")
	}
	if ch.Object != nil && *ch.Object != "" && fold.Key(*ch.Object) != fold.Key(old.Object) {
		return ErrType.At("ObjectType").Say("The type of a set stays what it is.")
	}
	if err := checkTexts(now.Name, now.Description); err != nil {
		return err
	}
	if old.Kind == Dynamic && ch.Script != nil && *ch.Script != old.Script {
		now.Script = *ch.Script
		t, err := s.Type(old.Object)
		if err != nil {
			return err
		}
		if _, err := s.key(c, t, now.Script); err != nil {
			return err
		}
	}
	noted(c, old)
	if now == old {
		return nil
	}
	if n, err := taken.One(ctx, c.Tx, c.Tenant.ID, old.Object, fold.Key(now.Name), old.ID); err != nil || n > 0 {
		if err == nil {
			err = ErrNameTaken
		}
		return err
	}
	changed(c, old, now)
	_, err = update.Do(ctx, c.Tx, now.Name, fold.Key(now.Name), now.Description, now.Script, c.Now.UnixMilli(), c.Tenant.ID, old.ID)
	return err
}

func replace(to, from *string) {
	if from != nil {
		*to = *from
	}
}

// noted says in the event which set the call is about.
func noted(c *call.Call, s Set) {
	if c.Event != nil {
		c.Event.Target, c.Event.Kind, c.Event.Name = s.ID, acl.Collections, s.Name
	}
}

// changed keeps in the event what a set was and is.
func changed(c *call.Call, old, now Set) {
	if e := c.Event; e != nil {
		call.Changed(e, "Name", old.Name, now.Name)
		call.Changed(e, "Description", old.Description, now.Description)
		call.Changed(e, "ObjectType", old.Object, now.Object)
		call.Changed(e, "SubObjectType", old.Sub, now.Sub)
		call.Changed(e, "CollectionType", old.Kind, now.Kind)
		call.Changed(e, "Sql", old.Script, now.Script)
	}
}

// Reference is what refers to a set.
type Reference struct {
	Kind string // PolicyLink
	ID   string // path of the policy set
	Name string
}

// References lists the policy sets whose link applies to the devices in a set. The caller needs View.
func (s *Sets) References(ctx context.Context, c *call.Call, id string) ([]Reference, error) {
	set, _, err := s.need(ctx, c, id, acl.View)
	if err != nil {
		return nil, err
	}
	return s.references(ctx, c, set)
}

func (s *Sets) references(ctx context.Context, c *call.Call, set Set) ([]Reference, error) {
	blocks, _, err := s.Policies.Links(ctx, c)
	var out []Reference
	for _, b := range blocks {
		for _, p := range b.Link.Params {
			if b.Link.Type == policy.Collection && strings.EqualFold(p, set.ID) {
				out = append(out, Reference{"PolicyLink", b.Path(), b.Name})
			}
		}
	}
	return out, err
}

// Delete removes a set with what was given on it and through it; its members stay. The caller needs Delete. Faults:
// ErrNotFound, acl.ErrDenied, ErrUsed.
func (s *Sets) Delete(ctx context.Context, c *call.Call, id string) error {
	set, o, err := s.locked(ctx, c, id, acl.Delete)
	if err != nil {
		return err
	}
	used, err := s.references(ctx, c, set)
	if err != nil {
		return err
	}
	if len(used) > 0 {
		var names []string
		for _, r := range used {
			names = append(names, r.ID)
		}
		return ErrUsed.Say("The set is used by %s.", strings.Join(names, ", "))
	}
	noted(c, set)
	changed(c, set, Set{})
	for _, e := range []dbx.Exec{dropMembers, remove} {
		if _, err := e.Do(ctx, c.Tx, c.Tenant.ID, set.ID); err != nil {
			return err
		}
	}
	return errors.Join(s.Lists.RowGone(ctx, c, o.Table.Name, o.ID), s.Lists.Changed(ctx, c))
}

// Permit sets what principals have on a set. The caller needs Grant, and holds what they give, change or take. Faults:
// ErrNotFound, and those of acl.Lists.Permit.
func (s *Sets) Permit(ctx context.Context, c *call.Call, id string, gs ...acl.Given) error {
	set, o, err := s.locked(ctx, c, id, acl.Grant)
	if err != nil {
		return err
	}
	noted(c, set)
	return s.Lists.Permit(ctx, c, o, gs...)
}

// PermitMembers sets what principals have on the members of a manual set. The caller needs Grant on the set, and holds what
// they give on its members. Faults: ErrNotFound, ErrDynamic, and those of acl.Lists.PermitMembers.
func (s *Sets) PermitMembers(ctx context.Context, c *call.Call, id string, gs ...acl.Given) error {
	set, o, err := s.locked(ctx, c, id, acl.Grant)
	if err == nil && set.Kind != Manual {
		err = ErrDynamic.Say("A dynamic set gives no rights on its members.")
	}
	if err != nil {
		return err
	}
	noted(c, set)
	return s.Lists.PermitMembers(ctx, c, o, gs...)
}

// Permissions lists who has which rights on a set. The caller needs View or Grant. Faults: ErrNotFound, acl.ErrDenied.
func (s *Sets) Permissions(ctx context.Context, c *call.Call, id string) ([]acl.Entry, error) {
	_, o, err := s.need(ctx, c, id, 0)
	if err != nil {
		return nil, err
	}
	has, err := s.Lists.Rights(ctx, c, o)
	if err == nil && !has.Has(acl.View) && !has.Has(acl.Grant) {
		err = acl.ErrDenied
	}
	if err != nil {
		return nil, err
	}
	return s.Lists.Of(ctx, c, o)
}
