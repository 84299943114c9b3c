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
	return norm.NFC.String(cases.Fold().String(norm.NFD.String(s)))
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
