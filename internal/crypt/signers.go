package crypt

import (
	"cmp"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"limen/internal/fault"
)

// Faults of signing.
var (
	ErrToken        = fault.New(fault.Unauthenticated, "token.invalid", "The token is not valid.")
	ErrAlgorithm    = fault.New(fault.Invalid, "token.algorithm", "The signature algorithm is not supported.")
	ErrNoSigningKey = fault.New(fault.Unavailable, "token.no_key", "There is no key to sign with at present.")
)

// Alg names a signature algorithm of RFC 7518.
type Alg = jose.SignatureAlgorithm

// The algorithms that keys are made for.
const (
	RS256 = jose.RS256
	ES256 = jose.ES256
	PS256 = jose.PS256
	EdDSA = jose.EdDSA // over Ed25519
)

// SigningKey is a key as it is stored. It signs from From until a later key of its algorithm does, and is published
// from the moment it is stored until Until: receivers know a key before it signs, and after it stopped.
type SigningKey struct {
	Tenant  string
	ID      string // the JWK thumbprint (RFC 7638, SHA-256, base64url)
	Alg     Alg
	Sealed  string // PKCS#8, sealed by the ring under the purpose "signing"
	Created int64  // these three: ms since 1970, UTC
	From    int64
	Until   int64 // 0 while no later key takes over
}

// Signers holds the keys that sign JSON Web Tokens for tenants. Its fields are set before use; it is safe for
// concurrent use.
type Signers struct {
	Ring *Ring
	// Load gives the stored keys of one tenant.
	Load func(ctx context.Context, tenant string) ([]SigningKey, error)
	// Store adds keys, or replaces those with the same tenant and id, in one transaction of its own.
	Store func(ctx context.Context, keys ...SigningKey) error
	Now   func() time.Time

	// Lead is how long a new key is published before it signs. It must be longer than Fresh, and than receivers keep
	// a key set. 0 is 24 hours.
	Lead time.Duration
	// Overlap is how long a key stays published after it stopped signing: at least the life of the longest token. 0 is
	// 48 hours.
	Overlap time.Duration
	// Fresh is how long keys are used before the store is read again. 0 is 30 seconds.
	Fresh time.Duration

	mu   sync.Mutex
	sets map[string]*keySet
}

// keySet is one tenant's keys. making is held while they are read or made.
type keySet struct {
	making sync.Mutex
	mu     sync.RWMutex
	keys   []*loadedKey
	read   time.Time
}

type loadedKey struct {
	SigningKey
	private crypto.Signer
	public  jose.JSONWebKey
}

func (s *Signers) lead() time.Duration    { return cmp.Or(s.Lead, 24*time.Hour) }
func (s *Signers) overlap() time.Duration { return cmp.Or(s.Overlap, 48*time.Hour) }
func (s *Signers) fresh() time.Duration   { return cmp.Or(s.Fresh, 30*time.Second) }

func (s *Signers) set(tenant string) *keySet {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sets == nil {
		s.sets = map[string]*keySet{}
	}
	if s.sets[tenant] == nil {
		s.sets[tenant] = &keySet{}
	}
	return s.sets[tenant]
}

// Forget drops what is kept of a tenant, when it is deleted or the change log says that its keys have changed.
func (s *Signers) Forget(tenant string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sets, tenant)
}

// keys gives a tenant's keys, read not longer ago than age.
func (s *Signers) keys(ctx context.Context, tenant string, age time.Duration) ([]*loadedKey, error) {
	set := s.set(tenant)
	if keys, ok := set.within(s.Now(), age); ok {
		return keys, nil
	}
	set.making.Lock()
	defer set.making.Unlock()
	if keys, ok := set.within(s.Now(), age); ok {
		return keys, nil
	}
	return s.load(ctx, tenant, set)
}

func (k *keySet) within(now time.Time, age time.Duration) ([]*loadedKey, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	d := now.Sub(k.read)
	return k.keys, !k.read.IsZero() && d >= 0 && d < age
}

// load reads the store; the caller holds making.
func (s *Signers) load(ctx context.Context, tenant string, set *keySet) ([]*loadedKey, error) {
	rows, err := s.Load(ctx, tenant)
	if err != nil {
		return nil, ErrStore.Because(err)
	}
	now, keys := s.Now(), make([]*loadedKey, 0, len(rows))
	for _, row := range rows {
		if row.Until != 0 && row.Until <= now.UnixMilli() {
			continue
		}
		k := set.known(row)
		if k == nil {
			if k, err = s.unseal(ctx, row); err != nil {
				return nil, err
			}
		}
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b *loadedKey) int { return cmp.Or(cmp.Compare(b.From, a.From), cmp.Compare(a.ID, b.ID)) })
	set.mu.Lock()
	defer set.mu.Unlock()
	set.keys, set.read = keys, now
	return keys, nil
}

func (k *keySet) known(row SigningKey) *loadedKey {
	k.mu.RLock()
	defer k.mu.RUnlock()
	for _, old := range k.keys {
		if old.ID == row.ID && old.Sealed == row.Sealed && old.Alg == row.Alg {
			return &loadedKey{SigningKey: row, private: old.private, public: old.public}
		}
	}
	return nil
}

const signingPurpose = "signing"

func (k *SigningKey) aad() string { return "key/" + string(k.Alg) + "/" + k.ID }

func (s *Signers) unseal(ctx context.Context, row SigningKey) (*loadedKey, error) {
	der, err := s.Ring.Open(ctx, row.Tenant, signingPurpose, row.Sealed, row.aad())
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", row.ID, err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, ErrUnopenable.Because(fmt.Errorf("signing key %s is not PKCS#8", row.ID))
	}
	private, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, ErrUnopenable.Because(fmt.Errorf("signing key %s does not sign", row.ID))
	}
	return &loadedKey{row, private, jose.JSONWebKey{Key: private.Public(), KeyID: row.ID, Algorithm: string(row.Alg), Use: "sig"}}, nil
}

// Ensure makes a tenant's first key of each algorithm where there is none. Sign and Public do so by themselves, but
// not inside a write transaction of an embedded store; tenants are therefore given their keys when they are made.
// Making an RSA key takes some hundred milliseconds.
func (s *Signers) Ensure(ctx context.Context, tenant string, algs ...Alg) error {
	for _, alg := range algs {
		if _, err := s.current(ctx, tenant, alg); err != nil {
			return err
		}
	}
	return nil
}

// current gives the key that signs now, and makes the first one.
func (s *Signers) current(ctx context.Context, tenant string, alg Alg) (*loadedKey, error) {
	keys, err := s.keys(ctx, tenant, s.fresh())
	if err != nil {
		return nil, err
	}
	if k := signing(keys, alg, s.Now()); k != nil {
		return k, nil
	}
	set := s.set(tenant)
	set.making.Lock()
	defer set.making.Unlock()
	if keys, err = s.load(ctx, tenant, set); err != nil {
		return nil, err
	}
	if k := signing(keys, alg, s.Now()); k != nil {
		return k, nil
	}
	row, err := s.make(ctx, tenant, alg)
	if err != nil {
		return nil, err
	}
	row.From = row.Created
	if keys, err = s.save(ctx, tenant, set, row); err != nil {
		return nil, err
	}
	if k := signing(keys, alg, s.Now()); k != nil {
		return k, nil
	}
	return nil, ErrNoSigningKey
}

// signing gives the key of an algorithm that began to sign last; keys are in that order.
func signing(keys []*loadedKey, alg Alg, now time.Time) *loadedKey {
	for _, k := range keys {
		if k.Alg == alg && k.From <= now.UnixMilli() && (k.Until == 0 || k.Until > now.UnixMilli()) {
			return k
		}
	}
	return nil
}

func (s *Signers) save(ctx context.Context, tenant string, set *keySet, rows ...SigningKey) ([]*loadedKey, error) {
	limited, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	if err := s.Store(limited, rows...); err != nil {
		return nil, ErrStore.Because(err)
	}
	return s.load(ctx, tenant, set)
}

// make draws a key: RSA with 2,048 bits, as the contract's clients know it, ECDSA on P-256, or Ed25519. A key is for one algorithm.
func (s *Signers) make(ctx context.Context, tenant string, alg Alg) (SigningKey, error) {
	var private crypto.Signer
	var err error
	switch alg {
	case RS256, PS256:
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	case ES256:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case EdDSA:
		_, private, err = ed25519.GenerateKey(rand.Reader)
	default:
		return SigningKey{}, ErrAlgorithm.Because(fmt.Errorf("no keys are made for %q", alg))
	}
	if err != nil {
		return SigningKey{}, ErrNoSigningKey.Because(err)
	}
	public := jose.JSONWebKey{Key: private.Public()}
	thumb, errThumb := public.Thumbprint(crypto.SHA256)
	der, errDER := x509.MarshalPKCS8PrivateKey(private)
	if err = errors.Join(errThumb, errDER); err != nil {
		return SigningKey{}, ErrNoSigningKey.Because(err)
	}
	row := SigningKey{Tenant: tenant, ID: base64.RawURLEncoding.EncodeToString(thumb), Alg: alg, Created: s.Now().UnixMilli()}
	row.Sealed, err = s.Ring.Seal(ctx, tenant, signingPurpose, der, row.aad())
	clear(der)
	return row, err
}

// Public is the tenant's JWK set (RFC 7517): the keys that sign now, those that will, and those whose tokens are still
// about. Of whatever algorithm: who verifies must know every key that something may be signed with. Each of the given algorithms gets
// its first key here if need be.
func (s *Signers) Public(ctx context.Context, tenant string, algs ...Alg) (jose.JSONWebKeySet, error) {
	now := s.Now()
	keys, err := s.keys(ctx, tenant, s.fresh())
	if err == nil && slices.ContainsFunc(algs, func(a Alg) bool { return signing(keys, a, now) == nil }) {
		if err = s.Ensure(ctx, tenant, algs...); err == nil {
			now = s.Now()
			keys, err = s.keys(ctx, tenant, s.fresh())
		}
	}
	if err != nil {
		return jose.JSONWebKeySet{}, err
	}
	out := jose.JSONWebKeySet{Keys: make([]jose.JSONWebKey, 0, len(keys))}
	for _, k := range keys {
		if !k.ended(now) {
			out.Keys = append(out.Keys, k.public)
		}
	}
	// RS256 comes first, for receivers that look no further than the first key.
	slices.SortFunc(out.Keys, func(a, b jose.JSONWebKey) int {
		return cmp.Or(cmp.Compare(b.Algorithm, a.Algorithm), cmp.Compare(a.KeyID, b.KeyID))
	})
	return out, nil
}

func (k *SigningKey) ended(now time.Time) bool { return k.Until != 0 && k.Until <= now.UnixMilli() }
