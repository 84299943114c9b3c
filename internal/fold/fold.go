// Package fold makes the keys by which names are compared.
package fold

import (
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Key is the form of s used wherever names are compared or looked up without regard to case: Unicode full case folding
// between two normalizations to NFC (Unicode 16, section 3.13, definition D145), with surrounding space cut off.
// Key columns of the store hold exactly this, so that both engines compare and sort alike.
func Key(s string) string {
	s = strings.TrimSpace(s)
	if ascii(s) {
		return strings.ToLower(s)
	}
	return norm.NFC.String(strings.Map(cherokee, cases.Fold().String(norm.NFD.String(s))))
}

// cherokee gives the large form of the letters whose folding goes that way round (Unicode's CaseFolding.txt, U+13F8 to
// U+13FD and U+AB70 to U+ABBF). The library folds the large ones to small ones as well, so that folding twice would undo it.
func cherokee(r rune) rune {
	switch {
	case r >= 0xab70 && r <= 0xabbf:
		return r - 0xab70 + 0x13a0
	case r >= 0x13f8 && r <= 0x13fd:
		return r - 8
	}
	return r
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
