package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"
	"time"

	"limen/bench/load"
	"limen/internal/crypt"
	"limen/internal/dbx"
)

// What fills the stores of tokens and sessions, as other tenants' that nobody asks for: rows numbered from one on, of which each tenth
// expires when it is told.
var fillings = map[string][]string{
	"sqlite": {
		`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) INSERT INTO oauth_access (tenant, hash, granted, app, client, user_id, scope, audience,
			thumbprint, issued, expires) SELECT 'FILL' || i % 100, randomblob(32), '', 'app', 'client' || i % 1000, '', 'read', 'client', '', 0, CASE WHEN i % 10 = 0 THEN ?2 ELSE ?3 + i END FROM n`,
		`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) INSERT INTO session (tenant, id, user_id, hash, level, factors, persistent, ip, agent, device,
			created, seen, idle, expires, ended) SELECT 'FILL' || i % 100, 's' || i, 'user' || i % 100000, randomblob(32), 'Normal', 'UP', 0, '', '', '', 0, 0, 0, CASE WHEN i % 10 = 0 THEN ?2 ELSE ?3 + i END, 0 FROM n`,
	},
	"postgres": {
		`INSERT INTO oauth_access (tenant, hash, granted, app, client, user_id, scope, audience, thumbprint, issued, expires) SELECT 'FILL' || i % 100,
			sha256(('t' || i)::bytea), '', 'app', 'client' || i % 1000, '', 'read', 'client', '', 0, CASE WHEN i % 10 = 0 THEN $2::bigint ELSE $3::bigint + i END FROM generate_series(1, $1::int) i`,
		`INSERT INTO session (tenant, id, user_id, hash, level, factors, persistent, ip, agent, device, created, seen, idle, expires, ended) SELECT 'FILL' || i % 100, 's' || i,
			'user' || i % 100000, sha256(('s' || i)::bytea), 'Normal', 'UP', false, '', '', '', 0, 0, 0, CASE WHEN i % 10 = 0 THEN $2::bigint ELSE $3::bigint + i END, 0 FROM generate_series(1, $1::int) i`,
	},
}

var giveToken = dbx.E("bench.give_token", `INSERT INTO oauth_access (tenant, hash, granted, app, client, user_id, scope, audience, thumbprint, issued, expires)
	VALUES (?, ?, '', ?, ?, '', 'read', 'client', '', ?, ?)`)

// stored is what tokens cost while few are stored, and then while millions are and sessions with them: tokens that are issued, and
// introspection of tokens that nobody has asked for of late, so that the store is asked. Then one of ten has expired, and leaves.
func stored(ctx context.Context, b *bench, w *world) (rows []row, err error) {
	s, err := addSite(ctx, w.app)
	if err != nil {
		return nil, err
	}
	a, err := s.client(ctx, w, "stored", map[string]any{"TokenType": "Opaque"})
	if err != nil {
		return nil, err
	}
	many := min(b.stored, 60_000) // more than are remembered
	requests, err := a.tokens(ctx, w, many)
	if err != nil {
		return nil, err
	}
	var next atomic.Int64
	issue := w.same(ctx, a.post("Token", url.Values{"grant_type": {"client_credentials"}, "scope": {"read"}}))(16)
	look := w.ask(ctx, func(_ int, c *load.Conn) error { _, err := c.OK(requests[next.Add(1)%int64(many)]); return err })(16)
	var few [2]load.Sample
	for i, f := range []turn{issue, look} {
		if few[i], err = b.turns(f); err != nil {
			return nil, err
		}
	}
	old := time.Now().Add(time.Hour).UnixMilli()
	for _, text := range fillings[w.engine] {
		if _, err := w.app.DB.SQL().ExecContext(ctx, text, b.stored, old, old+time.Hour.Milliseconds()); err != nil {
			return nil, err
		}
	}
	if w.engine == "postgres" {
		if _, err := w.app.DB.SQL().ExecContext(ctx, "ANALYZE"); err != nil { // as the server's own daemon does after a while
			return nil, err
		}
	}
	for i, f := range []turn{issue, look} {
		l, err := b.turns(f)
		if err != nil {
			return rows, err
		}
		what := []string{"tokens issued", "introspection, unremembered"}[i]
		r := rate(fmt.Sprintf("%s, %s rows", what, thousands(float64(b.stored))), "the same with few", few[i], l)
		r.ratio = 0.9
		rows = append(rows, r)
	}
	start := time.Now()
	err = errors.Join(w.app.OAuth.Sweep(ctx, w.app.DB, time.UnixMilli(old+1)), w.app.Sessions.Sweep(ctx, time.UnixMilli(old+1)))
	rows = append(rows, row{measure: fmt.Sprintf("%s expired rows leave", thousands(float64(2*(b.stored/10)))), unit: duration, ours: time.Since(start).Seconds()})
	return rows, err
}

// turns is some turns of something alone.
func (b *bench) turns(f turn) (all load.Sample, err error) {
	for range b.slices {
		s, err := f(b.slice)
		if err != nil {
			return all, err
		}
		all = all.Plus(s)
	}
	return all, nil
}

// tokens stores n tokens of the client, and gives requests for their introspection.
func (a *client) tokens(ctx context.Context, w *world, n int) ([][]byte, error) {
	now, out := time.Now(), make([][]byte, 0, n)
	for len(out) < n {
		from := len(out)
		err := w.app.DB.Write(ctx, func(tx *dbx.Tx) error {
			out = out[:from]
			for range min(batch, n-from) {
				plain, hash := crypt.NewToken(rand.Reader)
				if err := giveToken.Later(ctx, tx, a.site.id, hash, a.key, a.id, now.UnixMilli(), now.Add(2*time.Hour).UnixMilli()); err != nil {
					return err
				}
				out = append(out, a.post("Introspect", url.Values{"token": {plain}}))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
