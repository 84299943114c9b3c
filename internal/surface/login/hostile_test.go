package login_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"limen/internal/app/apptest"
)

// What a provider or a browser says that no store takes is refused, and is no fault of ours.
func TestTextThatCannotBeKeptIsRefused(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		p := provider(t, s, own)
		s.Set(t, "Social.CreateUsers", "true")
		s.Believe(t, own, "*")
		b := newBrowser(t, s)
		for name, bend := range map[string]func(map[string]any){
			"subject": func(c map[string]any) { c["sub"] = "a\x00b" }, "long subject": func(c map[string]any) { c["sub"] = strings.Repeat("a", 256) },
			"no subject": func(c map[string]any) { c["sub"] = "" }, "type": func(c map[string]any) { c["sub"] = 7 }, "mail": func(c map[string]any) { c["email"] = "a\x00b@example.com" },
			"long mail": func(c map[string]any) { c["email"] = strings.Repeat("a", 300) + "@example.com" }, "no mail": func(c map[string]any) { c["email"] = "Ada <ada@example.com>, b@example.com" },
		} {
			p.Bend = bend
			b.lands(p, own, b.toProvider(own))
			if b.code != http.StatusForbidden && b.code != http.StatusServiceUnavailable {
				t.Errorf("%s: %d", name, b.code)
			}
		}
		for _, form := range []url.Values{{"provider": {"\x00"}}, {"provider": {strings.Repeat("a", 1000)}}} {
			if b.do("POST", "/login/with", form); b.code != http.StatusNotFound {
				t.Errorf("%.20q: %d", form, b.code)
			}
		}
		for _, state := range []string{"\x00", s.ID + "-\x00", strings.Repeat("a", 4000)} {
			if b.do("GET", "/SocialAuth/keycloakAuthCallback?"+url.Values{"state": {state}, "code": {"\x00"}}.Encode(), nil); b.code >= http.StatusInternalServerError || b.code < 400 {
				t.Errorf("%.20q: %d", state, b.code)
			}
		}
		p.Bend = func(c map[string]any) { c["name"] = strings.Repeat("\x00\u202e\n<script>", 100) }
		b.lands(p, own, b.toProvider(own))
		if got := b.who(); !strings.HasPrefix(got, "ada@") {
			t.Errorf("signed in as %q", got)
		}
		b.do("POST", "/connections", url.Values{"do": {"remove"}, "provider": {own}, "issuer": {"\x00"}, "subject": {"\x00"}})
		b.sees(409)
	})
}
