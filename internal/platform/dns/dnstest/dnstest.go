// Package dnstest is a name server for tests.
package dnstest

import (
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// Zone is what the server answers: a name that is in neither map does not exist, and one that begins with "broken" makes it fail. It
// may be changed through Set while it is served.
type Zone struct {
	mu  sync.Mutex
	txt map[string][]string
	a   map[string][4]byte
}

// Set gives a name TXT records, or takes it away when there are none at all; an empty one makes it exist without any.
func (z *Zone) Set(name string, texts ...string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.txt == nil {
		z.txt = map[string][]string{}
	}
	z.txt[name] = slices.DeleteFunc(texts, func(s string) bool { return s == "" })
	if len(texts) == 0 {
		delete(z.txt, name)
	}
}

// At gives a name an IPv4 address.
func (z *Zone) At(name string, address [4]byte) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.a == nil {
		z.a = map[string][4]byte{}
	}
	z.a[name] = address
}

// Serve answers on UDP and TCP at one address until the test ends. Answers that do not fit into a datagram are cut, so that they are
// asked for by TCP.
func (z *Zone) Serve(t testing.TB) (addr string) {
	t.Helper()
	tcp, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	udp, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", tcp.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = tcp.Close(), udp.Close() })
	go z.datagrams(udp)
	go z.streams(tcp)
	return tcp.Addr().String()
}

func (z *Zone) datagrams(udp net.PacketConn) {
	buf := make([]byte, 1500)
	for {
		n, from, err := udp.ReadFrom(buf)
		if err != nil {
			return
		}
		_, _ = udp.WriteTo(z.answer(buf[:n], 1232), from)
	}
}

func (z *Zone) streams(tcp net.Listener) {
	for {
		conn, err := tcp.Accept()
		if err != nil {
			return
		}
		size := make([]byte, 2)
		if _, err := io.ReadFull(conn, size); err == nil {
			query := make([]byte, int(size[0])<<8|int(size[1]))
			if _, err := io.ReadFull(conn, query); err == nil {
				out := z.answer(query, 65535)
				_, _ = conn.Write(append([]byte{byte(len(out) >> 8), byte(len(out))}, out...))
			}
		}
		_ = conn.Close()
	}
}

func (z *Zone) answer(query []byte, most int) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) != 1 {
		return nil
	}
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	z.fill(&m)
	out, err := m.Pack()
	if err == nil && len(out) > most {
		m.Truncated, m.Answers = true, nil
		out, _ = m.Pack()
	}
	return out
}

func (z *Zone) fill(m *dnsmessage.Message) {
	z.mu.Lock()
	defer z.mu.Unlock()
	q := m.Questions[0]
	name := strings.TrimSuffix(q.Name.String(), ".")
	texts, hasText := z.txt[name]
	at, hasAddress := z.a[name]
	head := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
	switch {
	case strings.HasPrefix(name, "broken"):
		m.RCode = dnsmessage.RCodeServerFailure
	case !hasText && !hasAddress:
		m.RCode = dnsmessage.RCodeNameError
	case q.Type == dnsmessage.TypeA && hasAddress:
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AResource{A: at}})
	case q.Type == dnsmessage.TypeTXT:
		for _, text := range texts {
			var parts []string
			for chunk := range slices.Chunk([]byte(text), 200) {
				parts = append(parts, string(chunk))
			}
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.TXTResource{TXT: parts}})
		}
	}
}
