package redrock

import (
	"fmt"
	"slices"
	"strings"
)

// Table is a table that scripts may name.
type Table struct {
	Name      string            // as answers spell it
	Aliases   []string          // other names that scripts use
	Key       string            // column of the primary key; TableKey Primary
	Alternate string            // column of the other key; TableKey Alternate; empty: none
	Foreign   map[string]string // column -> table whose key it holds
	Columns   []Column
	// Natural names a column by which rows come when a script asks no order, before the primary key; empty: the primary key alone.
	Natural string
	// From is the SQL text of the relation when Options.Source is nil: a view's name or a SELECT in parentheses, without parameters.
	From string
	// Dictionary marks the table whose rows are the catalogue's own columns; it has no relation in the store.
	Dictionary bool
}

// Column is a column of a table.
type Column struct {
	Name        string
	Type        Type
	Title       string // for people; Name when empty
	Description string
	// Hidden columns can be named but are no part of *.
	Hidden bool
	// Stored is the column's name in the relation; the lower-case Name when empty.
	Stored string
	// Filled columns are never null, as the primary key: PostgreSQL can then use an index for their order.
	Filled bool
	// Fold says that =, <>, IN and NOCASE compare by the relation's column <Stored>_key, which holds the result of Options.Fold.
	Fold bool
	// Country is the relation's column (text) with the name of the country of this address, for IPLookup; empty: not an address.
	Country string
	// Fixed is a text that the column holds in every row; the relation does not offer it then.
	Fixed string
	// Empty columns are null in every row; the relation does not offer them.
	Empty bool
}

func (c *Column) stored() string {
	if c.Stored != "" {
		return c.Stored
	}
	return strings.ToLower(c.Name)
}

func (c *Column) title() string {
	if c.Title != "" {
		return c.Title
	}
	return c.Name
}

// Catalogue is the set of tables that a script is checked against. It is safe for concurrent use.
type Catalogue struct {
	tables []*Table
	byName map[string]*Table
}

// NewCatalogue checks the tables: names unique without case, keys among the columns, known types, and plain names in the relation.
func NewCatalogue(tables []Table) (*Catalogue, error) {
	c := &Catalogue{byName: map[string]*Table{}}
	for i := range tables {
		t := tables[i]
		t.Columns = slices.Clone(t.Columns)
		if err := checkTable(&t); err != nil {
			return nil, fmt.Errorf("redrock: table %q: %w", t.Name, err)
		}
		for _, n := range append([]string{t.Name}, t.Aliases...) {
			if old := c.byName[fold(n)]; old != nil && old.Name != t.Name {
				return nil, fmt.Errorf("redrock: tables %q and %q share the name %q", old.Name, t.Name, n)
			}
			c.byName[fold(n)] = &t
		}
		c.tables = append(c.tables, &t)
	}
	return c, nil
}

func checkTable(t *Table) error {
	if t.Name == "" || len(t.Columns) == 0 {
		return fmt.Errorf("a name and columns are needed")
	}
	seen := map[string]bool{}
	for i := range t.Columns {
		col := &t.Columns[i]
		if col.Name == "" || seen[col.Name] {
			return fmt.Errorf("column %q is empty or there twice", col.Name)
		}
		seen[col.Name] = true
		if !slices.Contains([]Type{Text, Bool, Time, Object, Integer, Double}, col.Type) {
			return fmt.Errorf("column %q has the unknown type %d", col.Name, col.Type)
		}
		if !plain(col.stored()) || col.Country != "" && !plain(col.Country) {
			return fmt.Errorf("column %q: its name in the relation is not plain", col.Name)
		}
		if (col.Fold || col.Country != "") && col.Type != Text {
			return fmt.Errorf("column %q: Fold and Country are for texts", col.Name)
		}
	}
	for _, n := range append([]string{t.Key, t.Alternate, t.Natural}, foreignColumns(t)...) {
		if n != "" && !seen[n] {
			return fmt.Errorf("no column %q for a key", n)
		}
	}
	if t.Key == "" {
		return fmt.Errorf("a primary key is needed")
	}
	return nil
}

func foreignColumns(t *Table) []string {
	var out []string
	for c := range t.Foreign {
		out = append(out, c)
	}
	slices.Sort(out)
	return out
}

// plain names need no escaping between double quotes and mean the same to both engines.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '_' && !digit(c) && (c < 'a' || c > 'z') {
			return false
		}
	}
	return s != ""
}

// Table finds a table by its name or an alias, without case; nil when there is none.
func (c *Catalogue) Table(name string) *Table { return c.byName[fold(name)] }

// Tables are the names of all tables, sorted.
func (c *Catalogue) Tables() []string {
	var out []string
	for _, t := range c.tables {
		out = append(out, t.Name)
	}
	return sorted(out)
}

func (t *Table) column(name string) *Column {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}
