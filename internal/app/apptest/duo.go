package apptest

import (
	"net/netip"
	"testing"

	"limen/internal/core/factor/duo/duotest"
	"limen/internal/platform/egress"
)

// Duo runs a double of Duo, at which the tenant has an application.
func (s *Site) Duo(t *testing.T) *duotest.Server {
	t.Helper()
	srv, out := duotest.New(t), s.App.Egress
	s.App.Egress = &egress.Client{Roots: srv.Roots, Guard: egress.Guard{Permit: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}}
	t.Cleanup(func() { s.App.Egress = out })
	s.Set(t, "Duo.ApiHost", srv.Host)
	s.Set(t, "Duo.ClientId", duotest.ClientID)
	s.Set(t, "Duo.ClientSecret", duotest.Secret)
	return srv
}
