package oauth

import (
	"context"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"

	"limen/internal/call"
	wire "limen/internal/wire/oauth"
)

// How long the keys at a jwks_uri are remembered.
const (
	keysFresh   = 10 * time.Minute // then they are read again
	keysStale   = time.Hour        // and serve no longer than that when they cannot be
	keysAgain   = 30 * time.Second // so often are they asked for at most, when none of them fits
	maxKeySets  = 500
	maxFetching = 8 // sets that are read at a time
)

// remoteKeys remembers the keys that clients keep at an address of theirs. The zero value is ready.
type remoteKeys struct {
	mu    sync.Mutex
	sets  map[string]*remoteSet
	calls singleflight.Group
	busy  chan struct{}
}

type remoteSet struct {
	keys  []jose.JSONWebKey
	read  time.Time // when they were read; zero: never
	asked time.Time // when they were last asked for, whether it went well or not
}

// withKeys tries the public keys of a client. Where they are at an address of the client's and none fits, they are read anew, since
// the client may have changed them. It must run outside of transactions; in one it knows only what is remembered.
func (s *Server) withKeys(ctx context.Context, c *call.Call, r Registration, try func([]jose.JSONWebKey) error) error {
	if r.KeysURI == "" {
		set, err := r.JWKS()
		if err != nil {
			return err
		}
		return try(set.Keys)
	}
	set := s.remote.known(r.KeysURI)
	var err error = &wire.Error{Code: wire.InvalidClient, Description: "the keys of the client cannot be read"}
	if !set.read.IsZero() && c.Now.Sub(set.read) < keysStale {
		if err = try(set.keys); err == nil && c.Now.Sub(set.read) < keysFresh {
			return nil
		}
	}
	if c.Tx != nil || s.Fetch == nil || !set.asked.IsZero() && c.Now.Sub(set.asked) < keysAgain {
		return err
	}
	next, failed := s.remote.fetch(ctx, s.Fetch, r.KeysURI, c.Now)
	if failed != nil {
		return err // what the old ones said, or that there are none
	}
	return try(next)
}

func (k *remoteKeys) known(uri string) remoteSet {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s := k.sets[uri]; s != nil {
		return *s
	}
	return remoteSet{}
}

// fetch reads a set, once for all who want it at the same time.
func (k *remoteKeys) fetch(ctx context.Context, get func(context.Context, string) ([]byte, error), uri string, now time.Time) ([]jose.JSONWebKey, error) {
	out, err, _ := k.calls.Do(uri, func() (any, error) {
		release, err := k.enter(ctx)
		if err != nil {
			return nil, err
		}
		defer release()
		// Others wait for the answer as well: the caller who happens to ask may go away.
		body, err := get(context.WithoutCancel(ctx), uri)
		var set jose.JSONWebKeySet
		if err == nil {
			set, err = wire.ReadKeys(body)
		}
		k.put(uri, set.Keys, now, err == nil)
		return set.Keys, err
	})
	if err != nil {
		return nil, err
	}
	return out.([]jose.JSONWebKey), nil //nolint:forcetypeassert // see above
}

// enter waits until fewer than maxFetching sets are being read: addresses that do not answer hold up nobody but clients.
func (k *remoteKeys) enter(ctx context.Context) (release func(), err error) {
	k.mu.Lock()
	if k.busy == nil {
		k.busy = make(chan struct{}, maxFetching)
	}
	k.mu.Unlock()
	select {
	case k.busy <- struct{}{}:
		return func() { <-k.busy }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (k *remoteKeys) put(uri string, keys []jose.JSONWebKey, now time.Time, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.sets[uri]
	if s == nil {
		if k.sets == nil {
			k.sets = map[string]*remoteSet{}
		}
		for other := range k.sets { // any of them: it is read again when it is needed
			if len(k.sets) < maxKeySets {
				break
			}
			delete(k.sets, other)
		}
		s = &remoteSet{}
		k.sets[uri] = s
	}
	s.asked = now
	if ok {
		s.keys, s.read = keys, now
	}
}
