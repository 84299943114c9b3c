package directories

import (
	"context"
	"strings"

	"limen/internal/core/directory"
	"limen/internal/core/grant"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/identity/page"
	"limen/internal/surface/identity/users"
	"limen/internal/wire/rpc"
	"limen/internal/wire/rpc/lookup"
)

// maxServices is how many directory services one query may name.
const maxServices = 100

// Query asks for people, groups and roles. Each of user, group and roles is a text with a JSON object:
//
//	{"_or":[{"DisplayName":{"_like":"ann"}},{"SystemName":{"_eq":"anna@example.com"}}]}
//
// A field has a value, {"_eq":"x"} for the same, or {"_like":"x"} for what x occurs in; all members of an object must hold,
// _and and _or take lists of objects. Nothing minds case. {} is everything; what is absent is not searched.
type Query struct {
	// DirectoryServices are ids of directory services, at least one that is known; required.
	DirectoryServices []string `json:"directoryServices" rpc:"one,commas"`
	// User asks for people by SystemName, DisplayName, EMail, InternalName, _ID, givenName or sn, and ObjectType.
	User string `json:"user"`
	// Group asks for groups.
	Group string `json:"group"`
	// Roles asks for roles by Name and _ID.
	Roles string `json:"roles"`
	// Args say which page of each kind; SortBy may be SystemName, DisplayName or EMail of people.
	Args page.Args `json:"Args"`

	cloud       bool
	user, roles lookup.Query
}

// Check wants directory services, and reads the queries.
func (q *Query) Check() error {
	if len(q.DirectoryServices) == 0 {
		return fault.Missing("directoryServices")
	}
	if len(q.DirectoryServices) > maxServices {
		return fault.Bad("directoryServices", "may name %d directory services", maxServices)
	}
	known := false
	for _, id := range q.DirectoryServices {
		if s, ok := directory.Find(id); ok {
			known, q.cloud = true, q.cloud || s.ID == directory.Cloud
		}
	}
	if !known {
		return ErrService.At("directoryServices")
	}
	for _, of := range []struct {
		field, text string
		into        *lookup.Query
	}{{"user", q.User, &q.user}, {"group", q.Group, new(lookup.Query)}, {"roles", q.Roles, &q.roles}} {
		if !asked(of.text) {
			continue
		}
		var err error
		if *of.into, err = lookup.Parse(of.text); err != nil {
			return ErrQuery.Say("The query %s %s.", of.field, strings.TrimRight(err.Error(), ".")).At(of.field)
		}
	}
	return nil
}

func asked(text string) bool { return strings.TrimSpace(text) != "" }

// maxRows is the most rows of a kind that one page has.
const maxRows = directory.MaxRows

var sorts = map[string]user.Sort{"systemname": user.ByNames, "displayname": user.ByDisplay, "email": user.ByMails}

func (q *Query) search(of lookup.Query) directory.Search {
	return directory.Search{Query: of, Desc: q.Args.Desc(), Size: q.Args.Size(maxRows), Page: q.Args.Number()}
}

// Found is what a query finds. What was not asked for is left out.
type Found struct {
	// User are the people.
	User *rpc.Query `json:"User,omitzero"`
	// Group are the groups. Only other directories have any.
	Group *rpc.Query `json:"Group,omitzero"`
	// Roles are the roles.
	Roles *rpc.Query `json:"roles,omitzero"`
	// Exceptions say what directory could not be asked; all null.
	Exceptions Exceptions `json:"Exceptions"`
}

// Exceptions are the failures of the directories of a kind.
type Exceptions struct {
	User  *string `json:"User"`
	Group *string `json:"Group"`
	Roles *string `json:"roles"`
}

var (
	seesPeople = op.Any(op.Has(right.UserManagement), op.Has(right.ReadUsers))
	// Who may see roles, as in reports.
	seesRoles = op.Any(op.Has(right.RoleManagement), op.Has(right.ReadRoles), op.Has(right.UserManagement), op.Has(right.ReadSystem), op.Has(right.ReportManagement))
)

// DirectoryServiceQuery looks up people, groups and roles across directory services.
//
// Holders of User Management or Read Only User Management find people, of the organizations over which they hold it; for
// roles also Role Management, Read Only Role Management, Read Only System Administration and Report Management do. Everybody
// finds themselves and the roles that they are in. With the tenant's setting Directory.OpenSearch everybody finds all, and
// sees of others the names and mail addresses, of roles the names.
//
// Exact matches come first, then names in alphabetical order. People and roles are in the cloud directory only, and groups
// in none. No more than 100,000 rows of a kind can be read, on all pages together. Source: directories.yaml n 255.
func (d Directories) DirectoryServiceQuery(ctx context.Context, c *op.Call, in Query) (out Found, err error) {
	open := false
	if v, err := d.Settings.Get(ctx, c); err != nil {
		return Found{}, err
	} else if v.OpenSearch {
		open = true
	}
	if asked(in.User) {
		if out.User, err = d.people(ctx, c, in, open); err != nil {
			return Found{}, err
		}
	}
	if asked(in.Group) {
		out.Group = &rpc.Query{Columns: groupColumns}
	}
	if asked(in.Roles) {
		out.Roles, err = d.roles(ctx, c, in, open)
	}
	return out, err
}

// reach is what the caller sees in full, and what they find at all.
func reach(c *op.Call, rule op.Rule, open bool, own ...string) (full, found grant.Grant) {
	full = rule.Decide(c, op.Target{}).Or(grant.Rows(own...))
	if open {
		return full, grant.All()
	}
	return full, full
}

var userColumns = []rpc.Column{
	{Name: "InternalName", IsHidden: true, TableKey: "Primary"}, {Name: "SystemName", TableKey: "Alternate"}, {Name: "DisplayName"}, {Name: "EMail"},
	{Name: "Description"}, {Name: "DistinguishedName"}, {Name: "ObjectType"}, {Name: "DirectoryServiceUuid"}, {Name: "ServiceType"},
	{Name: "ServiceInstance"}, {Name: "ServiceInstanceLocalized"}, {Name: "Enabled", Type: rpc.TypeBool}, {Name: "Locked", Type: rpc.TypeBool},
	{Name: "Status"}, {Name: "StatusEnum"}, {Name: "ExternalUuid"},
}

func (d Directories) people(ctx context.Context, c *op.Call, in Query, open bool) (*rpc.Query, error) {
	out := &rpc.Query{Columns: userColumns}
	if !in.cloud {
		return out, nil
	}
	full, found := reach(c, seesPeople, open, c.User())
	s := in.search(in.user)
	s.Sort = string(sorts[strings.ToLower(strings.TrimSpace(in.Args.SortBy))])
	rows, all, err := d.People.Search(ctx, c, found, s)
	if err != nil {
		return nil, err
	}
	out.FullCount = int(all)
	for _, p := range rows[:min(len(rows), in.Args.Rows(maxRows))] {
		out.Results = append(out.Results, rpc.Row{Entities: []rpc.Entity{{Type: "User", Key: p.ID}}, Row: personRow(p, full.Allows(p.ID, p.Org))})
	}
	return out, nil
}

// personRow shows somebody: in full, or what everybody may know.
func personRow(p user.Listed, full bool) []any {
	description, enabled, locked, status, enum := any(nil), any(nil), any(nil), any(nil), any(nil)
	if full {
		is := string(p.Status())
		description, enabled, locked, status, enum = p.Description, !p.Disabled, p.Locked, is, is
		if p.Status() == user.Created {
			status = "Not Invited"
		}
	}
	return []any{
		p.ID, p.Name, p.Display, p.Mail, description, p.Name, "User", user.Source, "CDS", "CDS", cloud.Name, enabled, locked, status, enum, p.ID,
	}
}

var cloud, _ = directory.Find(directory.Cloud)

var groupColumns = []rpc.Column{
	{Name: "InternalName", IsHidden: true, TableKey: "Primary"}, {Name: "SystemName", TableKey: "Alternate"}, {Name: "DisplayName"}, {Name: "ObjectType"},
	{Name: "DirectoryServiceUuid"}, {Name: "ServiceType"}, {Name: "ServiceInstance"}, {Name: "ServiceInstanceLocalized"}, {Name: "ExternalUuid"},
}

var roleColumns = []rpc.Column{
	{Name: "_ID", IsHidden: true, TableKey: "Primary"}, {Name: "Name"}, {Name: "Description"}, {Name: "RoleType"}, {Name: "IsHidden", Type: rpc.TypeBool},
	{Name: "AdministrativeRights", Type: rpc.TypeObject},
}

func (d Directories) roles(ctx context.Context, c *op.Call, in Query, open bool) (*rpc.Query, error) {
	out := &rpc.Query{Columns: roleColumns}
	if !in.cloud {
		return out, nil
	}
	full, found := reach(c, seesRoles, open, c.Caller.Roles...)
	rows, all, err := d.Roles.Search(ctx, c, found, in.search(in.roles))
	if err != nil {
		return nil, err
	}
	out.FullCount = int(all)
	for _, r := range rows[:min(len(rows), in.Args.Rows(maxRows))] {
		row, err := d.roleRow(ctx, c, r, full.Allows(r.ID, r.Org))
		if err != nil {
			return nil, err
		}
		out.Results = append(out.Results, rpc.Row{Entities: []rpc.Entity{{Type: "Role", Key: r.ID}}, Row: row})
	}
	return out, nil
}

func (d Directories) roleRow(ctx context.Context, c *op.Call, r role.Role, full bool) ([]any, error) {
	if !full {
		return []any{r.ID, r.Name, nil, r.Kind, false, []users.RightRow{}}, nil
	}
	paths, err := d.Roles.Rights(ctx, c, r.ID)
	return []any{r.ID, r.Name, r.Description, r.Kind, false, users.RightRows(r.ID, paths)}, err
}
