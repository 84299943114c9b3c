package tokenfile

import (
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"limen/internal/core/factor/oath"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/fold"
	"limen/internal/wire/csvfile"
)

// Token is what a row says.
type Token struct {
	Line int       `json:"l"` // of the file
	User string    `json:"u"` // login name
	Seed oath.Seed `json:"s"`
}

// Problem is what is wrong with a cell, or what a row came to.
type Problem struct {
	Line   int    `json:"l"`
	Column string `json:"c,omitempty"` // empty: the row
	Why    string `json:"y"`           // completes "Line 3, column Digits ..."
}

// String is the sentence.
func (p Problem) String() string {
	s := fmt.Sprintf("Line %d", p.Line)
	if p.Column != "" {
		s += ", column " + p.Column
	}
	return s + ": " + p.Why + "."
}

// Names of the columns, as the contract has them (mfa.yaml n 57).
const (
	colUser      = "User Principal Name"
	colSerial    = "Token Identifier"
	colSecret    = "Secret Key (HEX)"
	colAccount   = "Account Name"
	colIssuer    = "Issuer"
	colAlgorithm = "Algorithm"
	colDigits    = "Digits"
	colType      = "Type"
	colPeriod    = "Period"
	colCounter   = "Counter"
)

// column is a column that a file may have.
type column struct {
	name string
	need bool     // the header must have it
	also []string // what it is called besides
	set  func(t *Token, cell string) (why string)
}

var columns = []column{
	{name: colUser, need: true, also: []string{"UPN", "User Name", "Login Name"}, set: setUser},
	{name: colSerial, also: []string{"Serial Number", "Serial"}, set: setSerial},
	{name: colSecret, need: true, also: []string{"Secret Key", "Secret"}, set: setSecret},
	{name: colAccount, set: text(254, func(t *Token) *string { return &t.Seed.Name })},
	{name: colIssuer, set: text(200, func(t *Token) *string { return &t.Seed.Issuer })},
	{name: colAlgorithm, also: []string{"Hash Algorithm", "HMAC Algorithm"}, set: setAlgorithm},
	{name: colDigits, set: number(6, 8, func(t *Token, n int64) { t.Seed.Digits = int(n) })},
	{name: colType, also: []string{"Type (TOTP/HOTP)", "Type (HOTP/TOTP)", "OATH Type"}, set: setType},
	{name: colPeriod, set: number(15, 300, func(t *Token, n int64) { t.Seed.Period = int(n) })},
	{name: colCounter, set: number(0, oath.MaxCounter, func(t *Token, n int64) { t.Seed.Counter = n })},
}

// plain is a header as it is compared: letters and digits alone, without case.
func plain(s string) string {
	return fold.Key(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s))
}

func find(header string) *column {
	key := plain(header)
	for i := range columns {
		c := &columns[i]
		if plain(c.name) == key || slices.ContainsFunc(c.also, func(s string) bool { return plain(s) == key }) {
			return c
		}
	}
	return nil
}

// head finds the columns of a header. ErrColumn names those that nobody knows, that are there twice, and that are missing.
func head(header []string) (out []*column, err error) {
	var bad []string
	for n, h := range header {
		c := find(h)
		switch {
		case c == nil:
			bad = append(bad, fmt.Sprintf("Column %d, %q, is not known.", n+1, short(h)))
		case slices.Contains(out, c):
			bad = append(bad, fmt.Sprintf("Column %d, %q, is there twice.", n+1, short(h)))
		}
		out = append(out, c)
	}
	for i := range columns {
		if c := &columns[i]; c.need && !slices.Contains(out, c) {
			bad = append(bad, fmt.Sprintf("The column %q is missing.", c.name))
		}
	}
	if len(bad) > 0 {
		return nil, ErrColumn.Say("The header of the file was not accepted. %s", strings.Join(bad, " "))
	}
	return out, nil
}

func short(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:59]) + "…"
	}
	return s
}

// Parse reads a file, without looking at the directory. Tokens with a problem are among the tokens all the same. Faults: ErrFile,
// ErrColumn, ErrEmpty.
func Parse(content []byte) ([]Token, []Problem, error) {
	t, err := csvfile.Read(content, Limits)
	if err != nil {
		return nil, nil, ErrFile.Say("The file was not accepted. %s", err.Error())
	}
	cols, err := head(t.Header)
	if err != nil {
		return nil, nil, err
	}
	if len(t.Rows) == 0 {
		return nil, nil, ErrEmpty
	}
	tokens := make([]Token, len(t.Rows))
	var bad []Problem
	for n, row := range t.Rows {
		tokens[n].Line = row.Line
		bad = append(bad, tokens[n].read(cols, row.Cells)...)
	}
	return tokens, append(bad, twice(tokens)...), nil
}

func (t *Token) read(cols []*column, cells []string) (bad []Problem) {
	t.Seed.Algorithm, t.Seed.Digits, t.Seed.Period = "SHA1", 6, 30
	for i, cell := range cells {
		cell = strings.TrimSpace(cell)
		if cell == "" && !cols[i].need {
			continue
		}
		if why := cols[i].set(t, cell); why != "" {
			bad = append(bad, Problem{t.Line, cols[i].name, why})
		}
	}
	return bad
}

// twice finds token identifiers that several rows have.
func twice(tokens []Token) (bad []Problem) {
	first := map[string]int{}
	for _, t := range tokens {
		key := fold.Key(t.Seed.Serial)
		if line, seen := first[key]; seen && key != "" {
			bad = append(bad, Problem{t.Line, colSerial, fmt.Sprintf("is the same as in line %d", line)})
			continue
		}
		first[key] = t.Line
	}
	return bad
}

func setUser(t *Token, cell string) string {
	if t.User = cell; cell == "" {
		return "is empty"
	}
	if err := user.CheckName("Name", cell); err != nil {
		return strings.TrimSuffix(strings.TrimPrefix(fault.Of(err).Public, "Parameter Name "), ".")
	}
	return ""
}

func setSerial(t *Token, cell string) string {
	t.Seed.Serial = cell
	switch {
	case len(cell) > oath.MaxSerial:
		return fmt.Sprintf("has more than %d bytes", oath.MaxSerial)
	case strings.ContainsFunc(cell, unicode.IsControl):
		return "has control characters"
	}
	return ""
}

// Sizes of secrets in bytes: RFC 4226 section 4, R6 wants sixteen, and makers of older tokens took ten.
const (
	minSecret = 10
	maxSecret = 128
)

func setSecret(t *Token, cell string) string {
	raw, err := hex.DecodeString(strings.NewReplacer(" ", "", "-", "", ":", "").Replace(cell))
	switch {
	case cell == "":
		return "is empty"
	case err != nil:
		return "is not hexadecimal"
	case len(raw) < minSecret || len(raw) > maxSecret:
		return fmt.Sprintf("must have %d to %d bytes", minSecret, maxSecret)
	}
	t.Seed.Secret = base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw)
	return ""
}

func setAlgorithm(t *Token, cell string) string {
	name := strings.TrimPrefix(strings.ToUpper(strings.NewReplacer("-", "", "_", "", " ", "").Replace(cell)), "HMAC")
	if name != "SHA1" && name != "SHA256" && name != "SHA512" {
		return "must be SHA1, SHA256 or SHA512"
	}
	t.Seed.Algorithm = name
	return ""
}

func setType(t *Token, cell string) string {
	switch strings.ToUpper(cell) {
	case "TOTP":
		t.Seed.Counted = false
	case "HOTP":
		t.Seed.Counted = true
	default:
		return "must be TOTP or HOTP"
	}
	return ""
}

func text(most int, field func(t *Token) *string) func(t *Token, cell string) string {
	return func(t *Token, cell string) string {
		*field(t) = cell
		switch {
		case len(cell) > most:
			return fmt.Sprintf("has more than %d bytes", most)
		case strings.ContainsFunc(cell, unicode.IsControl):
			return "has control characters"
		}
		return ""
	}
}

func number(least, most int64, set func(t *Token, n int64)) func(t *Token, cell string) string {
	return func(t *Token, cell string) string {
		n, err := strconv.ParseInt(cell, 10, 64)
		if err != nil || n < least || n > most {
			return fmt.Sprintf("must be a number from %d to %d", least, most)
		}
		set(t, n)
		return ""
	}
}
