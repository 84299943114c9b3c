package scim

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"limen/internal/core/provision"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/scim"
)

// ErrNoDocument is for types and schemas that are none.
var ErrNoDocument = fault.New(fault.NotFound, "scim.no_document", "There is no such type or schema.")

// ErrFiltered is for filters over the documents of discovery (RFC 7644 section 4).
var ErrFiltered = fault.New(fault.Denied, "scim.filtered", "The documents of discovery cannot be filtered.")

// The limits of bulk requests.
const (
	maxBulk = 500
	maxBody = 1 << 20
)

func (s SCIM) discovery() []op.Op {
	read := func(path string, faults ...*fault.Error) op.Spec {
		return reads(at(http.MethodGet, path), op.Authenticated, faults...)
	}
	return []op.Op{
		op.New(read("/ServiceProviderConfig"), s.GetConfig),
		op.New(read("/ResourceTypes", ErrFiltered), s.ListTypes), op.New(read("/ResourceTypes/{name}", ErrNoDocument), s.GetType),
		op.New(read("/Schemas", ErrFiltered), s.ListSchemas), op.New(read("/Schemas/{name}", ErrNoDocument), s.GetSchema),
	}
}

// Document names a type or a schema.
type Document struct {
	// Name is the name of a type, or the URN of a schema, in the path.
	Name string `json:"name"`
}

func (d *Document) take(r *op.Request) error {
	d.Name = r.Path["name"]
	if plain, err := url.PathUnescape(d.Name); err == nil { // clients escape colons twice
		d.Name = plain
	}
	return nil
}

// Documents asks for all of them.
type Documents struct{}

func (*Documents) take(r *op.Request) error {
	for name := range r.HTTP.URL.Query() {
		if strings.EqualFold(name, "filter") {
			return ErrFiltered
		}
	}
	return nil
}

// GetConfig says what the service can do. By the setting Scim.ConfigAsDocumented it says what the contract's server says, which is
// less: clients that were written for that one may not expect more. scim.yaml, GET /scim/ServiceProviderConfig.
func (s SCIM) GetConfig(ctx context.Context, c *op.Call, _ op.None) (wire.Object, error) {
	v, err := s.Directory.Settings.Get(ctx, c)
	if err != nil {
		return nil, err
	}
	out := s.config(c)
	if v.ScimDocumented {
		for _, name := range []string{"changePassword", "sort", "etag"} {
			out[name] = wire.Object{"supported": false}
		}
		out["bulk"] = wire.Object{"supported": false, "maxOperations": 1, "maxPayloadSize": 0}
	}
	return out, nil
}

func (s SCIM) config(c *op.Call) wire.Object {
	can := func(is bool) wire.Object { return wire.Object{"supported": is} }
	return wire.Object{
		"schemas": []string{wire.ConfigURN}, "patch": can(true), "changePassword": can(true), "sort": can(true), "etag": can(true),
		"bulk":       wire.Object{"supported": true, "maxOperations": maxBulk, "maxPayloadSize": maxBody},
		"filter":     wire.Object{"supported": true, "maxResults": provision.MaxPage},
		"pagination": wire.Object{"cursor": true, "index": true, "defaultPaginationMethod": "index", "defaultPageSize": provision.MaxPage, "maxPageSize": provision.MaxPage},
		"authenticationSchemes": []wire.Object{{
			"type": "oauthbearertoken", "name": "OAuth Bearer Token", "description": "An access token with the scope scim, or a provisioning token.",
			"specUri": "https://www.rfc-editor.org/info/rfc6750", "primary": true,
		}},
		"meta": wire.Object{"resourceType": "ServiceProviderConfig", "location": provision.Base(c) + "/ServiceProviderConfig"},
	}
}

// list is a list of documents, which is always whole.
func list(all []wire.Object) wire.List {
	return wire.NewList(wire.Query{Start: 1}, int64(len(all)), "", all)
}

// ListTypes lists the kinds of resources that there are. scim.yaml, GET /scim/ResourceTypes.
func (s SCIM) ListTypes(ctx context.Context, c *op.Call, _ Documents) (wire.List, error) {
	all, err := s.types(ctx, c)
	return list(all), err
}

func (s SCIM) types(ctx context.Context, c *op.Call) (out []wire.Object, err error) {
	ts, err := s.Directory.Types(ctx, c)
	for _, t := range ts {
		out = append(out, t.Document(provision.Base(c)+"/ResourceTypes/"+t.Name))
	}
	return out, err
}

// GetType answers one kind of resource. scim.yaml, GET /scim/ResourceTypes/{name}.
func (s SCIM) GetType(ctx context.Context, c *op.Call, in Document) (wire.Object, error) {
	all, err := s.types(ctx, c)
	return named(all, in.Name, err)
}

// named finds a document by its id, whatever its case.
func named(all []wire.Object, id string, err error) (wire.Object, error) {
	i := slices.IndexFunc(all, func(o wire.Object) bool { return strings.EqualFold(o["id"].(string), id) })
	if err == nil && i < 0 {
		err = ErrNoDocument
	}
	if err != nil {
		return nil, err
	}
	return all[i], nil
}

// ListSchemas lists the schemas, the tenant's own attributes among them. scim.yaml, GET /scim/Schemas.
func (s SCIM) ListSchemas(ctx context.Context, c *op.Call, _ Documents) (wire.List, error) {
	all, err := s.schemas(ctx, c)
	return list(all), err
}

func (s SCIM) schemas(ctx context.Context, c *op.Call) (out []wire.Object, err error) {
	ts, err := s.Directory.Types(ctx, c)
	done := map[string]bool{}
	for _, t := range ts {
		for _, sc := range append([]*wire.Schema{t.Schema}, t.Extensions...) {
			if !done[sc.ID] {
				done[sc.ID] = true
				out = append(out, sc.Document(provision.Base(c)+"/Schemas/"+sc.ID))
			}
		}
	}
	return out, err
}

// GetSchema answers one schema. Colons in the path may come escaped. scim.yaml, GET /scim/Schemas/{urn}.
func (s SCIM) GetSchema(ctx context.Context, c *op.Call, in Document) (wire.Object, error) {
	all, err := s.schemas(ctx, c)
	return named(all, in.Name, err)
}
