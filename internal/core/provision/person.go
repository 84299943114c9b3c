package provision

import (
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"time"

	"limen/internal/call"
	"limen/internal/core/attribute"
	"limen/internal/core/detail"
	"limen/internal/core/directory"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/wire/scim"
)

// Resource is a user or a group as a client is answered, before anything of it is left out.
type Resource struct {
	Object   scim.Object
	Version  string // of If-Match and ETag
	Location string
}

// Base is where the resources of a tenant are. The contract's server writes it with a capital (scim.yaml, head).
func Base(c *call.Call) string { return "https://" + c.Tenant.Host + "/Scim/v2" }

// finished gives a resource what every resource has.
func finished(c *call.Call, o scim.Object, t *scim.Type, id, stamp string, created, changed int64) Resource {
	r := Resource{Object: o, Version: weak(stamp), Location: Base(c) + t.Endpoint + "/" + url.PathEscape(id)}
	o["id"] = id
	o["meta"] = scim.Object{
		"resourceType": t.Name, "created": scim.Time(time.UnixMilli(created)), "lastModified": scim.Time(time.UnixMilli(changed)),
		"location": r.Location, "version": r.Version,
	}
	o[LinkedURN] = scim.Object{"source": cloudName, "nativeIdentifier": id}
	return r
}

// weak makes an entity tag (RFC 9110 section 8.8.3): what is answered may differ by what else is told of a resource.
func weak(stamp string) string { return `W/"` + stamp + `"` }

// stamp tells the versions of a row apart.
func stamp(version int64) string { return strconv.FormatInt(version, 10) }

func version(u user.User) string { return weak(strconv.FormatInt(u.Version, 10)) }

var cloudName = func() string { s, _ := directory.Find(directory.Cloud); return s.Name }()

// parts are what resources are made of beside the directory's rows.
type parts struct {
	details  map[string][]detail.Item
	external map[string]string
	values   map[string][]attribute.Value
	direct   role.Direct
	roles    map[string]string // names by ids
	managers map[string]string // names by ids
}

// Users makes resources of people.
func (d *Directory) Users(ctx context.Context, c *call.Call, t *scim.Type, s scim.Selection, us ...user.User) ([]Resource, error) {
	p, err := d.gather(ctx, c, s, us)
	if err != nil {
		return nil, err
	}
	out := make([]Resource, len(us))
	for i := range us {
		out[i] = p.resource(c, t, &us[i])
	}
	return out, nil
}

// gather reads all parts that are wanted, those of all people together.
func (d *Directory) gather(ctx context.Context, c *call.Call, s scim.Selection, us []user.User) (p parts, err error) {
	ids := make([]string, len(us))
	for i := range us {
		ids[i] = us[i].ID
	}
	if p.details, err = detail.Of(ctx, c, ids...); err != nil {
		return p, err
	}
	if p.external, err = detail.Known(ctx, c, "User", ids...); err != nil {
		return p, err
	}
	if p.values, err = attribute.Of(ctx, c, ids...); err != nil {
		return p, err
	}
	if s.Wants(enterpriseSchema, "manager") {
		if p.managers, err = d.names(ctx, c, us); err != nil {
			return p, err
		}
	}
	if !s.Wants(nil, "groups") {
		return p, nil
	}
	if p.direct, err = d.Roles.Load(ctx, c, ids); err != nil {
		return p, err
	}
	all, err := d.Roles.List(ctx, c)
	p.roles = make(map[string]string, len(all))
	for _, r := range all {
		p.roles[r.ID] = r.Name
	}
	return p, err
}

// names are those of people's managers.
func (d *Directory) names(ctx context.Context, c *call.Call, us []user.User) (map[string]string, error) {
	out := map[string]string{}
	for i := range us {
		if us[i].ReportsTo != "" {
			out[us[i].ReportsTo] = ""
		}
	}
	for part := range slices.Chunk(slices.Sorted(maps.Keys(out)), 500) {
		rows, err := user.ByIDs(ctx, c, part...)
		if err != nil {
			return nil, err
		}
		for _, u := range rows {
			out[u.ID] = u.Display
			if u.Display == "" {
				out[u.ID] = u.Name
			}
		}
	}
	return out, nil
}

func (p *parts) resource(c *call.Call, t *scim.Type, u *user.User) Resource {
	o := scim.Object{"userName": u.Name, "active": !u.Suspended && !u.Disabled && !u.Expired}
	items := p.details[u.ID]
	put(o, "externalId", p.external[u.ID])
	put(o, "displayName", u.Display)
	put(o, "preferredLanguage", u.Culture)
	ent, name := scim.Object{}, scim.Object{}
	for _, s := range singles {
		if i, ok := detail.Find(items, s.kind); ok {
			to := map[string]scim.Object{"": o, "name": name, EnterpriseURN: ent}[s.in]
			put(to, s.name, i.Value)
		}
	}
	for _, m := range multiples {
		if list := m.read(u, items); len(list) > 0 {
			o[m.name] = list
		}
	}
	if u.ReportsTo != "" {
		m := scim.Object{"value": u.ReportsTo, "$ref": Base(c) + "/Users/" + u.ReportsTo}
		put(m, "displayName", p.managers[u.ReportsTo])
		ent["manager"] = m
	}
	putObject(o, "name", name)
	putObject(o, EnterpriseURN, ent)
	putObject(o, CustomURN, values(p.values[u.ID]))
	if groups := p.groups(c, u); len(groups) > 0 {
		o["groups"] = groups
	}
	return finished(c, o, t, u.ID, strconv.FormatInt(u.Version, 10), u.Created, u.Changed)
}

func put(o scim.Object, name, s string) {
	if s != "" {
		o[name] = s
	}
}

func putObject(o scim.Object, name string, in scim.Object) {
	if len(in) > 0 {
		o[name] = in
	}
}

func (p *parts) groups(c *call.Call, u *user.User) (out []any) {
	for _, id := range p.direct.Roles(u.ID, c.Now) {
		out = append(out, scim.Object{"value": id, "display": p.roles[id], "type": "direct", "$ref": Base(c) + "/Groups/" + id})
	}
	return out
}

// values are those of the tenant's own attributes.
func values(vs []attribute.Value) scim.Object {
	out := scim.Object{}
	for _, v := range vs {
		switch is := v.Value.(type) {
		case string, bool:
			out[v.Name] = is
		case int64:
			out[v.Name] = json.Number(strconv.FormatInt(is, 10))
		case float64:
			out[v.Name] = json.Number(strconv.FormatFloat(is, 'g', -1, 64))
		case time.Time:
			out[v.Name] = scim.Time(is)
		}
	}
	return out
}

// only is an attribute that is a detail of which there is one.
type only struct {
	in, name string
	kind     detail.Kind
}

// path is the attribute's Path.String.
func (s only) path() string {
	switch s.in {
	case "":
		return s.name
	case "name":
		return "name." + s.name
	}
	return s.in + ":" + s.name
}

var singles = []only{
	{"name", "formatted", detail.Formatted}, {"name", "familyName", detail.Family}, {"name", "givenName", detail.Given}, {"name", "middleName", detail.Middle},
	{"name", "honorificPrefix", detail.Prefix}, {"name", "honorificSuffix", detail.Suffix}, {"", "nickName", detail.Nick}, {"", "profileUrl", detail.Profile},
	{"", "title", detail.Title}, {"", "userType", detail.Type}, {"", "locale", detail.Locale}, {"", "timezone", detail.Zone},
	{EnterpriseURN, "employeeNumber", detail.Employee}, {EnterpriseURN, "costCenter", detail.CostCenter},
	{EnterpriseURN, "organization", detail.Organization}, {EnterpriseURN, "division", detail.Division}, {EnterpriseURN, "department", detail.Department},
}

// multiple is an attribute whose values are details of a kind.
type multiple struct {
	name string
	kind detail.Kind
}

var multiples = []multiple{
	{"emails", detail.Mail}, {"phoneNumbers", detail.Phone}, {"ims", detail.IM}, {"photos", detail.Photo}, {"addresses", detail.Address},
	{"entitlements", detail.Entitlement}, {"roles", detail.Role}, {"x509Certificates", detail.Certificate},
}

// read gives the values in their order. What stands in the directory has a place, or else comes first.
func (m multiple) read(u *user.User, items []detail.Item) (out []any) {
	own := owned(m.kind, u)
	for _, i := range items {
		if i.Kind != m.kind {
			continue
		}
		o := readItem(i)
		if i.Value == "" && i.Kind != detail.Address {
			at := slices.IndexFunc(own, func(o owner) bool { return o.kind == detail.Mail || o.typ == i.Type })
			if at < 0 {
				continue
			}
			o["value"] = own[at].value
			own = slices.Delete(own, at, at+1)
		}
		out = append(out, o)
	}
	for _, w := range slices.Backward(own) {
		o := scim.Object{"value": w.value, "type": w.typ}
		if w.kind == detail.Mail {
			o["primary"] = true
		}
		out = slices.Insert(out, 0, any(o))
	}
	return out
}

// owner is a value that stands in the directory's row.
type owner struct {
	kind       detail.Kind
	typ, value string
}

func owned(kind detail.Kind, u *user.User) []owner {
	var all []owner
	switch kind {
	case detail.Mail:
		all = []owner{{kind, "work", u.Mail}}
	case detail.Phone:
		all = []owner{{kind, "work", u.Office}, {kind, "mobile", u.Mobile}, {kind, "home", u.Home}}
	}
	return slices.DeleteFunc(all, func(o owner) bool { return o.value == "" })
}

func readItem(i detail.Item) scim.Object {
	o := scim.Object{}
	if i.More != "" {
		_ = json.Unmarshal([]byte(i.More), &o) // it is what writeItem wrote
	}
	put(o, "value", i.Value)
	put(o, "type", i.Type)
	if i.Main {
		o["primary"] = true
	}
	return o
}

// writeItem is the other way.
func writeItem(kind detail.Kind, o scim.Object) detail.Item {
	i := detail.Item{Kind: kind}
	i.Value, _ = o["value"].(string)
	i.Type, _ = o["type"].(string)
	i.Main, _ = o["primary"].(bool)
	more := maps.Clone(o)
	delete(more, "value")
	delete(more, "type")
	if i.Main { // that it is not is kept, when it was said
		delete(more, "primary")
	}
	if len(more) > 0 {
		if b, err := json.Marshal(more); err == nil {
			i.More = string(b)
		}
	}
	return i
}
