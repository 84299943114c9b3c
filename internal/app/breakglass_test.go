package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/exemption"
	"limen/internal/core/factor"
	"limen/internal/core/factor/oath"
	signin "limen/internal/core/login"
	"limen/internal/core/password"
	"limen/internal/core/policy"
	"limen/internal/core/user"
	"limen/internal/fault"
)

// glass is a tenant with an account for an emergency.
type glass struct {
	*testing.T
	site  *apptest.Site
	who   apptest.Person
	codes []string
}

func withGlass(t *testing.T, s *apptest.Server) *glass {
	g := &glass{T: t, site: s.Tenant(t)}
	g.who = g.site.Person(t, "glass")
	g.site.Settle(t, g.who.ID, "", "sysadmin")
	if err := s.App.Logins.Ensure(t.Context(), g.site.ID); err != nil {
		t.Fatal(err)
	}
	g.site.Do(t, audit.BreakGlassChange, func(ctx context.Context, c *call.Call) error {
		n, err := s.App.Logins.Codes.Draw(ctx, c, g.who.ID)
		if err != nil {
			return err
		}
		g.codes = n.Codes
		return errors.Join(s.App.Logins.Codes.Put(ctx, c, g.who.ID, n), s.App.BreakGlass.Mark(ctx, c, g.who.ID))
	})
	return g
}

// shutOut has a policy refuse everybody.
func (g *glass) shutOut() {
	g.Helper()
	settings, err := g.site.App.Policies.Check(g.Context(), g.site.App.Shell(g.site.ID), map[string]json.RawMessage{
		"AuthenticationEnabled": json.RawMessage(`true`), "/Core/Authentication/AuthenticationRulesDefaultProfileId": json.RawMessage(`"-1"`),
	})
	if err != nil {
		g.Fatal(err)
	}
	g.site.Do(g.T, audit.PolicyChange, func(ctx context.Context, c *call.Call) error {
		in := policy.Save{Path: "/Policy/Nobody", New: true, Settings: settings, Links: []policy.Listed{{Path: "Nobody", Link: policy.Link{Type: policy.Global}}}}
		_, err := g.site.App.Policies.Save(ctx, c, in)
		return err
	})
}

// tried is what became of a sign-in, with the events that it left.
func (g *glass) tried(name string, answers ...[2]string) (summary signin.Summary, events []*call.Event) {
	g.Helper()
	from := func(c *call.Call) {
		c.Caller, c.Client = nil, call.Client{IP: netip.MustParseAddr("203.0.113.9"), UserAgent: "test"}
	}
	var p signin.Package
	g.site.Do(g.T, audit.LoginStart, func(ctx context.Context, c *call.Call) (err error) {
		from(c)
		p, _, err = g.site.App.Logins.Start(ctx, c, signin.Begin{Login: name})
		return err
	})
	if p.AllowForgot && name == g.who.Name {
		g.Error("a forgotten password may be replaced")
	}
	for i, a := range answers {
		if i >= len(p.Challenges) {
			return "", nil
		}
		r := signin.Request{Session: p.Session, Actions: []signin.Action{{Do: signin.DoAnswer, Answer: factor.Answer{Text: a[1]}}}}
		for _, ch := range p.Challenges[i] {
			if ch.Name == a[0] {
				r.Actions[0].Mechanism = ch.ID
			}
		}
		c := g.site.App.Shell(g.site.ID)
		from(c)
		done, err := g.site.App.Logins.Prepare(g.Context(), c, r)
		if err != nil {
			g.Fatal(err)
		}
		g.site.Do(g.T, audit.LoginStep, func(ctx context.Context, c *call.Call) error {
			from(c)
			out, err := g.site.App.Logins.Advance(ctx, c, r, done)
			if errors.Is(err, signin.ErrFailed) {
				err = nil
			}
			summary, events = out.Summary, c.Also
			return err
		})
	}
	return summary, events
}

func (g *glass) in(want signin.Summary, why string, answers ...[2]string) []*call.Event {
	g.Helper()
	got, events := g.tried(g.who.Name, answers...)
	if got != want {
		g.Errorf("%s: %s, want %s", why, got, want)
	}
	return events
}

var known = [2]string{"UP", apptest.Password}

// A policy that refuses everybody does not refuse the account for an emergency, which shows its password and a code; and everybody hears of it.
func TestBreakGlass(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		g := withGlass(t, s)
		g.site.Set(t, "BreakGlass.AlarmAddresses", "duty@example.org, boss@example.org")
		mail := "admin@example.org"
		g.site.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
			_, err := s.App.People.Change(ctx, c, g.site.Admin.ID, user.Change{Mail: &mail})
			return err
		})
		g.site.Settle(t, g.site.Admin.ID, "", "")
		g.shutOut()
		if got, _ := g.tried(g.site.Admin.Name, known); got != signin.Failed {
			t.Error("the policy refuses nobody:", got)
		}
		events := g.in(signin.Succeeded, "the password and a code", known, [2]string{"RECOVERY", g.codes[0]})
		var alarm *call.Event
		for _, e := range events {
			if e.Type == audit.BreakGlassUse {
				alarm = e
			}
		}
		if alarm == nil || alarm.Target != g.who.ID || alarm.Fields["Factors"] != "UP,RECOVERY" {
			t.Errorf("the alarm: %+v", alarm)
		}
		for _, to := range []string{mail, "duty@example.org", "boss@example.org"} {
			g.site.Mailed(t, to, regexp.MustCompile(`kept for emergencies`))
		}
		var all []int64
		c := s.App.Shell(g.site.ID)
		if err := c.Snapshot(t.Context(), func() error {
			list, err := s.App.BreakGlass.List(t.Context(), c)
			for _, a := range list {
				all = append(all, a.Used)
				if a.Due(time.UnixMilli(a.Used).Add(89*24*time.Hour)) || !a.Due(time.UnixMilli(a.Used).Add(90*24*time.Hour)) {
					t.Error("when a test is due")
				}
			}
			return err
		}); err != nil || len(all) != 1 || all[0] == 0 {
			t.Error("the use is not noted", all, err)
		}
	})
}

// Attack: the account for an emergency by less than it shows. Not by the password alone, not by weaker factors, not by a used code, not while an
// administrator has exempted it from further factors.
func TestBreakGlassByLess(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		g := withGlass(t, s)
		const seed = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
		g.site.Do(t, audit.FactorEnroll, func(ctx context.Context, c *call.Call) error {
			if _, err := s.App.OATH.Set(ctx, c, g.who.ID, oath.Seed{Secret: seed}); err != nil {
				return err
			}
			_, err := exemption.Exemptions{}.Grant(ctx, c, g.who.ID, time.Hour)
			return err
		})
		code, err := oath.Code(seed, "SHA1", 6, time.Now().Unix()/30)
		if err != nil {
			t.Fatal(err)
		}
		g.in(signin.NextDone, "the password alone", known)
		g.in(signin.Failed, "a code of an app", known, [2]string{"RECOVERY", code})
		g.in(signin.Failed, "a mechanism that is not asked", known, [2]string{"OATH", code})
		g.in(signin.Succeeded, "a recovery code", known, [2]string{"RECOVERY", g.codes[0]})
		g.in(signin.Failed, "the same again", known, [2]string{"RECOVERY", g.codes[0]})
		_, err = s.App.Passwords.Prepare(t.Context(), s.App.Shell(g.site.ID), password.Change{User: g.who.ID, Plain: "Tulip-Crane-77", Reset: true})
		if err == nil || !strings.Contains(fault.Of(err).Public, "20 characters") {
			t.Error("a short password:", err)
		}
	})
}

// Attack: strangers guess at the account for an emergency, to lock its owner out. They hold back nobody but themselves.
func TestBreakGlassIsNotLocked(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		g := withGlass(t, s)
		g.site.Set(t, "Lockout.Password.Threshold", "3")
		g.site.Set(t, "Lockout.Factor.Threshold", "3")
		for range 5 {
			g.in(signin.Failed, "a wrong password", [2]string{"UP", "wrong"})
			g.in(signin.Failed, "a wrong code", known, [2]string{"RECOVERY", "AAAA-BBBB-CCCC-DDDD"})
		}
		g.in(signin.Succeeded, "the owner", known, [2]string{"RECOVERY", g.codes[0]})
	})
}
