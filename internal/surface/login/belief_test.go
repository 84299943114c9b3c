package login_test

import (
	"context"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/upstream"
	"limen/internal/core/upstream/upstreamtest"
	"limen/internal/core/user"
)

// unknown has an account sign in that nobody has connected, and gives as whom.
func unknown(t *testing.T, kind string, f func(t *testing.T, s *apptest.Site, p *upstreamtest.Provider), want func(s *apptest.Site) string) {
	t.Helper()
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		p := provider(t, s, kind)
		f(t, s, p)
		for range 2 { // what was connected at first is no more nor less afterwards
			b := newBrowser(t, s)
			b.lands(p, kind, b.toProvider(kind))
			if got := b.who(); got != want(s) {
				t.Errorf("signed in as %q, want %q", got, want(s))
			}
		}
	})
}

func nobody(*apptest.Site) string { return "" }

func ada(s *apptest.Site) string { return "ada@" + s.Suffix }

// An address is enough only where the provider shows that it is the account's, the tenant believes it, and the person has shown the same.
func TestVerifiedAddressConnects(t *testing.T) {
	unknown(t, own, func(t *testing.T, s *apptest.Site, _ *upstreamtest.Provider) {
		s.Believe(t, own, "example.org, Example.com")
		showed(t, s, "ada", "Ada@example.com")
	}, ada)
	unknown(t, upstream.Google, func(t *testing.T, s *apptest.Site, p *upstreamtest.Provider) {
		p.More = map[string]any{"hd": "example.com"}
		s.Believe(t, upstream.Google, "*")
		showed(t, s, "ada", "ada@example.com")
	}, ada)
	unknown(t, upstream.Twitter, func(t *testing.T, s *apptest.Site, _ *upstreamtest.Provider) {
		s.Believe(t, upstream.Twitter, "*")
		showed(t, s, "ada", "ada@example.com")
	}, ada)
}

func TestAddressDoesNotConnectWhereTheTenantDoesNotBelieveIt(t *testing.T) {
	for _, domains := range []string{"", "example.org", "ample.com"} {
		unknown(t, own, func(t *testing.T, s *apptest.Site, _ *upstreamtest.Provider) {
			if domains != "" {
				s.Believe(t, own, domains)
			}
			showed(t, s, "ada", "ada@example.com")
		}, nobody)
	}
}

// An issuer of little worth is not believed for the domains of one that is worth more, and does not come by that when it takes another's name.
func TestIssuerIsNotBelievedForDomainsOfAnotherProvider(t *testing.T) {
	unknown(t, own, func(t *testing.T, s *apptest.Site, p *upstreamtest.Provider) {
		rpc(t, s, "/SocialConfig/SetSocialCustomConfig", map[string]any{"IdpName": upstream.Google, "AppId": "a", "AppSecret": "b", "LinkDomains": "example.com"})
		rpc(t, s, "/SocialConfig/SetSocialAuthConfig", map[string]any{"EnabledSocialUserIdps": upstream.Google + "," + own})
		s.Believe(t, own, "partner.example")
		showed(t, s, "ada", "ada@example.com")
	}, nobody)
	unknown(t, own, func(t *testing.T, s *apptest.Site, p *upstreamtest.Provider) {
		s.Believe(t, own, "example.com")
		for _, at := range []string{"https://other.example", p.URL} {
			rpc(t, s, "/SocialConfig/SetSocialCustomConfig", map[string]any{"IdpName": own, "Issuer": at, "AppSecret": upstreamtest.Secret})
		}
		showed(t, s, "ada", "ada@example.com")
	}, nobody)
}

// Whom such an issuer makes a person of has not shown the address by that: the account must not be waiting for its owner, who comes by another way.
func TestPersonMadeByAnIssuerThatIsNotBelievedDoesNotWaitForAnother(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		p := provider(t, s, own)
		s.Set(t, "Social.CreateUsers", "true")
		evil := newBrowser(t, s)
		evil.lands(p, own, evil.toProvider(own))
		if got := evil.who(); got != ada(s) {
			t.Fatalf("signed in as %q", got)
		}
		s.Believe(t, own, "example.com")
		p.Subject = "sub-2" // as if it were another provider, which is believed
		owner := newBrowser(t, s)
		owner.lands(p, own, owner.toProvider(own))
		if got := owner.who(); got != "" {
			t.Errorf("the owner of the address is led into the account as %q", got)
		}
	})
}

// What anybody can write into a profile at a provider takes over nobody's account.
func TestUnverifiedAddressDoesNotConnect(t *testing.T) {
	for kind, verified := range map[string][]any{own: {false, "false", nil, 0, "yes"}, upstream.Facebook: {true}, upstream.Twitter: {false}, upstream.Microsoft: {true}, upstream.Google: {true}} {
		for _, v := range verified {
			unknown(t, kind, func(t *testing.T, s *apptest.Site, p *upstreamtest.Provider) {
				p.Verified = v
				s.Believe(t, kind, "*")
				showed(t, s, "ada", "ada@example.com")
			}, nobody)
		}
	}
}

func TestAddressThatThePersonHasNotShownDoesNotConnect(t *testing.T) {
	unknown(t, own, func(t *testing.T, s *apptest.Site, _ *upstreamtest.Provider) {
		s.Believe(t, own, "*")
		s.Do(t, audit.UserCreate, func(ctx context.Context, c *call.Call) error {
			_, err := s.App.People.Create(ctx, c, user.New{Name: "ada@" + s.Suffix, Mail: "ada@example.com", MailUnproved: true})
			return err
		})
	}, nobody)
}

func TestAddressOfSeveralPeopleDoesNotConnect(t *testing.T) {
	unknown(t, own, func(t *testing.T, s *apptest.Site, _ *upstreamtest.Provider) {
		s.Believe(t, own, "*")
		showed(t, s, "ada", "ada@example.com")
		showed(t, s, "bob", "ada@example.com")
	}, nobody)
}

// A mailbox is not worth as much as an administrator's password.
func TestAddressOfAnAdministratorDoesNotConnect(t *testing.T) {
	unknown(t, own, func(t *testing.T, s *apptest.Site, _ *upstreamtest.Provider) {
		s.Believe(t, own, "*")
		mail := "ada@example.com"
		s.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
			_, err := s.App.People.Change(ctx, c, s.Admin.ID, user.Change{Mail: &mail})
			return err
		})
	}, nobody)
}

func TestStrangersAreMadePeopleWhereTheTenantHasItSo(t *testing.T) {
	setup := func(on bool) func(*testing.T, *apptest.Site, *upstreamtest.Provider) {
		return func(t *testing.T, s *apptest.Site, _ *upstreamtest.Provider) {
			if on {
				s.Set(t, "Social.CreateUsers", "true")
			}
		}
	}
	unknown(t, own, setup(false), nobody)
	unknown(t, own, setup(true), ada)
	unknown(t, own, func(t *testing.T, s *apptest.Site, p *upstreamtest.Provider) { // nobody could write to them
		setup(true)(t, s, p)
		p.Verified = false
	}, nobody)
	unknown(t, own, func(t *testing.T, s *apptest.Site, p *upstreamtest.Provider) { // who has the address is not touched, nor doubled
		setup(true)(t, s, p)
		showed(t, s, "eve", "ada@example.com")
	}, nobody)
}

// Where those who register are looked at, an account elsewhere makes nobody; and who waits for approval is nobody's by the address.
func TestNobodyIsMadePastTheApproval(t *testing.T) {
	looks := func(t *testing.T, s *apptest.Site) {
		s.Set(t, "Social.CreateUsers", "true")
		s.Believe(t, own, "example.com")
		rpc(t, s, "/IdentityVerification/UpdateIdentityVerificationConfiguration", map[string]any{"ApprovalWorkflowEnabled": true})
	}
	unknown(t, own, func(t *testing.T, s *apptest.Site, _ *upstreamtest.Provider) { looks(t, s) }, nobody)
	unknown(t, own, func(t *testing.T, s *apptest.Site, _ *upstreamtest.Provider) {
		looks(t, s)
		s.Do(t, audit.UserCreate, func(ctx context.Context, c *call.Call) error {
			_, err := s.App.People.Create(ctx, c, user.New{Name: "ada@" + s.Suffix, Mail: "ada@example.com", Signup: user.SignupPending})
			return err
		})
	}, nobody)
}
