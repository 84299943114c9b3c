package radius

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Bounds of looking up the names of clients.
const (
	nameFresh   = time.Minute      // before it is looked up again, when somebody asks
	nameKept    = time.Hour        // while nobody answers for it
	nameWait    = 3 * time.Second  // of a packet, for a name that was never looked up
	nameTimeout = 10 * time.Second // of all
	namesAtOnce = 8
	maxPerName  = 16 // addresses
)

// names are the addresses of clients that are known by a name. They are looked up while somebody asks, and not otherwise.
type names struct {
	lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	now    func() time.Time

	mu    sync.Mutex
	known map[string]*found
	busy  chan struct{} // closed at the end of the look-up that is under way; nil: none is
}

// found is what became of a name.
type found struct {
	tried, at time.Time // when it was asked for last, and answered
	addrs     []netip.Addr
}

// refresh has names looked up that were not for a while. It waits for it only where one never was.
func (n *names) refresh(ctx context.Context, hosts []string) {
	n.mu.Lock()
	stale, first := n.stale(hosts)
	if len(stale) > 0 && n.busy == nil {
		n.busy = make(chan struct{})
		go n.all(hosts, stale) //nolint:gosec // it goes on for the packets that come next
	}
	busy := n.busy
	n.mu.Unlock()
	if !first || busy == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, nameWait)
	defer cancel()
	select {
	case <-busy:
	case <-ctx.Done():
	}
}

func (n *names) stale(hosts []string) (stale []string, first bool) {
	for _, h := range hosts {
		if f := n.known[h]; f == nil || n.now().Sub(f.tried) >= nameFresh {
			stale, first = append(stale, h), first || f == nil
		}
	}
	return stale, first
}

// all looks up names, and forgets those that no client has any more.
func (n *names) all(hosts, stale []string) {
	ctx, cancel := context.WithTimeout(context.Background(), nameTimeout)
	defer cancel()
	turns := make(chan struct{}, namesAtOnce)
	var each sync.WaitGroup
	for _, h := range stale {
		turns <- struct{}{}
		each.Go(func() {
			defer func() { <-turns }()
			addrs, err := n.lookup(ctx, h)
			n.keep(h, addrs, err)
		})
	}
	each.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	left := make(map[string]*found, len(hosts))
	for _, h := range hosts {
		if f := n.known[h]; f != nil {
			left[h] = f
		}
	}
	n.known = left
	close(n.busy)
	n.busy = nil
}

// keep keeps an answer. While there is none, the one before counts for a while; a name that does not exist has no addresses at once.
func (n *names) keep(host string, addrs []netip.Addr, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known == nil {
		n.known = map[string]*found{}
	}
	now, was := n.now(), n.known[host]
	next := &found{tried: now, at: now}
	missing, ok := errors.AsType[*net.DNSError](err)
	switch {
	case err == nil:
		for _, a := range addrs[:min(len(addrs), maxPerName)] {
			next.addrs = append(next.addrs, a.Unmap().WithZone(""))
		}
	case ok && missing.IsNotFound:
	case was != nil && now.Sub(was.at) < nameKept:
		next.at, next.addrs = was.at, was.addrs
	}
	n.known[host] = next
}

// has says whether a name has an address.
func (n *names) has(host string, ip netip.Addr) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	f := n.known[host]
	return f != nil && slices.Contains(f.addrs, ip)
}
