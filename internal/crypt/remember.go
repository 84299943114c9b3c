package crypt

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/sync/singleflight"
)

// Remember checks the secrets of machines, which present the same one many times a minute, without hashing each time.
// After one full verification a keyed digest of credential, hash and secret stays in memory; the key lives and dies
// with the process. A wrong secret always costs a full verification, so guessing is no cheaper. It is for secrets that
// machines hold, and for people's passwords only where somebody chose it: were memory ever read, a digest could be guessed from.
type Remember struct {
	Hasher *Hasher
	For    time.Duration // from the full verification on; 0 is 5 minutes
	Size   int           // credentials; 0 is 10,000
	Now    func() time.Time

	once   sync.Once
	key    [32]byte
	known  *otter.Cache[string, remembered]
	flight singleflight.Group
}

type remembered struct {
	digest [sha256.Size]byte
	until  time.Time
}

type verdict struct{ ok, rehash bool }

func (r *Remember) settle() {
	r.once.Do(func() {
		r.For, r.Size = cmp.Or(r.For, 5*time.Minute), cmp.Or(r.Size, 10_000)
		if _, err := rand.Read(r.key[:]); err != nil {
			panic("crypt: no randomness: " + err.Error())
		}
		r.known = otter.Must(&otter.Options[string, remembered]{MaximumSize: r.Size})
	})
}

// Verify answers as Hasher.Verify does. credential names the secret and its version, for example a client's id and the
// version of its row: a changed secret is another credential, and what was remembered of the old one is not used.
func (r *Remember) Verify(ctx context.Context, credential, hash, secret string) (ok, rehash bool, err error) {
	r.settle()
	if hash == "" || secret == "" || len(secret) > MaxPassword {
		return r.Hasher.Verify(ctx, hash, secret)
	}
	digest := r.digest(credential, hash, secret)
	if e, found := r.known.GetIfPresent(credential); found && hmac.Equal(e.digest[:], digest[:]) && r.Now().Before(e.until) {
		return true, false, nil
	}
	// A machine that comes with many requests at once is checked once for all of them. The check outlives the request
	// that began it, since others wait for it.
	answer := r.flight.DoChan(string(digest[:]), func() (any, error) {
		ok, rehash, err := r.Hasher.Verify(context.WithoutCancel(ctx), hash, secret)
		if ok && err == nil {
			r.known.Set(credential, remembered{digest, r.Now().Add(r.For)})
		}
		return verdict{ok, rehash}, err
	})
	select {
	case a := <-answer:
		v, _ := a.Val.(verdict)
		return v.ok, v.rehash, a.Err
	case <-ctx.Done():
		return false, false, ErrGone.Because(context.Cause(ctx))
	}
}

// Forget drops what is known of a credential, when it is revoked.
func (r *Remember) Forget(credential string) {
	r.settle()
	r.known.Invalidate(credential)
}

func (r *Remember) digest(credential, hash, secret string) (out [sha256.Size]byte) {
	h := hmac.New(sha256.New, r.key[:])
	h.Write(bind("limen remember 1", []byte(credential), []byte(hash), []byte(secret)))
	h.Sum(out[:0])
	return out
}
