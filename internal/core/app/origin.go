package app

import (
	"context"
	"encoding/json"
	"sync"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/oauth"
	"limen/internal/dbx"
)

var activeProfiles = dbx.Q[string]("app.active_profiles", `SELECT profile FROM app WHERE tenant = ? AND profile <> '' AND state = '`+Active+`'`)

// origins are those whose scripts may call the endpoints of any application, by tenant. The zero value is ready.
type origins struct {
	mu         sync.Mutex
	generation int64
	of         map[string]map[string]bool
}

// maxOrigins bounds the tenants in memory.
const maxOrigins = 1000

func (o *origins) forget(tenant string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.generation++
	if delete(o.of, tenant); tenant == change.Reset {
		o.of = nil
	}
}

func (o *origins) get(tenant string) (map[string]bool, int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.of[tenant], o.generation
}

func (o *origins) put(tenant string, set map[string]bool, generation int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.generation != generation {
		return // one may have changed since they were read
	}
	if o.of == nil || len(o.of) >= maxOrigins {
		o.of = map[string]map[string]bool{}
	}
	o.of[tenant] = set
}

// Origin says whether any of the tenant's active applications lets scripts of an origin call its endpoints (oauth.Profile.Shares). It runs
// outside transactions.
func (a *Apps) Origin(ctx context.Context, c *call.Call, origin string) (bool, error) {
	set, generation := a.origins.get(c.Tenant.ID)
	if set != nil && (a.Fresh == nil || a.Fresh()) {
		return set[origin], nil
	}
	set = map[string]bool{}
	err := c.Snapshot(ctx, func() error {
		return activeProfiles.Each(ctx, c.Tx, func(raw string) error {
			var p Profile
			if err := json.Unmarshal([]byte(raw), &p); err != nil {
				return err
			}
			for _, o := range (oauth.Profile{Public: p.AllowPublic, Redirects: p.Redirects, Origins: p.AllowedOrigins}).SharedWith() {
				set[o] = true
			}
			return nil
		}, c.Tenant.ID)
	})
	if err != nil {
		return false, err
	}
	a.origins.put(c.Tenant.ID, set, generation)
	return set[origin], nil
}
