package redrock

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// Type is a column's type in the codes of the answer's Columns.
type Type int

// The types. Codes 12, 1, 3 and 16 are the service's; 4 and 8 were seen in no capture and are ours.
const (
	Bool    Type = 1
	Time    Type = 3 // milliseconds since 1970 UTC in the store, "/Date(ms)/" in the answer
	Integer Type = 4
	Double  Type = 8
	Text    Type = 12
	Object  Type = 16 // JSON text in the store, the JSON itself in the answer

	untyped Type = 0 // NULL without a type
)

// String is the word for the type in complaints.
func (t Type) String() string {
	switch t {
	case Bool:
		return "a boolean"
	case Time:
		return "a date"
	case Integer, Double:
		return "a number"
	case Text:
		return "a text"
	case Object:
		return "an object"
	}
	return "null"
}

// TableKey is the part that an output column plays in its table.
type TableKey string

// The parts of a column.
const (
	Primary   TableKey = "Primary"
	Alternate TableKey = "Alternate"
	NotAKey   TableKey = "NotAKey"
)

// OutColumn describes a column of the answer: an entry of the contract's Columns, and how to read the column's values.
type OutColumn struct {
	Name        string // member of Row: the alias, or the dictionary's name
	IsHidden    bool
	DDName      string // name in the dictionary; Name for expressions
	Title       string // alias, or DDTitle
	DDTitle     string // title in the dictionary
	Description string // empty: null
	Type        Type
	TableKey    TableKey
	ForeignKey  string // table whose key the column holds; empty: null
	TableName   string // empty for expressions
}

// Value turns what the driver gave for this column into what goes into the answer's JSON: nil, string, bool, int64, float64 or
// [json.RawMessage].
func (c OutColumn) Value(raw any) (any, error) {
	if b, ok := raw.([]byte); ok {
		raw = string(b)
	}
	if raw == nil {
		return nil, nil
	}
	switch v := raw.(type) {
	case string:
		switch c.Type {
		case Text:
			return v, nil
		case Object:
			return object(v), nil
		}
	case bool:
		if c.Type == Bool {
			return v, nil
		}
	case int64:
		switch c.Type {
		case Bool:
			return v != 0, nil
		case Time:
			return "/Date(" + strconv.FormatInt(v, 10) + ")/", nil
		case Integer:
			return v, nil
		case Double:
			return float64(v), nil
		}
	case float64:
		if c.Type == Double && !math.IsInf(v, 0) && !math.IsNaN(v) {
			return v, nil
		}
	}
	return nil, fmt.Errorf("redrock: column %q: %T does not read as %s", c.Name, raw, c.Type)
}

// object is the JSON of an object column; what is not JSON stays a text.
func object(s string) any {
	if json.Valid([]byte(s)) {
		return json.RawMessage(s)
	}
	return s
}
