package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"limen/bench/load"
)

// echo listens like the program but only answers with the body it was sent, in an envelope: what net/http gives at best.
type echo struct {
	http.Server
	addr string
}

func newEcho() (*echo, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e := &echo{addr: l.Addr().String()}
	e.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		b := append(append(append(make([]byte, 0, 64+len(body)), `{"success":true,"Result":`...), body...), '}')
		h := w.Header()
		h.Set("Content-Type", "application/json; charset=utf-8")
		h.Set("Content-Length", strconv.Itoa(len(b)))
		_, _ = w.Write(b)
	})
	go func() { _ = e.Serve(l) }()
	return e, nil
}

// asks is world.asks for the echo.
func (e *echo) asks(ctx context.Context, callers int, request []byte) turn {
	return func(d time.Duration) (load.Sample, error) {
		return load.Ask(ctx, e.addr, callers, d, func(_ int, c *load.Conn) error {
			_, err := c.Succeed(request)
			return err
		})
	}
}
