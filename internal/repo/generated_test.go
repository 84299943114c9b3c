package repo

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"limen/internal/app"
	"limen/internal/gen"
)

func TestGeneratedFilesAreUpToDate(t *testing.T) {
	top := root(t)
	files, err := gen.Files(top, app.Catalogue())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(top, name))
		if err != nil {
			t.Errorf("%v: run make generate", err)
			continue
		}
		if d := cmp.Diff(string(got), string(want)); d != "" {
			if len(d) > 2000 {
				d = d[:2000] + "..."
			}
			t.Errorf("%s differs from what make generate makes (-committed +made):\n%s", name, d)
		}
	}
	pages, err := filepath.Glob(filepath.Join(top, "docs/api/*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		if _, ok := files["docs/api/"+filepath.Base(p)]; !ok {
			t.Errorf("docs/api/%s is made by nothing any more; delete it", filepath.Base(p))
		}
	}
}
