package session

import (
	"sync"
	"sync/atomic"
	"time"

	"limen/internal/call"
)

// entry is a session in memory. All but seen and stored is read only.
type entry struct {
	hash    [32]byte
	tenant  string
	session string // tenant/id
	user    string // tenant/id
	caller  call.Caller
	read    time.Time    // when the store was asked
	idle    int64        // ms
	until   int64        // ms since 1970; not to be answered from memory afterwards
	seen    atomic.Int64 // last call on this node, or what the store knew
	stored  atomic.Int64 // what the store knows, or soon will
}

// cache holds sessions by the hash of their token. It is a plain map and not one of the cache libraries because what a
// change tells is a session or a person, so that a second key must find the same entries and be kept in step.
type cache struct {
	mu       sync.RWMutex
	hashes   map[[32]byte]*entry
	sessions map[string]*entry
	users    map[string]map[*entry]struct{}
	// generation counts what was forgotten: an answer read before and stored after would bring back what was revoked.
	generation int64
}

const maxEntries = 200_000

func (k *cache) byHash(hash [32]byte) *entry {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.hashes[hash]
}

func (k *cache) bySession(key string) *entry {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.sessions[key]
}

func (k *cache) now() int64 {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.generation
}

// put keeps an entry that was read at a generation, unless something was forgotten since.
func (k *cache) put(e *entry, generation int64, most int) {
	if most <= 0 {
		most = maxEntries
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if generation != k.generation {
		return
	}
	if k.hashes == nil {
		k.hashes, k.sessions, k.users = map[[32]byte]*entry{}, map[string]*entry{}, map[string]map[*entry]struct{}{}
	}
	if old := k.sessions[e.session]; old != nil {
		e.seen.Store(max(e.seen.Load(), old.seen.Load()))
		k.remove(old)
	}
	for _, victim := range k.hashes { // any: a map's order is random
		if len(k.hashes) < most {
			break
		}
		k.remove(victim)
	}
	k.hashes[e.hash], k.sessions[e.session] = e, e
	if k.users[e.user] == nil {
		k.users[e.user] = map[*entry]struct{}{}
	}
	k.users[e.user][e] = struct{}{}
}

func (k *cache) remove(e *entry) {
	delete(k.hashes, e.hash)
	delete(k.sessions, e.session)
	delete(k.users[e.user], e)
	if len(k.users[e.user]) == 0 {
		delete(k.users, e.user)
	}
}

type kind uint8

const (
	kindSession kind = iota
	kindUser
)

func (k *cache) dropKey(of kind, key string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.generation++
	if of == kindSession {
		if e := k.sessions[key]; e != nil {
			k.remove(e)
		}
		return
	}
	for e := range k.users[key] {
		k.remove(e)
	}
}

// drop forgets the entries that match, or all when match is nil.
func (k *cache) drop(match func(*entry) bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.generation++
	if match == nil {
		k.hashes, k.sessions, k.users = nil, nil, nil
		return
	}
	for _, e := range k.hashes {
		if match(e) {
			k.remove(e)
		}
	}
}
