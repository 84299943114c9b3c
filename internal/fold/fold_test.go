package fold

import (
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

func TestKey(t *testing.T) {
	for _, c := range [][2]string{
		{"Anna@Acme", "anna@acme"},
		{"  x ", "x"},
		{"STRASSE", "strasse"},
		{"Straße", "strasse"},
		{"E\u0301", "\u00e9"},
		{"ΣΊΣΥΦΟΣ", "σίσυφοσ"},
		{"", ""},
	} {
		if got := Key(c[0]); got != c[1] {
			t.Errorf("Key(%q) = %q, want %q", c[0], got, c[1])
		}
	}
}

func TestEveryLetterFoldsAsItsOtherCase(t *testing.T) {
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		if !unicode.IsLetter(r) {
			continue
		}
		k := Key(string(r))
		if Key(k) != k {
			t.Errorf("%U: Key(%q) = %q", r, k, Key(k))
		}
		if f := unicode.SimpleFold(r); f != r && unicode.ToLower(f) == unicode.ToLower(r) && Key(string(f)) != k {
			t.Errorf("%U and %U: %q and %q", r, f, k, Key(string(f)))
		}
	}
}

func TestKeyIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		if k := Key(s); Key(k) != k {
			t.Fatalf("Key(Key(%q)) = %q, want %q", s, Key(k), k)
		}
	})
}
