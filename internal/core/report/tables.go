package report

import (
	"maps"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/grant"
	"limen/internal/core/right"
	"limen/internal/core/scope"
	"limen/internal/dbx"
	"limen/internal/wire/redrock"
)

// views are what the schema offers to reports (internal/schema, redrock).
var views = []string{"rr_user", "rr_cduser", "rr_dsusers", "rr_role", "rr_event", "rr_tenant", "rr_organization", "rr_rolemember", "rr_organizationright", "rr_organizationstay", "rr_roleright", scope.View, "rr_sets", "rr_ace", "rr_application"}

// tables are the dialect's tables, less the columns that nothing fills yet: those are null in every row.
func tables() []redrock.Table {
	empty := map[string][]string{
		"User":     {"Forest", "PhonePinLastChangeDate"},
		"DSUsers":  {"Forest", "DistinguishedName"},
		"DSGroups": {"DisplayName", "Description", "ServiceInstance", "ServiceInstanceLocalized", "ServiceType", "DirectoryServiceUuid", "Forest"},
		"Sets":     {"ParentPath"},
		// What a record has of these, reports have no column for yet.
		"Application": {
			"AdminTag", "Brand", "CatalogVisibility", "CertBasedAuthEnabled", "ChildLinkedApps", "CorpIdentifier", "DeepLinkUrl", "DerivedCredsSupported",
			"DesktopAppProgramName", "DesktopAppRunAccountType", "DesktopAppType", "Featured", "Generic", "Handler", "Icon", "IsGatewayed",
			"IsMarketplaceApp", "IsTestApp", "LastUsedCentrifyUrl", "LastUsedPodUrl", "MobileAppSource", "MobileAppType", "MunkiMetadata", "NotSelfService",
			"OnPrem", "ParentApp", "ParentAppTemplateName", "Popular", "PortalApp", "ProvCapable", "ProvConfigured", "ProvSettingEnabled",
			"ProvSettingPreview", "ShadowAppLink", "Version", "VersionName", "WebUPAppType", "WorkflowEnabled", "AdditionalField1", "Audience",
			"WebAppLoginType", "IsScaEnabled", "IsSwsEnabled",
		},
		"Event": {"OldEntity", "NewEntity", "AzDeploymentId", "AzRoleId", "AzRoleName", "Id"},
	}
	out := redrock.Tables()
	for i := range out {
		t := &out[i]
		for _, name := range empty[t.Name] {
			for j := range t.Columns {
				if t.Columns[j].Name == name {
					t.Columns[j].Empty = true
				}
			}
		}
		t.Columns = append(t.Columns, ours[t.Name]...)
	}
	return append(out, organizations, roleMembers, organizationRights, organizationStays, roleRights)
}

// belongs are the columns of what belongs to an organization.
var belongs = []redrock.Column{
	{Name: "OrgId", Type: redrock.Text, Hidden: true, Title: "Organization Id", Description: "Id of the organization"},
	{Name: "OrgPath", Type: redrock.Text, Hidden: true, Title: "Organization", Description: "Path of the organization"},
}

// organizations is the table of organizations, which the contract's lacks.
var organizations = redrock.Table{Name: "Organization", Key: "ID", Alternate: "Path", Columns: []redrock.Column{
	{Name: "ID", Type: redrock.Text, Description: "Row Identifier (primary key)"},
	{Name: "Name", Type: redrock.Text, Filled: true, Description: "Name of the organization"},
	{Name: "Path", Type: redrock.Text, Filled: true, Description: "Names from the top down, each behind a slash"},
	{Name: "Description", Type: redrock.Text, Description: "Description of the organization"},
	{Name: "ParentId", Type: redrock.Text, Title: "Parent Id", Description: "Id of the organization above"},
}}

// roleMembers is the table of direct members of roles, which the contract's lacks: nothing there says who is in a role.
// Who is in Everybody is a column of CDUser.
var roleMembers = redrock.Table{
	Name: "RoleMember", Key: "ID", Foreign: map[string]string{"RoleId": "Role"}, Columns: []redrock.Column{
		{Name: "ID", Type: redrock.Text, Description: "Row Identifier (primary key): role and member"},
		{Name: "RoleId", Type: redrock.Text, Title: "Role Id", Filled: true, Description: "Id of the role"},
		{Name: "Guid", Type: redrock.Text, Filled: true, Description: "UUID of the person, or id of the role inside"},
		{Name: "Name", Type: redrock.Text, Fold: true, Description: "Login name, or name of the role inside"},
		{Name: "Type", Type: redrock.Text, Filled: true, Description: "User, Role or Group"},
		{Name: "ValidFrom", Type: redrock.Time, Title: "Valid From", Description: "When the membership begins; empty: it has begun"},
		{Name: "ValidUntil", Type: redrock.Time, Title: "Valid Until", Description: "When the membership ends; empty: never"},
		{Name: "Reason", Type: redrock.Text, Description: "Why it was given"},
	},
}

// term are the columns of what may begin and end by itself.
var term = []redrock.Column{
	{Name: "ValidFrom", Type: redrock.Time, Title: "Valid From", Description: "When it begins; empty: it has begun"},
	{Name: "ValidUntil", Type: redrock.Time, Title: "Valid Until", Description: "When it ends; empty: never"},
	{Name: "Reason", Type: redrock.Text, Description: "Why it was given"},
	{Name: "GrantedBy", Type: redrock.Text, Title: "Granted By", Description: "UUID of who gave it"},
}

// organizationRights is the table of what people and roles hold over organizations, which the contract's lacks.
var organizationRights = redrock.Table{
	Name: "OrganizationRight", Key: "ID", Foreign: map[string]string{"OrgId": "Organization"}, Columns: append([]redrock.Column{
		{Name: "ID", Type: redrock.Text, Description: "Row Identifier (primary key): organization, principal and right"},
		{Name: "OrgId", Type: redrock.Text, Title: "Organization Id", Filled: true, Description: "Id of the organization"},
		{Name: "Principal", Type: redrock.Text, Filled: true, Description: "UUID of the person, or id of the role"},
		{Name: "Type", Type: redrock.Text, Filled: true, Description: "User or Role"},
		{Name: "Path", Type: redrock.Text, Filled: true, Description: "Path of the right"},
	}, term...),
}

// organizationStays is the table of people who are in an organization for a time, or will be, which the contract's lacks.
var organizationStays = redrock.Table{
	Name: "OrganizationStay", Key: "ID", Foreign: map[string]string{"OrgId": "Organization"}, Columns: append([]redrock.Column{
		{Name: "ID", Type: redrock.Text, Description: "UUID of the person (primary key)"},
		{Name: "Username", Type: redrock.Text, Filled: true, Description: "Login name"},
		{Name: "OrgId", Type: redrock.Text, Title: "Organization Id", Filled: true, Description: "Id of the organization"},
		{Name: "OrgPath", Type: redrock.Text, Title: "Organization Path", Filled: true, Description: "Path of the organization"},
		{Name: "HomeId", Type: redrock.Text, Title: "Home Id", Description: "Id of the organization to which they return; empty: none"},
	}, term...),
}

// roleRights is the table of the rights that roles carry, which the contract's lacks.
var roleRights = redrock.Table{
	Name: "RoleRight", Key: "ID", Foreign: map[string]string{"RoleId": "Role"}, Columns: append([]redrock.Column{
		{Name: "ID", Type: redrock.Text, Description: "Row Identifier (primary key): role and right"},
		{Name: "RoleId", Type: redrock.Text, Title: "Role Id", Filled: true, Description: "Id of the role"},
		{Name: "Path", Type: redrock.Text, Filled: true, Description: "Path of the right"},
	}, term...),
}

// ours are columns beyond the contract's. They can be named, and are no part of *.
var ours = map[string][]redrock.Column{"User": belongs, "Role": belongs, "Event": {
	{Name: "Changes", Type: redrock.Object, Hidden: true, Description: "What changed: old and new value by field"},
	{Name: "Fields", Type: redrock.Object, Hidden: true, Description: "What else is known of the event"},
	{Name: "Occurrences", Type: redrock.Integer, Hidden: true, Description: "How many equal failures the event stands for"},
	{Name: "RequestId", Type: redrock.Text, Hidden: true, Title: "Request Id", Description: "Id of the request, as the client got it as ErrorID"},
}}

// relations are the view behind each table, the rights that show all of it, and how a caller's own rows are found.
var relations = map[string]struct {
	view   string
	rights []right.Right
	org    string // column of the organization; empty: rows belong to none
	own    []string
	ends   bool // rows have an end, behind which they are no longer shown
}{
	"User":              {"rr_user", []right.Right{right.UserManagement, right.ReadUsers}, "grant_org", []string{"id"}, false},
	"CDUser":            {"rr_cduser", []right.Right{right.UserManagement, right.ReadUsers}, "grant_org", []string{"id"}, false},
	"DSUsers":           {"rr_dsusers", []right.Right{right.UserManagement, right.ReadUsers}, "grant_org", []string{"internalname"}, false},
	"Role":              {"rr_role", []right.Right{right.RoleManagement, right.ReadRoles, right.UserManagement, right.ReadSystem, right.ReportManagement}, "grant_org", []string{"id"}, false},
	"RoleMember":        {"rr_rolemember", []right.Right{right.RoleManagement, right.ReadRoles, right.ReadSystem, right.ReportManagement}, "grant_org", []string{"guid"}, true},
	"Organization":      {"rr_organization", everything(), "grant_org", nil, false},
	"OrganizationRight": {"rr_organizationright", everything(), "grant_org", nil, true},
	"OrganizationStay":  {"rr_organizationstay", []right.Right{right.UserManagement, right.ReadUsers}, "grant_org", []string{"id"}, true},
	"RoleRight":         {"rr_roleright", []right.Right{right.RoleManagement, right.ReadRoles, right.ReadSystem, right.ReportManagement}, "grant_org", nil, true},
	"Event":             {"rr_event", []right.Right{right.ReadSystem, right.ReportManagement}, "", []string{"grant_actor", "grant_user"}, false},
}

// everything is any right.
func everything() (out []right.Right) {
	for _, i := range right.All() {
		out = append(out, i.Right)
	}
	return out
}

// noGroups is the relation of directory groups while no directory has any.
const noGroups = `(SELECT id AS internalname, name AS systemname, name AS systemname_key FROM rr_tenant WHERE id = '')`

// source is the relation that stands for a table: the rows of the caller's tenant that the caller may see.
func (r *Reports) source(c *call.Call, t *redrock.Table) (string, []any) {
	if t.Name == "Tenant" {
		return "(SELECT * FROM rr_tenant WHERE tenant = ?)", []any{c.Tenant.ID}
	}
	switch t.Name {
	case "Sets":
		return r.listed(c, acl.Collections, "rr_sets")
	case "Application":
		return r.listed(c, t.Name, "rr_application")
	}
	of, ok := relations[t.Name]
	if !ok {
		return noGroups, nil
	}
	where, args := "tenant = ?", []any{c.Tenant.ID}
	if more, values := visible(r.DB.Engine(), c, of.rights, of.org, of.own, t.Name == "Role"); more != "" {
		where += " AND (" + more + ")"
		args = append(args, values...)
	}
	if of.ends {
		where += " AND (validuntil IS NULL OR validuntil > ?)"
		args = append(args, c.Now.UnixMilli())
	}
	return "(SELECT * FROM " + of.view + " WHERE " + where + ")", args
}

// listed is the relation of rows that have access control lists.
func (r *Reports) listed(c *call.Call, table, view string) (string, []any) {
	where, args := "tenant = ?", []any{c.Tenant.ID}
	more, values := "1 = 0", []any(nil)
	if r.Lists != nil {
		if t, err := r.Lists.Table(table); err == nil {
			more, values = r.Lists.Seen(c, t, "id")
		}
	}
	if more != "" {
		where += " AND (" + more + ")"
	}
	return "(SELECT * FROM " + view + " WHERE " + where + ")", append(args, values...)
}

// visible says which rows a caller may see beyond the tenant's bounds; empty: all.
func visible(engine dbx.Engine, c *call.Call, rights []right.Right, org string, own []string, roles bool) (string, []any) {
	var or []string
	var args []any
	mine := []string{c.Caller.User}
	if roles {
		mine = c.Caller.Roles
	}
	for _, id := range mine {
		for _, column := range own {
			or, args = append(or, column+" = ?"), append(args, id)
		}
	}
	over := map[string]bool{}
	for _, r := range rights {
		if c.Caller.Held.Everywhere(r) {
			return "", nil
		}
		for _, id := range c.Caller.Held.In(r) {
			over[id] = true
		}
	}
	if org != "" && len(over) > 0 {
		in, values := scope.Text(engine, org, c.Tenant.ID, grant.Orgs(c.Caller.Held.Tree, slices.Collect(maps.Keys(over))...))
		or, args = append(or, in), append(args, values...)
	}
	if or == nil {
		return "1 = 0", nil
	}
	return strings.Join(or, " OR "), args
}
