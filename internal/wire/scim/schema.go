package scim

import (
	"slices"
	"strings"
)

// Kind is the type of an attribute's values (RFC 7643 section 2.3).
type Kind string

// The types.
const (
	String    Kind = "string"
	Boolean   Kind = "boolean"
	Decimal   Kind = "decimal"
	Integer   Kind = "integer"
	DateTime  Kind = "dateTime"
	Reference Kind = "reference"
	Binary    Kind = "binary"
	Complex   Kind = "complex"
)

// What clients may do with an attribute (RFC 7643 section 7).
const (
	ReadWrite = "readWrite"
	ReadOnly  = "readOnly"
	Immutable = "immutable"
	WriteOnly = "writeOnly"
)

// When an attribute is answered.
const (
	Always  = "always"
	Never   = "never"
	Default = "default"
	Request = "request"
)

// Whether two resources may have the same value.
const (
	None   = "none"
	Server = "server"
)

// Attribute is an attribute of a schema. Empty flags are those that RFC 7643 section 2.2 gives.
type Attribute struct {
	Name        string
	Kind        Kind // String when empty
	Multi       bool
	Description string
	Required    bool
	Canonical   []string          // the only values there are, in any case; none: any
	Also        map[string]string // further words for some of Canonical, in lower case
	CaseExact   bool
	Mutability  string // ReadWrite when empty
	Returned    string // Default when empty
	Uniqueness  string // None when empty
	References  []string
	Sub         []Attribute // of a complex one
}

// Schema is a set of attributes with a URN.
type Schema struct {
	ID, Name, Description string
	Attributes            []Attribute
}

// Type is a kind of resource.
type Type struct {
	Name        string // and id
	Description string
	Endpoint    string // as "/Users"
	Schema      *Schema
	Extensions  []*Schema // none is required
}

func (a *Attribute) kind() Kind { return Kind(or(string(a.Kind), string(String))) }

func (a *Attribute) mutability() string { return or(a.Mutability, ReadWrite) }

func (a *Attribute) returned() string { return or(a.Returned, Default) }

func or(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

// sub finds a sub-attribute, whatever its case.
func (a *Attribute) sub(name string) *Attribute { return find(a.Sub, name) }

func find(as []Attribute, name string) *Attribute {
	i := slices.IndexFunc(as, func(a Attribute) bool { return strings.EqualFold(a.Name, name) })
	if i < 0 {
		return nil
	}
	return &as[i]
}

// common are the attributes of every resource (RFC 7643 section 3.1), which stand in no schema.
var common = []Attribute{
	{Name: "schemas", Kind: Reference, Multi: true, Returned: Always, CaseExact: true},
	{Name: "id", CaseExact: true, Mutability: ReadOnly, Returned: Always, Uniqueness: Server},
	{Name: "externalId", CaseExact: true},
	{Name: "meta", Kind: Complex, Mutability: ReadOnly, Sub: []Attribute{
		{Name: "resourceType", CaseExact: true, Mutability: ReadOnly}, {Name: "created", Kind: DateTime, Mutability: ReadOnly},
		{Name: "lastModified", Kind: DateTime, Mutability: ReadOnly}, {Name: "location", Kind: Reference, CaseExact: true, Mutability: ReadOnly},
		{Name: "version", CaseExact: true, Mutability: ReadOnly},
	}},
}

// URNs of the documents of discovery (RFC 7643 section 8).
const (
	SchemaURN = "urn:ietf:params:scim:schemas:core:2.0:Schema"
	TypeURN   = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	ConfigURN = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
)

// Document is the schema as discovery shows it; location is the document's own address.
func (s *Schema) Document(location string) Object {
	return Object{
		"schemas": []any{SchemaURN}, "id": s.ID, "name": s.Name, "description": s.Description, "attributes": documents(s.Attributes),
		"meta": Object{"resourceType": "Schema", "location": location},
	}
}

func documents(as []Attribute) []any {
	out := make([]any, len(as))
	for i := range as {
		out[i] = as[i].document()
	}
	return out
}

func (a *Attribute) document() Object {
	out := Object{
		"name": a.Name, "type": string(a.kind()), "multiValued": a.Multi, "description": a.Description, "required": a.Required,
		"caseExact": a.CaseExact, "mutability": a.mutability(), "returned": a.returned(), "uniqueness": or(a.Uniqueness, None),
	}
	if len(a.Canonical) > 0 {
		out["canonicalValues"] = a.Canonical
	}
	if len(a.References) > 0 {
		out["referenceTypes"] = a.References
	}
	if a.kind() == Complex {
		out["subAttributes"] = documents(a.Sub)
	}
	return out
}

// Document is the resource type as discovery shows it.
func (t *Type) Document(location string) Object {
	ext := make([]any, len(t.Extensions))
	for i, s := range t.Extensions {
		ext[i] = Object{"schema": s.ID, "required": false}
	}
	return Object{
		"schemas": []any{TypeURN}, "id": t.Name, "name": t.Name, "description": t.Description, "endpoint": t.Endpoint,
		"schema": t.Schema.ID, "schemaExtensions": ext, "meta": Object{"resourceType": "ResourceType", "location": location},
	}
}
