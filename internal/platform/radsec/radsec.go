// Package radsec serves packets of RADIUS over TLS (RFC 6614). It knows of packets how long they say that they are, and nothing else.
package radsec

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"
)

// Bounds of a server.
const (
	maxConns  = 1000             // at once
	maxOfOne  = 50               // of those, from one address
	maxWork   = 64               // packets that are worked on at once, of all connections
	maxOwn    = 16               // of those, of one connection
	handshake = 10 * time.Second // that shaking hands may take
	idle      = 15 * time.Minute // between two packets
	slow      = 10 * time.Second // that a packet may take once it has begun, or an answer to be sent
	longest   = 25 * time.Second // that a handler may take
)

// Sizes of a packet (RFC 2865 section 3).
const (
	head      = 20
	maxPacket = 4096
)

// Server answers packets of connections to one address. Its fields are set before Run.
type Server struct {
	Addr string // HOST:PORT
	// TLS is what the server shows of itself. Whoever connects must show a certificate.
	TLS *tls.Config
	// Admit says whether the certificates are somebody's who may connect from there.
	Admit func(ctx context.Context, from netip.AddrPort, certs []*x509.Certificate) bool
	// Handle gives the answer to a packet, nil for none; false ends the connection.
	Handle func(ctx context.Context, from netip.AddrPort, certs []*x509.Certificate, b []byte) ([]byte, bool)
	Log    *slog.Logger
	// Started is called once the server listens, with the address it got; nil: nobody is told.
	Started func(net.Addr)

	busy chan struct{}
	mu   sync.Mutex
	open int
	of   map[netip.Addr]int
}

// Run serves until ctx ends, and waits for what it works on.
func (s *Server) Run(ctx context.Context) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.Addr)
	if err != nil {
		return err
	}
	s.busy, s.of = make(chan struct{}, maxWork), map[netip.Addr]int{}
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	if s.Started != nil {
		s.Started(l.Addr())
	}
	config := s.TLS.Clone()
	config.ClientAuth, config.MinVersion = tls.RequireAnyClientCert, max(config.MinVersion, tls.VersionTLS12)
	config.NextProtos, config.SessionTicketsDisabled = nil, true // a certificate is shown each time
	var all sync.WaitGroup
	defer all.Wait()
	for {
		conn, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil: // of one connection, or too many files are open
			time.Sleep(10 * time.Millisecond)
			continue
		}
		from, err := netip.ParseAddrPort(conn.RemoteAddr().String())
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		if err != nil || !s.enter(from.Addr()) {
			_ = conn.Close()
			continue
		}
		all.Go(func() {
			defer s.leave(from.Addr())
			s.serve(ctx, tls.Server(conn, config), from)
		})
	}
}

func (s *Server) enter(a netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open >= maxConns || s.of[a] >= maxOfOne {
		return false
	}
	s.open++
	s.of[a]++
	return true
}

func (s *Server) leave(a netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	if s.of[a]--; s.of[a] == 0 {
		delete(s.of, a)
	}
}

// serve reads packets of a connection until its end. They are worked on side by side, and answered as they are done (RFC 6613 section 2.6.3).
func (s *Server) serve(ctx context.Context, conn *tls.Conn, from netip.AddrPort) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	var own sync.WaitGroup
	defer func() {
		own.Wait()
		_ = conn.SetWriteDeadline(time.Now().Add(slow))
		_ = conn.Close()
	}()
	certs, ok := s.shake(ctx, conn, from)
	if !ok {
		return
	}
	var writing sync.Mutex
	turns := make(chan struct{}, maxOwn)
	for {
		_ = conn.SetReadDeadline(time.Now().Add(idle))
		if ctx.Err() != nil {
			return
		}
		b, err := Read(timed{conn})
		if err != nil {
			if !errors.Is(err, io.EOF) && ctx.Err() == nil {
				s.Log.Debug("a connection of RadSec ends", "from", from, "error", err)
			}
			return
		}
		turns <- struct{}{}
		own.Go(func() {
			defer func() { <-turns }()
			out, ok := s.work(ctx, from, certs, b)
			if !ok {
				end()
			}
			if out == nil {
				return
			}
			writing.Lock()
			defer writing.Unlock()
			_ = conn.SetWriteDeadline(time.Now().Add(slow))
			_, _ = conn.Write(out)
		})
	}
}

// shake shakes hands, and gives the certificates of who may connect.
func (s *Server) shake(ctx context.Context, conn *tls.Conn, from netip.AddrPort) ([]*x509.Certificate, bool) {
	ctx, cancel := context.WithTimeout(ctx, handshake)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		s.Log.Info("RadSec: no TLS", "from", from, "error", err)
		return nil, false
	}
	certs := conn.ConnectionState().PeerCertificates
	if !s.Admit(ctx, from, certs) {
		s.Log.Info("RadSec: no client has this certificate at this address", "from", from, "subject", certs[0].Subject.String())
		return nil, false
	}
	return certs, true
}

// work answers one packet. What panics is its failure only.
func (s *Server) work(ctx context.Context, from netip.AddrPort, certs []*x509.Certificate, b []byte) (out []byte, ok bool) {
	s.busy <- struct{}{}
	defer func() { <-s.busy }()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), longest)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			s.Log.Error("panic", "from", from, "panic", p, "stack", string(debug.Stack()))
			out, ok = nil, false
		}
	}()
	return s.Handle(ctx, from, certs, b)
}

// timed is a connection that gives a packet little time once it has begun.
type timed struct{ *tls.Conn }

// Read reads, and shortens the time for what is left.
func (t timed) Read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	if n > 0 && n < len(b) {
		_ = t.SetReadDeadline(time.Now().Add(slow))
	}
	return n, err
}

// ErrLength is a packet whose length no packet has. Nothing tells where the next one begins.
var ErrLength = errors.New("radsec: a packet with an impossible length")

// Read reads a packet as long as it says that it is (RFC 6613 section 2.6.1).
func Read(r io.Reader) ([]byte, error) {
	b := make([]byte, head, 256)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(b[2:4]))
	if n < head || n > maxPacket {
		return nil, ErrLength
	}
	b = append(b, make([]byte, n-head)...)
	_, err := io.ReadFull(r, b[head:])
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return b, err
}
