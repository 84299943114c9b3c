package repo

import (
	"strings"
	"testing"
)

// layers says which packages of ours a package may import: the first row whose prefix fits counts. Test files may
// import more, because they put the program together.
var layers = []struct {
	of  string
	may []string
}{
	{"internal/fault", nil},
	{"internal/fold", nil},
	{"internal/wire/", nil},
	{"internal/core/right", []string{"internal/fold"}},
	{"internal/core/grant", nil},
	{"internal/dbx/dbxtest", []string{"internal/dbx", "internal/schema"}},
	{"internal/dbx", []string{"internal/fault"}},
	{"internal/schema", []string{"internal/dbx", "internal/fault"}},
	{"internal/crypt/hsm", []string{"internal/crypt"}},
	{"internal/crypt", []string{"internal/fault", "internal/dbx"}},
	{"internal/call", []string{"internal/fault", "internal/dbx", "internal/core/right", "internal/core/grant"}},
	{"internal/core/", []string{"internal/fault", "internal/fold", "internal/wire/", "internal/dbx", "internal/crypt", "internal/call", "internal/core/"}},
	{"internal/op", []string{"internal/call", "internal/fault", "internal/dbx", "internal/core/right", "internal/core/grant"}},
	{"internal/platform/", []string{"internal/fault", "internal/dbx", "internal/platform/"}},
	{"internal/config", []string{"internal/fault", "internal/crypt"}},
	{"internal/surface/", []string{"internal/op", "internal/call", "internal/core/", "internal/wire/", "internal/fault", "internal/fold", "internal/crypt", "web/"}},
	{"web/page", nil},
	{"web/", []string{"web/page"}},
	{"internal/gen/cmd", []string{"internal/gen", "internal/app"}},
	{"internal/gen", []string{"internal/op"}},
	{"internal/repo", []string{"internal/app", "internal/gen", "internal/dbx"}},
	{"internal/app", []string{"internal/", "web/"}},
	{"cmd/limen", []string{"internal/app", "internal/config", "internal/fault"}},
	{"bench", []string{"internal/", "bench/"}},
	{"test/", []string{"internal/", "test/"}},
}

func TestImports(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		may, known := allowed(s.pkg)
		if !known {
			t.Errorf("%s: no rule says what %s may import; add a row", s.path, s.pkg)
			continue
		}
		for _, i := range s.imports {
			ours, ok := strings.CutPrefix(i, "limen/")
			if ok && !fits(s.pkg, ours, may) {
				t.Errorf("%s imports %s, which %s may not", s.path, ours, s.pkg)
			}
		}
	}
}

func allowed(pkg string) ([]string, bool) {
	for _, l := range layers {
		if pkg == l.of || strings.HasPrefix(pkg+"/", strings.TrimSuffix(l.of, "/")+"/") {
			return l.may, true
		}
	}
	return nil, false
}

func fits(pkg, ours string, may []string) bool {
	if d := dialect(pkg); d != "" && strings.HasPrefix(ours, "internal/surface/") {
		return dialect(ours) == d // a dialect's areas share its codec, and know no other dialect
	}
	if p, ok := protocol(pkg); ok && strings.HasPrefix(ours, p) {
		return true
	}
	if strings.HasSuffix(pkg, "test") && ours == "internal/dbx/dbxtest" {
		return true // suites that each plug-in passes run on real stores
	}
	for _, m := range may {
		if ours == m || strings.HasSuffix(m, "/") && strings.HasPrefix(ours, m) {
			return true
		}
	}
	return false
}

func dialect(pkg string) string {
	rest, ok := strings.CutPrefix(pkg, "internal/surface/")
	if !ok {
		return ""
	}
	d, _, _ := strings.Cut(rest, "/")
	return d
}

func protocol(pkg string) (string, bool) {
	rest, ok := strings.CutPrefix(pkg, "internal/wire/")
	p, _, _ := strings.Cut(rest, "/")
	return "internal/wire/" + p, ok
}
