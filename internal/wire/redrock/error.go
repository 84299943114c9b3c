package redrock

import (
	"fmt"
	"slices"
	"strings"
)

// Code says what is wrong with a script; it is stable and meant for programs.
type Code string

// The codes that an [Error] can have.
const (
	CodeSyntax      Code = "redrock.syntax"           // not a sentence of the dialect
	CodeUnsupported Code = "redrock.unsupported"      // SQL, but outside the dialect
	CodeTable       Code = "redrock.unknown_table"    // no such table
	CodeColumn      Code = "redrock.unknown_column"   // no such column
	CodeAmbiguous   Code = "redrock.ambiguous_column" // a column that several tables have
	CodeFunction    Code = "redrock.unknown_function" // no such function, or wrong arguments
	CodeType        Code = "redrock.type"             // values that cannot be compared or combined
	CodeAggregate   Code = "redrock.aggregate"        // count, min, max, sum or avg where none may stand
	CodeLimit       Code = "redrock.too_large"        // a limit is exceeded
	CodeParameter   Code = "redrock.parameter"        // a placeholder that nobody filled
	CodeArgument    Code = "redrock.argument"         // a bad member of Args
)

// Error is a complaint about a script, with the place it is about. Its text is meant for the author of the script.
type Error struct {
	Code   Code
	Text   string // a sentence
	Line   int    // from 1; 0 when the complaint is about no single place
	Column int    // from 1, in characters
	Token  string // the word or sign at that place, shortened
}

// Error is the sentence followed by the place.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Text
	}
	return fmt.Sprintf("%s (line %d, column %d)", e.Text, e.Line, e.Column)
}

const tokenShown = 40

func errAt(p Pos, code Code, format string, args ...any) *Error {
	return &Error{Code: code, Text: fmt.Sprintf(format, args...), Line: p.Line, Column: p.Column, Token: p.token}
}

func shorten(s string) string {
	r := []rune(s)
	if len(r) <= tokenShown {
		return s
	}
	return string(r[:tokenShown]) + "..."
}

// suggest is "; did you mean X" when a name of the list is near, otherwise nothing.
func suggest(name string, list []string) string {
	best, dist := "", 1+len(name)/3
	for _, l := range list {
		if d := distance(fold(name), fold(l), dist); d <= dist && (best == "" || d < dist) {
			best, dist = l, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// distance is the number of letters to change, add or drop between a and b, or limit+1 when it is beyond limit.
func distance(a, b string, limit int) int {
	if len(a) > 200 || len(b) > 200 || len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// fold is the form in which names of tables, columns, functions and keywords are compared: without the case of ASCII letters.
func fold(s string) string {
	b := []byte(s)
	for i, c := range b {
		b[i] = lowered(c)
	}
	return string(b)
}

func same(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lowered(a[i]) != lowered(b[i]) {
			return false
		}
	}
	return true
}

func lowered(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func sorted(names []string) []string {
	out := slices.Clone(names)
	slices.SortFunc(out, byName)
	return out
}

func byName(a, b string) int {
	for i := range min(len(a), len(b)) {
		if c := int(lowered(a[i])) - int(lowered(b[i])); c != 0 {
			return c
		}
	}
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}
