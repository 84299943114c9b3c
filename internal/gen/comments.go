// Package gen makes the documents that follow from the registry of operations: the OpenAPI description, a page per area,
// the table of rules, and the state column of docs/contract.tsv. A test compares them with what is committed.
package gen

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Comments are the doc comments of the tree, by "import/path.Name", "import/path.Receiver.Method" and
// "import/path.Type.Field".
type Comments map[string]string

// ReadComments parses every Go file below root/internal.
func ReadComments(root, module string) (Comments, error) {
	out := Comments{}
	err := filepath.WalkDir(filepath.Join(root, "internal"), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return err
		}
		src, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(p))
		if err != nil {
			return err
		}
		out.file(path.Join(module, filepath.ToSlash(rel)), f)
		return nil
	})
	return out, err
}

func (cs Comments) file(pkg string, f *ast.File) {
	if f.Doc != nil {
		cs.put(pkg, f.Doc)
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			cs.put(pkg+"."+receiver(d)+d.Name.Name, d.Doc)
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if t, ok := s.(*ast.TypeSpec); ok {
					cs.typ(pkg, d, t)
				}
			}
		}
	}
}

func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return ""
	}
	switch t := d.Recv.List[0].Type.(type) {
	case *ast.StarExpr:
		if id, ok := t.X.(*ast.Ident); ok {
			return "(*" + id.Name + ")."
		}
	case *ast.Ident:
		return t.Name + "."
	}
	return ""
}

func (cs Comments) typ(pkg string, d *ast.GenDecl, t *ast.TypeSpec) {
	doc := t.Doc
	if doc == nil {
		doc = d.Doc
	}
	cs.put(pkg+"."+t.Name.Name, doc)
	if s, ok := t.Type.(*ast.StructType); ok {
		cs.fields(pkg+"."+t.Name.Name, s)
	}
}

func (cs Comments) fields(of string, s *ast.StructType) {
	for _, f := range s.Fields.List {
		for _, n := range f.Names {
			if f.Doc != nil {
				cs.put(of+"."+n.Name, f.Doc)
			} else {
				cs.put(of+"."+n.Name, f.Comment)
			}
		}
	}
}

func (cs Comments) put(key string, g *ast.CommentGroup) {
	if text := strings.TrimSpace(g.Text()); text != "" {
		cs[key] = text
	}
}

// Of gives the comment under key, without the leading name that Go style asks for, as a sentence.
func (cs Comments) Of(key string) string {
	text := cs[key]
	name := key[strings.LastIndexByte(key, '.')+1:]
	if rest, ok := strings.CutPrefix(text, name+" "); ok {
		rest = strings.TrimPrefix(strings.TrimPrefix(rest, "is "), "are ")
		text = strings.ToUpper(rest[:1]) + rest[1:]
	}
	return text
}
