package change

import (
	"context"
	"sync"
	"time"

	"limen/internal/call"
)

// remembers is how long an answer is remembered at most, and keeps how many of them unless Memory.Max says otherwise.
const (
	remembers = 5 * time.Minute
	keeps     = 20_000
)

// Answer is what a Memory remembers, with what it was made of.
type Answer[V any] struct {
	Value V
	// Of are ids of the call's tenant. As soon as a change of one of them is told, or of the tenant itself, the answer is forgotten.
	Of []string
	// Until is when it may be another without any change, in ms since 1970 UTC; 0: never. One that is past is not remembered.
	Until int64
}

// Memory remembers answers until what they were made of changes: on the node that changes it before the change's Write returns, on others
// with their next poll. A node that cannot poll remembers nothing. What it gives is shared: read only. The exported fields are set before
// use; without Log nothing is remembered. Its lists differ from Cache's in that each answer is forgotten by itself.
type Memory[K comparable, V any] struct {
	Log *Log
	Max int // answers; 20,000 when 0

	mu         sync.RWMutex
	generation int64 // counts what was told: an answer read before and kept after would bring back what was revoked
	of         map[K]*kept[K, V]
	by         map[string]map[*kept[K, V]]struct{} // tenant, or tenant/id
}

type kept[K comparable, V any] struct {
	key   K
	value V
	until int64
	by    []string
}

// Watch has answers forgotten by what topics tell, whose items are a tenant or tenant/id.
func (m *Memory[K, V]) Watch(watch func(topic string, f func(item string)), topics ...string) {
	for _, t := range topics {
		watch(t, m.forget)
	}
}

// Get gives what is remembered under a key of the call's tenant, or else has it read in c.Tx, in a snapshot of its own where there is none.
// A transaction that has told a change reads for itself, and what a snapshot of somebody else's reads is not remembered: it may be older
// than the last change. What a writing transaction reads is remembered once it is committed.
func (m *Memory[K, V]) Get(ctx context.Context, c *call.Call, key K, read func() (Answer[V], error)) (V, error) {
	writes := c.Tx != nil && c.Tx.Writable()
	use := m.Log != nil && !(writes && c.Wrote != 0)
	var generation int64
	if use {
		var v V
		var ok bool
		if v, generation, ok = m.get(key, c.Now.UnixMilli()); ok {
			return v, nil
		}
	}
	var a Answer[V]
	var err error
	if c.Tx != nil {
		a, err = read()
	} else {
		err = c.Snapshot(ctx, func() (err error) { a, err = read(); return err })
	}
	switch {
	case err != nil || !use:
	case c.Tx == nil:
		m.keep(c, key, a, generation)
	case writes && c.Tx.Latest():
		c.Tx.After(func() { m.keep(c, key, a, generation) })
	}
	return a.Value, err
}

// Knows says whether there is something remembered under a key.
func (m *Memory[K, V]) Knows(c *call.Call, key K) bool {
	if m.Log == nil {
		return false
	}
	_, _, ok := m.get(key, c.Now.UnixMilli())
	return ok
}

func (m *Memory[K, V]) get(key K, now int64) (v V, generation int64, ok bool) {
	fresh := m.Log.Fresh()
	m.mu.RLock()
	defer m.mu.RUnlock()
	e := m.of[key]
	if e == nil || now >= e.until || !fresh {
		return v, m.generation, false
	}
	return e.value, m.generation, true
}

// keep remembers what was read at a generation, unless something was told since.
func (m *Memory[K, V]) keep(c *call.Call, key K, a Answer[V], generation int64) {
	e := &kept[K, V]{key: key, value: a.Value, until: c.Now.Add(remembers).UnixMilli(), by: []string{c.Tenant.ID}}
	if a.Until != 0 {
		e.until = min(e.until, a.Until)
	}
	for _, id := range a.Of {
		if id != "" {
			e.by = append(e.by, c.Tenant.ID+"/"+id)
		}
	}
	most := m.Max
	if most <= 0 {
		most = keeps
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if generation != m.generation || e.until <= c.Now.UnixMilli() {
		return
	}
	if old := m.of[key]; old != nil {
		m.remove(old)
	}
	for _, victim := range m.of { // any: a map's order is random
		if len(m.of) < most {
			break
		}
		m.remove(victim)
	}
	if m.of == nil {
		m.of, m.by = map[K]*kept[K, V]{}, map[string]map[*kept[K, V]]struct{}{}
	}
	m.of[key] = e
	for _, item := range e.by {
		if m.by[item] == nil {
			m.by[item] = map[*kept[K, V]]struct{}{}
		}
		m.by[item][e] = struct{}{}
	}
}

func (m *Memory[K, V]) remove(e *kept[K, V]) {
	delete(m.of, e.key)
	for _, item := range e.by {
		delete(m.by[item], e)
		if len(m.by[item]) == 0 {
			delete(m.by, item)
		}
	}
}

func (m *Memory[K, V]) forget(item string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.generation++
	if item == Reset {
		m.of, m.by = nil, nil
		return
	}
	for e := range m.by[item] {
		m.remove(e)
	}
}
