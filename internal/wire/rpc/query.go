package rpc

import (
	"fmt"
	"slices"
	"strconv"
)

// Query is the result of every list operation: a page of rows, with the columns described (users.yaml, head,
// QUERY-STYLE RESULT; redrock.yaml, first entry).
type Query struct {
	IsAggregate bool
	Count       int // rows of this page; 0 means len(Results)
	Columns     []Column
	FullCount   int // rows of all pages; less than the rows of this page means those
	Results     []Row
	ReturnID    string
	Exceptions  any // of operations that ask several directories: {"User": null, ...}; left out when nil
}

// Column describes one column. Texts that may be null on the wire are null when empty.
type Column struct {
	Name        string
	IsHidden    bool
	DDName      string // name in the data dictionary; empty means Name
	Title       string // empty means Name
	DDTitle     string // empty means Title
	Description string // or null
	Type        int    // 0 means TypeText
	Format      string // or null
	Width       int
	TableKey    string // Primary, Alternate, Foreign or NotAKey; or null
	ForeignKey  string // the table it points to; or null
	TableName   string // or null
}

// Types of columns that captures of the original show.
const (
	TypeBool   = 1
	TypeDate   = 3
	TypeText   = 12
	TypeObject = 16
)

// Row is one row: its values in the order of the columns, and what it is about.
type Row struct {
	Entities []Entity
	Row      []any // one value per column; Absent leaves the column out; a time.Time becomes a date
}

// Entity names an object that a row is about.
type Entity struct {
	Type         string // table: User, Role, ...
	Key          string
	IsForeignKey bool
}

type nothing struct{}

// Absent as a value leaves its column out of the row.
var Absent any = nothing{}

// MarshalJSON implements json.Marshaler.
func (q Query) MarshalJSON() ([]byte, error) { return q.AppendJSON(nil) }

// AppendJSON implements Appender. A row that has not one value per column is an error.
func (q Query) AppendJSON(dst []byte) ([]byte, error) {
	count := q.Count
	if count == 0 {
		count = len(q.Results)
	}
	dst = strconv.AppendBool(append(dst, `{"IsAggregate":`...), q.IsAggregate)
	dst = strconv.AppendInt(append(dst, `,"Count":`...), int64(count), 10)
	dst = append(dst, `,"Columns":[`...)
	for i := range q.Columns {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = q.Columns[i].append(dst)
	}
	dst = strconv.AppendInt(append(dst, `],"FullCount":`...), int64(max(q.FullCount, count)), 10)
	dst = append(dst, `,"Results":[`...)
	keys := make([][]byte, len(q.Columns))
	for i := range q.Columns {
		keys[i] = append(appendString(nil, q.Columns[i].Name), ':')
	}
	var err error
	start := len(dst)
	for i := range q.Results {
		if i > 0 {
			dst = append(dst, ',')
		}
		if i == 16 { // about what the rest will take
			dst = slices.Grow(dst, (len(dst)-start)/i*(len(q.Results)-i)*9/8)
		}
		if dst, err = q.Results[i].append(dst, keys); err != nil {
			return nil, err
		}
	}
	dst = appendString(append(dst, `],"ReturnID":`...), q.ReturnID)
	if q.Exceptions != nil {
		if dst, err = appendValue(append(dst, `,"Exceptions":`...), q.Exceptions); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

func (c *Column) append(dst []byte) []byte {
	or := func(s, other string) string {
		if s == "" {
			return other
		}
		return s
	}
	title := or(c.Title, c.Name)
	typ := c.Type
	if typ == 0 {
		typ = TypeText
	}
	dst = appendString(append(dst, `{"Name":`...), c.Name)
	dst = strconv.AppendBool(append(dst, `,"IsHidden":`...), c.IsHidden)
	dst = appendString(append(dst, `,"DDName":`...), or(c.DDName, c.Name))
	dst = appendString(append(dst, `,"Title":`...), title)
	dst = appendString(append(dst, `,"DDTitle":`...), or(c.DDTitle, title))
	dst = appendOrNull(append(dst, `,"Description":`...), c.Description)
	dst = strconv.AppendInt(append(dst, `,"Type":`...), int64(typ), 10)
	dst = appendOrNull(append(dst, `,"Format":`...), c.Format)
	dst = strconv.AppendInt(append(dst, `,"Width":`...), int64(c.Width), 10)
	dst = appendOrNull(append(dst, `,"TableKey":`...), c.TableKey)
	dst = appendOrNull(append(dst, `,"ForeignKey":`...), c.ForeignKey)
	dst = appendOrNull(append(dst, `,"TableName":`...), c.TableName)
	return append(dst, '}')
}

func appendOrNull(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return appendString(dst, s)
}

func (r *Row) append(dst []byte, keys [][]byte) ([]byte, error) {
	if len(r.Row) != len(keys) {
		return nil, fmt.Errorf("rpc: a row has %d values for %d columns", len(r.Row), len(keys))
	}
	dst = append(dst, `{"Entities":[`...)
	for i, e := range r.Entities {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(append(dst, `{"Type":`...), e.Type)
		dst = appendString(append(dst, `,"Key":`...), e.Key)
		dst = strconv.AppendBool(append(dst, `,"IsForeignKey":`...), e.IsForeignKey)
		dst = append(dst, '}')
	}
	dst = append(dst, `],"Row":{`...)
	first := true
	var err error
	for i, v := range r.Row {
		if v == Absent {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		if dst, err = appendValue(append(dst, keys[i]...), v); err != nil {
			return nil, err
		}
	}
	return append(dst, "}}"...), nil
}
