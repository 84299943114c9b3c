package gen

import (
	"os"
	"path/filepath"
)

//go:generate go run ./cmd ../..

// Module is the import path of the tree.
const Module = "limen"

// Files gives every generated file by its path below root.
func Files(root string, surfaces []Surface) (map[string][]byte, error) {
	docs, err := ReadComments(root, Module)
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	if out["docs/api/openapi.json"], err = OpenAPI(surfaces, docs); err != nil {
		return nil, err
	}
	for _, s := range surfaces {
		if s.Name == "identity" {
			if out["internal/surface/identity/library/swagger.json"], err = Swagger(s, docs); err != nil {
				return nil, err
			}
		}
	}
	for name, text := range Pages(surfaces, docs) {
		out["docs/api/"+name] = []byte(text)
	}
	out["docs/api/rules.txt"] = []byte(Rules(surfaces))
	table, err := os.ReadFile(filepath.Join(root, "docs/contract.tsv"))
	if err != nil {
		return nil, err
	}
	text, err := Contract(string(table), surfaces)
	out["docs/contract.tsv"] = []byte(text)
	return out, err
}
