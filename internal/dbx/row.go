package dbx

import (
	"database/sql"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"
)

// field is a column's place in a row struct.
type field struct {
	column string
	index  []int
	typ    reflect.Type
}

// known are the fields of structs that were looked at: many statements give the same rows, and all are declared whenever the program starts.
var known sync.Map // of reflect.Type to []field

// fieldsOf lists the fields with a db tag, those of embedded structs included; nil for a scalar.
func fieldsOf(t reflect.Type) ([]field, error) {
	if have, ok := known.Load(t); ok {
		return have.([]field), nil
	}
	out, err := lookAt(t)
	if err == nil {
		known.Store(t, out)
	}
	return out, err
}

func lookAt(t reflect.Type) ([]field, error) {
	if isScalar(t) {
		return nil, nil
	}
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%s is neither a struct nor a scalar", t)
	}
	var out []field
	seen := map[string]bool{}
	for _, f := range reflect.VisibleFields(t) {
		column := f.Tag.Get("db")
		switch {
		case column == "":
			continue
		case !f.IsExported():
			return nil, fmt.Errorf("%s.%s is not exported", t, f.Name)
		case seen[column]:
			return nil, fmt.Errorf("%s has two fields for column %s", t, column)
		case f.Type == reflect.TypeFor[time.Time]():
			return nil, fmt.Errorf("%s.%s: times are int64 milliseconds", t, f.Name)
		}
		seen[column] = true
		out = append(out, field{column, f.Index, f.Type})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s has no field with a db tag", t)
	}
	return out, nil
}

func isScalar(t reflect.Type) bool {
	if t.Kind() != reflect.Struct && t.Kind() != reflect.Pointer || reflect.PointerTo(t).Implements(reflect.TypeFor[sql.Scanner]()) {
		return true
	}
	return t.Kind() == reflect.Pointer && isScalar(t.Elem())
}

// nullable says whether a row's field can hold NULL.
func nullable(t reflect.Type) bool {
	return t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || reflect.PointerTo(t).Implements(reflect.TypeFor[sql.Scanner]())
}

// plan says where each column of a statement goes; it is made once per statement.
type plan struct {
	scalar bool
	fields [][]int // per column
}

// planOf fits columns to a row type; every column needs a field.
func planOf(t reflect.Type, columns []string) (*plan, error) {
	fields, err := fieldsOf(t)
	if err != nil {
		return nil, err
	}
	if fields == nil {
		if len(columns) != 1 {
			return nil, fmt.Errorf("%d columns for one %s", len(columns), t)
		}
		return &plan{scalar: true}, nil
	}
	p := &plan{fields: make([][]int, len(columns))}
	used := map[string]bool{}
	for i, c := range columns {
		for _, f := range fields {
			if f.column == c && !used[c] {
				p.fields[i] = f.index
				used[c] = true
			}
		}
		if p.fields[i] == nil {
			return nil, fmt.Errorf("%s has no field for column %d, %s", t, i+1, c)
		}
	}
	return p, nil
}

// compare is planOf for tests: every field needs a column, too.
func compare(t reflect.Type, columns []string) error {
	if _, err := planOf(t, columns); err != nil {
		return err
	}
	fields, _ := fieldsOf(t)
	if fields != nil && len(fields) != len(columns) {
		return fmt.Errorf("columns %s do not fill all fields of %s", strings.Join(columns, ", "), t)
	}
	return nil
}

// scanner fills a row struct with one row of a statement after the other.
type scanner struct {
	row reflect.Value // the struct, which stays where it is
	dst []any         // pointers to its fields, one per column
}

// bind finds where the columns of the statement go.
func (sc *scanner) bind(s *statement, c cursor) error {
	p := s.plan.Load()
	if p == nil {
		var err error
		if p, err = planOf(s.row, c.columns()); err != nil {
			return misuse(s.name, "%v", err)
		}
		s.plan.Store(p)
	}
	if p.scalar {
		sc.dst = []any{sc.row.Addr().Interface()}
		return nil
	}
	sc.dst = make([]any, len(p.fields))
	for i, index := range p.fields {
		f := sc.row.Field(index[0])
		if len(index) > 1 {
			f = sc.row.FieldByIndex(index)
		}
		sc.dst[i] = f.Addr().Interface()
	}
	return nil
}

// scan fills the struct, which must hold nothing of the row before.
func (sc *scanner) scan(tx *Tx, s *statement, c cursor) error {
	if sc.dst == nil {
		if err := sc.bind(s, c); err != nil {
			return tx.fail(s, final, err)
		}
	}
	if err := c.scan(sc.dst); err != nil {
		return tx.fail(s, final, ErrStatement.Because(fmt.Errorf("%s: %w", s.name, err)))
	}
	return nil
}
