package provision

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/role"
	"limen/internal/core/safe"
	"limen/internal/wire/scim"
)

// DataPermissionURN is that of what members of safes may do with accounts (scim.yaml, head).
const DataPermissionURN = "urn:ietf:params:scim:schemas:pam:1.0:PrivilegedDataPermission"

// fixedPointer is a pointer that clients only read.
func fixedPointer(name, description, to string) scim.Attribute {
	a := pointer(name, description, fixed("", "The id."), to)
	a.Mutability = scim.ReadOnly
	for i := range a.Sub {
		a.Sub[i].Mutability = scim.ReadOnly
	}
	return a
}

// DataPermission is what is said of who may do what with which account. It comes of the memberships in safes, and is listed only.
var DataPermission = &scim.Type{
	Name: "PrivilegedDataPermission", Description: "Who may do what with which account", Endpoint: "/PrivilegedDataPermissions",
	Schema: &scim.Schema{ID: DataPermissionURN, Name: "PrivilegedDataPermission", Description: "Who may do what with which account, by being a member of its safe", Attributes: []scim.Attribute{
		fixedPointer("privilegedData", "The account.", "PrivilegedData"), fixedPointer("user", "The person; else a group.", "User"), fixedPointer("group", "The group.", "Group"),
		{Name: "rights", Multi: true, Description: "What may be done.", Canonical: safe.Names, Mutability: scim.ReadOnly},
	}},
}

// useFields are what filters over permissions on accounts may name.
var useFields = fields{
	"privilegedData": exact("ref"), "privilegedData.value": exact("ref"), "privilegedData.display": key("name_key"),
	"user": of(role.User, exact("principal")), "user.value": of(role.User, exact("principal")), "user.display": of(role.User, person("principal")),
	"group": of(role.Sub, exact("principal")), "group.value": of(role.Sub, exact("principal")), "group.display": of(role.Sub, club),
	"meta.created": moment("created"), "meta.lastModified": moment("changed"),
}

// useColumns are what permissions on accounts are sorted by.
var useColumns = map[string][]string{"": {"ref", "kind", "principal"}, "id": {"ref", "kind", "principal"}}

// FindUses gives the page of permissions on accounts that a query asks for: of accounts that the caller may list, in safes whose members they may
// see.
func (d *Directory) FindUses(ctx context.Context, c *call.Call, g grant.Grant, q scim.Query) (scim.List, error) {
	p, err := asked(c, DataPermission, q, useFields, useColumns)
	if err != nil {
		return scim.List{}, err
	}
	total, err := d.Safes.CountUses(ctx, c, g, p.Where)
	if err != nil {
		return scim.List{}, err
	}
	rows, err := d.Safes.Uses(ctx, c, g, p)
	if err != nil {
		return scim.List{}, err
	}
	out := make([]Resource, len(rows))
	for i, u := range rows {
		out[i] = use(c, u)
	}
	return answered(DataPermission, DataPermission.Select(q.Attributes, q.Excluded), q, total, behind(q, p, rows), out), nil
}

// use makes a resource of what somebody may do with an account. It is nowhere by itself.
func use(c *call.Call, u safe.Use) Resource {
	m := safe.Member{Kind: u.Kind, Principal: u.Principal, Name: u.Who, Bits: int64(u.Rights()), Until: u.Until}
	rights := []any{}
	for _, name := range u.Rights().List() {
		rights = append(rights, name)
	}
	o := scim.Object{"rights": rights, "privilegedData": scim.Object{"value": u.Ref, "display": u.Name, "$ref": Base(c) + "/PrivilegedData/" + u.Ref}}
	who, at := "user", "/Users/"
	if u.Kind == role.Sub {
		who, at = "group", "/Groups/"
	}
	o[who] = scim.Object{"value": u.Principal, "display": u.Who, "$ref": Base(c) + at + u.Principal}
	r := finished(c, o, DataPermission, u.Ref+":"+seat(m), memberStamp(m), u.Created, u.Changed)
	delete(o["meta"].(scim.Object), "location")
	return r
}
