package repo

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"limen/internal/app"
	"limen/internal/gen"
	"limen/internal/op"
)

// TestOperationsAreDocumented wants a comment on every operation, and on every field of its input.
func TestOperationsAreDocumented(t *testing.T) {
	docs, err := gen.ReadComments(root(t), gen.Module)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range app.Catalogue() {
		for _, o := range s.Ops {
			if docs[o.Func] == "" {
				t.Errorf("%s: %s has no comment", o.Path, o.Func)
			}
			documented(t, docs, o.In, map[reflect.Type]bool{})
		}
	}
}

func documented(t *testing.T, docs gen.Comments, in reflect.Type, seen map[reflect.Type]bool) {
	for in.Kind() == reflect.Pointer || in.Kind() == reflect.Slice {
		in = in.Elem()
	}
	if in.Kind() != reflect.Struct || seen[in] || !strings.HasPrefix(in.PkgPath(), "limen/internal/surface/") {
		return
	}
	seen[in] = true
	for i := range in.NumField() {
		f := in.Field(i)
		if f.IsExported() && !f.Anonymous && f.Tag.Get("json") != "-" && docs[in.PkgPath()+"."+in.Name()+"."+f.Name] == "" {
			t.Errorf("%s.%s.%s has no comment", in.PkgPath(), in.Name(), f.Name)
		}
		documented(t, docs, f.Type, seen)
	}
}

// TestOperationsHaveExchanges wants a golden exchange for every operation beside the code that serves it.
func TestOperationsHaveExchanges(t *testing.T) {
	for _, s := range app.Catalogue() {
		for _, o := range s.Ops {
			dir := strings.TrimPrefix(o.Func[:strings.LastIndexByte(o.Func, '/')+1]+pkg(o), "limen/")
			file := filepath.Join(root(t), dir, "testdata", o.Name+".txtar")
			text, err := os.ReadFile(file)
			if err != nil {
				t.Errorf("%s has no golden exchange %s/testdata/%s.txtar", o.Path, dir, o.Name)
				continue
			}
			if !o.Allow.Open() && !strings.Contains(string(text), "| nobody") && !strings.Contains(string(text), "| plain") {
				t.Errorf("%s: no exchange shows a refused caller", file)
			}
		}
	}
}

func pkg(o op.Op) string {
	name := o.Func[strings.LastIndexByte(o.Func, '/')+1:]
	name, _, _ = strings.Cut(name, ".")
	return name
}
