package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestPlainRequestOnTLS(t *testing.T) {
	setup, _ := auto(t, t.TempDir())
	addr, _ := run(t, &Server{TLS: setup})
	resp, err := http.Get("http://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 400 || !strings.Contains(string(body), "HTTPS") {
		t.Fatal(resp.StatusCode, string(body))
	}
}

func TestOff(t *testing.T) {
	addr, stop := run(t, &Server{TLS: &TLS{Mode: "off"}})
	if proto, err := get(t, http.DefaultClient, "http://"+addr); err != nil || proto != "HTTP/1.1" {
		t.Fatal(proto, err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := net.Dial("tcp", addr); err == nil {
		t.Error("still listening")
	}
}

// A running request finishes, and only then do the workers stop; readiness is withdrawn before anything.
func TestStopInOrder(t *testing.T) {
	ready := new(Ready)
	entered, release := make(chan bool), make(chan bool)
	var workerStopped atomic.Bool
	stopping := make(chan bool, 1)
	s := &Server{
		Ready: ready,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			entered <- true
			<-release
			fmt.Fprint(w, r.Context().Err(), workerStopped.Load())
		}),
		Workers: Group{{"outbox", func(ctx context.Context) error {
			<-ctx.Done()
			workerStopped.Store(true)
			return ctx.Err()
		}}},
	}
	addr, stop := run(t, s)
	if !ready.Is() {
		t.Fatal("not ready")
	}
	answer := make(chan string, 1)
	go func() {
		body, err := get(t, http.DefaultClient, "http://"+addr)
		if err != nil {
			t.Error(err)
		}
		answer <- body
	}()
	<-entered
	go func() { stopping <- stop() == nil }()
	for ready.Is() {
		time.Sleep(time.Millisecond)
	}
	select {
	case <-stopping:
		t.Fatal("stopped over a running request")
	case <-time.After(50 * time.Millisecond):
	}
	close(release)
	if got := <-answer; got != "<nil> false" {
		t.Error(got)
	}
	if !<-stopping || !workerStopped.Load() {
		t.Error("no orderly stop")
	}
}

func TestGraceIsBounded(t *testing.T) {
	entered := make(chan bool, 1)
	cut := make(chan bool, 1)
	s := &Server{Grace: 30 * time.Millisecond, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		entered <- true
		<-r.Context().Done()
		cut <- true
	})}
	addr, stop := run(t, s)
	go func() { _, _ = http.Get("http://" + addr) }()
	<-entered
	start := time.Now()
	if err := stop(); err != nil {
		t.Error(err)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Error(d)
	}
	<-cut
}

func TestDrain(t *testing.T) {
	ready := new(Ready)
	addr, stop := run(t, &Server{Ready: ready, Drain: 200 * time.Millisecond})
	go func() { _ = stop() }()
	for ready.Is() {
		time.Sleep(time.Millisecond)
	}
	if _, err := get(t, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, "http://"+addr); err != nil {
		t.Error("a request while draining:", err)
	}
}

func TestWorkers(t *testing.T) {
	boom := errors.New("boom")
	for name, c := range map[string]struct {
		run  func(context.Context) error
		want error
		text string
	}{
		"error":     {func(context.Context) error { return boom }, boom, "outbox"},
		"panic":     {func(context.Context) error { panic("odd") }, ErrWorker, "panic: odd"},
		"does hang": {func(context.Context) error { select {} }, ErrWorker, "still running"},
		"is done":   {func(context.Context) error { return nil }, nil, ""},
		"waits":     {func(ctx context.Context) error { <-ctx.Done(); return fmt.Errorf("poll: %w", ctx.Err()) }, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			defer cancel()
			s := &Server{Addr: "127.0.0.1:0", Handler: http.NotFoundHandler(), Log: quiet(), Grace: 20 * time.Millisecond, Workers: Group{{"outbox", c.run}}}
			err := s.Run(ctx)
			if !errors.Is(err, c.want) || err != nil && !strings.Contains(err.Error(), c.text) {
				t.Error(err)
			}
			if fails := name == "error" || name == "panic"; fails != (ctx.Err() == nil) {
				t.Error("ended by", ctx.Err())
			}
		})
	}
}

func TestCannotListen(t *testing.T) {
	addr, _ := run(t, &Server{})
	s := &Server{Addr: addr, Handler: http.NotFoundHandler(), Log: quiet()}
	if err := s.Run(context.Background()); !errors.Is(err, ErrListen) {
		t.Fatal(err)
	}
	s = &Server{Addr: "127.0.0.1:0", Log: quiet(), TLS: &TLS{Mode: "no,files", Now: time.Now}}
	if err := s.Run(context.Background()); !errors.Is(err, ErrTLS) {
		t.Fatal(err)
	}
}

func TestHeaderLimit(t *testing.T) {
	addr, _ := run(t, &Server{})
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n", strings.Repeat("a", maxHeader+8<<10))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != 431 {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
}
