package profile

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/dbx"
)

// maxTenants bounds the cache; beyond it everything is forgotten.
const maxTenants = 4096

// cache keeps the profiles of tenants until they change.
type cache struct {
	generation atomic.Int64
	mu         sync.Mutex
	of         map[string]set
	busy       sync.Map // tenants that are being loaded in the background
}

// set is a tenant's profiles by their names. It is never changed.
type set []Profile

// Start watches for changes.
func (p *Profiles) Start() {
	p.Changes.Watch(Topic, func(item string) {
		p.cache.generation.Add(1)
		p.cache.mu.Lock()
		defer p.cache.mu.Unlock()
		if item == change.Reset {
			p.cache.of = nil
		} else {
			delete(p.cache.of, item)
		}
	})
}

// Get finds a profile by its UUID, whatever its case; ErrNotFound. It costs no query while nothing changes. The profile is
// shared: read only. A transaction that stores the id takes Hold instead.
func (p *Profiles) Get(ctx context.Context, c *call.Call, id string) (Profile, error) {
	if !Is(id) {
		return Profile{}, ErrNotFound
	}
	all, err := p.all(ctx, c)
	if err != nil {
		return Profile{}, err
	}
	id = strings.ToLower(id)
	if i := slices.IndexFunc(all, func(one Profile) bool { return one.ID == id }); i >= 0 {
		return all[i], nil
	}
	return Profile{}, ErrNotFound
}

// List gives every profile of the tenant by its name. They are shared: read only.
func (p *Profiles) List(ctx context.Context, c *call.Call) ([]Profile, error) {
	all, err := p.all(ctx, c)
	return slices.Clone([]Profile(all)), err
}

// all gives the tenant's profiles from memory while they are up to date.
func (p *Profiles) all(ctx context.Context, c *call.Call) (set, error) {
	if s, ok := p.cached(c.Tenant.ID); ok {
		return s, nil
	}
	if c.Tx == nil {
		return p.load(ctx, c.Tenant.ID)
	}
	// This transaction may be older than the last change, or be rolled back, so what it reads is for this call only.
	p.refresh(c.Tenant.ID)
	return read(ctx, c.Tx, c.Tenant.ID)
}

func read(ctx context.Context, tx *dbx.Tx, tenant string) (set, error) {
	rows, err := listRows.All(ctx, tx, tenant)
	out := make(set, len(rows))
	for i, r := range rows {
		out[i] = r.profile()
	}
	return out, err
}

// load reads the profiles in a snapshot of its own and remembers them.
func (p *Profiles) load(ctx context.Context, tenant string) (out set, err error) {
	generation := p.cache.generation.Load() // before the snapshot: what changes after it is told
	err = p.DB.Read(ctx, func(tx *dbx.Tx) error {
		out, err = read(ctx, tx, tenant)
		return err
	})
	if err == nil {
		p.keep(tenant, out, generation)
	}
	return out, err
}

// refresh loads a tenant's profiles in the background, once at a time.
func (p *Profiles) refresh(tenant string) {
	if _, busy := p.cache.busy.LoadOrStore(tenant, true); busy {
		return
	}
	go func() {
		defer p.cache.busy.Delete(tenant)
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_, _ = p.load(ctx, tenant) // the next call that needs them tries again, and tells
	}()
}

func (p *Profiles) cached(tenant string) (set, bool) {
	p.cache.mu.Lock()
	defer p.cache.mu.Unlock()
	if !p.Changes.Fresh() {
		return nil, false
	}
	s, ok := p.cache.of[tenant]
	return s, ok
}

// keep remembers what was read, unless something changed while it was.
func (p *Profiles) keep(tenant string, s set, generation int64) {
	p.cache.mu.Lock()
	defer p.cache.mu.Unlock()
	if generation != p.cache.generation.Load() {
		return
	}
	if p.cache.of == nil || len(p.cache.of) >= maxTenants {
		p.cache.of = map[string]set{}
	}
	p.cache.of[tenant] = s
}
