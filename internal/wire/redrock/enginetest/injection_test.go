package enginetest

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"limen/internal/wire/redrock"
)

// TestInjections runs scripts that try to leave their quotes: each is refused with an Error, or answers alike on both engines and from the
// caller's own tenant only.
func TestInjections(t *testing.T) {
	cat := catalogue(t)
	dbs := stores(t)
	for _, s := range dbs {
		s.fill(t)
	}
	ran := 0
	for _, q := range lines(t, filepath.Join("..", "testdata", "injections.txt")) {
		s, err := redrock.Parse(q, redrock.Limits{})
		var e *redrock.Error
		if err != nil {
			if !errors.As(err, &e) {
				t.Errorf("%s: %v", q, err)
			}
			continue
		}
		var first []string
		for i, db := range dbs {
			p, err := redrock.Compile(s, cat, redrock.Engine(i), options())
			if err != nil {
				if !errors.As(err, &e) {
					t.Errorf("%s: %v", q, err)
				}
				continue
			}
			ran++
			got, _ := db.run(t, p)
			if i == 0 {
				first = got
			} else if !slices.Equal(got, first) {
				t.Errorf("%s: the engines differ\n%v\n%v", q, first, got)
			}
			if all := strings.Join(got, " "); strings.Contains(all, "Stranger") || strings.Contains(all, `"x1"`) || strings.Contains(all, `"x9"`) {
				t.Errorf("%s: another tenant's rows: %s", q, all)
			}
		}
	}
	if ran < 20 {
		t.Errorf("only %d scripts ran", ran)
	}
}
