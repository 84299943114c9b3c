//go:build !modernc

package dbx

import "github.com/ncruces/go-sqlite3"

// Replanned says how often the engine has prepared a statement of a reading connection again.
func Replanned(d *DB, text string) int {
	store := d.store.(*lite)
	c := <-store.readers
	defer func() { store.readers <- c }()
	return c.dynamic[text].s.Status(sqlite3.STMTSTATUS_REPREPARE, false)
}
