package user

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/grant"
	"limen/internal/dbx"
	"limen/internal/fold"
)

// topic is told with a tenant when there are more, fewer, or others of its users, by name or organization.
const topic = "users"

// counts remembers how many users queries have, until the tenant's users are told to be others: on the node where they change
// before the change is answered, on others with their next poll. A node that cannot poll counts anew each time.
type counts struct {
	mu         sync.Mutex
	watched    bool
	generation map[string]int64     // tenant -> changes told
	told       map[string]time.Time // tenant -> when the last one was
	reset      time.Time
	of         map[string]count
}

type count struct {
	generation int64
	at         time.Time
	n          int64
}

const (
	countLife  = time.Minute // in which changes by a node of an older version, which tells none, are not seen
	maxCounts  = 10_000
	maxTenants = 10_000
)

// Watch has counts forgotten when users change. Without it none is remembered.
func (d *Directory) Watch() {
	d.counts.watched = true
	d.Changes.Watch(topic, d.counts.forget)
}

func (cs *counts) forget(tenant string) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if tenant == change.Reset || len(cs.told) >= maxTenants {
		cs.of, cs.told, cs.reset = nil, nil, time.Now()
	}
	if cs.generation == nil {
		cs.generation = map[string]int64{}
	}
	if cs.told == nil {
		cs.told = map[string]time.Time{}
	}
	cs.generation[tenant]++
	cs.told[tenant] = time.Now()
}

// others tells that there are more, fewer or other users. On SQLite all who write are in this process, and a row is saved.
func (d *Directory) others(ctx context.Context, c *call.Call) error {
	if c.Tx.Engine() == dbx.SQLite {
		tenant := c.Tenant.ID
		c.Tx.After(func() { d.counts.forget(tenant) })
		return nil
	}
	return d.Changes.Put(ctx, c, topic, c.Tenant.ID)
}

func (cs *counts) get(key string, c *call.Call) (count, bool) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	v, ok := cs.of[key]
	return v, ok && v.generation == cs.generation[c.Tenant.ID] && v.at.After(cs.reset) && time.Since(v.at) < countLife
}

// put remembers what a snapshot counted, unless a change was told since it began: it may be one that the snapshot does not see.
func (cs *counts) put(key string, c *call.Call, n int64) {
	began := c.Tx.Began()
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if began.IsZero() || !began.After(cs.told[c.Tenant.ID]) || !began.After(cs.reset) {
		return
	}
	if cs.of == nil || len(cs.of) >= maxCounts {
		cs.of = map[string]count{}
	}
	cs.of[key] = count{generation: cs.generation[c.Tenant.ID], at: began, n: n}
}

func (cs *counts) now(c *call.Call) int64 {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.generation[c.Tenant.ID]
}

// Count counts the users that the grant and the query's prefix allow. While no user comes, goes, or gets another name or
// organization, it is remembered.
func (d *Directory) Count(ctx context.Context, c *call.Call, g grant.Grant, q Query) (int64, error) {
	if g.Nothing() {
		return 0, nil
	}
	key := strings.Join([]string{"c", c.Tenant.ID, fold.Key(q.Prefix), fmt.Sprintf("%v %q %q", g.Everything(), g.Orgs(), g.Rows())}, "\x00")
	remembers := d.counts.watched && !c.Tx.Writable() && d.Changes.Fresh()
	if remembers {
		if v, ok := d.counts.get(key, c); ok {
			return v.n, nil
		}
	}
	n, err := keys.Count(ctx, c.Tx, dbx.And(Allowed(c, g), dbx.Prefix("name_key", fold.Key(q.Prefix))), c.Tenant.ID)
	if err == nil && remembers {
		d.counts.put(key, c, n)
	}
	return n, err
}
