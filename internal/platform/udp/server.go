// Package udp serves and asks by datagrams.
package udp

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"
)

// Bounds of a server.
const (
	maxDatagram = 4096
	atOnce      = 64               // datagrams that are worked on; who sends more is heard when he repeats himself
	remembered  = 30 * time.Second // answers, for datagrams that come again (RFC 5080 section 2.2.2)
	maxKept     = 20_000           // answers
	longest     = 25 * time.Second // that a handler may take
)

// Server answers datagrams on one address. Its fields are set before Run.
type Server struct {
	Addr string // HOST:PORT
	// Handle gives the answer to a datagram; none is sent where it is nil.
	Handle func(ctx context.Context, from netip.AddrPort, b []byte) []byte
	Log    *slog.Logger
	// Started is called once the server listens, with the address it got; nil: nobody is told.
	Started func(net.Addr)

	busy chan struct{}
	mu   sync.Mutex
	seen map[key]*answer
}

// key is a datagram: one that is sent again has the same bytes, and comes from the same port.
type key struct {
	from netip.AddrPort
	sum  [sha256.Size]byte
}

type answer struct {
	at   time.Time
	done bool
	out  []byte
}

// Run serves until ctx ends, and waits for what it works on.
func (s *Server) Run(ctx context.Context) error {
	conn, err := (&net.ListenConfig{}).ListenPacket(ctx, "udp", s.Addr)
	if err != nil {
		return err
	}
	s.busy, s.seen = make(chan struct{}, atOnce), map[key]*answer{}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if s.Started != nil {
		s.Started(conn.LocalAddr())
	}
	var all sync.WaitGroup
	defer all.Wait()
	u := conn.(*net.UDPConn)
	buffer := make([]byte, maxDatagram+1)
	for {
		n, from, err := u.ReadFromUDPAddrPort(buffer)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil || n > maxDatagram:
			continue // of one datagram only: of an answer that could not be delivered, say
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		b := append([]byte(nil), buffer[:n]...)
		k := key{from, sha256.Sum256(b)}
		if out, known := s.known(k); known {
			if out != nil {
				_, _ = u.WriteToUDPAddrPort(out, from)
			}
			continue
		}
		select {
		case s.busy <- struct{}{}:
		default:
			s.forget(k)
			continue
		}
		all.Go(func() {
			defer func() { <-s.busy }()
			if out := s.work(ctx, k, b); out != nil {
				_, _ = u.WriteToUDPAddrPort(out, from) // who has gone asks again, or not
			}
		})
	}
}

// work answers one datagram. What panics is its failure only.
func (s *Server) work(ctx context.Context, k key, b []byte) (out []byte) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), longest)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			s.Log.Error("panic", "from", k.from, "panic", p, "stack", string(debug.Stack()))
			out = nil
		}
		s.keep(k, out)
	}()
	return s.Handle(ctx, k.from, b)
}

// known says whether a datagram is worked on or was answered, and how. One that is neither is worked on from now on.
func (s *Server) known(k key) (out []byte, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.seen[k]; a != nil && (!a.done || time.Since(a.at) < remembered) {
		return a.out, true
	}
	if len(s.seen) >= maxKept {
		s.tidy()
	}
	s.seen[k] = &answer{at: time.Now()}
	return nil, false
}

// keep keeps an answer. What was not answered is forgotten: strangers are not remembered.
func (s *Server) keep(k key, out []byte) {
	if out == nil {
		s.forget(k)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[k] = &answer{time.Now(), true, out}
}

func (s *Server) forget(k key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.seen, k)
}

// tidy forgets answers that nobody waits for any more; or, where that leaves too many, every other one.
func (s *Server) tidy() {
	for k, a := range s.seen {
		if a.done && time.Since(a.at) >= remembered {
			delete(s.seen, k)
		}
	}
	if len(s.seen) < maxKept/2 {
		return
	}
	odd := false
	for k, a := range s.seen {
		if odd = !odd; odd && a.done {
			delete(s.seen, k)
		}
	}
}
