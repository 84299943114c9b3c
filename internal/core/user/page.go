package user

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/dbx"
	"limen/internal/fold"
)

// Page gives page number n, from 1, of q.Limit users each, for dialects that ask so. Where pages begin is remembered
// for a short while, so that whoever goes from page to page reads each of them by key, and misses nobody.
func (d *Directory) Page(ctx context.Context, c *call.Call, g grant.Grant, q Query, n int) ([]Listed, error) {
	if g.Nothing() {
		return nil, nil
	}
	q.Limit = min(max(q.Limit, 1), MaxPage)
	what := fmt.Sprintf("%s\x00%q\x00%q\x00%q\x00%s\x00%v\x00%d", c.Tenant.ID, g.Orgs(), g.Rows(), fold.Key(q.Prefix), q.column(), q.Desc, q.Limit)
	generation := d.counts.now(c)
	if n > 1 {
		there, err := d.skip(ctx, c, g, &q, d.pages.nearest(what, generation, n), n)
		if err != nil || !there {
			return nil, err
		}
	}
	rows, err := d.List(ctx, c, g, q)
	if err == nil && len(rows) == q.Limit && !c.Tx.Writable() {
		d.pages.keep(what, generation, n+1, rows[len(rows)-1].key())
	}
	return rows, err
}

// skip sets q.After to the end of page n-1, going on from a page that is known; false when there is no page n-1.
func (d *Directory) skip(ctx context.Context, c *call.Call, g grant.Grant, q *Query, from begin, n int) (bool, error) {
	if from.page > 1 {
		q.After = from.after.user()
	}
	if from.page == n {
		return true, nil
	}
	if n-from.page > math.MaxInt/q.Limit {
		return false, nil
	}
	last, err := keys.At(ctx, c.Tx, q.where(c, g), q.order(), int64(n-from.page)*int64(q.Limit)-1, c.Tenant.ID)
	if errors.Is(err, dbx.ErrNoRow) {
		return false, nil
	}
	q.After = last.user()
	return err == nil, err
}

// begin is where a page begins: behind a user.
type begin struct {
	page  int
	after keyed // the last user of the page before
	at    time.Time
}

func (k keyed) user() User {
	return User{ID: k.ID, NameKey: k.NameKey, DisplayKey: k.DisplayKey, MailKey: k.MailKey, Created: k.Created}
}

// pages remembers where the pages of queries begin.
type pages struct {
	mu sync.Mutex
	of map[string]*walk
}

// walk is the known pages of one query, as of a generation of the tenant's users.
type walk struct {
	generation int64
	begins     map[int]begin
}

const (
	pageLife  = 2 * time.Second // in which changes by other nodes are not seen
	maxWalks  = 100
	maxBegins = 2_000 // of a walk
)

// nearest is the last known page that is not behind n; the first page is always known.
func (p *pages) nearest(what string, generation int64, n int) begin {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := begin{page: 1}
	w := p.of[what]
	if w == nil || w.generation != generation {
		return out
	}
	if b, ok := w.begins[n]; ok && time.Since(b.at) < pageLife {
		return b
	}
	for _, b := range w.begins {
		if b.page <= n && b.page > out.page && time.Since(b.at) < pageLife {
			out = b
		}
	}
	return out
}

func (p *pages) keep(what string, generation int64, page int, after keyed) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.of[what]
	if w == nil || w.generation != generation {
		if p.of == nil || len(p.of) >= maxWalks {
			p.of = map[string]*walk{}
		}
		w = &walk{generation: generation, begins: map[int]begin{}}
		p.of[what] = w
	}
	if len(w.begins) >= maxBegins {
		clear(w.begins)
	}
	w.begins[page] = begin{page, after, time.Now()}
}
