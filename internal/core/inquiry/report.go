package inquiry

import (
	"sync"
	"time"

	"limen/internal/call"
)

// Bounds of reporting failures.
const (
	reportEvery = time.Minute
	maxReported = 10_000 // tenants
)

// Reports are those of failures that strangers can bring about again and again. The zero value is ready.
type Reports struct {
	mu   sync.Mutex
	last map[string]time.Time // by tenants
}

// Due says whether a failure is to be told now: one a minute for each tenant.
func (r *Reports) Due(c *call.Call) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if last, ok := r.last[c.Tenant.ID]; ok && c.Now.Sub(last) < reportEvery {
		return false
	}
	if r.last == nil || len(r.last) >= maxReported {
		r.last = map[string]time.Time{}
	}
	r.last[c.Tenant.ID] = c.Now
	return true
}
