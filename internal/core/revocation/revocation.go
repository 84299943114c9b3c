// Package revocation finds out whether an authority has revoked a certificate, by the lists that it publishes (RFC 5280 section 6.3). Lists
// are remembered by each node until they are due again; none is fetched within a transaction.
package revocation

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"limen/internal/call"
	"limen/internal/fault"
	"limen/internal/wire/certificate"
)

// Faults of certificates that are looked up. They go to the log and the event, and to no client.
var (
	// ErrRevoked is a certificate that its authority has revoked, or holds back.
	ErrRevoked = fault.New(fault.Denied, "revocation.revoked", "The certificate has been revoked.")
	// ErrUnknown is one of which that cannot be found out; why not is the cause.
	ErrUnknown = fault.New(fault.Denied, "revocation.unknown", "Whether the certificate has been revoked cannot be found out.")
	// ErrNoList is one that names no list that can be fetched.
	ErrNoList = fault.New(fault.Denied, "revocation.no_list", "The certificate does not say where the list of revoked certificates is.")
)

// How long lists are remembered, and how many.
const (
	fresh     = 10 * time.Minute // then one is fetched again, although it may be good for longer
	undated   = time.Hour        // for which one is good that does not say
	again     = 30 * time.Second // so often is one asked for at most that cannot be had
	skew      = 5 * time.Minute  // by which an authority's clock may be ahead
	maxLists  = 200
	maxListed = 2_000_000 // revoked certificates on all of them
	maxPoints = 3         // addresses of one certificate that are tried
	maxBusy   = 8         // lists that are fetched at a time
)

// Lists looks certificates up. Fetch is set before use.
type Lists struct {
	Fetch func(ctx context.Context, uri string) ([]byte, error)

	mu    sync.Mutex
	known map[key]*entry
	size  int
	calls singleflight.Group
	busy  chan struct{}
}

// key is a list and whose it is: nobody can put one in the place of another authority's.
type key struct {
	uri string
	by  [sha256.Size]byte
}

type entry struct {
	list  *certificate.List // nil: none was had
	had   time.Time         // when it was
	asked time.Time         // when it was last asked for, whether it went well or not
	why   error             // of the last time; nil: it was had
}

// Check says whether a certificate stands that an authority has issued: by the list at an address, or, where that is empty, at one of those
// that the certificate names. Within a transaction it goes by what is remembered. Faults: ErrRevoked, ErrUnknown, ErrNoList.
func (l *Lists) Check(ctx context.Context, c *call.Call, cert, by *x509.Certificate, at string) error {
	uris := []string{at}
	if at == "" {
		uris = Points(cert)
	}
	if len(uris) == 0 {
		return ErrNoList
	}
	var why error
	for _, uri := range uris {
		list, err := l.list(ctx, c, key{uri, sha256.Sum256(by.Raw)}, by)
		switch {
		case err != nil:
			why = err
		case !list.Covers(cert, uri):
			why = errors.New(uri + " is about other certificates")
		case list.Revoked(cert):
			return ErrRevoked
		default:
			return nil
		}
	}
	return ErrUnknown.Because(why)
}

// Points are the addresses of lists that a certificate names and that can be asked; the first ones, where it names many.
func Points(cert *x509.Certificate) (out []string) {
	for _, uri := range cert.CRLDistributionPoints {
		if plain := strings.ToLower(uri); (strings.HasPrefix(plain, "http://") || strings.HasPrefix(plain, "https://")) && len(out) < maxPoints {
			out = append(out, uri)
		}
	}
	return out
}

// list gives a list that is in force.
func (l *Lists) list(ctx context.Context, c *call.Call, k key, by *x509.Certificate) (*certificate.List, error) {
	e := l.of(k)
	stands := e.list != nil && force(e.list, e.had, c.Now) == nil
	if stands && (c.Now.Sub(e.had) < fresh || c.Tx != nil) {
		return e.list, nil
	}
	if c.Tx != nil || l.Fetch == nil {
		return nil, errors.New(k.uri + " was not fetched yet")
	}
	if e.why != nil && c.Now.Sub(e.asked) < again {
		if stands {
			return e.list, nil
		}
		return nil, e.why
	}
	next, err := l.fetch(ctx, c, k, by)
	switch {
	case err == nil:
		return next, nil
	case stands: // it says itself until when it is good
		return e.list, nil
	}
	return nil, err
}

// force says why a list does not count at a time; it was had at another one.
func force(list *certificate.List, had, now time.Time) error {
	until := list.Until
	if until.IsZero() {
		until = had.Add(undated)
	}
	switch {
	case now.Add(skew).Before(list.From):
		return errors.New("the list is of the future")
	case now.After(until):
		return errors.New("the list is out of date")
	}
	return nil
}

// fetch gets a list, once for all who want it at the same time.
func (l *Lists) fetch(ctx context.Context, c *call.Call, k key, by *x509.Certificate) (*certificate.List, error) {
	out, err, _ := l.calls.Do(k.uri+"\x00"+string(k.by[:]), func() (any, error) {
		release, err := l.enter(ctx)
		if err != nil {
			return nil, err
		}
		defer release()
		// Others wait for the answer as well: the caller who happens to ask may go away.
		body, err := l.Fetch(context.WithoutCancel(ctx), k.uri)
		var list *certificate.List
		if err == nil {
			list, err = certificate.ReadList(body, by)
		}
		if err == nil {
			err = force(list, c.Now, c.Now)
		}
		if err != nil {
			list, err = nil, fmt.Errorf("%s: %w", k.uri, err)
		}
		return l.put(k, list, c.Now, err), err
	})
	if err != nil {
		return nil, err
	}
	return out.(*certificate.List), nil //nolint:forcetypeassert // see above
}

// enter waits until fewer than maxBusy lists are being fetched: addresses that do not answer hold up nobody else.
func (l *Lists) enter(ctx context.Context) (release func(), err error) {
	l.mu.Lock()
	if l.busy == nil {
		l.busy = make(chan struct{}, maxBusy)
	}
	l.mu.Unlock()
	select {
	case l.busy <- struct{}{}:
		return func() { <-l.busy }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *Lists) of(k key) entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.known[k]; e != nil {
		return *e
	}
	return entry{}
}

// put remembers a list, or that there was none. One that is older than what is there does not replace it: whoever is between the authority
// and here could bring it back.
func (l *Lists) put(k key, list *certificate.List, now time.Time, why error) *certificate.List {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.known[k]
	if was == nil {
		was = &entry{}
		l.room(list)
		if l.known == nil {
			l.known = map[key]*entry{}
		}
		l.known[k] = was
	}
	was.asked, was.why = now, why
	if list == nil {
		return nil
	}
	if was.list == nil || !list.From.Before(was.list.From) || force(was.list, was.had, now) != nil {
		l.size += length(list) - length(was.list)
		was.list = list
	}
	was.had = now
	return was.list
}

// room forgets lists until there is room for another one; they are fetched again when they are needed.
func (l *Lists) room(list *certificate.List) {
	for k, e := range l.known {
		if len(l.known) < maxLists && l.size+length(list) <= maxListed {
			return
		}
		l.size -= length(e.list)
		delete(l.known, k)
	}
}

func length(list *certificate.List) int {
	if list == nil {
		return 0
	}
	return list.Len()
}
