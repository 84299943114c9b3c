package apptest

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/upstream"
	"limen/internal/core/upstream/upstreamtest"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/platform/egress"
)

// Provider runs a double of an identity provider, and sets the tenant up with it: people may sign in there. Nothing more than that and the
// password is asked for.
func (s *Site) Provider(t *testing.T, kind string) *upstreamtest.Provider {
	t.Helper()
	s.Set(t, "Authentication.Challenges", "UP")
	p := upstreamtest.Run(t, kind)
	catalog, out := s.App.Upstream.Catalog, s.App.Egress
	s.App.Upstream.Catalog = p.Known(catalog)
	s.App.Egress = &egress.Client{Roots: p.Roots, Guard: egress.Guard{Permit: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}}
	limit := s.App.Kernel.Limit
	s.App.Kernel.Limit = func(*op.Call, *op.Op) *fault.Error { return nil } // one network signs in all the time
	t.Cleanup(func() { s.App.Upstream.Catalog, s.App.Egress, s.App.Kernel.Limit = catalog, out, limit })
	form := map[string]any{"IdpName": kind, "AppId": upstreamtest.Client, "AppSecret": upstreamtest.Secret}
	if kind == upstream.Apple {
		form["AppSecret"], form["TeamId"], form["KeyId"] = p.AppleKey(), upstreamtest.AppleTeam, upstreamtest.AppleKeyID
	}
	if p.Custom() {
		form["Issuer"] = p.URL
	}
	s.must(t, "/SocialConfig/SetSocialCustomConfig", form)
	s.must(t, "/SocialConfig/SetSocialAuthConfig", map[string]any{"EnabledSocialUserIdps": kind})
	return p
}

// Believe has the tenant believe a provider as to whose the addresses of some domains are.
func (s *Site) Believe(t *testing.T, kind, domains string) {
	t.Helper()
	s.must(t, "/SocialConfig/SetSocialCustomConfig", map[string]any{"IdpName": kind, "LinkDomains": domains})
}

// must has the administrator do something.
func (s *Site) must(t testing.TB, path string, body any) {
	t.Helper()
	if code, out := s.Call(t, s.TokenOf(t, "admin"), http.MethodPost, path, body); code != http.StatusOK || !strings.Contains(string(out), `"success":true`) {
		t.Fatalf("%s: %d %s", path, code, out)
	}
}

// AtProvider begins a sign-in at a provider, and gives its page there and the cookie that binds it to the browser.
func (s *Site) AtProvider(t testing.TB, wish upstream.Begin) (at, cookie string) {
	t.Helper()
	c := s.App.Shell(s.ID)
	b, err := s.App.Upstream.PrepareBegin(t.Context(), c, wish)
	if err != nil {
		t.Fatal(err)
	}
	s.Do(t, audit.LoginStart, func(ctx context.Context, c *call.Call) error { return s.App.Upstream.Begin(ctx, c, b) })
	return b.URL, b.Cookie + "=" + b.Value
}

// Promised gives what resumes the sign-in of somebody whom a provider has shown.
func (s *Site) Promised(t testing.TB, userID, provider string) (text string) {
	t.Helper()
	s.Do(t, audit.LoginStep, func(ctx context.Context, c *call.Call) error {
		by, err := s.App.Upstream.Find(ctx, c, provider)
		if err == nil {
			text, err = s.App.Upstream.Promise(ctx, c, userID, by)
		}
		return err
	})
	return text
}
