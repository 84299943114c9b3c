package settings_test

import (
	"context"
	"net/netip"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/demand"
	"limen/internal/core/domain"
	"limen/internal/core/session"
	"limen/internal/core/user"
	"limen/internal/core/workspace"
	"limen/internal/platform/dns"
	"limen/internal/platform/dns/dnstest"
	"limen/internal/platform/egress"
)

func TestExchanges(t *testing.T) {
	apptest.Exchanges(t, "testdata", func(t *testing.T, s *apptest.Site, name string) map[string]string {
		vars := apptest.Workspaces(t, s, name)
		vars["strongToken"] = strong(t, s, vars["boss"], vars["nord"])
		switch name {
		case "VerifyDomain", "DeleteDomain", "ListDomains", "InitializeDomain", "GetStrongestByEmail":
			publish(t, s, vars)
		case "SetDevices":
			at(t, s, vars["sven"], "")
		}
		return vars
	})
}

// at gives somebody a mail address.
func at(t *testing.T, s *apptest.Site, userID, mail string) {
	t.Helper()
	s.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
		_, err := s.App.People.Change(ctx, c, userID, user.Change{Mail: &mail})
		return err
	})
}

// strong is a token of a session that showed two factors.
func strong(t *testing.T, s *apptest.Site, userID, at string) string {
	t.Helper()
	var made workspace.Unsigned
	s.Do(t, audit.Login, func(ctx context.Context, c *call.Call) error {
		_, in, err := s.App.Sessions.Create(ctx, c, session.New{User: userID, Level: session.High, Idle: 1e12, Life: 1e12})
		if err != nil {
			return err
		}
		made, err = s.App.WorkspaceTokens.Make(ctx, c, workspace.TypeUser, workspace.Claims{Subject: userID, Session: in.ID, Workspace: at}, 0)
		return err
	})
	token, err := made.Sign(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// publish runs a name server for the installation. Nord has codes for nord.example and other.example, of which the first is published;
// Sued has proved sued.example, and demands passwords of 30 characters. Nord's mia has an address in nord.example.
func publish(t *testing.T, s *apptest.Site, vars map[string]string) {
	var zone dnstest.Zone
	resolver := &dns.Resolver{Server: zone.Serve(t)}
	was := s.App.Egress
	s.App.Resolver.Server = resolver.Server
	s.App.Egress = &egress.Client{Resolver: resolver.Net(), Guard: egress.Guard{Permit: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}}
	t.Cleanup(func() { s.App.Resolver.Server, s.App.Egress = "", was })
	zone.At("other.example", [4]byte{127, 0, 0, 2}) // which may not be reached
	issue := func(org, name string, show bool) {
		s.Do(t, audit.DomainCode, func(ctx context.Context, c *call.Call) error {
			d, err := s.App.Domains.Issue(ctx, c, org, name)
			if show {
				zone.Set(name, "v=spf1 -all", d.Record())
			}
			return err
		})
	}
	prove := func(org, name string) {
		issue(org, name, true)
		c := s.App.Shell(s.ID)
		p, err := s.App.Domains.Look(t.Context(), c, org, name, domain.TXT)
		if err != nil {
			t.Fatal(err)
		}
		s.Do(t, audit.DomainVerify, func(ctx context.Context, c *call.Call) error {
			_, err := s.App.Domains.Prove(ctx, c, org, p)
			return err
		})
	}
	issue(vars["nord"], "nord.example", true)
	issue(vars["nord"], "other.example", false)
	issue(vars["nord"], "broken.example", false)
	prove(vars["sued"], "sued.example")
	s.Do(t, audit.PolicyChange, func(ctx context.Context, c *call.Call) error {
		_, err := s.App.Demands.Demand(ctx, c, vars["sued"], demand.Rule{MinLength: 30})
		return err
	})
	at(t, s, vars["mia"], "mia@Nord.example")
}
