package web

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"
)

// Server serves one handler on one address. Its fields are set before Run.
type Server struct {
	Name    string // for the log: "main", "metrics"
	Addr    string // HOST:PORT
	Handler http.Handler
	TLS     *TLS // nil or with Mode "off": plain HTTP
	// AskCert has TLS ask clients for a certificate. Any is taken, and none as well: whose it is, is for the handler to find out.
	AskCert bool
	Log     *slog.Logger
	Workers Group
	Ready   *Ready // may be shared with the handler of the readiness page; nil is a private one

	// Started is called once the server takes connections, with the address it got.
	Started func(net.Addr)
	// Drain is how long the server goes on as before after it has said that it is no longer ready, so that a load
	// balancer can notice.
	Drain time.Duration
	// Grace bounds the wait for running requests, and then the wait for workers. 0 is 20 seconds.
	Grace time.Duration
	// ReadTimeout and WriteTimeout bound a request's body and its answer; a handler that needs longer says so with
	// http.ResponseController. 0 is one minute, and two.
	ReadTimeout, WriteTimeout time.Duration
}

// Ready says whether this process should be sent requests.
type Ready struct{ yes atomic.Bool }

// Is reports readiness.
func (r *Ready) Is() bool { return r.yes.Load() }

// Set changes readiness.
func (r *Ready) Set(yes bool) { r.yes.Store(yes) }

const maxHeader = 64 << 10

// Run serves until ctx ends or a worker fails. Stopping goes in this order: readiness is withdrawn, Drain passes, no
// new connections are taken and running requests finish within Grace, workers stop within Grace. It returns nil after
// an orderly stop, ErrTLS or ErrListen when it could not start, ErrWorker when a worker ended it.
func (s *Server) Run(ctx context.Context) error {
	ready := s.Ready
	if ready == nil {
		ready = new(Ready)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.Addr)
	if err != nil {
		return ErrListen.Because(err)
	}
	defer listener.Close()
	// Requests outlive the signal to stop; they are cut off when Grace is over.
	base, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	srv, err := s.server(base)
	if err != nil {
		return err
	}
	// Serving changes the server's configuration; it is not looked at again.
	secure, group := srv.TLSConfig != nil, s.Workers
	if secure {
		group = append(slices.Clone(group), Worker{"certificate", s.TLS.Watch})
	}
	workers := group.start(base, s.Log)
	served := make(chan error, 1)
	go func() {
		if secure {
			served <- srv.ServeTLS(listener, "", "")
		} else {
			served <- srv.Serve(listener)
		}
	}()
	ready.Set(true)
	s.Log.Info("listening", "server", s.Name, "address", listener.Addr().String(), "tls", secure)
	if s.Started != nil {
		s.Started(listener.Addr())
	}
	select {
	case <-ctx.Done():
	case err = <-served:
		err = ErrListen.Because(err)
	case err = <-workers.failed:
	}
	ready.Set(false)
	s.stop(srv, cut)
	return errors.Join(err, workers.stop(s.grace()))
}

func (s *Server) grace() time.Duration { return or(s.Grace, 20*time.Second) }

func or(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

func (s *Server) server(base context.Context) (*http.Server, error) {
	srv := &http.Server{
		Handler:           s.Handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       or(s.ReadTimeout, time.Minute),
		WriteTimeout:      or(s.WriteTimeout, 2*time.Minute),
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeader,
		BaseContext:       func(net.Listener) context.Context { return base },
		// What the server itself reports are mostly clients that break off.
		ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	if s.TLS == nil || !s.TLS.Enabled() {
		return srv, nil
	}
	var err error
	srv.TLSConfig, err = s.TLS.Config()
	if err == nil && s.AskCert {
		srv.TLSConfig.ClientAuth = tls.RequestClientCert
	}
	return srv, err
}

func (s *Server) stop(srv *http.Server, cut context.CancelFunc) {
	if s.Drain > 0 {
		time.Sleep(s.Drain)
	}
	s.Log.Info("stopping", "server", s.Name)
	limited, cancel := context.WithTimeout(context.Background(), s.grace())
	defer cancel()
	if err := srv.Shutdown(limited); err != nil {
		s.Log.Warn("requests were cut off", "server", s.Name, "after", s.grace().String())
		cut()
		srv.Close()
	}
}
