package provision

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/core/detail"
	"limen/internal/core/grant"
	"limen/internal/core/safe"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/wire/scim"
)

// URNs of privileged access (scim.yaml, head).
const (
	ContainerURN = "urn:ietf:params:scim:schemas:pam:1.0:Container"
	SafeURN      = "urn:ietf:params:scim:schemas:cyberark:1.0:Safe"
)

// pointer is an attribute that refers to another resource.
func pointer(name, description string, value scim.Attribute, to string) scim.Attribute {
	value.Name = "value"
	return scim.Attribute{Name: name, Kind: scim.Complex, Description: description, Sub: []scim.Attribute{
		value, {Name: "$ref", Kind: scim.Reference, Description: "Where it is.", References: []string{to}, CaseExact: true}, fixed("display", "Its name for people."),
	}}
}

// Container is what safes look like.
var Container = &scim.Type{
	Name: "Container", Description: "Safes, where accounts are kept", Endpoint: "/Containers", Extensions: []*scim.Schema{
		{ID: SafeURN, Name: "Safe", Description: "What Vaults say of a safe", Attributes: []scim.Attribute{
			{Name: "NumberOfDaysRetention", Kind: scim.Integer, Description: "How many days the safe must stay after an account was deleted from it: 0 to 3650."},
			text("ManagingCPM", "What changes the secrets elsewhere. It is kept for who reads it."),
		}},
		linkedSchema,
	},
	Schema: &scim.Schema{ID: ContainerURN, Name: "Container", Description: "Safes, where accounts are kept", Attributes: []scim.Attribute{
		{Name: "name", Description: `The name, which is the id too: 1 to 28 characters, none of them \ / : * < > " . |, not beginning with a space.`, Required: true, Uniqueness: scim.Server},
		text("displayName", "The name as people see it."), text("description", "What is in it: up to 100 characters."),
		{Name: "type", Description: "What kind of container it is.", Canonical: []string{"safe"}, Mutability: scim.ReadOnly},
		pointer("owner", "Who has every right in it, and gives any. Of a new one it is the client, unless it says who; left out of a replacement it stays.",
			scim.Attribute{Description: "The id of a user, or the login name.", CaseExact: true}, "User"),
		{Name: "privilegedData", Kind: scim.Complex, Multi: true, Description: "The accounts in it, as far as the client may list them.", Mutability: scim.ReadOnly, Sub: []scim.Attribute{
			{Name: "value", Description: "The account's id.", CaseExact: true, Mutability: scim.ReadOnly},
			{Name: "$ref", Kind: scim.Reference, Description: "Where it is.", References: []string{"PrivilegedData"}, CaseExact: true, Mutability: scim.ReadOnly},
			fixed("display", "Its name."), fixed("type", "What its secret is."),
		}},
	}},
}

// containerFields are what filters over safes may name.
var containerFields = fields{
	"id": named("name"), "name": key("name_key"), "displayName": key("display_key"), "externalId": known("Container"),
	"meta.created": moment("created"), "meta.lastModified": moment("changed"),
	"owner": exact("owner"), "owner.value": exact("owner"), "owner.display": person("owner"), "privilegedData": inside,
}

// named is a field of names as they are, of which there are comparison keys with an index.
func named(column string) field {
	return func(_ *call.Call, f scim.Filter) (dbx.Clause, bool) {
		where, ok := compare(column, f.Op, f.Arg)
		switch s, _ := f.Arg.(string); f.Op {
		case scim.Eq, scim.Sw, scim.Co, scim.Ew:
			among, _ := compare(column+"_key", f.Op, folded(f.Op, s))
			where = dbx.And(among, where)
		}
		return where, ok
	}
}

// person is a field of login names of those whose ids a column has.
func person(column string) field {
	return func(c *call.Call, f scim.Filter) (dbx.Clause, bool) {
		if f.Op == scim.Pr {
			return dbx.Ne(column, ""), true
		}
		op := f.Op
		if op == scim.Ne {
			op = scim.Eq
		}
		s, _ := f.Arg.(string)
		in, ok := compare("name_key", op, folded(op, s))
		where := user.Among(c, grant.All(), column, in)
		if f.Op == scim.Ne {
			where = dbx.Not(where)
		}
		return where, ok
	}
}

// containerColumns are what safes are sorted by.
var containerColumns = map[string][]string{
	"": {"name_key"}, "name": {"name_key"}, "id": {"name_key"}, "meta.location": {"name_key"}, "displayName": {"display_key", "id"},
	"meta.created": {"created", "id"}, "meta.lastModified": {"changed", "id"},
}

// asked is what a query picks of a list: fs are what its filter may name, and columns what it may be sorted by.
func asked(c *call.Call, t *scim.Type, q scim.Query, fs fields, columns map[string][]string) (p safe.Pick, err error) {
	p.Limit, p.Offset = size(q), int64(q.Start-1)
	if q.Filter != "" {
		f, err := t.Filter(q.Filter)
		if err != nil {
			return p, Fault(err)
		}
		if p.Where, err = fs.clause(c, f); err != nil {
			return p, err
		}
	}
	by := columns[""]
	if q.SortBy != "" {
		at, ok := t.Find(q.SortBy)
		if by = columns[at.String()]; !ok || at.Attr == nil || by == nil {
			return p, ErrValue.Say("resources cannot be sorted by %.100q", q.SortBy)
		}
	}
	for _, col := range by {
		p.Order = append(p.Order, dbx.Order{Column: col, Desc: q.Desc})
	}
	if !q.ByCursor {
		return p, nil
	}
	p.Offset = 0
	behind, err := q.Behind(len(by))
	if err == nil && behind != nil {
		p.After, err = parsed(by, behind)
	}
	return p, Fault(err)
}

// behind is the cursor of the page behind rows, if there may be one.
func behind[R interface{ Column(order []dbx.Order) []any }](q scim.Query, p safe.Pick, rows []R) string {
	if !q.ByCursor || len(rows) == 0 || len(rows) < p.Limit {
		return ""
	}
	return q.NextCursor(written(rows[len(rows)-1].Column(p.Order)))
}

// FindContainers gives the page of safes that a query asks for: those that the grant allows, and those of which the caller is a member.
func (d *Directory) FindContainers(ctx context.Context, c *call.Call, g grant.Grant, q scim.Query) (scim.List, error) {
	p, err := asked(c, Container, q, containerFields, containerColumns)
	if err != nil {
		return scim.List{}, err
	}
	total, err := d.Safes.Picked(ctx, c, g, p.Where)
	if err != nil {
		return scim.List{}, err
	}
	rows, err := d.Safes.Pick(ctx, c, g, p)
	if err != nil {
		return scim.List{}, err
	}
	s := Container.Select(q.Attributes, q.Excluded)
	out, err := d.containers(ctx, c, g, s, rows...)
	return answered(Container, s, q, total, behind(q, p, rows), out), err
}

// containers makes resources of safes.
func (d *Directory) containers(ctx context.Context, c *call.Call, g grant.Grant, sel scim.Selection, rows ...safe.Safe) ([]Resource, error) {
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	external, err := detail.Known(ctx, c, "Container", ids...)
	if err != nil {
		return nil, err
	}
	within := map[string][]any{}
	if sel.Wants(nil, "privilegedData") {
		if within, err = d.contents(ctx, c, g, ids); err != nil {
			return nil, err
		}
	}
	out := make([]Resource, len(rows))
	for i, s := range rows {
		o := scim.Object{"name": s.Name, "type": "safe"}
		if in := within[s.ID]; len(in) > 0 {
			o["privilegedData"] = in
		}
		put(o, "externalId", external[s.ID])
		put(o, "displayName", s.Display)
		put(o, "description", s.Description)
		if s.Owner != "" {
			o["owner"] = scim.Object{"value": s.Owner, "$ref": Base(c) + "/Users/" + s.Owner, "display": s.OwnerName}
		}
		more := scim.Object{"NumberOfDaysRetention": s.Retention}
		put(more, "ManagingCPM", s.Manager)
		o[SafeURN] = more
		out[i] = finished(c, o, Container, s.Name, stamp(s.Version), s.Created, s.Changed)
	}
	return out, nil
}

// ErrAccounts is for lists that would take too long.
var ErrAccounts = fault.New(fault.Invalid, Prefix+scim.TooMany, "The safes have too many accounts for one answer. Ask with excludedAttributes=privilegedData.")

// contents are the accounts in safes, by these, as far as the caller may list them.
func (d *Directory) contents(ctx context.Context, c *call.Call, g grant.Grant, ids []string) (map[string][]any, error) {
	rows, err := d.Safes.Accounts(ctx, c, g, safe.Pick{Where: dbx.In("safe", ids...), Order: []dbx.Order{{Column: "name_key"}, {Column: "id"}}, Limit: maxMembers})
	if err == nil && len(rows) == maxMembers {
		err = ErrAccounts
	}
	out := map[string][]any{}
	for _, a := range rows {
		out[a.Safe] = append(out[a.Safe], scim.Object{"value": a.Ref, "display": a.Name, "type": a.Type, "$ref": Base(c) + "/PrivilegedData/" + a.Ref})
	}
	return out, err
}

func (d *Directory) container(ctx context.Context, c *call.Call, s safe.Safe, sel scim.Selection) (Resource, error) {
	out, err := d.containers(ctx, c, c.Grant, sel, s)
	if err != nil {
		return Resource{}, err
	}
	return out[0], nil
}

// settings are what is said of a safe.
func settings(o scim.Object) safe.Settings {
	n := safe.Settings{Name: texts(o["name"]), Display: texts(o["displayName"]), Description: texts(o["description"])}
	owner, _ := o["owner"].(scim.Object)
	n.Owner = referred(owner)
	more, _ := o[SafeURN].(scim.Object)
	n.Manager, n.Retention = texts(more["ManagingCPM"]), whole(more["NumberOfDaysRetention"])
	return n
}

// GetContainer gives a safe by its name.
func (d *Directory) GetContainer(ctx context.Context, c *call.Call, name string, sel scim.Selection) (Resource, error) {
	v, err := d.Safes.Find(ctx, c, name)
	if err != nil {
		return Resource{}, err
	}
	return d.container(ctx, c, v.Safe, sel)
}

// CreateContainer makes a safe. Who administers one organization only makes safes there.
func (d *Directory) CreateContainer(ctx context.Context, c *call.Call, body []byte, sel scim.Selection) (Resource, error) {
	o, err := Container.Read(body)
	if err != nil {
		return Resource{}, Fault(err)
	}
	org, err := d.settle(ctx, c)
	if errors.Is(err, ErrNoOrg) {
		err = ErrNoOrg.Say("You administer several organizations, and cannot say here to which of them the safe belongs.")
	}
	if err != nil {
		return Resource{}, err
	}
	s, err := d.Safes.Create(ctx, c, org, settings(o))
	if err == nil {
		_, err = detail.Know(ctx, c, "Container", s.ID, "", texts(o["externalId"]))
	}
	if err != nil {
		return Resource{}, err
	}
	return d.container(ctx, c, s, sel)
}

// ReplaceContainer makes a safe what a client sends.
func (d *Directory) ReplaceContainer(ctx context.Context, c *call.Call, name, match string, body []byte, sel scim.Selection) (Resource, error) {
	o, err := Container.Read(body)
	if err != nil {
		return Resource{}, Fault(err)
	}
	s, err := d.Safes.Change(ctx, c, name, settings(o), freshSafe(match))
	if err != nil {
		return Resource{}, err
	}
	was, err := detail.Known(ctx, c, "Container", s.ID)
	if err == nil {
		_, err = detail.Know(ctx, c, "Container", s.ID, was[s.ID], texts(o["externalId"]))
	}
	if err != nil {
		return Resource{}, err
	}
	return d.container(ctx, c, s, sel)
}

// DeleteContainer removes a safe.
func (d *Directory) DeleteContainer(ctx context.Context, c *call.Call, name, match string) error {
	return d.Safes.Delete(ctx, c, name, freshSafe(match))
}

// SafeGone forgets by which ids clients knew a safe.
func SafeGone(ctx context.Context, c *call.Call, id string) error {
	return detail.Unknown(ctx, c, "Container", id)
}

// freshSafe refuses another version of a safe than the one wanted.
func freshSafe(match string) func(safe.Safe) error {
	return func(s safe.Safe) error { return fresh(match, stamp(s.Version)) }
}

func fresh(match, stamp string) error {
	if Matches(match, weak(stamp)) {
		return nil
	}
	return ErrVersion
}
