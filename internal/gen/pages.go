package gen

import (
	"fmt"
	"reflect"
	"sort"
	"strings"

	"limen/internal/op"
)

// Pages gives the API pages by file name: one per area, and an index.
func Pages(surfaces []Surface, docs Comments) map[string]string {
	out := map[string]string{}
	index := &strings.Builder{}
	index.WriteString("# API\n\nMade from the source; `make generate` writes it anew. [openapi.json](openapi.json) says the same for machines, [rules.txt](rules.txt) who may call what.\n")
	for _, s := range surfaces {
		fmt.Fprintf(index, "\n## %s\n\n", s.Name)
		by := map[string][]op.Op{}
		for _, o := range s.Ops {
			by[area(o)] = append(by[area(o)], o)
		}
		for _, a := range sortedKeys(by) {
			file := s.Name + "-" + a + ".md"
			out[file] = page(s, a, by[a], docs)
			fmt.Fprintf(index, "- [%s](%s): %d operations\n", a, file, len(by[a]))
		}
	}
	out["README.md"] = index.String()
	return out
}

func page(s Surface, name string, ops []op.Op, docs Comments) string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "# %s: %s\n", s.Name, name)
	for _, o := range ops {
		fmt.Fprintf(b, "\n## %s %s\n\n%s\n\n", o.Method, o.Path, docs.Of(o.Func))
		if len(o.Paths) > 0 {
			fmt.Fprintf(b, "Also at: `%s`.\n\n", strings.Join(o.Paths, "`, `"))
		}
		fmt.Fprintf(b, "Who: %s. Effect: %s.", o.Allow, o.Effect)
		if o.Audit != "" {
			fmt.Fprintf(b, " Event: `%s`.", o.Audit)
		}
		b.WriteString("\n")
		fields(b, "Takes", o.In, docs)
		if _, ok := s.Codec.(Pager); ok {
			b.WriteString("\nAnswers: a page.\n")
		} else {
			fields(b, "Answers", o.Out, docs)
		}
		if len(o.Faults) > 0 {
			b.WriteString("\n| fault | kind | says |\n| --- | --- | --- |\n")
			for _, f := range o.Faults {
				fmt.Fprintf(b, "| `%s` | %s | %s |\n", f.Code, f.Kind, f.Public)
			}
		}
	}
	return b.String()
}

func fields(b *strings.Builder, title string, t reflect.Type, docs Comments) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[op.None]() {
		if t.Kind() != reflect.Struct {
			fmt.Fprintf(b, "\n%s: %s.\n", title, t.Kind())
		}
		return
	}
	rows := &strings.Builder{}
	fieldRows(rows, t, docs)
	if rows.Len() > 0 {
		fmt.Fprintf(b, "\n| %s | type | meaning |\n| --- | --- | --- |\n%s", strings.ToLower(title), rows)
	}
}

func fieldRows(b *strings.Builder, t reflect.Type, docs Comments) {
	key := t.PkgPath() + "." + t.Name()
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if form := f.Tag.Get("form"); form != "" {
			name = "file " + form
		}
		if f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct {
			fieldRows(b, f.Type, docs)
			continue
		}
		if !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		doc := strings.ReplaceAll(docs.Of(key+"."+f.Name), "\n", " ")
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", name, typeName(f.Type), strings.ReplaceAll(doc, "|", `\|`))
	}
}

func typeName(t reflect.Type) string {
	if reflect.PointerTo(t).Implements(valueType) {
		f, _ := t.FieldByName("value")
		return typeName(f.Type) + ", optional"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeName(t.Elem())
	case reflect.Slice:
		return "list of " + typeName(t.Elem())
	case reflect.Map:
		return "map of " + typeName(t.Elem())
	case reflect.Struct:
		return t.Name()
	case reflect.Interface:
		return "any"
	}
	return t.Kind().String()
}

// Rules is the golden file of who may call what: a changed permission is a line that differs.
func Rules(surfaces []Surface) string {
	var lines []string
	for _, s := range surfaces {
		for _, o := range s.Ops {
			lines = append(lines, fmt.Sprintf("%-6s %-60s %-13s %s", o.Method, o.Path, o.Effect, o.Allow))
		}
	}
	sort.Strings(lines)
	return strings.Join(lines, "\n") + "\n"
}

func sortedKeys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
