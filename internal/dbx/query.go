package dbx

import (
	"context"
	"fmt"
	"reflect"
	"strings"
)

// Query is a declared statement that reads rows of type R: a struct with `db:"column"` tags, or a scalar when there is
// one column. A text that ends in FOR UPDATE locks the rows on PostgreSQL and needs a transaction that may write.
type Query[R any] struct{ s *statement }

// Q declares a Query. The text has ? for its values; "= ANY(?)" compares with each of a []string.
func Q[R any](name, text string) Query[R] {
	return Query[R]{declare(1, name, text, reflect.TypeFor[R](), func(sh shape) error {
		if sh.writes {
			return fmt.Errorf("a query does not write; use W or E")
		}
		return nil
	})}
}

// Anew has PostgreSQL plan the statement each time that it runs, for one that joins and runs seldom. Planned once for all while tables are
// small, as in the first minutes of an installation or an import, it would go through whole tables once they have grown, until the server
// has looked at them.
func (q Query[R]) Anew() Query[R] {
	q.s.anew = true
	return q
}

// All gives every row; no row is an empty slice.
func (q Query[R]) All(ctx context.Context, tx *Tx, args ...any) ([]R, error) {
	return all[R](ctx, tx, q.s, args)
}

// One gives the only row; ErrNoRow when there is none, ErrManyRows when there are more.
func (q Query[R]) One(ctx context.Context, tx *Tx, args ...any) (R, error) {
	return one[R](ctx, tx, q.s, args)
}

// Each hands the rows to f one by one, without holding them all; an error of f ends it and is its answer. No other
// statement can run in tx meanwhile.
func (q Query[R]) Each(ctx context.Context, tx *Tx, f func(R) error, args ...any) error {
	var r R
	sc := scanner{row: reflect.ValueOf(&r).Elem()}
	return tx.each(ctx, q.s, args, func(c cursor) error {
		var zero R
		r = zero
		if err := sc.scan(tx, q.s, c); err != nil {
			return err
		}
		return f(r)
	})
}

// Exec is a declared statement that changes rows and returns none.
type Exec struct{ s *statement }

// E declares an Exec: INSERT, UPDATE or DELETE.
func E(name, text string) Exec {
	return Exec{declare(1, name, text, nil, func(sh shape) error {
		if !sh.writes || sh.returns && hasReturning(text, sh) {
			return fmt.Errorf("an exec is INSERT, UPDATE or DELETE without RETURNING")
		}
		return nil
	})}
}

// Do runs it and gives the number of rows inserted, changed or deleted.
func (e Exec) Do(ctx context.Context, tx *Tx, args ...any) (rows int64, err error) {
	return tx.do(ctx, e.s, args)
}

// Later has it run where it stands among the statements of tx, without waiting for its answer: on PostgreSQL it travels with
// the next statement, or with COMMIT. Its failure shows there and fails the transaction; how many rows it changed nobody
// learns. The values must not be changed until the transaction ends.
func (e Exec) Later(ctx context.Context, tx *Tx, args ...any) error {
	return tx.later(ctx, e.s, args)
}

// Returning is a declared statement that changes rows and gives something back of each.
type Returning[R any] struct{ s *statement }

// W declares a Returning: INSERT, UPDATE or DELETE with RETURNING. The order of the rows is the engine's.
func W[R any](name, text string) Returning[R] {
	return Returning[R]{declare(1, name, text, reflect.TypeFor[R](), func(sh shape) error {
		if !sh.writes || !hasReturning(text, sh) {
			return fmt.Errorf("a returning statement is INSERT, UPDATE or DELETE with RETURNING")
		}
		return nil
	})}
}

// All runs it and gives every row.
func (w Returning[R]) All(ctx context.Context, tx *Tx, args ...any) ([]R, error) {
	return all[R](ctx, tx, w.s, args)
}

// One runs it and gives the only row; ErrNoRow when nothing was changed, ErrManyRows when more than one row was (the
// transaction should then be given up by returning the error).
func (w Returning[R]) One(ctx context.Context, tx *Tx, args ...any) (R, error) {
	return one[R](ctx, tx, w.s, args)
}

func all[R any](ctx context.Context, tx *Tx, s *statement, args []any) ([]R, error) {
	out := []R{}
	var r R
	sc := scanner{row: reflect.ValueOf(&r).Elem()}
	err := tx.each(ctx, s, args, func(c cursor) error {
		var zero R
		r = zero
		if err := sc.scan(tx, s, c); err != nil {
			return err
		}
		if len(out) == cap(out) {
			// Rows are large structs: append would copy them more often.
			out = append(make([]R, 0, max(4, 2*cap(out))), out...)
		}
		out = append(out, r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func one[R any](ctx context.Context, tx *Tx, s *statement, args []any) (R, error) {
	var r, zero R
	n := 0
	sc := scanner{row: reflect.ValueOf(&r).Elem()}
	err := tx.each(ctx, s, args, func(c cursor) error {
		if n++; n > 1 {
			return ErrManyRows.Because(fmt.Errorf("%s", s.name))
		}
		return sc.scan(tx, s, c)
	})
	switch {
	case err != nil:
		return zero, err
	case n == 0:
		return zero, ErrNoRow
	}
	return r, nil
}

func hasReturning(text string, sh shape) bool {
	for _, t := range sh.tokens {
		if t.kind == word && t.depth == 0 && strings.EqualFold(text[t.from:t.to], "RETURNING") {
			return true
		}
	}
	return false
}
