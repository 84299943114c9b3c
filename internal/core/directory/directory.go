// Package directory is the directory services that people, groups and roles come from, and how a client's query over them
// becomes a condition on the tables of those who own them.
package directory

import (
	"context"
	"strings"

	"limen/internal/dbx"
	"limen/internal/fold"
	"limen/internal/wire/rpc/lookup"
)

// Ids of the directory services that every tenant has: constants of the contract (directories.yaml, n 249).
const (
	Cloud     = "09B9A9B0-6CE8-465F-AB03-65766D33B05E"
	Federated = "C30B30B1-0B46-49AC-8D99-F6279EED7999"
)

// Service is a directory service.
type Service struct {
	ID     string
	Kind   string // CDS or FDS
	Name   string // as people are shown it
	Active bool   // whether anybody can come from it
}

// Services lists the directory services in the order in which they are asked. Nobody comes from the federated directory,
// which clients want to see all the same.
func Services() []Service {
	return []Service{
		{ID: Cloud, Kind: "CDS", Name: "Cloud Directory", Active: true},
		{ID: Federated, Kind: "FDS", Name: "Federated Directory Service"},
	}
}

// Find gives the service with an id, whatever its case.
func Find(id string) (Service, bool) {
	for _, s := range Services() {
		if strings.EqualFold(s.ID, strings.TrimSpace(id)) {
			return s, true
		}
	}
	return Service{}, false
}

// Field is the condition that a field of a query has a value, or with like has it inside. The value is as the client sent it.
type Field func(like bool, value string) dbx.Clause

// Fields are what a query may name, by their names in lower case.
type Fields map[string]Field

// never holds for no row.
func never() dbx.Clause { return dbx.Or() }

// Key is a field whose comparison key (fold.Key) is in a column.
func Key(column string) Field {
	return func(like bool, value string) dbx.Clause {
		if like {
			return dbx.Contains(column, fold.Key(value))
		}
		return dbx.Eq(column, fold.Key(value))
	}
}

// ID is a field of ids in lower case, but for some that are written in their own way.
func ID(column string, others ...string) Field {
	return func(like bool, value string) dbx.Clause {
		key := fold.Key(value)
		or := []dbx.Clause{dbx.Eq(column, key)}
		if like {
			or[0] = dbx.Contains(column, key)
		}
		for _, other := range others {
			if is := fold.Key(other); is == key || like && strings.Contains(is, key) {
				or = append(or, dbx.Eq(column, other))
			}
		}
		return dbx.Or(or...)
	}
}

// Constant is a field that has the same value in every row.
func Constant(is string) Field {
	return func(like bool, value string) dbx.Clause {
		if a, b := fold.Key(is), fold.Key(value); a == b || like && strings.Contains(a, b) {
			return dbx.Clause{}
		}
		return never()
	}
}

// Clause makes a condition of a query. What occurs in a field that nobody has is found in nobody; nothing at all occurs in
// everything, by which clients ask for all.
func (f Fields) Clause(q lookup.Query) dbx.Clause {
	switch q.Kind {
	case lookup.All, lookup.Any:
		of := make([]dbx.Clause, len(q.Of))
		for i := range q.Of {
			of[i] = f.Clause(q.Of[i])
		}
		if q.Kind == lookup.Any {
			return dbx.Or(of...)
		}
		return dbx.And(of...)
	}
	if q.Kind == lookup.Like && q.Value == "" {
		return dbx.Clause{}
	}
	if field := f[strings.ToLower(q.Field)]; field != nil {
		return field(q.Kind == lookup.Like, q.Value)
	}
	return never()
}

// Search is a query with the page that is wanted of what it finds.
type Search struct {
	Query lookup.Query
	Sort  string // a column; empty: exact matches first, then by name
	Desc  bool
	Size  int // rows of a page, 1 at least
	Page  int // from 1
}

// MaxRows is how many of the rows that a query finds can be read, on all pages together.
const MaxRows = 100_000

// Rows gives a page of the rows of a list that a search finds within allowed, and how many there are on all pages. name is
// the column that sorts last: a unique one. The page costs as much as all the pages before it.
func Rows[R any](ctx context.Context, tx *dbx.Tx, list dbx.List[R], f Fields, allowed dbx.Clause, name string, s Search, args ...any) ([]R, int64, error) {
	where := dbx.And(allowed, f.Clause(s.Query))
	before := min(int64(max(s.Page, 1)-1), MaxRows) * int64(s.Size)
	need := min(before+int64(s.Size), MaxRows)
	order := []dbx.Order{{Column: name, Desc: s.Desc}}
	if s.Sort != "" && s.Sort != name {
		order = append([]dbx.Order{{Column: s.Sort, Desc: s.Desc}}, order...)
	}
	var rows []R
	if exact, differs := s.Query.Exact(); differs && s.Sort == "" {
		first := f.Clause(exact)
		var err error
		if rows, err = list.Rows(ctx, tx, dbx.And(allowed, first), order, int(need), args...); err != nil {
			return nil, 0, err
		}
		where = dbx.And(where, dbx.Not(first))
	}
	found := int64(len(rows))
	if left := need - found; left > 0 {
		more, err := list.Rows(ctx, tx, where, order, int(left), args...)
		if err != nil {
			return nil, 0, err
		}
		rows = append(rows, more...)
		if int64(len(more)) < left {
			return rows[min(before, int64(len(rows))):], int64(len(rows)), nil
		}
	}
	all, err := list.Count(ctx, tx, where, args...)
	return rows[min(before, int64(len(rows))):], all + found, err
}
