// Package attribute is what tenants keep of people beyond the attributes that everybody has: columns that an
// administrator defines, and people's values in them (users.yaml n 93, 113-117). Values stay in this product; they are
// never written to a directory elsewhere.
package attribute

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/fault"
)

// Faults of attributes.
var (
	ErrColumn   = fault.New(fault.NotFound, "attribute.column", "There is no such attribute.")
	ErrName     = fault.New(fault.Invalid, "attribute.name", "The name of an attribute starts with a letter and has an underscore.")
	ErrTwice    = fault.New(fault.Invalid, "attribute.twice", "An attribute is given twice; case does not tell two names apart.")
	ErrType     = fault.New(fault.Invalid, "attribute.type", "The type of an attribute is Text, Int, Double, Bool or DateTime.")
	ErrFixed    = fault.New(fault.Conflict, "attribute.fixed", "The type of an attribute cannot change.")
	ErrMany     = fault.New(fault.Conflict, "attribute.many", "A tenant may have 25 attributes.")
	ErrValue    = fault.New(fault.Invalid, "attribute.value", "The value does not fit the attribute.")
	ErrSize     = fault.New(fault.Conflict, "attribute.size", "All attributes of a user together may have 65536 bytes.")
	ErrReadOnly = fault.New(fault.Denied, "attribute.read_only", "You are not authorized to change this attribute.")
)

// Limits. The number of columns is the contract's (users.yaml n 93); the others are ours, in bytes.
const (
	MaxColumns     = 25
	MaxName        = 64
	MaxTitle       = 256
	MaxDescription = 500
	MaxText        = 4 << 10  // of one value
	MaxTotal       = 64 << 10 // of all values of one person, as they are stored
)

// Type is the kind of a column's values.
type Type string

// The types, in the contract's words. The names of Double and DateTime are inferred there.
const (
	Text     Type = "Text"
	Int      Type = "Int"      // 64 bits
	Double   Type = "Double"   // 64 bits, finite
	Bool     Type = "Bool"     //
	DateTime Type = "DateTime" // ms since 1970 UTC
)

// ParseType reads the name of a type, whatever its case; ErrType.
func ParseType(s string) (Type, error) {
	for _, t := range [...]Type{Text, Int, Double, Bool, DateTime} {
		if strings.EqualFold(strings.TrimSpace(s), string(t)) {
			return t, nil
		}
	}
	return "", ErrType
}

// Column is an attribute that people of the tenant can have.
type Column struct {
	Name        string // starts with a letter, contains an underscore; unique whatever its case
	Type        Type
	Title       string // for people; empty: none
	Description string
	Editable    bool // by the people themselves, and not by administrators only
}

// Attributes are the columns and values of the call's tenant.
type Attributes struct {
	// Stored hears, in the same transaction, which values of a person changed; an empty id: a column of everybody's. May be
	// nil.
	Stored func(ctx context.Context, c *call.Call, userID string, names ...string) error
}

func (a Attributes) stored(ctx context.Context, c *call.Call, userID string, names ...string) error {
	if a.Stored == nil || len(names) == 0 {
		return nil
	}
	return a.Stored(ctx, c, userID, names...)
}

// check reads what a column may be, and cuts space off.
func (col *Column) check() (err error) {
	col.Name = strings.TrimSpace(col.Name)
	if !nameFits(col.Name) {
		return ErrName.At(col.Name).Say("%.80q is no name of an attribute: it must start with a letter, contain an underscore, and have "+
			"nothing but letters a to z, digits and underscores, %d at most.", col.Name, MaxName)
	}
	if col.Type, err = ParseType(string(col.Type)); err != nil {
		return ErrType.At(col.Name).Say("The type of %s must be Text, Int, Double, Bool or DateTime.", col.Name)
	}
	col.Title, col.Description = strings.TrimSpace(col.Title), strings.TrimSpace(col.Description)
	if err := words(col.Name+".Title", col.Title, MaxTitle); err != nil {
		return err
	}
	return words(col.Name+".Description", col.Description, MaxDescription)
}

// nameFits says whether a column may be called so. Names are ASCII, so that they can be names in queries.
func nameFits(s string) bool {
	if s == "" || len(s) > MaxName || !letter(s[0]) || !strings.Contains(s, "_") {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !letter(c) && c != '_' && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func words(field, s string, most int) error {
	if len(s) > most {
		return fault.Bad(field, "may have %d bytes", most)
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return fault.Bad(field, "has characters that are not text")
	}
	return nil
}
