package gen

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"limen/internal/op"
)

// Swagger describes the operations of one dialect, which are called by POST with JSON, as a Swagger 2.0 document: a line for each, in the order of their
// paths. Clients list operations by it, so each has a tag, a summary and the names of its parameters; what these are made of is in OpenAPI's.
func Swagger(s Surface, docs Comments) ([]byte, error) {
	var lines [][]byte
	for _, o := range s.Ops {
		if strings.Contains(o.Path, "{") || !slices.Contains(s.Codec.Methods(&o), http.MethodPost) {
			continue
		}
		b := builder{docs: docs, schemas: object{}, names: map[reflect.Type]string{}}
		line, err := json.Marshal(object{"post": b.posted(o)})
		if err != nil {
			return nil, err
		}
		name, err := json.Marshal(o.Path)
		if err != nil {
			return nil, err
		}
		lines = append(lines, slices.Concat(name, []byte(": "), line))
	}
	slices.SortFunc(lines, bytes.Compare)
	head := `{"swagger": "2.0", "info": {"title": "Limen", "version": "1"}, "basePath": "/", "consumes": ["application/json"], "produces": ["application/json"],
"securityDefinitions": {"bearer": {"type": "apiKey", "in": "header", "name": "Authorization"}},
"paths": {
`
	return slices.Concat([]byte(head), bytes.Join(lines, []byte(",\n")), []byte("\n}}\n")), nil
}

// posted is one operation.
func (b *builder) posted(o op.Op) object {
	params := []object{}
	if props := (object{}); o.In.Kind() == reflect.Struct {
		b.fill(props, o.In, o.In.PkgPath()+"."+o.In.Name())
		for name, p := range props {
			props[name] = flat(p.(object))
		}
		if len(props) > 0 {
			params = append(params, object{"in": "body", "name": "request", "schema": object{"type": "object", "properties": props}})
		}
	}
	tag, _, _ := strings.Cut(strings.TrimPrefix(o.Path, "/"), "/")
	out := object{
		"tags": []string{tag}, "summary": b.summary(o), "parameters": params,
		"responses": object{"200": object{"description": "The envelope with the result, or with the failure."}},
	}
	if !o.Allow.Open() {
		out["security"] = []object{{"bearer": []string{}}}
	}
	return out
}

// flat is a property without what is inside it.
func flat(p object) object {
	out := object{}
	switch {
	case p["$ref"] != nil:
		out["type"] = "object"
	case p["type"] == "array":
		items, _ := p["items"].(object)
		out["type"], out["items"] = "array", flat(items)
	case p["type"] != nil:
		out["type"] = p["type"]
	}
	if text, ok := p["description"].(string); ok && p["$ref"] == nil {
		out["description"] = strings.ReplaceAll(text, "\n", " ")
	}
	return out
}
