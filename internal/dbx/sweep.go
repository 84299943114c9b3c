package dbx

import (
	"context"
	"fmt"
)

// sweepBatch is how many rows a transaction of a sweep removes: nobody who writes meanwhile waits for more.
const sweepBatch = 500

// Sweep is a declared statement that removes what is old, a batch of rows in each transaction.
type Sweep struct{ s *statement }

// S declares a Sweep of the rows of a table that meet a condition: where has ? for its values, and an index. key is the columns of
// the table's primary key.
func S(name, table, key, where string) Sweep {
	text := fmt.Sprintf("DELETE FROM %s WHERE (%s) IN (SELECT %s FROM %s WHERE %s LIMIT ?)", table, key, key, table, where)
	return Sweep{declare(1, name, text, nil, func(shape) error { return nil })}
}

// Run removes the rows, for which there may be no transaction yet. What was removed before an error is gone.
func (s Sweep) Run(ctx context.Context, db *DB, args ...any) error {
	return db.Batches(ctx, func(tx *Tx, most int) (int64, error) {
		return tx.do(ctx, s.s, append(args[:len(args):len(args)], most))
	})
}

// Batches runs f in a transaction of its own, as Write does, until it says that it has changed fewer than most rows. f changes no
// row twice.
func (d *DB) Batches(ctx context.Context, f func(tx *Tx, most int) (rows int64, err error)) error {
	for n := int64(sweepBatch); n >= sweepBatch; {
		err := d.Write(ctx, func(tx *Tx) (err error) {
			n, err = f(tx, sweepBatch)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
