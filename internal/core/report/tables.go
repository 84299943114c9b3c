package report

import (
	"strings"

	"limen/internal/call"
	"limen/internal/core/right"
	"limen/internal/wire/redrock"
)

// views are what the schema offers to reports (internal/schema, redrock).
var views = []string{"rr_user", "rr_cduser", "rr_dsusers", "rr_role", "rr_event", "rr_tenant"}

// tables are the dialect's tables, less the columns that nothing fills yet: those are null in every row.
func tables() []redrock.Table {
	empty := map[string][]string{
		"User":     {"Forest", "PhonePinLastChangeDate", "RiskLevel"},
		"DSUsers":  {"Forest", "DistinguishedName"},
		"DSGroups": {"DisplayName", "Description", "ServiceInstance", "ServiceInstanceLocalized", "ServiceType", "DirectoryServiceUuid", "Forest"},
		"Event":    {"OldEntity", "NewEntity", "AzDeploymentId", "AzRoleId", "AzRoleName", "Id"},
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
		if t.Name == "Event" {
			t.Columns = append(t.Columns, ours...)
		}
	}
	return out
}

// ours are columns of Event beyond the contract's. They can be named, and are no part of *.
var ours = []redrock.Column{
	{Name: "Changes", Type: redrock.Object, Hidden: true, Description: "What changed: old and new value by field"},
	{Name: "Fields", Type: redrock.Object, Hidden: true, Description: "What else is known of the event"},
	{Name: "Occurrences", Type: redrock.Integer, Hidden: true, Description: "How many equal failures the event stands for"},
	{Name: "RequestId", Type: redrock.Text, Hidden: true, Title: "Request Id", Description: "Id of the request, as the client got it as ErrorID"},
}

// relations are the view behind each table, the rights that show all of it, and how a caller's own rows are found.
var relations = map[string]struct {
	view   string
	rights []right.Right
	org    string // column of the organization; empty: rows belong to none
	own    []string
}{
	"User":    {"rr_user", []right.Right{right.UserManagement, right.ReadUsers, right.ReadSystem, right.ReportManagement}, "grant_org", []string{"id"}},
	"CDUser":  {"rr_cduser", []right.Right{right.UserManagement, right.ReadUsers, right.ReadSystem, right.ReportManagement}, "grant_org", []string{"id"}},
	"DSUsers": {"rr_dsusers", []right.Right{right.UserManagement, right.ReadUsers, right.ReadSystem, right.ReportManagement}, "grant_org", []string{"internalname"}},
	"Role":    {"rr_role", []right.Right{right.RoleManagement, right.ReadRoles, right.UserManagement, right.ReadSystem, right.ReportManagement}, "", []string{"id"}},
	"Event":   {"rr_event", []right.Right{right.ReadSystem, right.ReportManagement}, "", []string{"grant_actor", "grant_user"}},
}

// noGroups is the relation of directory groups while no directory has any.
const noGroups = `(SELECT id AS internalname, name AS systemname, name AS systemname_key FROM rr_tenant WHERE id = '')`

// source is the relation that stands for a table: the rows of the caller's tenant that the caller may see.
func source(c *call.Call, t *redrock.Table) (string, []any) {
	if t.Name == "Tenant" {
		return "(SELECT * FROM rr_tenant WHERE tenant = ?)", []any{c.Tenant.ID}
	}
	r, ok := relations[t.Name]
	if !ok {
		return noGroups, nil
	}
	where, args := "tenant = ?", []any{c.Tenant.ID}
	if more, values := visible(c, r.rights, r.org, r.own, t.Name == "Role"); more != "" {
		where += " AND (" + more + ")"
		args = append(args, values...)
	}
	return "(SELECT * FROM " + r.view + " WHERE " + where + ")", args
}

// visible says which rows a caller may see beyond the tenant's bounds; empty: all.
func visible(c *call.Call, rights []right.Right, org string, own []string, roles bool) (string, []any) {
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
	for _, r := range rights {
		if c.Caller.Held.Everywhere(r) {
			return "", nil
		}
		if org == "" {
			continue
		}
		for _, id := range c.Caller.Held.In(r) {
			or, args = append(or, org+" = ?"), append(args, id)
		}
	}
	if or == nil {
		return "1 = 0", nil
	}
	return strings.Join(or, " OR "), args
}
