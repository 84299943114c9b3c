package login_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/upstream"
	"limen/internal/core/upstream/upstreamtest"
	"limen/internal/core/user"
)

// own is an issuer of a tenant's own.
const own = "keycloak"

// provider runs a double of a provider, and sets the tenant up with it.
func provider(t *testing.T, s *apptest.Site, kind string) *upstreamtest.Provider {
	t.Helper()
	return s.Provider(t, kind)
}

// rpc has the administrator do something, which must succeed.
func rpc(t *testing.T, s *apptest.Site, path string, body any) {
	t.Helper()
	if code, out := s.Call(t, s.TokenOf(t, "admin"), http.MethodPost, path, body); code != http.StatusOK || !strings.Contains(string(out), `"success":true`) {
		t.Fatalf("%s: %d %s", path, code, out)
	}
}

// showed makes a person who has shown that a mail address is theirs.
func showed(t *testing.T, s *apptest.Site, name, mail string) (u user.User) {
	t.Helper()
	s.Do(t, audit.UserCreate, func(ctx context.Context, c *call.Call) (err error) {
		u, err = s.App.People.Create(ctx, c, user.New{Name: name + "@" + s.Suffix, Mail: mail, Everybody: true})
		return err
	})
	return u
}

var leads = regexp.MustCompile(`content="0;url=([^"]*)"`)

// onTo is where a page leads on to by itself.
func (b *browser) onTo() string {
	b.t.Helper()
	m := leads.FindStringSubmatch(b.body)
	if m == nil {
		b.t.Fatalf("%d: the page leads nowhere:\n%s", b.code, b.body)
	}
	return html.UnescapeString(m[1])
}

// toProvider begins on the page of sign-in.
func (b *browser) toProvider(kind string) string {
	b.t.Helper()
	b.do("POST", "/login/with", url.Values{"provider": {kind}})
	return b.onTo()
}

// lands brings the browser back from the provider, as the provider does.
func (b *browser) lands(p *upstreamtest.Provider, kind, at string) {
	b.t.Helper()
	path, answer := p.Visit(at)
	if kind == upstream.Apple {
		b.do("POST", path, answer)
		return
	}
	b.do("GET", path+"?"+answer.Encode(), nil)
}

// who is the name of whoever the browser is signed in as; empty: nobody.
func (b *browser) who() string {
	b.t.Helper()
	b.do("GET", "/login", nil)
	m := regexp.MustCompile(`<dd>([^<]*@[^<]*)</dd>`).FindStringSubmatch(b.body)
	if m == nil {
		return ""
	}
	return html.UnescapeString(m[1])
}

// connect has the person of a browser that is signed in connect their account at the provider.
func (b *browser) connect(p *upstreamtest.Provider, kind string) {
	b.t.Helper()
	b.do("POST", "/connections", url.Values{"do": {"connect"}, "provider": {kind}})
	b.lands(p, kind, b.onTo())
	b.sees(200, "/connections")
	b.do("GET", "/connections", nil)
	b.sees(200, "Disconnect")
}

// At each provider somebody connects their account, and signs in with it afterwards: from another browser, as themselves, without a
// password. The provider does not sign in who has disconnected it.
func TestEachProviderSignsIn(t *testing.T) {
	for _, kind := range []string{upstream.Google, upstream.Microsoft, upstream.LinkedIn, upstream.Facebook, upstream.Twitter, upstream.Apple, own} {
		t.Run(kind, func(t *testing.T) {
			apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
				s := srv.Tenant(t)
				p := provider(t, s, kind)
				home, abroad := newBrowser(t, s), newBrowser(t, s)
				home.signedIn(s.Plain.ID, "UP")
				home.connect(p, kind)
				abroad.do("GET", "/login", nil)
				abroad.sees(200, `name="provider" value="`+kind+`"`)
				abroad.lands(p, kind, abroad.toProvider(kind))
				if to := abroad.onTo(); to != "/login" {
					t.Errorf("it leads on to %s", to)
				}
				if got := abroad.who(); got != s.Plain.Name {
					t.Errorf("signed in as %q, want %s", got, s.Plain.Name)
				}
				p.Subject = "sub-2"
				another := newBrowser(t, s)
				another.lands(p, kind, another.toProvider(kind))
				another.sees(403, "not connected")
				if got := another.who(); got != "" {
					t.Errorf("another account signs in as %s", got)
				}
			})
		})
	}
}

// attack is a test of what must not sign anybody in, although the account is connected.
func attack(t *testing.T, kind string, f func(t *testing.T, s *apptest.Site, p *upstreamtest.Provider, b *browser)) {
	t.Helper()
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		p := provider(t, s, kind)
		home, b := newBrowser(t, s), newBrowser(t, s)
		home.signedIn(s.Plain.ID, "UP")
		home.connect(p, kind)
		f(t, s, p, b)
		if b.code < 400 {
			t.Errorf("the answer has status %d", b.code)
		}
		if got := b.who(); got != "" {
			t.Errorf("signed in as %s", got)
		}
	})
}

func TestForgedStateSignsNobodyIn(t *testing.T) {
	attack(t, upstream.Google, func(_ *testing.T, s *apptest.Site, p *upstreamtest.Provider, b *browser) {
		path, answer := p.Visit(b.toProvider(upstream.Google))
		answer.Set("state", s.ID+"-64f226d5-a237-42dd-b344-000000000000")
		b.do("GET", path+"?"+answer.Encode(), nil)
	})
}

// Whoever has somebody else open the answer to their own sign-in would have them work in the attacker's account.
func TestAnswerOfAnotherBrowserSignsNobodyIn(t *testing.T) {
	attack(t, upstream.Google, func(t *testing.T, s *apptest.Site, p *upstreamtest.Provider, b *browser) {
		attacker := newBrowser(t, s)
		b.toProvider(upstream.Google) // a cookie of a sign-in of their own does not help
		b.lands(p, upstream.Google, attacker.toProvider(upstream.Google))
	})
}

func TestReplayedAnswerSignsNobodyIn(t *testing.T) {
	attack(t, upstream.Google, func(t *testing.T, s *apptest.Site, p *upstreamtest.Provider, b *browser) {
		at, cookies := b.toProvider(upstream.Google), b.jar.Cookies(b.at("/"))
		path, answer := p.Visit(at)
		b.do("GET", path+"?"+answer.Encode(), nil)
		if b.who() == "" {
			t.Fatal("the answer itself does not sign in")
		}
		thief := newBrowser(t, s)
		thief.jar.SetCookies(b.at("/"), cookies)
		thief.do("GET", path+"?"+answer.Encode(), nil)
		*b = *thief
	})
}

func TestCodeOfAnotherSignInSignsNobodyIn(t *testing.T) {
	attack(t, upstream.Google, func(t *testing.T, s *apptest.Site, p *upstreamtest.Provider, b *browser) {
		_, stolen := p.Visit(newBrowser(t, s).toProvider(upstream.Google))
		path, answer := p.Visit(b.toProvider(upstream.Google))
		answer.Set("code", stolen.Get("code")) // the verifier is not that of the code
		b.do("GET", path+"?"+answer.Encode(), nil)
	})
}

// bent is an attack by what the ID token says.
func bent(t *testing.T, kind string, bend func(claims map[string]any)) {
	t.Helper()
	attack(t, kind, func(_ *testing.T, _ *apptest.Site, p *upstreamtest.Provider, b *browser) {
		p.Bend = bend
		b.lands(p, kind, b.toProvider(kind))
	})
}

func TestWrongNonceSignsNobodyIn(t *testing.T) {
	bent(t, upstream.Google, func(c map[string]any) { c["nonce"] = "another" })
	bent(t, upstream.Google, func(c map[string]any) { delete(c, "nonce") })
	bent(t, upstream.LinkedIn, func(c map[string]any) { c["nonce"] = "another" })
}

func TestTokenOfAnotherIssuerSignsNobodyIn(t *testing.T) {
	bent(t, upstream.Google, func(c map[string]any) { c["iss"] = "https://evil.example" })
	bent(t, upstream.Microsoft, func(c map[string]any) { c["iss"] = "https://evil.example" })
	bent(t, upstream.Microsoft, func(c map[string]any) { c["tid"] = "00000000-0000-0000-0000-000000000000" })
	bent(t, upstream.Microsoft, func(c map[string]any) { delete(c, "tid") })
}

func TestTokenForAnotherClientSignsNobodyIn(t *testing.T) {
	bent(t, upstream.Google, func(c map[string]any) { c["aud"] = "another" })
	bent(t, upstream.Google, func(c map[string]any) { c["aud"], c["azp"] = []string{upstreamtest.Client, "another"}, "another" })
	bent(t, upstream.Google, func(c map[string]any) { c["aud"] = []string{upstreamtest.Client, "another"} })
}

func TestOldTokenSignsNobodyIn(t *testing.T) {
	bent(t, upstream.Google, func(c map[string]any) { c["exp"] = time.Now().Add(-time.Minute).Unix() })
}

func TestTokenOfAnotherKeySignsNobodyIn(t *testing.T) {
	attack(t, upstream.Google, func(t *testing.T, _ *apptest.Site, p *upstreamtest.Provider, b *browser) {
		var err error
		if p.Key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			t.Fatal(err)
		}
		b.lands(p, upstream.Google, b.toProvider(upstream.Google))
	})
}

// An answer is taken at the path of the provider that was asked, and of the issuer that it is of: else one provider could have codes of
// another redeemed at itself.
func TestMixedUpAnswerSignsNobodyIn(t *testing.T) {
	attack(t, upstream.Google, func(_ *testing.T, _ *apptest.Site, p *upstreamtest.Provider, b *browser) {
		_, answer := p.Visit(b.toProvider(upstream.Google))
		b.do("GET", "/SocialAuth/MicrosoftAuthCallback?"+answer.Encode(), nil)
	})
	attack(t, upstream.Google, func(_ *testing.T, _ *apptest.Site, p *upstreamtest.Provider, b *browser) {
		p.Says = "https://evil.example"
		b.lands(p, upstream.Google, b.toProvider(upstream.Google))
	})
}

func TestWhoDeclinesIsNotSignedIn(t *testing.T) {
	attack(t, upstream.Google, func(_ *testing.T, _ *apptest.Site, p *upstreamtest.Provider, b *browser) {
		p.Denies = "access_denied"
		b.lands(p, upstream.Google, b.toProvider(upstream.Google))
		b.sees(403, "You did not sign in")
	})
}

func TestDisabledProviderSignsNobodyIn(t *testing.T) {
	attack(t, upstream.Google, func(t *testing.T, s *apptest.Site, p *upstreamtest.Provider, b *browser) {
		at := b.toProvider(upstream.Google)
		rpc(t, s, "/SocialConfig/SetSocialAuthConfig", map[string]any{"EnabledSocialUserIdps": ""})
		b.lands(p, upstream.Google, at)
	})
}

func TestBarredPeopleAreNotSignedIn(t *testing.T) {
	for name, state := range map[string]user.State{"locked": {Locked: true}, "disabled": {Disabled: true}, "expired": {Expired: true}} {
		t.Run(name, func(t *testing.T) {
			attack(t, upstream.Google, func(t *testing.T, s *apptest.Site, p *upstreamtest.Provider, b *browser) {
				s.Do(t, audit.UserState, func(ctx context.Context, c *call.Call) error { return s.App.People.SetState(ctx, c, s.Plain.ID, state) })
				b.lands(p, upstream.Google, b.toProvider(upstream.Google))
			})
		})
	}
}

// A second factor is asked for all the same, and the policies decide as ever.
func TestProviderStandsInForThePasswordAlone(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		p := provider(t, s, own)
		s.Believe(t, own, "*")
		s.Set(t, "Authentication.Challenges", "UP;EMAIL")
		showed(t, s, "ada", "ada@example.com")
		b := newBrowser(t, s)
		b.lands(p, own, b.toProvider(own))
		if to := b.onTo(); to != "/login" {
			t.Fatalf("it leads on to %s", to)
		}
		b.do("GET", "/login", nil)
		b.sees(200, "We will send a code")
		s.Set(t, "Authentication.Challenges", "EMAIL;UP")
		again := newBrowser(t, s)
		again.lands(p, own, again.toProvider(own))
		again.do("GET", "/login", nil)
		again.sees(200, "We will send a code")
		if c := again.jar.Cookies(again.at("/")); strings.Contains(cookieNames(c), ".ASPXAUTH") {
			t.Error("somebody is signed in")
		}
	})
}

func cookieNames(all []*http.Cookie) (out string) {
	for _, k := range all {
		out += " " + k.Name
	}
	return out
}

// Who connects an account must still be signed in as they were when they began, and have it be nobody else's.
func TestConnectingCannotBeHijacked(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		p := provider(t, s, own)
		ada := showed(t, s, "ada", "ada@example.com")
		a, b := newBrowser(t, s), newBrowser(t, s)
		a.signedIn(s.Plain.ID, "UP")
		b.signedIn(ada.ID, "UP")
		begin := func(of *browser) string {
			of.do("POST", "/connections", url.Values{"do": {"connect"}, "provider": {own}})
			return of.onTo()
		}
		b.lands(p, own, begin(a)) // the attacker has the victim bring the answer
		b.sees(409)
		at := begin(a)
		a.do("POST", "/logout", url.Values{})
		a.lands(p, own, at)
		a.sees(409)
		a.signedIn(s.Plain.ID, "UP")
		a.connect(p, own)
		b.lands(p, own, begin(b))
		b.sees(409, "somebody else")
		b.do("POST", "/connections", url.Values{"do": {"remove"}, "provider": {own}, "issuer": {p.URL}, "subject": {p.Subject}})
		b.do("GET", "/connections", nil)
		a.do("GET", "/connections", nil)
		a.sees(200, "Disconnect")
		c := newBrowser(t, s)
		c.do("POST", "/connections", url.Values{"do": {"connect"}, "provider": {own}})
		if c.code != http.StatusSeeOther {
			t.Errorf("a stranger gets %d", c.code)
		}
	})
}

// Nobody takes away the one thing that signs them in.
func TestTheLastWayInStays(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		p := provider(t, s, own)
		b := newBrowser(t, s)
		b.signedIn(s.Plain.ID, "UP") // who has no password
		b.connect(p, own)
		b.do("POST", "/connections", url.Values{"do": {"remove"}, "provider": {own}, "issuer": {p.URL}, "subject": {p.Subject}})
		b.sees(409, "only way")
		b.do("GET", "/connections", nil)
		b.sees(200, "Disconnect")
	})
}

// People land where the administrator has it, and at no other place.
func TestPeopleLandWhereTheTenantHasIt(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		p := provider(t, s, own)
		s.Believe(t, own, "*")
		showed(t, s, "ada", "ada@example.com")
		rpc(t, s, "/SocialConfig/SetSocialAuthConfig", map[string]any{"PortalUrl": "https://portal.example.com/home"})
		b := newBrowser(t, s)
		b.lands(p, own, b.toProvider(own))
		if got := b.do("GET", b.onTo(), nil); got != "https://portal.example.com/home" {
			t.Errorf("people land at %q", got)
		}
		for _, to := range []string{"https://evil.example", "//evil.example", "/\\evil.example"} {
			b.do("POST", "/login/with", url.Values{"provider": {own}, "cloudRedirect": {to}})
			b.lands(p, own, b.onTo())
			if got := b.onTo(); !strings.HasPrefix(got, "/SocialAuth/Portal?") {
				t.Errorf("%s leads to %q", to, got)
			}
		}
	})
}
