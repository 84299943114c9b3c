package provision

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/attribute"
	"limen/internal/wire/scim"
)

// URNs of the schemas (scim.yaml, head).
const (
	UserURN       = "urn:ietf:params:scim:schemas:core:2.0:User"
	GroupURN      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	EnterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	CustomURN     = "urn:scim:schemas:extension:custom:2.0"
	LinkedURN     = "urn:ietf:params:scim:schemas:pam:1.0:LinkedObject"
)

func text(name, description string) scim.Attribute {
	return scim.Attribute{Name: name, Description: description}
}

func fixed(name, description string) scim.Attribute {
	return scim.Attribute{Name: name, Description: description, Mutability: scim.ReadOnly}
}

// plural is an attribute with several values: what they are, and of which types they can be.
func plural(name, description string, value scim.Attribute, types ...string) scim.Attribute {
	value.Name, value.Required = "value", true
	return scim.Attribute{Name: name, Kind: scim.Complex, Multi: true, Description: description, Sub: []scim.Attribute{
		value, text("display", "A name of the value for people."),
		{Name: "type", Description: "What the value is for.", Canonical: types},
		{Name: "primary", Kind: scim.Boolean, Description: "Whether it is the preferred one; one value is at most."},
	}}
}

var addresses = scim.Attribute{Name: "addresses", Kind: scim.Complex, Multi: true, Description: "Postal addresses.", Sub: []scim.Attribute{
	text("formatted", "The address as it is written on a letter."), text("streetAddress", "Street, number and what belongs to them."),
	text("locality", "City."), text("region", "State or region."), text("postalCode", "Postal code."), text("country", "Country."),
	{Name: "type", Description: "What the address is for.", Canonical: []string{"work", "home", "other"}},
	{Name: "primary", Kind: scim.Boolean, Description: "Whether it is the preferred one; one value is at most."},
}}

func phones() scim.Attribute {
	a := plural("phoneNumbers", "Telephone numbers. The first of type mobile gets text messages.", text("", "The number."), "work", "home", "mobile", "fax", "pager", "other")
	a.Sub[2].Also = map[string]string{"office": "work"}
	return a
}

var userSchema = &scim.Schema{ID: UserURN, Name: "User", Description: "People and service accounts", Attributes: []scim.Attribute{
	{Name: "userName", Description: "The login name with a login suffix of the tenant, as anna@acme.", Required: true, Uniqueness: scim.Server},
	{Name: "name", Kind: scim.Complex, Description: "The parts of the name.", Sub: []scim.Attribute{
		text("formatted", "The whole name."), text("familyName", "The family name."), text("givenName", "The given name."), text("middleName", "Middle names."),
		text("honorificPrefix", "What stands before the name, as Dr."), text("honorificSuffix", "What stands behind the name, as III."),
	}},
	text("displayName", "The name as people see it."), text("nickName", "What the user is called casually."),
	{Name: "profileUrl", Kind: scim.Reference, Description: "A page about the user.", References: []string{"external"}, CaseExact: true},
	text("title", "The job title."), text("userType", "What the user is to the organization, as Contractor."),
	text("preferredLanguage", "The language that pages and messages are written in, as a language tag."),
	text("locale", "The language and region by which things are written, as a language tag."), text("timezone", "The time zone, as Europe/Berlin."),
	{Name: "active", Kind: scim.Boolean, Description: "Whether the account is neither suspended, disabled nor expired."},
	{Name: "password", Description: "A new password.", Mutability: scim.WriteOnly, Returned: scim.Never, CaseExact: true},
	plural("emails", "Mail addresses. Messages go to the primary one.", text("", "The address."), "work", "home", "other"),
	phones(),
	plural("ims", "Addresses of instant messaging.", text("", "The address.")),
	plural("photos", "Pictures elsewhere.", scim.Attribute{Kind: scim.Reference, Description: "Where the picture is.", References: []string{"external"}, CaseExact: true}, "photo", "thumbnail"),
	addresses,
	{Name: "groups", Kind: scim.Complex, Multi: true, Description: "The roles that the user is directly in.", Mutability: scim.ReadOnly, Sub: []scim.Attribute{
		{Name: "value", Description: "The role's id.", CaseExact: true, Mutability: scim.ReadOnly},
		{Name: "$ref", Kind: scim.Reference, Description: "Where the role is.", References: []string{"Group"}, CaseExact: true, Mutability: scim.ReadOnly},
		fixed("display", "The role's name."), {Name: "type", Description: "How the user is in it.", Canonical: []string{"direct", "indirect"}, Mutability: scim.ReadOnly},
	}},
	plural("entitlements", "What the user may use elsewhere.", text("", "The entitlement.")),
	plural("roles", "What the user is elsewhere. It gives no rights here: groups do.", text("", "The role.")),
	plural("x509Certificates", "Certificates of the user.", scim.Attribute{Kind: scim.Binary, Description: "The certificate: DER in Base64.", CaseExact: true}),
}}

var enterpriseSchema = &scim.Schema{ID: EnterpriseURN, Name: "EnterpriseUser", Description: "What the user is in an organization", Attributes: []scim.Attribute{
	text("employeeNumber", "The number of the employee."), text("costCenter", "The cost center."), text("organization", "The organization, in words."),
	text("division", "The division."), text("department", "The department."),
	{Name: "manager", Kind: scim.Complex, Description: "Whom the user reports to.", Sub: []scim.Attribute{
		{Name: "value", Description: "The manager's id.", CaseExact: true},
		{Name: "$ref", Kind: scim.Reference, Description: "Where the manager is.", References: []string{"User"}, CaseExact: true},
		fixed("displayName", "The manager's name."),
	}},
}}

var linkedSchema = &scim.Schema{ID: LinkedURN, Name: "LinkedObject", Description: "Where the object is kept", Attributes: []scim.Attribute{
	fixed("source", "The directory."), {Name: "nativeIdentifier", Description: "The object's id there.", CaseExact: true, Mutability: scim.ReadOnly},
}}

// Group is what groups look like.
var Group = &scim.Type{
	Name: "Group", Description: "Roles with their members", Endpoint: "/Groups", Extensions: []*scim.Schema{linkedSchema},
	Schema: &scim.Schema{ID: GroupURN, Name: "Group", Description: "Roles with their members", Attributes: []scim.Attribute{
		{Name: "displayName", Description: "The name of the role.", Required: true, Uniqueness: scim.Server},
		{Name: "members", Kind: scim.Complex, Multi: true, Description: "Who is directly in the role.", Sub: []scim.Attribute{
			{Name: "value", Description: "The id of a user or a group.", CaseExact: true, Mutability: scim.Immutable},
			{Name: "$ref", Kind: scim.Reference, Description: "Where the member is.", References: []string{"User", "Group"}, CaseExact: true, Mutability: scim.Immutable},
			fixed("display", "The login name of a user, the name of a group."),
			{Name: "type", Description: "What the member is.", Canonical: []string{"User", "Group"}, Mutability: scim.Immutable},
		}},
	}},
}

// User is what users of the call's tenant look like: its own attributes are an extension.
func (d *Directory) User(ctx context.Context, c *call.Call) (*scim.Type, error) {
	columns, err := d.Attributes.Schema(ctx, c)
	if err != nil {
		return nil, err
	}
	t := &scim.Type{Name: "User", Description: "People and service accounts", Endpoint: "/Users", Schema: userSchema, Extensions: []*scim.Schema{enterpriseSchema, linkedSchema}}
	if len(columns) > 0 {
		t.Extensions = append(t.Extensions, custom(columns))
	}
	return t, nil
}

// kinds are those of attributes as SCIM calls them.
var kinds = map[attribute.Type]scim.Kind{
	attribute.Text: scim.String, attribute.Int: scim.Integer, attribute.Double: scim.Decimal, attribute.Bool: scim.Boolean, attribute.DateTime: scim.DateTime,
}

func custom(columns []attribute.Column) *scim.Schema {
	s := &scim.Schema{ID: CustomURN, Name: "Custom", Description: "Attributes that the tenant defines"}
	for _, col := range columns {
		s.Attributes = append(s.Attributes, scim.Attribute{Name: col.Name, Kind: kinds[col.Type], Description: col.Description, CaseExact: true})
	}
	return s
}

// Types are the kinds of resources that there are, in the order in which discovery names them.
func (d *Directory) Types(ctx context.Context, c *call.Call) ([]*scim.Type, error) {
	u, err := d.User(ctx, c)
	return []*scim.Type{u, Group, Container, Permission, Data, DataPermission}, err
}
