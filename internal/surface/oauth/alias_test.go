package oauth_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"limen/internal/app/apptest"
)

// TestCertificateAliases reads where clients are asked for certificates: at every endpoint that they prove themselves at and the
// application has, and at no other.
func TestCertificateAliases(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		had := s.App.OAuth.CertHost
		t.Cleanup(func() { s.App.OAuth.CertHost = had })
		s.App.OAuth.CertHost = func(string) string { return "mtls.example.com:9443" }
		made(t, s, "Generic OpenID Connect", "shop", map[string]any{"AllowedAuth": "ClientCreds", "ClientSecret": "correct-horse-battery"})
		made(t, s, "Generic OpenID Connect", "tv", map[string]any{"AllowedAuth": "DeviceCode,CIBA", "ClientSecret": "correct-horse-battery"})
		of := func(service string) map[string]string {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/"+service+"/.well-known/openid-configuration", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = s.Host
			out, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = out.Body.Close() }()
			var body struct {
				Aliases map[string]string `json:"mtls_endpoint_aliases"`
			}
			if err := json.NewDecoder(out.Body).Decode(&body); err != nil {
				t.Fatal(err)
			}
			return body.Aliases
		}
		tv := of("tv")
		for name, operation := range map[string]string{
			"token_endpoint": "Token", "device_authorization_endpoint": "DeviceAuthorization", "backchannel_authentication_endpoint": "BackchannelAuthorize",
		} {
			if want := "https://mtls.example.com:9443/OAuth2/" + operation + "/tv"; tv[name] != want {
				t.Errorf("%s is %q, want %q", name, tv[name], want)
			}
		}
		shop := of("shop")
		for _, name := range []string{"device_authorization_endpoint", "backchannel_authentication_endpoint"} {
			if uri, ok := shop[name]; ok {
				t.Errorf("%s is %q where there is none", name, uri)
			}
		}
		if shop["token_endpoint"] == "" {
			t.Error("no aliases")
		}
	})
}
