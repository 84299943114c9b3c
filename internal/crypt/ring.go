package crypt

import (
	"bytes"
	"context"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Sealed is a data key as it is stored: wrapped by the master key, never in the clear.
type Sealed struct {
	Tenant  string // empty for the installation as a whole
	Purpose string // what the key protects, for example "secret" or "mail"
	Version int    // from 1
	Wrapped []byte
	Created int64 // ms since 1970, UTC
}

// Ring holds the data keys. Its fields are set once, before use; it is safe for concurrent use.
type Ring struct {
	Master Wrapper
	// Load gives all stored keys of all tenants.
	Load func(ctx context.Context) ([]Sealed, error)
	// Of gives those of one tenant, so that not all are in memory; nil: Load does.
	Of func(ctx context.Context, tenant string) ([]Sealed, error)
	// Store adds a key in a transaction of its own. It never replaces one: when tenant, purpose and version exist, it
	// gives ErrKeyTaken, and the ring uses the stored key.
	Store func(ctx context.Context, key Sealed) error
	Now   func() time.Time

	making  sync.Mutex // one new key, or one reading of keys, at a time
	mu      sync.RWMutex
	tenants map[string]*keyset
}

// keyset is what is known of a tenant's keys. It is never changed.
type keyset struct {
	versions map[string]map[int]*dataKey // by purpose
	newest   map[string]int
	read     time.Time
}

// maxTenants bounds the tenants whose keys are in memory; beyond it all are read again as they are needed.
const maxTenants = 4096

type slot struct{ tenant, purpose string }

type dataKey struct {
	Sealed
	mu   sync.Mutex
	seal cipher.AEAD // set last, once the key is unwrapped
	mac  []byte
}

const (
	maxName = 128
	// storeLimit bounds the making of a key. A caller that sits in the only write transaction of an embedded store
	// would otherwise wait for itself.
	storeLimit = 5 * time.Second
	// rereadAfter is how soon an unknown version leads to another reading of the store.
	rereadAfter = time.Second
)

// Refresh forgets what is known, so that the stored keys are read again. Nodes call it when the change log says that keys have
// changed.
func (r *Ring) Refresh() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tenants = nil
}

// refresh reads the stored keys of a tenant; the caller holds making.
func (r *Ring) refresh(ctx context.Context, tenant string) error {
	rows, err := r.stored(ctx, tenant)
	if err != nil {
		return ErrStore.Because(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := &keyset{versions: map[string]map[int]*dataKey{}, newest: map[string]int{}, read: r.Now()}
	old := r.tenants[tenant]
	for _, row := range rows {
		if now.versions[row.Purpose] == nil {
			now.versions[row.Purpose] = map[int]*dataKey{}
		}
		k := old.find(row.Purpose, row.Version)
		if k == nil || !bytes.Equal(k.Wrapped, row.Wrapped) {
			k = &dataKey{Sealed: row}
		}
		now.versions[row.Purpose][row.Version] = k
		now.newest[row.Purpose] = max(now.newest[row.Purpose], row.Version)
	}
	if r.tenants == nil || old == nil && len(r.tenants) >= maxTenants {
		r.tenants = map[string]*keyset{}
	}
	r.tenants[tenant] = now
	return nil
}

func (r *Ring) stored(ctx context.Context, tenant string) ([]Sealed, error) {
	if r.Of != nil {
		return r.Of(ctx, tenant)
	}
	rows, err := r.Load(ctx)
	return slices.DeleteFunc(rows, func(row Sealed) bool { return row.Tenant != tenant }), err
}

// find gives one version; of no keys none.
func (k *keyset) find(purpose string, version int) *dataKey {
	if k == nil {
		return nil
	}
	return k.versions[purpose][version]
}

// Check opens each of some stored keys, or of all where none are given. A start that fails here has the wrong master key, and
// must not go on: it would seal new values with a key that the old ones do not know.
func (r *Ring) Check(ctx context.Context, rows ...Sealed) error {
	if len(rows) == 0 {
		var err error
		if rows, err = r.Load(ctx); err != nil {
			return ErrStore.Because(err)
		}
	}
	for _, row := range rows {
		if err := (&dataKey{Sealed: row}).open(ctx, r.Master); err != nil {
			return fmt.Errorf("key %q of tenant %q, version %d: %w", row.Purpose, row.Tenant, row.Version, err)
		}
	}
	return nil
}

// Ensure makes the first key of a tenant for each purpose, where there is none. Seal does so by itself, but not
// inside a write transaction of an embedded store; tenants are therefore given their keys when they are made.
func (r *Ring) Ensure(ctx context.Context, tenant string, purposes ...string) error {
	for _, p := range purposes {
		if _, err := r.current(ctx, slot{tenant, p}); err != nil {
			return err
		}
	}
	return nil
}

// Rotate makes a new version that seals from now on; what older versions sealed stays readable.
func (r *Ring) Rotate(ctx context.Context, tenant, purpose string) (version int, err error) {
	s := slot{tenant, purpose}
	if err = s.check(); err != nil {
		return 0, err
	}
	r.making.Lock()
	defer r.making.Unlock()
	if err = r.refresh(ctx, tenant); err != nil {
		return 0, err
	}
	k, err := r.add(ctx, s)
	if err != nil {
		return 0, err
	}
	return k.Version, nil
}

// Rewrap gives every stored key wrapped by another master key, for the one transaction that replaces them. The ring
// itself keeps its master; the program is started again with the new one.
func (r *Ring) Rewrap(ctx context.Context, to Wrapper) ([]Sealed, error) {
	rows, err := r.Load(ctx)
	if err != nil {
		return nil, ErrStore.Because(err)
	}
	out := make([]Sealed, 0, len(rows))
	for _, row := range rows {
		aad := row.aad()
		key, err := r.Master.Unwrap(ctx, row.Wrapped, aad)
		if err != nil {
			return nil, err
		}
		if row.Wrapped, err = to.Wrap(ctx, key, aad); err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, nil
}

// current gives the key that seals, and makes the first one.
func (r *Ring) current(ctx context.Context, s slot) (*dataKey, error) {
	if k := r.find(s, 0); k != nil {
		return k, k.open(ctx, r.Master)
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	r.making.Lock()
	defer r.making.Unlock()
	if k := r.find(s, 0); k != nil {
		return k, k.open(ctx, r.Master)
	}
	if err := r.refresh(ctx, s.tenant); err != nil {
		return nil, err
	}
	if k := r.find(s, 0); k != nil {
		return k, k.open(ctx, r.Master)
	}
	return r.add(ctx, s)
}

// at gives the key of one version. A version made by another node is found by reading the store again.
func (r *Ring) at(ctx context.Context, s slot, version int) (*dataKey, error) {
	k := r.find(s, version)
	if k == nil {
		r.making.Lock()
		defer r.making.Unlock()
		if k = r.find(s, version); k == nil && r.stale(s.tenant) {
			if err := r.refresh(ctx, s.tenant); err != nil {
				return nil, err
			}
			k = r.find(s, version)
		}
	}
	if k == nil {
		return nil, ErrUnopenable.Because(fmt.Errorf("no key %q of tenant %q has version %d", s.purpose, s.tenant, version))
	}
	return k, k.open(ctx, r.Master)
}

func (r *Ring) stale(tenant string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	k := r.tenants[tenant]
	if k == nil {
		return true
	}
	age := r.Now().Sub(k.read)
	return age < 0 || age >= rereadAfter
}

// find gives one version, or the newest for 0.
func (r *Ring) find(s slot, version int) *dataKey {
	r.mu.RLock()
	defer r.mu.RUnlock()
	k := r.tenants[s.tenant]
	if k != nil && version == 0 {
		version = k.newest[s.purpose]
	}
	return k.find(s.purpose, version)
}

// add stores the next version; the caller holds making and has read the store.
func (r *Ring) add(ctx context.Context, s slot) (*dataKey, error) {
	version := 1
	if newest := r.find(s, 0); newest != nil {
		version = newest.Version + 1
	}
	key := make([]byte, keySize)
	if _, err := rand.Read(key); err != nil {
		return nil, ErrMasterInvalid.Because(err)
	}
	row := Sealed{Tenant: s.tenant, Purpose: s.purpose, Version: version, Created: r.Now().UnixMilli()}
	wrapped, err := r.Master.Wrap(ctx, key, row.aad())
	if err != nil {
		return nil, err
	}
	row.Wrapped = wrapped
	limited, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	if err := r.Store(limited, row); err != nil && !errors.Is(err, ErrKeyTaken) {
		return nil, ErrStore.Because(err)
	}
	if err := r.refresh(ctx, s.tenant); err != nil {
		return nil, err
	}
	k := r.find(s, version)
	if k == nil {
		return nil, ErrStore.Because(errors.New("the stored key cannot be found again"))
	}
	return k, k.open(ctx, r.Master)
}

func (s slot) check() error {
	if s.purpose == "" || len(s.purpose) > maxName || len(s.tenant) > maxName {
		return ErrSlot
	}
	return nil
}

func (k *Sealed) aad() []byte {
	return bind("limen data key 1", []byte(k.Tenant), []byte(k.Purpose), binary.BigEndian.AppendUint32(nil, uint32(k.Version)))
}

// open unwraps the key and derives what is used of it, once. A wrapper that does not answer is asked again next time.
func (k *dataKey) open(ctx context.Context, master Wrapper) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.seal != nil {
		return nil
	}
	return k.unwrap(ctx, master)
}

func (k *dataKey) unwrap(ctx context.Context, master Wrapper) error {
	raw, err := master.Unwrap(ctx, k.Wrapped, k.aad())
	if err != nil {
		return err
	}
	if len(raw) != keySize {
		return ErrUnopenable.Because(errors.New("the data key has the wrong length"))
	}
	sealing, err := hkdf.Key(sha256.New, raw, nil, "limen seal 1", keySize)
	if err != nil {
		return ErrUnopenable.Because(err)
	}
	if k.mac, err = hkdf.Key(sha256.New, raw, nil, "limen mac 1", keySize); err != nil {
		return ErrUnopenable.Because(err)
	}
	k.seal, err = newAEAD(sealing)
	return err
}

// bind joins parts so that no two lists of parts give the same bytes: each has its length in front.
func bind(label string, parts ...[]byte) []byte {
	size := len(label) + 4
	for _, p := range parts {
		size += len(p) + 4
	}
	out := make([]byte, 0, size)
	out = append(binary.BigEndian.AppendUint32(out, uint32(len(label))), label...)
	for _, p := range parts {
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(p))), p...)
	}
	return out
}
