package gen

import (
	"encoding/json"
	"reflect"
	"sort"
	"strings"
	"time"

	"limen/internal/op"
)

// Surface is one dialect's operations as they are mounted.
type Surface struct {
	Name     string
	Prefixes []string
	Codec    op.Codec
	Ops      []op.Op
}

// Pager is a codec whose operations take forms and answer pages: it names the media types of both.
type Pager interface {
	Media() (takes, answers string)
}

type object = map[string]any

// OpenAPI describes the operations as an OpenAPI 3.1 document, in a stable order.
func OpenAPI(surfaces []Surface, docs Comments) ([]byte, error) {
	b := builder{docs: docs, schemas: object{}, names: map[reflect.Type]string{}}
	paths := object{}
	for _, s := range surfaces {
		for _, o := range s.Ops {
			item, _ := paths[o.Path].(object)
			if item == nil {
				item = object{}
				paths[o.Path] = item
			}
			item[strings.ToLower(o.Method)] = b.operation(s, o)
		}
	}
	out, err := json.MarshalIndent(object{
		"openapi": "3.1.0",
		"info":    object{"title": "Limen", "version": "1", "license": object{"name": "Apache-2.0", "identifier": "Apache-2.0"}},
		"paths":   paths,
		"components": object{
			"schemas": b.schemas,
			"securitySchemes": object{
				"bearer": object{"type": "http", "scheme": "bearer"},
				"cookie": object{"type": "apiKey", "in": "cookie", "name": ".ASPXAUTH"},
			},
		},
	}, "", " ")
	return append(out, '\n'), err
}

type builder struct {
	docs    Comments
	schemas object
	names   map[reflect.Type]string
}

func (b *builder) operation(s Surface, o op.Op) object {
	m := object{
		"operationId": area(o) + "." + o.Name, "tags": []string{s.Name + "/" + area(o)},
		"summary": b.summary(o), "description": b.docs.Of(o.Func),
		"x-allow": o.Allow.String(), "x-effect": o.Effect.String(), "x-faults": faultCodes(o),
		"responses": object{"200": object{"description": "The envelope with the result, or with the failure.", "content": b.content(o.Out)}},
	}
	takes := "application/json"
	if p, ok := s.Codec.(Pager); ok {
		var answers string
		takes, answers = p.Media()
		m["responses"] = object{"200": object{"description": "A page.", "content": object{answers: object{"schema": object{"type": "string"}}}}}
	}
	if o.Audit != "" {
		m["x-event"] = o.Audit
	}
	if len(o.Paths) > 0 {
		m["x-also-at"] = o.Paths
	}
	if !o.Allow.Open() {
		m["security"] = []object{{"bearer": []string{}}, {"cookie": []string{}}}
	}
	if params := b.pathParams(o); len(params) > 0 {
		m["parameters"] = params
	}
	if o.Method != "GET" && o.In.Kind() == reflect.Struct && o.In.NumField() > 0 {
		m["requestBody"] = object{"content": object{takes: object{"schema": b.schema(o.In)}}}
	}
	return m
}

// summary is the first sentence of what is said of an operation.
func (b *builder) summary(o op.Op) string {
	summary, _, _ := strings.Cut(b.docs.Of(o.Func), "\n\n")
	summary, _, _ = strings.Cut(strings.ReplaceAll(summary, "\n", " "), ". ")
	return strings.TrimSuffix(summary, ".")
}

func (b *builder) pathParams(o op.Op) []object {
	var out []object
	for seg := range strings.SplitSeq(o.Path, "/") {
		if name, ok := strings.CutPrefix(seg, "{"); ok {
			out = append(out, object{
				"name": strings.TrimRight(name, ".}"), "in": "path", "required": true, "schema": object{"type": "string"},
			})
		}
	}
	return out
}

func faultCodes(o op.Op) []string {
	codes := []string{}
	for _, f := range o.Faults {
		codes = append(codes, f.Code)
	}
	sort.Strings(codes)
	return codes
}

// area is the package of the operation, which is the contract's file.
func area(o op.Op) string {
	pkg := o.Func[strings.LastIndexByte(o.Func, '/')+1:]
	pkg, _, _ = strings.Cut(pkg, ".")
	return pkg
}

func (b *builder) content(t reflect.Type) object {
	return object{"application/json": object{"schema": b.schema(t)}}
}

var (
	timeType   = reflect.TypeFor[time.Time]()
	uploadType = reflect.TypeFor[op.Upload]()
	rawType    = reflect.TypeFor[json.RawMessage]()
	valueType  = reflect.TypeFor[interface{ Ptr() any }]()
)

func (b *builder) schema(t reflect.Type) object {
	switch {
	case t == timeType || t.Name() == "Time" && t.ConvertibleTo(timeType):
		return object{"type": "string", "description": "Time as /Date(ms)/, ms since 1970 UTC; requests also take ISO 8601."}
	case t == uploadType:
		return object{"type": "string", "format": "binary"}
	case t == rawType:
		return object{}
	case reflect.PointerTo(t).Implements(valueType): // op.Opt
		f, _ := t.FieldByName("value")
		return b.schema(f.Type)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return b.schema(t.Elem())
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64, reflect.Int32, reflect.Uint, reflect.Uint64, reflect.Uint32, reflect.Uint16, reflect.Uint8:
		return object{"type": "integer"}
	case reflect.Float64, reflect.Float32:
		return object{"type": "number"}
	case reflect.Slice, reflect.Array:
		return object{"type": "array", "items": b.schema(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": b.schema(t.Elem())}
	case reflect.Struct:
		return b.structure(t)
	default:
		return object{}
	}
}

func (b *builder) structure(t reflect.Type) object {
	if t.Name() == "" {
		return b.properties(t, "")
	}
	name, ok := b.names[t]
	if !ok {
		name = t.PkgPath()[strings.LastIndexByte(t.PkgPath(), '/')+1:] + "." + t.Name()
		b.names[t] = name
		b.schemas[name] = b.properties(t, t.PkgPath()+"."+t.Name())
	}
	return object{"$ref": "#/components/schemas/" + name}
}

func (b *builder) properties(t reflect.Type, key string) object {
	props := object{}
	b.fill(props, t, key)
	out := object{"type": "object", "properties": props}
	if doc := b.docs[key]; doc != "" {
		out["description"] = doc
	}
	return out
}

func (b *builder) fill(props object, t reflect.Type, key string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if form := f.Tag.Get("form"); form != "" {
			name = form
		}
		if f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct {
			b.fill(props, f.Type, f.Type.PkgPath()+"."+f.Type.Name())
			continue
		}
		if !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		s := b.schema(f.Type)
		if doc := b.docs[key+"."+f.Name]; doc != "" {
			s["description"] = doc
		}
		props[name] = s
	}
}
