package roles

import (
	"context"
	"strings"

	"limen/internal/core/grant"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/identity/page"
	"limen/internal/wire/rpc"
)

// RoleRef names a role that is wanted.
type RoleRef struct {
	// Name is the role's id, or its name; required.
	Name string `json:"Name" also:"ID,Uuid"`
	// SuppressPrincipalsList leaves the members out, which is faster.
	SuppressPrincipalsList bool `json:"SuppressPrincipalsList"`
	// GetRights adds what the caller may do with the role.
	GetRights bool `json:"getRights"`
	named
}

// Check wants the role to be named.
func (n *RoleRef) Check() error { return required("Name", n.Name) }

// Resolve finds the role.
func (n *RoleRef) Resolve(ctx context.Context, c *op.Call) error { return n.find(ctx, c, n.Name) }

// Shown is a role.
type Shown struct {
	UUID   string `json:"Uuid"`    // the role's id
	RowKey string `json:"_RowKey"` // the role's id
	Name   string `json:"Name"`
	// Description is free text.
	Description string `json:"Description"`
	// RoleType is PrincipalList, Script or Everybody.
	RoleType string `json:"RoleType"`
	// ReadOnly is true for Everybody, whose members cannot be changed.
	ReadOnly             bool   `json:"ReadOnly"`
	DirectoryServiceUUID string `json:"DirectoryServiceUuid"`
	// Principals are the direct members, u=, g= or r= and the id; up to 100,000.
	Principals []string `json:"Principals,omitzero"`
	// Users are the UUIDs of the people among them.
	Users []string `json:"Users,omitzero"`
	// Groups are the ids of the groups among them.
	Groups []string `json:"Groups,omitzero"`
	// Roles are the ids of the roles among them.
	Roles []string `json:"Roles,omitzero"`
	// OrgPath is the path of the organization; empty when in none.
	OrgPath string `json:"OrgPath"`
	OrgID   string `json:"OrgId"`
	// Rights is what the caller may do, with getRights: View, or View, Edit, Delete.
	Rights string `json:"Rights,omitzero"`
	// Script is that of a dynamic role; empty while it has none.
	Script *string `json:"Script,omitzero"`
	// ScriptError says why the script failed last; its members are those from before then. Beyond the contract.
	ScriptError string `json:"ScriptError,omitzero"`
	// SelfEditable names what the script reads that people may change of themselves, so that they choose whether they are members.
	// Beyond the contract.
	SelfEditable []string `json:"SelfEditable,omitzero"`
	// ScriptRights are the paths of the rights that hang on it; such members are refused unless Roles.SelfEditableRights is set.
	// Beyond the contract.
	ScriptRights []string `json:"ScriptRights,omitzero"`
}

// GetRole returns a role, with its direct members unless they are suppressed. roles.yaml n 161, deprecated.yaml n 537.
func (r Roles) GetRole(ctx context.Context, c *op.Call, in RoleRef) (Shown, error) {
	is := in.found
	path, err := r.Orgs.Paths(ctx, c)
	if err != nil {
		return Shown{}, err
	}
	out := Shown{
		UUID: is.ID, RowKey: is.ID, Name: is.Name, Description: is.Description, RoleType: is.Kind, ReadOnly: is.Kind == role.Open,
		DirectoryServiceUUID: user.Source, OrgPath: path(is.Org), OrgID: is.Org,
	}
	if is.Kind == role.Dynamic {
		if err := r.scripted(ctx, c, is, &out); err != nil {
			return Shown{}, err
		}
	}
	if in.GetRights {
		if out.Rights, err = r.may(ctx, c, is); err != nil {
			return Shown{}, err
		}
	}
	if in.SuppressPrincipalsList {
		return out, nil
	}
	rows, _, err := r.Roles.Page(ctx, c, seen(c), is, role.Query{Sort: role.ByKind, Size: role.MaxPage, Direct: true}, 1)
	out.list(rows)
	return out, err
}

// scripted shows the script of a dynamic role, and warns when people choose whether they are members.
func (r Roles) scripted(ctx context.Context, c *op.Call, is role.Role, out *Shown) error {
	script, err := r.Scripts.Of(ctx, c, is.ID)
	if err != nil {
		return err
	}
	out.Script, out.ScriptError = &script.Text, script.Error
	if out.SelfEditable, err = r.Scripts.Chosen(ctx, c, is.ID); err != nil || len(out.SelfEditable) == 0 {
		return err
	}
	out.ScriptRights, err = r.Roles.Endows(ctx, c, is.ID)
	return err
}

// list sorts members by kind.
func (s *Shown) list(rows []role.MemberRow) {
	s.Principals, s.Users, s.Groups, s.Roles = []string{}, []string{}, []string{}, []string{}
	for _, m := range rows {
		switch m.Kind {
		case role.User:
			s.Principals, s.Users = append(s.Principals, "u="+m.ID), append(s.Users, m.ID)
		case role.Group:
			s.Principals, s.Groups = append(s.Principals, "g="+m.ID), append(s.Groups, m.ID)
		case role.Sub:
			s.Principals, s.Roles = append(s.Principals, "r="+m.ID), append(s.Roles, m.ID)
		}
	}
}

// seen is whose names the caller sees in lists of members: a role may hold people of other organizations.
func seen(c *op.Call) grant.Grant { return c.Grant }

// may tells what the caller may do with a role.
func (r Roles) may(ctx context.Context, c *op.Call, is role.Role) (string, error) {
	if !c.Caller.Held.Over(right.RoleManagement, is.Org) {
		return "View", nil
	}
	err := r.Roles.Fills(ctx, c, is.ID)
	switch f := fault.Of(err); {
	case f == nil && is.BuiltIn:
		return "View, Edit", nil
	case f == nil:
		return "View, Edit, Delete", nil
	case f.Kind == fault.Denied:
		return "View", nil
	}
	return "", err
}

// MembersOf asks for the members of a role.
type MembersOf struct {
	// Name is the role's id, or its name; required.
	Name string `json:"Name" also:"ID,Uuid,Role"`
	// Args say which page.
	Args MemberArgs `json:"Args"`
	named
}

// Check wants the role to be named.
func (n *MembersOf) Check() error {
	if err := required("Name", n.Name); err != nil {
		return err
	}
	return n.Args.check()
}

// Resolve finds the role.
func (n *MembersOf) Resolve(ctx context.Context, c *op.Call) error { return n.find(ctx, c, n.Name) }

// MemberArgs is the paging object with a filter.
type MemberArgs struct {
	page.Args
	// FilterBy are the columns that FilterValue is searched in: Name, which is the default, Guid and Type.
	FilterBy []string `json:"FilterBy" rpc:"one,commas"`
	// FilterValue keeps members in one of whose columns it occurs, case aside; empty keeps all.
	FilterValue string `json:"FilterValue"`
}

func (a *MemberArgs) check() error {
	if len(a.FilterValue) > 1000 {
		return fault.Bad("FilterValue", "may have 1000 bytes")
	}
	for _, by := range a.FilterBy {
		switch strings.ToLower(by) {
		case "name", "guid", "type", "":
		default:
			return fault.Bad("FilterBy", "may name Name, Guid and Type")
		}
	}
	return nil
}

// query is what the core is asked.
func (a *MemberArgs) query(size int) role.Query {
	q := role.Query{Size: a.Size(size), Desc: a.Desc(), Filter: strings.TrimSpace(a.FilterValue)}
	switch strings.ToLower(strings.TrimSpace(a.SortBy)) {
	case "type", "guid":
		q.Sort = role.ByKind
	}
	for _, by := range a.FilterBy {
		switch strings.ToLower(by) {
		case "name":
			q.InName = true
		case "guid":
			q.InID = true
		case "type":
			q.InKind = true
		}
	}
	return q
}

var memberColumns = []rpc.Column{
	{Name: "Name", TableKey: "Alternate"}, {Name: "Guid", IsHidden: true, TableKey: "Primary"}, {Name: "Type"}, {Name: "IsEffective", Type: rpc.TypeBool},
	{Name: "OrgPath"}, {Name: "OrgId", IsHidden: true},
	{Name: "From", Type: rpc.TypeDate}, {Name: "Until", Type: rpc.TypeDate}, {Name: "Reason"}, {Name: "GrantedBy"},
}

// GetRoleMembers lists the members of a role: those who are in it directly, and with IsEffective those whom roles in it
// bring. Everybody lists the people who are in it.
//
// Rows are sorted by Name, case aside, or with SortBy Type or Guid by the type and then the id. From and Until are null
// where there is no bound; members who begin later are listed, those whose time has ended are not. Who manages an
// organization only sees the members that belong to it. A page has at most 100,000 rows. roles.yaml n 162,
// deprecated.yaml n 523.
func (r Roles) GetRoleMembers(ctx context.Context, c *op.Call, in MembersOf) (rpc.Query, error) {
	return r.listed(ctx, c, in.found, in.Args, role.MaxPage)
}

func (r Roles) listed(ctx context.Context, c *op.Call, is role.Role, args MemberArgs, size int) (rpc.Query, error) {
	rows, all, err := r.Roles.Page(ctx, c, seen(c), is, args.query(size), args.Number())
	if err != nil {
		return rpc.Query{}, err
	}
	path, err := r.Orgs.Paths(ctx, c)
	if err != nil {
		return rpc.Query{}, err
	}
	out := rpc.Query{Columns: memberColumns, FullCount: int(all), Results: []rpc.Row{}}
	for _, m := range rows[:min(len(rows), args.Rows(size))] {
		out.Results = append(out.Results, rpc.Row{
			Entities: []rpc.Entity{{Type: m.Kind, Key: m.ID}},
			Row: []any{
				m.Name, m.ID, m.Kind, m.Through != "", path(m.Org), m.Org, date(m.Since), date(m.Until), text(m.Reason), text(m.Granter),
			},
		})
	}
	return out, nil
}

// PagedMembersOf asks for a page of the members of a role; the members of Args may stand at the top, or in Args.
type PagedMembersOf struct {
	// Name is the role's id, or its name; required.
	Name string `json:"Name" also:"ID,Uuid,Role"`
	// Args may hold what else stands at the top; what stands at the top wins.
	Args MemberArgs `json:"Args"`
	MemberArgs
	named
}

// Check wants the role to be named.
func (n *PagedMembersOf) Check() error {
	if err := required("Name", n.Name); err != nil {
		return err
	}
	if err := n.Args.check(); err != nil {
		return err
	}
	return n.MemberArgs.check()
}

// Resolve finds the role.
func (n *PagedMembersOf) Resolve(ctx context.Context, c *op.Call) error {
	return n.find(ctx, c, n.Name)
}

// together is what is asked for at the top and in Args.
func (n *PagedMembersOf) together() MemberArgs {
	out, in := n.MemberArgs, n.Args
	first := func(a, b int) int {
		if a != 0 {
			return a
		}
		return b
	}
	out.PageNumber, out.PageSize, out.Limit = first(out.PageNumber, in.PageNumber), first(out.PageSize, in.PageSize), first(out.Limit, in.Limit)
	if out.SortBy == "" {
		out.SortBy = in.SortBy
	}
	if !out.Ascending.Given() && out.Direction == "" {
		out.Ascending, out.Direction = in.Ascending, in.Direction
	}
	if len(out.FilterBy) == 0 {
		out.FilterBy = in.FilterBy
	}
	if out.FilterValue == "" {
		out.FilterValue = in.FilterValue
	}
	if out.PageSize == 0 && out.Limit <= 0 {
		out.PageSize = 100
	}
	return out
}

// GetPagedRoleMembers lists a page of the members of a role, of 100 rows unless PageSize says otherwise; -1 asks for all.
//
// Rows, order and filter are those of GetRoleMembers. FullCount is how many members there are on all pages. roles.yaml
// n 160.
func (r Roles) GetPagedRoleMembers(ctx context.Context, c *op.Call, in PagedMembersOf) (rpc.Query, error) {
	return r.listed(ctx, c, in.found, in.together(), role.MaxPage)
}

// NameRef names a role by its name.
type NameRef struct {
	// RoleName is the role's name, whatever its case; required.
	RoleName string `json:"roleName" also:"Name"`
	named
}

// Check wants a name.
func (n *NameRef) Check() error { return required("roleName", n.RoleName) }

// Resolve finds the role.
func (n *NameRef) Resolve(ctx context.Context, c *op.Call) error { return n.find(ctx, c, n.RoleName) }

// GetRoleIdFromName answers the id of a role. apps.yaml.
func (r Roles) GetRoleIdFromName(_ context.Context, _ *op.Call, in NameRef) (string, error) {
	return in.found.ID, nil
}
