package provision

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/role"
	"limen/internal/core/safe"
	"limen/internal/dbx"
	"limen/internal/fold"
	"limen/internal/wire/scim"
)

// URNs of memberships in safes (scim.yaml, head).
const (
	PermissionURN = "urn:ietf:params:scim:schemas:pam:1.0:ContainerPermission"
	SafeMemberURN = "urn:ietf:params:scim:schemas:cyberark:1.0:SafeMember"
)

// lasting is an attribute that a resource keeps for as long as it is there.
func lasting(a scim.Attribute) scim.Attribute {
	a.Mutability = scim.Immutable
	return a
}

// Permission is what memberships in safes look like.
var Permission = &scim.Type{
	Name: "ContainerPermission", Description: "Who has which rights in which safe", Endpoint: "/ContainerPermissions", Extensions: []*scim.Schema{
		{ID: SafeMemberURN, Name: "SafeMember", Description: "What Vaults say of a membership", Attributes: []scim.Attribute{
			{Name: "membershipExpirationDate", Kind: scim.Integer, Description: "When it ends, in seconds since 1970 UTC; 0 or absent: never."},
			{Name: "memberType", Description: "What the member is.", Canonical: []string{"User", "Group"}, Mutability: scim.ReadOnly},
			fixed("searchIn", "The directory of the member."),
		}},
		linkedSchema,
	},
	Schema: &scim.Schema{ID: PermissionURN, Name: "ContainerPermission", Description: "Who has which rights in which safe", Attributes: []scim.Attribute{
		lasting(scim.Attribute{Name: "container", Kind: scim.Complex, Required: true, Description: "The safe: value, or name where there is none.", Sub: []scim.Attribute{
			text("value", "The safe's name."), {Name: "$ref", Kind: scim.Reference, Description: "Where it is.", References: []string{"Container"}, CaseExact: true},
			text("name", "The safe's name."), fixed("display", "The safe's name."),
		}}),
		lasting(pointer("user", "The person who has the rights; else a group has.", scim.Attribute{Description: "The id of a user, or the login name.", CaseExact: true}, "User")),
		lasting(pointer("group", "The group that has the rights.", scim.Attribute{Description: "The id of a group.", CaseExact: true}, "Group")),
		{
			Name: "rights", Multi: true, Required: true, Description: "The rights.", Canonical: safe.Names,
			Also: map[string]string{"listcontent": "ListAccounts", "addcontent": "AddAccounts"},
		},
	}},
}

// of is a field of those members alone that are of a kind.
func of(kind string, in field) field {
	return func(c *call.Call, f scim.Filter) (dbx.Clause, bool) {
		is := dbx.Eq("kind", kind)
		if f.Op == scim.Pr {
			return is, true
		}
		no := f.Op == scim.Ne
		if no {
			f.Op = scim.Eq
		}
		where, ok := in(c, f)
		if where = dbx.And(is, where); no {
			where = dbx.Not(where)
		}
		return where, ok
	}
}

// club is a field of names of roles.
func club(c *call.Call, f scim.Filter) (dbx.Clause, bool) {
	s, _ := f.Arg.(string)
	where, ok := compare("name_key", f.Op, folded(f.Op, s))
	return role.Among(c, "principal", where), ok
}

// seated is the field of ids of memberships.
func seated(_ *call.Call, f scim.Filter) (dbx.Clause, bool) {
	s, _ := f.Arg.(string)
	in, who := safe.Split(s)
	return dbx.And(dbx.Eq("safe_key", fold.Key(in)), dbx.Eq("safe_name", in), dbx.Or(dbx.Eq("principal", who), dbx.Eq("name", who))), f.Op == scim.Eq
}

// permissionFields are what filters over memberships may name.
var permissionFields = fields{
	"id": seated, "container": key("safe_key"), "container.value": key("safe_key"), "container.name": key("safe_key"), "container.display": key("safe_key"),
	"user": of(role.User, exact("principal")), "user.value": of(role.User, exact("principal")), "user.display": of(role.User, person("principal")),
	"group": of(role.Sub, exact("principal")), "group.value": of(role.Sub, exact("principal")), "group.display": of(role.Sub, club),
	"meta.created": moment("created"), "meta.lastModified": moment("changed"),
}

// permissionColumns are what memberships are sorted by.
var permissionColumns = map[string][]string{
	"": {"safe_key", "who_key", "kind", "principal"}, "id": {"safe_key", "who_key", "kind", "principal"},
	"meta.location": {"safe_key", "who_key", "kind", "principal"},
	"meta.created":  {"created", "safe", "kind", "principal"}, "meta.lastModified": {"changed", "safe", "kind", "principal"},
}

// FindPermissions gives the page of memberships that a query asks for: of safes that the grant allows, and of those whose members the caller may
// see as a member.
func (d *Directory) FindPermissions(ctx context.Context, c *call.Call, g grant.Grant, q scim.Query) (scim.List, error) {
	p, err := asked(c, Permission, q, permissionFields, permissionColumns)
	if err != nil {
		return scim.List{}, err
	}
	total, err := d.Safes.CountMembers(ctx, c, g, p.Where)
	if err != nil {
		return scim.List{}, err
	}
	rows, err := d.Safes.Members(ctx, c, g, p)
	if err != nil {
		return scim.List{}, err
	}
	out := make([]Resource, len(rows))
	for i, m := range rows {
		out[i] = permission(c, m)
	}
	return answered(Permission, Permission.Select(q.Attributes, q.Excluded), q, total, behind(q, p, rows), out), nil
}

// permission makes a resource of a membership.
func permission(c *call.Call, m safe.Member) Resource {
	rights := []any{}
	for _, name := range m.Rights().List() {
		rights = append(rights, name)
	}
	o := scim.Object{"rights": rights, "container": scim.Object{
		"value": m.SafeName, "name": m.SafeName, "display": m.SafeName, "$ref": Base(c) + "/Containers/" + url.PathEscape(m.SafeName),
	}}
	more := scim.Object{"membershipExpirationDate": m.Until / 1000, "searchIn": cloudName}
	who, at := "user", "/Users/"
	more["memberType"] = "User"
	if m.Kind == role.Sub {
		who, at, more["memberType"] = "group", "/Groups/", "Group"
	}
	o[who] = scim.Object{"value": m.Principal, "display": m.Name, "$ref": Base(c) + at + m.Principal}
	o[SafeMemberURN] = more
	return finished(c, o, Permission, m.SafeName+":"+seat(m), memberStamp(m), m.Created, m.Changed)
}

// seat is the principal's part of a membership's id: the name, and the id where the name could be a person's, or is no part of a path.
func seat(m safe.Member) string {
	if strings.Contains(m.Name, "/") || m.Kind == role.Sub && strings.Contains(m.Name, "@") {
		return m.Principal
	}
	return m.Name
}

// memberStamp tells the states of a membership apart.
func memberStamp(m safe.Member) string {
	return strconv.FormatInt(m.Bits, 36) + "." + strconv.FormatInt(m.Until, 36)
}

func freshMember(match string) func(safe.Member) error {
	return func(m safe.Member) error { return fresh(match, memberStamp(m)) }
}

// GetPermission gives a membership by its id.
func (d *Directory) GetPermission(ctx context.Context, c *call.Call, id string) (Resource, error) {
	in, who := safe.Split(id)
	m, err := d.Safes.Member(ctx, c, in, who)
	if err != nil {
		return Resource{}, err
	}
	return permission(c, m), nil
}

// maxSeconds is the last end of a membership, in seconds since 1970 UTC.
const maxSeconds = 1 << 40

// conceded is what a membership is to give.
func conceded(o scim.Object) (g safe.Given, err error) {
	var names []string
	list, _ := o["rights"].([]any)
	for _, v := range list {
		names = append(names, texts(v))
	}
	if g.Rights, err = safe.Parse(names...); err != nil {
		return g, err
	}
	more, _ := o[SafeMemberURN].(scim.Object)
	ends := whole(more["membershipExpirationDate"])
	if ends < 0 || ends > maxSeconds {
		return g, safe.ErrUntil.At("membershipExpirationDate")
	}
	g.Until = ends * 1000
	return g, nil
}

// containerOf and principalOf say of what and whom a membership is.
func containerOf(o scim.Object) string {
	in, _ := o["container"].(scim.Object)
	for _, name := range [...]string{"value", "name"} {
		if s := texts(in[name]); s != "" {
			return s
		}
	}
	ref := referred(in)
	if name, err := url.PathUnescape(ref); err == nil {
		return name
	}
	return ref
}

func principalOf(o scim.Object) (kind, who string) {
	u, _ := o["user"].(scim.Object)
	g, _ := o["group"].(scim.Object)
	switch u, g := referred(u), referred(g); {
	case u != "" && g == "":
		return role.User, u
	case u == "" && g != "":
		return role.Sub, g
	}
	return "", ""
}

// CreatePermission makes somebody a member of a safe.
func (d *Directory) CreatePermission(ctx context.Context, c *call.Call, body []byte) (Resource, error) {
	o, err := Permission.Read(body)
	if err != nil {
		return Resource{}, Fault(err)
	}
	kind, who := principalOf(o)
	if kind == "" {
		return Resource{}, ErrValue.Say("either user or group is required, and not both")
	}
	if containerOf(o) == "" {
		return Resource{}, ErrValue.Say("container is required")
	}
	g, err := conceded(o)
	if err != nil {
		return Resource{}, err
	}
	m, err := d.Safes.Add(ctx, c, containerOf(o), kind, who, g)
	if err != nil {
		return Resource{}, err
	}
	return permission(c, m), nil
}

// ReplacePermission gives a member of a safe exactly the rights that a client sends.
func (d *Directory) ReplacePermission(ctx context.Context, c *call.Call, id, match string, body []byte) (Resource, error) {
	o, err := Permission.Read(body)
	if err != nil {
		return Resource{}, Fault(err)
	}
	g, err := conceded(o)
	if err != nil {
		return Resource{}, err
	}
	in, who := safe.Split(id)
	same := func(m safe.Member) error {
		if err := freshMember(match)(m); err != nil {
			return err
		}
		kind, to := principalOf(o)
		switch {
		case fold.Key(containerOf(o)) != m.SafeKey:
			return ErrMutable.Say("container cannot be changed")
		case (o["user"] != nil || o["group"] != nil) && (kind != m.Kind || !strings.EqualFold(to, m.Principal) && fold.Key(to) != m.NameKey):
			return ErrMutable.Say("user and group cannot be changed")
		}
		return nil
	}
	m, err := d.Safes.Put(ctx, c, in, who, g, same)
	if err != nil {
		return Resource{}, err
	}
	return permission(c, m), nil
}

// DeletePermission takes a member off a safe.
func (d *Directory) DeletePermission(ctx context.Context, c *call.Call, id, match string) error {
	in, who := safe.Split(id)
	return d.Safes.Remove(ctx, c, in, who, freshMember(match))
}
