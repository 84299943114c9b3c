// Command cmd writes the generated documents: "go generate ./internal/gen" runs it.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"limen/internal/app"
	"limen/internal/gen"
)

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(root string) error {
	files, err := gen.Files(root, app.Catalogue())
	if err != nil {
		return err
	}
	for name, content := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
