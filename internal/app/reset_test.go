package app_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor/passkey"
	"limen/internal/core/regain"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/op"
)

// desk is a help desk of two, and a third.
type desk struct {
	*lost
	role    string
	helpers []apptest.Person
}

func withDesk(t *testing.T, s *apptest.Server) *desk {
	d := &desk{lost: withLost(t, s)}
	d.role = d.site.RoleIn(t, "Help desk", "", right.UserManagement)
	for _, name := range []string{"ada", "ben", "cleo"} {
		p := d.site.Person(t, name)
		d.site.Settle(t, p.ID, "", d.role)
		d.helpers = append(d.helpers, p)
	}
	d.pass(25 * time.Hour)
	return d
}

// as runs something as somebody who has just signed in, in a browser of their own.
func (d *desk) as(who apptest.Person, kind string, f func(ctx context.Context, c *call.Call) error) error {
	d.Helper()
	c := d.site.App.Shell(d.site.ID)
	if err := d.site.App.Regains.Ensure(d.Context(), d.site.ID); err != nil {
		d.Fatal(err)
	}
	return d.site.App.Write(d.Context(), c, kind, func(ctx context.Context) error {
		t, err := d.site.App.Index.ByID(ctx, d.site.ID)
		if err != nil {
			return err
		}
		c.Tenant = t
		c.Caller = &call.Caller{User: who.ID, Name: who.Name, Session: "session", Means: call.BySession, Proved: c.Now}
		c.Client.Device = "browser of " + who.Name
		return f(ctx, c)
	})
}

func (d *desk) propose(who, about apptest.Person) error {
	d.Helper()
	return d.as(who, audit.RegainPropose, func(ctx context.Context, c *call.Call) error {
		u, err := d.site.App.People.ByID(ctx, c, about.ID)
		if err == nil {
			_, err = d.site.App.Regains.Propose(ctx, c, u, "lost the phone")
		}
		return err
	})
}

func (d *desk) approve(who, about apptest.Person, send bool) (code string, err error) {
	d.Helper()
	err = d.as(who, audit.RegainApprove, func(ctx context.Context, c *call.Call) error {
		u, err := d.site.App.People.ByID(ctx, c, about.ID)
		if err != nil {
			return err
		}
		a, err := d.site.App.Regains.Approve(ctx, c, u, send)
		code = a.Code
		return err
	})
	return code, err
}

func (d *desk) want(err error, fault error, what string) {
	d.Helper()
	if !errors.Is(err, fault) {
		d.Errorf("%s: %v, want %v", what, err, fault)
	}
}

// Two administrators let somebody set up anew what they sign in with, and the person does, with the code as they heard it.
func TestReset(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		d := withDesk(t, s)
		d.want(d.propose(d.helpers[0], d.who), nil, "the first")
		code, err := d.approve(d.helpers[1], d.who, false)
		if err != nil || !regexp.MustCompile(`^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$`).MatchString(code) {
			t.Fatal(code, err)
		}
		d.told(d.who.Mail, 1, d.helpers[0].Name+", "+d.helpers[1].Name)
		out, err := d.finish(strings.ToLower(strings.ReplaceAll(code, "-", " ")), "")
		if err != nil {
			t.Fatal(err)
		}
		d.limited(out.Auth)
		_, err = d.finish(code, "")
		d.want(err, regain.ErrLink, "the code again")
		_, err = d.approve(d.helpers[1], d.who, false)
		d.want(err, regain.ErrProposal, "the approval again")
	})
}

// The link is sent instead, with a code to the mobile number; the person stops it by the notice.
func TestResetByLink(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		d := withDesk(t, s)
		d.want(d.propose(d.helpers[0], d.who), nil, "the first")
		code, err := d.approve(d.helpers[1], d.who, true)
		if err != nil || code != "" {
			t.Fatal(code, err)
		}
		token, text := d.link(d.who.Mail, regain.FinishPath), d.code()
		_, err = d.finish(token, "1")
		d.want(err, regain.ErrCode, "the link without the code")
		d.site.Do(t, audit.RegainStop, func(ctx context.Context, c *call.Call) error {
			c.Caller = nil
			_, err := s.App.Regains.StopBy(ctx, c, d.link(d.who.Mail, regain.StopPath))
			return err
		})
		_, err = d.finish(token, text)
		d.want(err, regain.ErrLink, "the link after it was stopped")
	})
}

// Attack: one person in two parts. The same account, two accounts in one browser, an account that one of them made or gave its right, a program.
func TestResetByOneAlone(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		d := withDesk(t, s)
		ada, ben, cleo := d.helpers[0], d.helpers[1], d.helpers[2]
		d.want(d.propose(ada, d.who), nil, "the first")
		_, err := d.approve(ada, d.who, false)
		d.want(err, regain.ErrSecond, "the same account")
		twin := ben
		twin.Name = ada.Name // the browser is named after whoever uses it
		_, err = d.approve(twin, d.who, false)
		d.want(err, regain.ErrSecond, "the same browser")
		d.want(d.propose(ben, d.who), regain.ErrProposed, "a proposal in the place of another's")
		made := d.site.Person(t, "made")
		d.site.Settle(t, made.ID, "", d.role)
		_, err = d.approve(made, d.who, false)
		d.want(err, regain.ErrApart, "a new account")
		d.want(d.as(ada, audit.RoleMembers, func(ctx context.Context, c *call.Call) error {
			c.Event.Target = d.role
			return nil
		}), nil, "a change of who holds which rights")
		_, err = d.approve(ben, d.who, false)
		d.want(err, regain.ErrApart, "who may owe the right to the first")
		d.want(d.as(ben, audit.UserChange, func(ctx context.Context, c *call.Call) error {
			c.Event.Target = cleo.ID
			return nil
		}), nil, "a change of the other's account")
		other := d.site.Person(t, "other")
		d.site.Settle(t, other.ID, "", "")
		d.want(d.propose(cleo, other), nil, "about another")
		_, err = d.approve(ben, other, false)
		d.want(err, regain.ErrApart, "who has changed the first one's account")
		d.want(d.as(ada, audit.RegainPropose, func(ctx context.Context, c *call.Call) error {
			c.Caller.Session = ""
			u, err := s.App.People.ByID(ctx, c, d.who.ID)
			if err == nil {
				_, err = s.App.Regains.Propose(ctx, c, u, "x")
			}
			return err
		}), regain.ErrPerson, "a token")
	})
}

// Attack: the person themselves, as either of the two; approval after the proposer lost the right, or after an hour; administrators of other
// organizations, and of less than the person holds.
func TestResetByTheWrongOnes(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		d := withDesk(t, s)
		ada, ben, cleo := d.helpers[0], d.helpers[1], d.helpers[2]
		d.want(d.propose(ada, ada), regain.ErrSelf, "one's own")
		d.want(d.propose(ada, cleo), nil, "a colleague's")
		_, err := d.approve(cleo, cleo, false)
		d.want(err, regain.ErrSelf, "one's own, proposed by another")
		d.want(d.propose(ada, d.site.Admin), user.ErrStronger, "a system administrator's")
		d.want(d.propose(ada, d.who), nil, "the first")
		d.pass(61 * time.Minute)
		_, err = d.approve(ben, d.who, false)
		d.want(err, regain.ErrProposal, "after an hour")
		d.want(d.propose(ben, d.who), nil, "in the place of one that is over")
		d.site.Do(t, audit.RoleMembers, func(ctx context.Context, c *call.Call) error {
			return s.App.Roles.Remove(ctx, c, d.role, role.Member{Kind: role.User, ID: ben.ID})
		})
		_, err = d.approve(ada, d.who, false)
		d.want(err, regain.ErrProposer, "after the proposer lost the right")
		here, there := d.site.Org(t, "here", ""), d.site.Org(t, "there", "")
		d.change(d.who.ID, user.Change{Org: &there})
		local := d.site.Person(t, "local")
		d.site.Settle(t, local.ID, here, d.site.RoleIn(t, "Local", here, right.UserManagement))
		d.want(d.propose(local, d.who), op.ErrDenied, "an administrator of another organization")
	})
}

// Where the tenant wants two, nobody alone replaces what an administrator signs in with; everybody else's they do, and what shuts a thief out, too.
func TestResetTakesTwo(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		d := withDesk(t, s)
		ada := d.helpers[0]
		admin := d.site.SignedIn(t, d.site.Admin.ID)
		try := func(path string, in map[string]any) string {
			_, body := d.site.Call(t, admin, "POST", path, in)
			return string(body)
		}
		changes := map[string]map[string]any{
			"/UserMgmt/ResetUserPassword":          {},
			"/CDirectoryService/ExemptUserFromMfa": {"timespan": 30},
			"/CDirectoryService/ChangeUser":        {},
			"/RecoveryCode/DeleteRecoveryCodes":    {},
			"/UserMgmt/ResetSecurityQuestions":     {},
			"/UserMgmt/SignOutEverywhere":          {},
		}
		for _, two := range []string{"false", "true"} {
			d.site.Set(t, "Recovery.TwoForAdministrators", two)
			for path, in := range changes {
				for _, who := range []apptest.Person{ada, d.who} {
					in["ID"], in["newPassword"], in["Mail"] = who.ID, "Orange-Ladder-5-"+two, two+"@example.org" // others than before
					refused := strings.Contains(try(path, in), `"regain.two"`)
					if want := two == "true" && who.ID == ada.ID && path != "/UserMgmt/SignOutEverywhere"; refused != want {
						t.Errorf("%s of %s, with %s: %s", path, who.Name, two, try(path, in))
					}
				}
			}
		}
		for who, want := range map[string]bool{ada.ID: true, d.who.ID: false} { // another dialect's operation
			key := d.site.Key(t, who, passkey.Passkey).Handle()
			_, body := d.site.Call(t, admin, "DELETE", "/PasswordVault/API/fido2/keys/"+key, nil)
			if refused := strings.Contains(string(body), regain.ErrTwo.Public); refused != want {
				t.Errorf("a passkey of %s: %s", who, body)
			}
		}
		d.want(d.propose(d.helpers[1], ada), nil, "the first")
		code, err := d.approve(d.helpers[2], ada, false)
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.finish(code, "")
		d.want(err, nil, "two together")
	})
}
