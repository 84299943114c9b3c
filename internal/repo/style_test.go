package repo

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestFilesStayReadable(t *testing.T) {
	for _, s := range sources(t) {
		if s.lines > 500 && !strings.HasPrefix(s.text, "// Code generated") {
			t.Errorf("%s has %d lines; split it by noun or verb", s.path, s.lines)
		}
	}
}

func TestPackageNamesSayWhatIsInThem(t *testing.T) {
	for _, s := range sources(t) {
		switch path.Base(s.pkg) {
		case "util", "utils", "common", "helpers", "helper", "types", "models", "misc", "base":
			t.Errorf("%s: a package called %s says nothing", s.path, path.Base(s.pkg))
		}
	}
}

var unfinished = regexp.MustCompile(`\b(TODO|FIXME)\b|// ?XXX\b|not implemented|unimplemented`)

func TestNothingIsLeftUnfinished(t *testing.T) {
	for _, s := range sources(t) {
		if s.pkg == "internal/repo" {
			continue
		}
		if hit := unfinished.FindString(s.text); hit != "" {
			t.Errorf("%s says %q: finish it, or take it out", s.path, hit)
		}
	}
}

var skips = regexp.MustCompile(`t\.Skip(Now)?\(\s*\)`)

func TestNoTestIsSkippedWithoutAReason(t *testing.T) {
	for _, s := range sources(t) {
		if s.test && skips.MatchString(s.text) {
			t.Errorf("%s skips a test and does not say why", s.path)
		}
	}
}

func TestPackagesAreDocumented(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		if _, seen := documented[s.pkg]; !seen {
			documented[s.pkg] = false
		}
		if regexp.MustCompile(`(?m)^(// (Package|Command) .*\n(//.*\n)*|/\*(?s:.*?)\*/\n)package `).MatchString(s.text) {
			documented[s.pkg] = true
		}
	}
	for pkg, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment", pkg)
		}
	}
}

// TestDependenciesAreExplained keeps docs/dependencies.md equal to go.mod: every direct dependency has a reason.
func TestDependenciesAreExplained(t *testing.T) {
	mod, err := os.ReadFile(filepath.Join(root(t), "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root(t), "docs/dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	direct := map[string]bool{}
	for line := range strings.Lines(string(mod)) {
		f := strings.Fields(line)
		if len(f) == 2 && strings.HasPrefix(f[1], "v") && strings.Contains(f[0], ".") {
			direct[f[0]] = true
			if !strings.Contains(string(page), "`"+f[0]+"`") {
				t.Errorf("docs/dependencies.md does not say why %s is used", f[0])
			}
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(string(page), -1) {
		if !direct[m[1]] {
			t.Errorf("docs/dependencies.md explains %s, which go.mod does not require directly", m[1])
		}
	}
}
