package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"limen/bench/load"
	"limen/internal/dbx"
	"limen/internal/fold"
)

// redrockName finds one person among many by a query.
func redrockName(ctx context.Context, b *bench, w *world) ([]row, error) {
	const callers = 16
	s, err := w.site(ctx, b.many)
	if err != nil {
		return nil, err
	}
	l, o, err := b.versus(w, w.points(ctx, s, callers), w.asks(ctx, callers, func(int) []byte {
		return s.query(fmt.Sprintf("SELECT ID, Username, DisplayName, Email FROM User WHERE Username = '%s'", s.name(rand.IntN(b.many))))
	}))
	if err != nil {
		return nil, err
	}
	return []row{rate("Redrock by name, 16 callers", "point read in the store", l, o)}, nil
}

func (s *site) query(script string) []byte {
	return s.request("/Redrock/Query", `{"Script":"`+script+`","Args":{"PageNumber":1,"PageSize":100,"Caching":-2}}`)
}

type begun struct {
	found
	NameKey string `db:"name_key"`
}

var begin = dbx.L[begun]("bench.begin", `SELECT id, name, display, mail, name_key FROM users WHERE tenant = ?`)

// redrockPrefix finds ten people among many by what their names begin with.
func redrockPrefix(ctx context.Context, b *bench, w *world) ([]row, error) {
	const callers = 16
	s, err := w.site(ctx, b.many)
	if err != nil {
		return nil, err
	}
	prefix := func() string { return fmt.Sprintf("person%05d", rand.IntN(b.many/10)) }
	bare := func(d time.Duration) (load.Sample, error) {
		return load.Calls(callers, d, func(int) error {
			key := fold.Key(prefix())
			return w.app.DB.Read(ctx, func(tx *dbx.Tx) error {
				rows, err := begin.Rows(ctx, tx, dbx.Prefix("name_key", key), []dbx.Order{{Column: "name_key"}}, 100, s.id)
				if err == nil && len(rows) != 10 {
					err = fmt.Errorf("%d people begin with %s", len(rows), key)
				}
				return err
			})
		})
	}
	l, o, err := b.versus(w, bare, w.asks(ctx, callers, func(int) []byte {
		return s.query("SELECT ID, Username, DisplayName, Email FROM User WHERE Username LIKE '" + prefix() + "%' ORDER BY Username")
	}))
	if err != nil {
		return nil, err
	}
	return []row{rate("Redrock by prefix, 16 callers", "the same in the store", l, o)}, nil
}
