package authentication_test

import (
	"testing"

	"limen/internal/call"
	"limen/internal/surface/identity/authentication"
)

// TestCertificateHost tells where certificates are asked for: at a server of their own, or at the tenant's host behind a proxy.
func TestCertificateHost(t *testing.T) {
	for _, tt := range []struct {
		a    authentication.Authentication
		host string
		want authentication.CertificateHost
	}{
		{authentication.Authentication{}, "id.acme.test", authentication.CertificateHost{Host: "id.acme.test", Port: 443}},
		{authentication.Authentication{Certs: true}, "id.acme.test:8443", authentication.CertificateHost{Host: "id.acme.test", Port: 8443, Enabled: true}},
		{authentication.Authentication{Certs: true, CertHost: func(string) string { return "id.acme.test:8444" }}, "id.acme.test:8443", authentication.CertificateHost{Host: "id.acme.test", Port: 8444, Enabled: true}},
		{authentication.Authentication{Certs: true, CertHost: func(string) string { return "id.acme.test" }}, "id.acme.test:8443", authentication.CertificateHost{Host: "id.acme.test", Port: 443, Enabled: true}},
	} {
		got, err := tt.a.GetZsoHostInfo(t.Context(), &call.Call{Tenant: call.Tenant{Host: tt.host}}, authentication.HostRequest{})
		if err != nil || got != tt.want {
			t.Errorf("%+v, %v; want %+v", got, err, tt.want)
		}
	}
}
