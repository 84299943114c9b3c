package app

import (
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"testing"

	"limen/internal/core/outbox"
	"limen/internal/platform/egress"
)

// A client that refuses to be told of a decision is not told again; one that is down, or busy, is.
func TestTellDecision(t *testing.T) {
	status := 0
	client := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer its-own" || r.Header.Get("Content-Type") != "application/json" {
			t.Error(r.Header)
		}
		w.WriteHeader(status)
	}))
	defer client.Close()
	roots := x509.NewCertPool()
	roots.AddCert(client.Certificate())
	a := &App{Egress: &egress.Client{Guard: egress.Guard{Permit: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}, Roots: roots}}
	over := reflect.TypeOf(outbox.Permanent(errors.New("refused")))
	for code, want := range map[int]struct{ told, again bool }{
		http.StatusNoContent: {told: true}, http.StatusOK: {told: true}, http.StatusUnauthorized: {}, http.StatusForbidden: {}, http.StatusNotFound: {}, http.StatusFound: {},
		http.StatusTooManyRequests: {again: true}, http.StatusRequestTimeout: {again: true}, http.StatusServiceUnavailable: {again: true}, http.StatusInternalServerError: {again: true},
	} {
		status = code
		err := a.tellDecision(t.Context(), client.URL+"/told", "its-own", []byte(`{"auth_req_id":"x"}`))
		if told, again := err == nil, err != nil && reflect.TypeOf(err) != over; told != want.told || again != want.again {
			t.Errorf("%d: %v", code, err)
		}
	}
}
