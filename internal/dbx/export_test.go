package dbx

import (
	"context"
	"time"
)

// Run executes a text that no declaration would take.
func Run(ctx context.Context, tx *Tx, text string, args ...any) error {
	s := &statement{id: -1, name: "test.raw", text: [2]string{text, text}, params: len(args), writes: tx.write}
	_, err := tx.do(ctx, s, args)
	return err
}

// Get reads one value with such a text.
func Get(ctx context.Context, tx *Tx, dst any, text string, args ...any) error {
	s := &statement{id: -1, name: "test.raw", text: [2]string{text, text}, params: len(args)}
	return tx.each(ctx, s, args, func(c cursor) error { return c.scan([]any{dst}) })
}

// Shape gives what becomes of a text on each engine.
func Shape(text string) (lite, pg string, params int, writes bool, err error) {
	sh, err := shapeOf(text)
	return sh.lite, sh.pg, sh.params, sh.writes, err
}

// Queued says how many members wait for the writer.
func Queued(d *DB) int { return len(d.store.(*lite).writer.in) }

// Linger has members be added to a transaction for a fixed time. Before the store's first use.
func Linger(d *DB, t time.Duration) { d.store.(*lite).writer.fixed = t }

// Since gives what a connection of a PostgreSQL store knows of its server's side: process id and beginning.
func Since(ctx context.Context, d *DB) (pid uint32, since any, err error) {
	c, err := d.store.(*postgres).acquire(ctx)
	if err != nil {
		return 0, nil, err
	}
	defer c.Release()
	pg := c.Conn().PgConn()
	return pg.PID(), pg.CustomData()["since"], nil
}

// Unopened says how many readers may still be opened.
func Unopened(d *DB) int { return len(d.store.(*lite).more) }
