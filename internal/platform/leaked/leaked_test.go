package leaked

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // as the list has it
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func hashOf(plain string) string { return fmt.Sprintf("%X", sha1.Sum([]byte(plain))) } //nolint:gosec // as the list has it

// list is a file of n passwords, with an ending of lines.
func list(n int, ending string) string {
	var lines []string
	for i := range n {
		lines = append(lines, fmt.Sprintf("%s:%d", hashOf(fmt.Sprint("password", i)), i*i))
	}
	slices.Sort(lines)
	return strings.Join(lines, ending)
}

func TestEveryPasswordOfAListIsFound(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 257} {
		for _, ending := range []string{"\n", "\r\n"} {
			for _, last := range []string{"", ending} {
				path := filepath.Join(t.TempDir(), "list")
				if err := os.WriteFile(path, []byte(list(n, ending)+last), 0o600); err != nil {
					t.Fatal(err)
				}
				for i := range n + 20 {
					got, err := Passwords{path}.Has(fmt.Sprint("password", i))
					if err != nil || got != (i < n) {
						t.Fatalf("%d of %d with %q: %v %v", i, n, ending+last, got, err)
					}
				}
			}
		}
	}
}

func TestFilesThatAreNoLists(t *testing.T) {
	for _, text := range []string{"", "nothing of the kind", strings.Repeat("x", 1000), "<html>\n<body>\n", strings.Repeat("0", 39) + "\n"} {
		if got, err := search(strings.NewReader(text), int64(len(text)), hashOf("x")); got || !errors.Is(err, ErrForm) {
			t.Errorf("%.20q: %v %v", text, got, err)
		}
	}
	if _, err := (Passwords{filepath.Join(t.TempDir(), "gone")}).Has("x"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func FuzzSearch(f *testing.F) {
	f.Add([]byte(list(5, "\n")), "password3")
	f.Add([]byte(list(3, "\r\n")), "x")
	f.Fuzz(func(t *testing.T, text []byte, plain string) {
		found, _ := search(bytes.NewReader(text), int64(len(text)), hashOf(plain))
		if found && !bytes.Contains(bytes.ToUpper(text), []byte(hashOf(plain))) {
			t.Error("found what is not there")
		}
	})
}
