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

// Twenty columns of a person, for the scans beside which lists stand.
const twenty = `SELECT id, name, name_key, suffix_key, display, display_key, mail, mail_key, mobile, home, office, description, culture,
	reports_to, org, locked, disabled, expires, created, version FROM users WHERE tenant = `

// scan reads n rows with database/sql and nothing of ours.
func (w *world) scan(ctx context.Context, n int, tail string, args ...any) error {
	mark := "$1"
	if w.engine == "sqlite" {
		mark = "?"
	}
	rows, err := w.app.DB.SQL().QueryContext(ctx, twenty+mark+tail, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	var text [15]string
	var locked, disabled bool
	var number [3]int64
	got := 0
	for ; rows.Next(); got++ {
		err := rows.Scan(&text[0], &text[1], &text[2], &text[3], &text[4], &text[5], &text[6], &text[7], &text[8], &text[9], &text[10], &text[11],
			&text[12], &text[13], &text[14], &locked, &disabled, &number[0], &number[1], &number[2])
		if err != nil {
			return err
		}
	}
	if got < n {
		return fmt.Errorf("%d rows instead of %d", got, n)
	}
	return rows.Err()
}

// listAll gets all people of a tenant in one answer.
func listAll(ctx context.Context, b *bench, w *world) ([]row, error) {
	s, err := w.site(ctx, b.list)
	if err != nil {
		return nil, err
	}
	bare := func(d time.Duration) (load.Sample, error) {
		return load.Calls(1, d, func(int) error { return w.scan(ctx, b.list, "", s.id) })
	}
	request := s.request("/CDirectoryService/GetUsers", "")
	l, o, err := b.versus(w, bare, w.asks(ctx, 1, func(int) []byte { return request }))
	if err != nil {
		return nil, err
	}
	r := median(fmt.Sprintf("GetUsers, all %s, 1 caller", thousands(float64(b.list))), "bare scan, 20 columns", l, o)
	r.aim = 0.060
	return []row{r}, nil
}

// vaultUsers gets all people of a tenant in one answer of the Vault's API, plain and with all details, and a page of a hundred.
func vaultUsers(ctx context.Context, b *bench, w *world) (out []row, err error) {
	s, err := w.site(ctx, b.list)
	if err != nil {
		return nil, err
	}
	for _, x := range []struct {
		name, query string
		n           int
		aim         float64
	}{
		{"all " + thousands(float64(b.list)), "", b.list, 0.060}, {"all, extended", "?ExtendedDetails=true", b.list, 0},
		{"100 of them", "?pageSize=100&pageOffset=200", min(100, b.list), 0}, {"a name that nobody has", "?userName=nobody", 0, 0},
	} {
		bare := func(d time.Duration) (load.Sample, error) {
			return load.Calls(1, d, func(int) error { return w.scan(ctx, x.n, fmt.Sprintf(" LIMIT %d", max(x.n, 1)), s.id) })
		}
		l, o, err := b.versus(w, bare, w.same(ctx, load.Get(s.host, "/PasswordVault/API/Users"+x.query, s.bearer))(1))
		if err != nil {
			return out, err
		}
		r := median("PVWA users, "+x.name+", 1 caller", "bare scan, 20 columns", l, o)
		r.aim = x.aim
		out = append(out, r)
	}
	return out, nil
}

// page goes through a large tenant a hundred people at a time.
func page(ctx context.Context, b *bench, w *world) ([]row, error) {
	s, err := w.site(ctx, b.many)
	if err != nil {
		return nil, err
	}
	bare := func(d time.Duration) (load.Sample, error) {
		return load.Calls(1, d, func(int) error { return w.scan(ctx, 100, " ORDER BY name_key LIMIT 100", s.id) })
	}
	n := 0
	pages := w.asks(ctx, 1, func(int) []byte {
		n++
		return s.request("/CDirectoryService/GetUsers", fmt.Sprintf(`{"Args":{"PageNumber":%d,"PageSize":100,"Limit":%d}}`, n%(b.many/100)+1, b.many))
	})
	l, o, err := b.versus(w, bare, pages)
	if err != nil {
		return nil, err
	}
	r := median(fmt.Sprintf("100 of %s people, 1 caller", thousands(float64(b.many))), "bare scan, 20 columns", l, o)
	r.aim = 0.001
	return []row{r}, nil
}

type found struct {
	ID      string `db:"id"`
	Name    string `db:"name"`
	Display string `db:"display"`
	Mail    string `db:"mail"`
}

var point = dbx.Q[found]("bench.point", `SELECT id, name, display, mail FROM users WHERE tenant = ? AND name_key = ?`)

// points reads single people straight from the store.
func (w *world) points(ctx context.Context, s *site, callers int) turn {
	return func(d time.Duration) (load.Sample, error) {
		return load.Calls(callers, d, func(int) error {
			key := fold.Key(s.name(rand.IntN(w.b.many)))
			return w.app.DB.Read(ctx, func(tx *dbx.Tx) error {
				_, err := point.One(ctx, tx, s.id, key)
				return err
			})
		})
	}
}

// byName finds one person among many by login name.
func byName(ctx context.Context, b *bench, w *world) ([]row, error) {
	const callers = 16
	s, err := w.site(ctx, b.many)
	if err != nil {
		return nil, err
	}
	buffers := make([][]byte, callers)
	l, o, err := b.versus(w, w.points(ctx, s, callers), w.asks(ctx, callers, func(i int) []byte {
		body := `{"username":"` + s.name(rand.IntN(b.many)) + `"}`
		buffers[i] = load.AppendRequest(buffers[i][:0], s.host, "/CDirectoryService/GetUserByName", s.bearer, body)
		return buffers[i]
	}))
	if err != nil {
		return nil, err
	}
	r := rate(fmt.Sprintf("by name of %s, 16 callers", thousands(float64(b.many))), "point read in the store", l, o)
	r.aim = 30_000
	return []row{r}, nil
}
