package change

import (
	"context"
	"sync"
	"time"

	"limen/internal/call"
	"limen/internal/dbx"
)

// maxTenants bounds a cache; beyond it everything is forgotten.
const maxTenants = 4096

// Cache keeps what is read of each tenant in memory until a change of it is told. What it holds is shared: read only. The
// exported fields are set before Start.
type Cache[T any] struct {
	DB   *dbx.DB
	Log  *Log
	Read func(ctx context.Context, tx *dbx.Tx, tenant string) (T, error)

	mu         sync.Mutex
	generation int64
	of         map[string]T
	busy       sync.Map // tenants that are being loaded in the background
}

// Start has a tenant forgotten as soon as the topic is told with the tenant as its item.
func (ca *Cache[T]) Start(topic string) {
	ca.Log.Watch(topic, func(item string) {
		ca.mu.Lock()
		defer ca.mu.Unlock()
		ca.generation++
		if item == Reset {
			ca.of = nil
		} else {
			delete(ca.of, item)
		}
	})
}

// Get gives what is known of the call's tenant, at the cost of no query while nothing changes. A transaction that has told a
// change sees what it wrote.
func (ca *Cache[T]) Get(ctx context.Context, c *call.Call) (T, error) {
	if c.Tx != nil && c.Wrote != 0 && c.Tx.Writable() {
		return ca.Read(ctx, c.Tx, c.Tenant.ID)
	}
	if v, ok := ca.cached(c.Tenant.ID); ok {
		return v, nil
	}
	if c.Tx == nil {
		return ca.load(ctx, c.Tenant.ID)
	}
	// This transaction may be older than the last change, or be rolled back, so what it reads is for this call only.
	ca.refresh(c.Tenant.ID)
	return ca.Read(ctx, c.Tx, c.Tenant.ID)
}

// load reads in a snapshot of its own and remembers what it read.
func (ca *Cache[T]) load(ctx context.Context, tenant string) (out T, err error) {
	generation := ca.now() // before the snapshot: what changes after it is told
	err = ca.DB.Read(ctx, func(tx *dbx.Tx) error {
		out, err = ca.Read(ctx, tx, tenant)
		return err
	})
	if err == nil {
		ca.keep(tenant, out, generation)
	}
	return out, err
}

// refresh loads a tenant in the background, once at a time.
func (ca *Cache[T]) refresh(tenant string) {
	if _, busy := ca.busy.LoadOrStore(tenant, true); busy {
		return
	}
	go func() {
		defer ca.busy.Delete(tenant)
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_, _ = ca.load(ctx, tenant) // the next call that needs it tries again, and tells
	}()
}

func (ca *Cache[T]) now() int64 {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	return ca.generation
}

func (ca *Cache[T]) cached(tenant string) (v T, ok bool) {
	if !ca.Log.Fresh() {
		return v, false
	}
	ca.mu.Lock()
	defer ca.mu.Unlock()
	v, ok = ca.of[tenant]
	return v, ok
}

// keep remembers what was read, unless something changed while it was.
func (ca *Cache[T]) keep(tenant string, v T, generation int64) {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	if generation != ca.generation {
		return
	}
	if ca.of == nil || len(ca.of) >= maxTenants {
		ca.of = map[string]T{}
	}
	ca.of[tenant] = v
}
