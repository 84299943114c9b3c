package app

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"limen/internal/op"
	"limen/internal/platform/web"
)

// health answers the pages for whoever runs the program: /healthz while the process works, /readyz while it should be
// sent requests, /metrics to callers on this machine or a private network, unless metrics have an address of their own.
func (a *App) health(ready *web.Ready) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		switch {
		case !ready.Is():
			say(w, http.StatusServiceUnavailable, "starting or stopping")
		case a.DB.Ping(ctx) != nil:
			say(w, http.StatusServiceUnavailable, "the database does not answer")
		default:
			say(w, http.StatusOK, "ready")
		}
	})
	if a.Settings.MetricsListen == "" {
		mux.Handle("GET /metrics", a.nearby(a.Metrics.Handler()))
	}
	return mux
}

// nearby lets callers on this machine and on private networks.
func (a *App) nearby(h http.Handler) http.Handler {
	clients := op.Clients{Trusted: a.Settings.Proxies()}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ip := clients.Of(r).IP; !near(ip) {
			say(w, http.StatusForbidden, "metrics are for callers on this machine or a private network")
			return
		}
		h.ServeHTTP(w, r)
	})
}

func near(ip netip.Addr) bool { return ip.IsLoopback() || ip.IsPrivate() }

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}
