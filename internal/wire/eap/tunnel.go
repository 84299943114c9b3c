package eap

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// exported is how much is made of which the keys are the first half: of TLS 1.3 it counts for what they are.
const exported = 128

// maxPlain is the most that a tunnel keeps of what came through it and was not read.
const maxPlain = 16 << 10

// ErrEnded is a tunnel that failed, or was closed.
var ErrEnded = errors.New("eap: the tunnel has ended")

// Tunnel is one side of a TLS connection whose bytes travel in packets: what comes in is given to Feed, which answers with what has to go out.
type Tunnel struct {
	conn  *tls.Conn
	mu    sync.Mutex
	wake  sync.Cond
	in    []byte // came from the peer, and was not read by TLS
	out   []byte // goes to the peer
	plain []byte // came through the tunnel
	idle  bool   // TLS has read all, and waits for more
	done  bool   // hands were shaken
	err   error  // why it has ended
}

// NewTunnel begins a tunnel, of which over makes the connection: tls.Server or tls.Client. It must be closed.
func NewTunnel(over func(net.Conn) *tls.Conn) *Tunnel {
	t := &Tunnel{}
	t.wake.L = &t.mu
	t.conn = over(pipe{t})
	go t.run()
	return t
}

// run shakes hands, and reads what comes then until the end.
func (t *Tunnel) run() {
	err := t.conn.HandshakeContext(context.Background()) // Close ends it
	t.mu.Lock()
	t.done = err == nil
	t.mu.Unlock()
	b := make([]byte, 4096)
	for err == nil {
		var n int
		n, err = t.conn.Read(b)
		t.mu.Lock()
		if t.plain = append(t.plain, b[:n]...); len(t.plain) > maxPlain && err == nil {
			err = ErrEnded
		}
		t.mu.Unlock()
	}
	t.mu.Lock()
	if t.err == nil {
		t.err = err
	}
	t.wake.Broadcast()
	t.mu.Unlock()
}

// Feed gives TLS what came from the peer, and waits until it has made of it what it can. What has to go to the peer is given even with an
// error: it is the alert then.
func (t *Tunnel) Feed(b []byte) (out []byte, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil && len(b) > 0 {
		t.in, t.idle = append(t.in, b...), false
		t.wake.Broadcast()
	}
	for !t.idle && t.err == nil {
		t.wake.Wait()
	}
	out, t.out = t.out, nil
	return out, t.err
}

// Send puts something through the tunnel, and gives what has to go to the peer for it.
func (t *Tunnel) Send(plain []byte) (out []byte, err error) {
	if _, err = t.conn.Write(plain); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	out, t.out = t.out, nil
	return out, nil
}

// Received gives what came through the tunnel since it was last asked for.
func (t *Tunnel) Received() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := t.plain
	t.plain = nil
	return out
}

// Done says whether hands were shaken.
func (t *Tunnel) Done() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.done
}

// State is that of the connection, once Done.
func (t *Tunnel) State() tls.ConnectionState { return t.conn.ConnectionState() }

// Close ends it.
func (t *Tunnel) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = ErrEnded
	}
	t.wake.Broadcast()
}

// Keys are those of a conversation, of which both sides have made the same (RFC 5216 section 2.3, RFC 9190 section 2.3, RFC 9427 section 2.1):
// 32 bytes for each direction. TLS 1.2 without extended master secrets has none: somebody between could have made both ends' the same.
func Keys(s tls.ConnectionState, method Type) (fromPeer, toPeer []byte, err error) {
	label, context := "client EAP encryption", []byte(nil)
	switch {
	case s.Version >= tls.VersionTLS13:
		label, context = "EXPORTER_EAP_TLS_Key_Material", []byte{byte(method)}
	case method == TTLS:
		label = "ttls keying material"
	}
	b, err := s.ExportKeyingMaterial(label, context, exported)
	if err != nil {
		return nil, nil, err
	}
	return b[:32], b[32:64], nil
}

// implicit is how much of a tunnel of EAP-TTLS is the challenge to whoever speaks MS-CHAP in it, and its id.
const implicit = 17

// Implicit is the challenge to whoever speaks MS-CHAP version 2 in a tunnel of EAP-TTLS, which nobody else has (RFC 5281 section 11.2.4, RFC 9427
// section 2.1).
func Implicit(s tls.ConnectionState) (challenge [16]byte, id byte, err error) {
	b, err := s.ExportKeyingMaterial("ttls challenge", nil, implicit)
	if err != nil {
		return challenge, 0, err
	}
	return [16]byte(b), b[16], nil
}

// pipe is what TLS takes for the network.
type pipe struct{ t *Tunnel }

func (p pipe) Read(b []byte) (int, error) {
	t := p.t
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.in) == 0 && t.err == nil {
		t.idle = true
		t.wake.Broadcast()
		t.wake.Wait()
	}
	if t.err != nil {
		return 0, io.EOF
	}
	n := copy(b, t.in)
	t.in = t.in[n:]
	return n, nil
}

func (p pipe) Write(b []byte) (int, error) {
	p.t.mu.Lock()
	defer p.t.mu.Unlock()
	p.t.out = append(p.t.out, b...)
	return len(b), nil
}

func (pipe) Close() error                     { return nil }
func (pipe) LocalAddr() net.Addr              { return nowhere{} }
func (pipe) RemoteAddr() net.Addr             { return nowhere{} }
func (pipe) SetDeadline(time.Time) error      { return nil }
func (pipe) SetReadDeadline(time.Time) error  { return nil }
func (pipe) SetWriteDeadline(time.Time) error { return nil }

type nowhere struct{}

func (nowhere) Network() string { return "eap" }
func (nowhere) String() string  { return "eap" }
