package udp_test

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"limen/internal/platform/udp"
)

// serve serves until the test ends, and gives a connection to the server.
func serve(t *testing.T, handle func(b []byte) []byte) net.Conn {
	t.Helper()
	at := make(chan net.Addr, 1)
	s := &udp.Server{
		Addr: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler), Started: func(a net.Addr) { at <- a },
		Handle: func(_ context.Context, _ netip.AddrPort, b []byte) []byte { return handle(b) },
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	conn, err := net.Dial("udp", (<-at).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return conn
}

func ask(t *testing.T, conn net.Conn, text string) string {
	t.Helper()
	b := make([]byte, 100)
	if _, err := conn.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	n, err := conn.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

// A datagram that comes again gets the answer that the first one got, and is not worked on again.
func TestDatagramsThatComeAgain(t *testing.T) {
	var worked atomic.Int64
	conn := serve(t, func(b []byte) []byte {
		worked.Add(1)
		return append([]byte("re: "), b...)
	})
	for range 3 {
		if got := ask(t, conn, "one"); got != "re: one" {
			t.Fatal(got)
		}
	}
	if got := ask(t, conn, "two"); got != "re: two" || worked.Load() != 2 {
		t.Fatal(got, worked.Load())
	}
}

// While a datagram is worked on, its repetitions wait for the same answer.
func TestRepeatedWhileWorkedOn(t *testing.T) {
	var worked atomic.Int64
	begun, go_ := make(chan struct{}, 8), make(chan struct{})
	conn := serve(t, func(b []byte) []byte {
		if string(b) == "slow" {
			worked.Add(1)
			begun <- struct{}{}
			<-go_
		}
		return b
	})
	for range 3 {
		if _, err := conn.Write([]byte("slow")); err != nil {
			t.Fatal(err)
		}
	}
	<-begun
	if got := ask(t, conn, "quick"); got != "quick" { // behind the three
		t.Fatal(got)
	}
	close(go_)
	b := make([]byte, 100)
	if n, err := conn.Read(b); err != nil || string(b[:n]) != "slow" {
		t.Fatal(string(b[:n]), err)
	}
	if got := ask(t, conn, "last"); got != "last" || worked.Load() != 1 {
		t.Fatal(got, worked.Load())
	}
}

// What panics, or has no answer, ends nothing else; and is worked on when it comes again.
func TestWithoutAnswer(t *testing.T) {
	var worked atomic.Int64
	conn := serve(t, func(b []byte) []byte {
		switch string(b) {
		case "panic":
			panic("on purpose")
		case "silence":
			if worked.Add(1) == 1 {
				return nil
			}
		}
		return b
	})
	for _, text := range []string{"panic", "silence"} {
		if _, err := conn.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if got := ask(t, conn, "x"); got != "x" {
		t.Fatal(got)
	}
	b := make([]byte, 100)
	for range 200 { // it may still be worked on, and then its repetition has no answer either
		if _, err := conn.Write([]byte("silence")); err != nil {
			t.Fatal(err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		if n, err := conn.Read(b); err == nil {
			if string(b[:n]) != "silence" {
				t.Fatal(string(b[:n]))
			}
			return
		}
	}
	t.Fatal("it is never answered")
}
