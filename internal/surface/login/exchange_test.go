package login_test

import (
	"context"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/login"
	"limen/internal/core/upstream"
	"limen/internal/core/user"
)

// TestExchanges plays the golden exchanges; {{account}} and {{more}} are requests of an application that wait for an account to be
// chosen and for a further proof, {{right}}, {{wrong}} and {{ghost}} are conversations that have begun, the last with a name
// that does not exist, {{rightUP}} and so on their mechanisms, {{session}} is a session of the person plain, {{proof}} is the token that proves the address of another person, {{token}} is that of an invitation of the person plain, and {{older}} that of
// the invitation before it.
func TestExchanges(t *testing.T) {
	apptest.Exchanges(t, "testdata", func(t *testing.T, s *apptest.Site, name string) map[string]string {
		out := map[string]string{"older": invited(t, s), "token": invited(t, s), "proof": asked(t, s), "session": s.SignedIn(t, s.Plain.ID), "adminSession": s.SignedIn(t, s.Admin.ID)}
		for name, who := range map[string]string{"right": s.Admin.Name, "wrong": s.Admin.Name, "ghost": "nobody@" + s.Suffix} {
			out[name], out[name+"UP"] = begun(t, s, who)
		}
		b, at := newBrowser(t, s), shop(t, s)
		b.signedIn(s.Plain.ID, "UP")
		out["accountAt"] = target(t, b.do("GET", at+"&prompt=select_account", nil), "/login/account").Get("cloudRedirect")
		out["moreAt"] = target(t, b.do("GET", at+"&acr_values=High", nil), "/login/more").Get("cloudRedirect")
		for _, name := range []string{"account", "more"} {
			_, out[name+"Bounce"], _ = strings.Cut(out[name+"At"], "bounce=")
			out[name] = url.QueryEscape(out[name+"At"])
		}
		switch name {
		case "With", "AuthCallback", "Portal", "Connections", "Connect":
			atProvider(t, s, out)
		case "BackFromDuo":
			s.Set(t, "Authentication.Challenges", "UP;DUO")
			srv, b := s.Duo(t), newBrowser(t, s)
			out["duoState"] = srv.Visit(t, b.towardsDuo()).Get("state")
			for _, k := range b.jar.Cookies(b.at("/login")) {
				if k.Name == "loginsession" {
					out["duoTalk"] = k.Value
				}
			}
		case "Discovered":
			withPasskeys(t, s, out)
		case "OwnPasskeys", "ChangePasskeys", "AnswerPasskey":
			withKeys(t, s, out)
		case "AskRegain", "StartRegain", "AskStop", "StopRegain", "AskFinish", "FinishRegain":
			const mobile = "+41790000003"
			lost := s.Lost(t, "lost", mobile)
			finish := name == "AskFinish" || name == "FinishRegain"
			out["stop"], out["code"] = s.Regaining(t, lost, mobile, !finish)
			out["finish"], out["lostName"], out["lostSession"] = out["stop"], lost.Name, s.SignedIn(t, lost.ID)
			c := s.App.Shell(s.ID)
			if err := c.Snapshot(t.Context(), func() error {
				one, err := s.App.Regains.Open(t.Context(), c, lost.ID)
				out["until"] = time.UnixMilli(one.Ends()).UTC().Format("2006-01-02 15:04 MST")
				return err
			}); err != nil {
				t.Fatal(err)
			}
			s.DropEvents()
		case "AskSignUp", "StartSignUp", "AskSignUpCode", "FinishSignUp", "AskNames", "SendNames":
			registering(t, s, name, out)
			if name == "AskSignUpCode" || name == "FinishSignUp" {
				agreed(t, s)
			}
		case "EnterInvitation", "AnswerInvitation":
			asGuest(t, s, out)
		}
		return out
	})
}

// begun gives a conversation and its first mechanism.
func begun(t *testing.T, s *apptest.Site, name string) (id, mechanism string) {
	t.Helper()
	if err := s.App.Logins.Ensure(t.Context(), s.ID); err != nil {
		t.Fatal(err)
	}
	s.Do(t, audit.LoginStart, func(ctx context.Context, c *call.Call) error {
		p, _, err := s.App.Logins.Start(ctx, c, login.Begin{Login: name})
		if err == nil {
			id, mechanism = p.Session, p.Challenges[0][0].ID
		}
		return err
	})
	return id, mechanism
}

// invited gives the token of a new invitation of the person plain.
func invited(t *testing.T, s *apptest.Site) (token string) {
	t.Helper()
	s.Do(t, audit.UserInvite, func(ctx context.Context, c *call.Call) error {
		u, err := s.App.People.ByID(ctx, c, s.Plain.ID)
		if err != nil {
			return err
		}
		link, err := s.App.Invites.Make(ctx, c, u, time.Hour)
		if err != nil {
			return err
		}
		at, err := url.Parse(link)
		token = at.Query().Get("token")
		return err
	})
	return token
}

// asked gives the token of a link to the address of a person who is to prove it, from the mail.
func asked(t *testing.T, s *apptest.Site) string {
	t.Helper()
	mail := "bert+" + s.ID + "@example.com"
	s.Do(t, audit.UserCreate, func(ctx context.Context, c *call.Call) error {
		u, err := s.App.People.Create(ctx, c, user.New{Name: "bert@" + s.Suffix, Mail: mail, MailUnproved: true})
		if err != nil {
			return err
		}
		c.Tenant.Host = s.Host
		return s.App.Addresses.Ask(ctx, c, u)
	})
	link := regexp.MustCompile(`https?://\S+/address\?token=(\S+)`)
	for range 1000 {
		for _, m := range s.App.Tray.To(mail) {
			if hit := link.FindStringSubmatch(m.Text); hit != nil {
				return hit[1]
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("no mail")
	return ""
}

// atProvider sets the tenant up with a double of Google, at which the person plain has connected sub-1. {{state}} to {{state5}} are sign-ins
// under way, {{cookie}} and so on what binds them to the browser, {{code3}} and so on codes of the provider: of an account that nobody
// has connected, and twice of plain's. The second and the fifth began at a client.
func atProvider(t *testing.T, s *apptest.Site, out map[string]string) {
	p := provider(t, s, upstream.Google)
	b := newBrowser(t, s)
	b.signedIn(s.Plain.ID, "UP")
	b.connect(p, upstream.Google)
	out["provider"], out["adminSession"] = p.URL, s.SignedIn(t, s.Admin.ID)
	for n, subject := range []string{"", "", "sub-2", "sub-1", "sub-1"} {
		wish := upstream.Begin{Provider: upstream.Google}
		if n == 1 || n == 4 {
			wish.Return = "https://" + s.Host + "/app?a=b"
		}
		if subject != "" {
			p.Subject = subject
		}
		at, cookie := s.AtProvider(t, wish)
		suffix := ""
		if n > 0 {
			suffix = strconv.Itoa(n + 1)
		}
		_, answer := p.Visit(at)
		out["state"+suffix], out["code"+suffix], out["cookie"+suffix] = answer.Get("state"), answer.Get("code"), cookie
	}
	p.Subject = "sub-1"
}
