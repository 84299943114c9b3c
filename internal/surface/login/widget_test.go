package login_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/core/widget"
	"limen/internal/op"
)

// The page of a widget may be framed by the origins that the tenant named and nobody else, and runs no script but its own: byte for byte the one that its
// policy has the hash of.
func TestWidgetPagePolicy(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		var id string
		s.Do(t, "Test", func(ctx context.Context, c *op.Call) error {
			w, err := widget.Widgets{}.Save(ctx, c, widget.Widget{Name: "Shop", Active: true})
			id = w.ID
			return err
		})
		get := func() (policy, text string) {
			t.Helper()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/Widget/GetAuthWidgetAsPage?widgetId="+id, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = s.Host
			res, err := s.HTTP.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			body, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != http.StatusOK {
				t.Fatal(res.StatusCode, err)
			}
			return res.Header.Get("Content-Security-Policy"), string(body)
		}
		policy, text := get()
		if !strings.HasSuffix(policy, "; frame-ancestors 'none'") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
			t.Error(policy)
		}
		own := regexp.MustCompile(`(?s)<script>(.*?)</script>`).FindStringSubmatch(text)
		if own == nil {
			t.Fatal(text)
		}
		sum := sha256.Sum256([]byte(own[1]))
		if !strings.Contains(policy, "script-src 'self' 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
			t.Errorf("browsers would not run the page's script: %s", policy)
		}
		s.Set(t, "Customer.AllowCors", `["https://app.example.com","https://shop.example.com:8443"]`)
		if policy, _ = get(); !strings.HasSuffix(policy, "; frame-ancestors https://app.example.com https://shop.example.com:8443") {
			t.Error(policy)
		}
	})
}
