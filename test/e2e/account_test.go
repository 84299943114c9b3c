package e2e

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"limen/test/rig"
)

// TestAccount walks through what people do with their accounts besides signing in.
func TestAccount(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		w := newSite(t, engine)
		for name, f := range map[string]func(*testing.T, *site){
			"invitation": invitation, "forgotten password": forgotten, "own password": ownPassword, "sign out everywhere": signOutEverywhere,
			"guessers": guessers, "refresh": refresh, "service user": serviceUser, "delegated": delegated,
		} {
			t.Run(name, func(t *testing.T) { t.Parallel(); f(t, w) })
		}
	})
}

// browser is a client that looks like one: it has no native header, and says where its requests come from.
func browser(c *rig.Client, site string) *rig.Client {
	b := *c
	b.Header = http.Header{"Accept": {"text/html"}, "Sec-Fetch-Site": {site}}
	return &b
}

// submit sends a form as a browser does.
func submit(t *testing.T, c *rig.Client, path string, form url.Values) *rig.Answer {
	t.Helper()
	a, err := c.Do(t.Context(), http.MethodPost, path, h("Content-Type", "application/x-www-form-urlencoded"), []byte(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

var inviteLink = regexp.MustCompile(`https://\S+/invitation\?token=\S+`)

// invitation is the way of somebody who is invited without a password: the link in the mail, a form, and the first sign-in.
func invitation(t *testing.T, w *site) {
	const chosen = "Walk-the-long-way-7"
	var id string
	must(t, w.admin, "/CDirectoryService/CreateUser", object{"Name": "ina@limen", "Mail": "ina@example.com", "DisplayName": "Ina", "SendEmailInvite": true}, &id)
	u, err := url.Parse(inviteLink.FindString(w.mail.Wait(t, "ina@example.com", 1).Text))
	if err != nil || u.Path == "" {
		t.Fatalf("no link in the mail: %v", err)
	}
	b := browser(w.anyone, "none")
	for range 2 { // mail scanners open links too
		page, err := b.Do(t.Context(), "GET", u.RequestURI(), nil, nil)
		if err != nil || page.Status != 200 || !strings.Contains(string(page.Body), "ina@limen") || page.Header.Get("Content-Security-Policy") == "" {
			t.Fatalf("%v %d %s", err, page.Status, page.Body)
		}
	}
	token := u.Query().Get("token")
	b = browser(w.anyone, "same-origin")
	for _, bad := range []url.Values{
		{"token": {token}, "password": {"abc"}, "again": {"abc"}}, {"token": {token}, "password": {chosen}, "again": {chosen + "x"}},
		{"token": {token}}, {"token": {"made-up"}, "password": {chosen}, "again": {chosen}},
	} {
		submit(t, b, u.Path, bad)
	}
	good := url.Values{"token": {token}, "password": {chosen}, "again": {chosen}}
	if a := submit(t, browser(w.anyone, "cross-site"), u.Path, good); a.Status == 200 {
		t.Errorf("another site's form was taken: %d %s", a.Status, a.Body)
	}
	if a := submit(t, b, u.Path, good); a.Status != 200 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	if p, next, err := w.anyone.Password(t.Context(), "ina@limen", chosen); err != nil || next.Summary != "StartNextChallenge" {
		t.Errorf("%+v %+v %v", p, next, err)
	}
	again := url.Values{"token": {token}, "password": {"Another-one-77-please"}, "again": {"Another-one-77-please"}}
	submit(t, b, u.Path, again)
	if _, next, err := w.anyone.Password(t.Context(), "ina@limen", "Another-one-77-please"); err == nil {
		t.Errorf("the link worked twice: %+v", next)
	}
}

// forgotten proves somebody by mail and takes a new password, which then works beside the second factor.
func forgotten(t *testing.T, w *site) {
	const chosen = "A-new-one-for-me-3"
	login := w.person(t, "fritz", nil)
	before := w.enter(t, login)
	p, err := w.anyone.Begin(t.Context(), login)
	if err != nil || !p.ClientHints.AllowForgotPassword {
		t.Fatalf("%+v %v", p, err)
	}
	var asked rig.Package
	must(t, w.anyone, "/Security/AdvanceAuthentication", object{"TenantId": p.TenantID, "SessionId": p.SessionID, "Action": "ForgotPassword"}, &asked)
	if asked.Summary != "NewPackage" || len(asked.Challenges) != 2 {
		t.Fatalf("%+v", asked)
	}
	if _, err := asked.Mechanism(0, "UP"); err == nil {
		t.Error("the password is asked for by who has forgotten it")
	}
	sent := len(w.mail.To("fritz@example.com"))
	w.act(t, asked, 0, "EMAIL", "StartOOB", nil, "OobPending")
	w.act(t, asked, 0, "EMAIL", "Answer", code.FindString(w.mail.Wait(t, "fritz@example.com", sent+1).Text), "StartNextChallenge")
	reset, err := asked.Mechanism(1, "RESET")
	if err != nil {
		t.Fatal(err)
	}
	if end, err := w.anyone.Act(t.Context(), asked, reset, "Answer", chosen); err != nil || end.Summary != "NoncommitalSuccess" && end.Summary != "LoginSuccess" {
		t.Fatalf("%+v %v", end, err)
	}
	eventually(t, time.Second, "sessions end with the password", func() bool { return post(t, before, "/Security/WhoAmI", nil).Status == 401 })
	if _, _, err := w.anyone.Password(t.Context(), login, password); err == nil {
		t.Error("the old password is right")
	}
	if _, next, err := w.anyone.Password(t.Context(), login, chosen); err != nil || next.Summary != "StartNextChallenge" {
		t.Errorf("%+v %v", next, err)
	}
}

func ownPassword(t *testing.T, w *site) {
	const chosen = "Changed-by-myself-9"
	login := w.person(t, "olga", nil)
	me, other := w.enter(t, login), w.enter(t, login)
	for _, bad := range []object{{"oldPassword": "not it", "newPassword": chosen}, {"oldPassword": password, "newPassword": "abc"}, {"newPassword": chosen}} {
		if a := post(t, me, "/UserMgmt/ChangeUserPassword", bad); a.Success || a.Message == "" {
			t.Errorf("%v: %s", bad, a.Body)
		}
	}
	must(t, me, "/UserMgmt/ChangeUserPassword", object{"oldPassword": password, "newPassword": chosen}, nil)
	must(t, me, "/Security/WhoAmI", nil, nil)
	eventually(t, time.Second, "the person's other sessions end", func() bool { return post(t, other, "/Security/WhoAmI", nil).Status == 401 })
	if _, next, err := w.anyone.Password(t.Context(), login, chosen); err != nil || next.Summary != "StartNextChallenge" {
		t.Errorf("%+v %v", next, err)
	}
}

func signOutEverywhere(t *testing.T, w *site) {
	login := w.person(t, "sven", nil)
	one, two := w.enter(t, login), w.enter(t, login)
	stranger := w.enter(t, w.person(t, "stina", nil))
	var me struct{ UserUuid string }
	must(t, one, "/Security/WhoAmI", nil, &me)
	if a := post(t, stranger, "/UserMgmt/SignOutEverywhere", object{"id": me.UserUuid}); a.Success {
		t.Errorf("a stranger signed somebody out: %s", a.Body)
	}
	must(t, w.admin, "/UserMgmt/SignOutEverywhere", object{"id": me.UserUuid}, nil)
	for _, c := range []*rig.Client{one, two} {
		eventually(t, time.Second, "every session is dead", func() bool { return post(t, c, "/Security/WhoAmI", nil).Status == 401 })
	}
	must(t, stranger, "/Security/WhoAmI", nil, nil)
}

// guessers are held back after a few wrong passwords, also with the right one; others are not.
func guessers(t *testing.T, w *site) {
	login, other := w.person(t, "gus", nil), w.person(t, "gerd", nil)
	wait := 0
	for range 12 {
		p, err := w.anyone.Begin(t.Context(), login)
		if err != nil {
			t.Fatal(err)
		}
		if wait = p.RetryWaitingTime; wait > 0 {
			m, err := p.Mechanism(0, "UP")
			if err != nil {
				t.Fatal(err)
			}
			a, err := w.anyone.Advance(t.Context(), p, m, "Answer", password)
			failed(t, a, err)
			break
		}
		m, err := p.Mechanism(0, "UP")
		if err != nil {
			t.Fatal(err)
		}
		a, err := w.anyone.Advance(t.Context(), p, m, "Answer", "guess")
		failed(t, a, err)
	}
	if wait == 0 {
		t.Fatal("twelve wrong passwords, and no time to wait")
	}
	w.proved(t, other)
	eventually(t, time.Duration(wait)*time.Second+3*time.Second, "the right password is taken after the wait", func() bool {
		p, err := w.anyone.Begin(t.Context(), login)
		if err != nil || p.RetryWaitingTime > 0 {
			return false
		}
		_, next, err := w.anyone.Password(t.Context(), login, password)
		return err == nil && next.Summary == "StartNextChallenge"
	})
}

// refresh trades the tokens in cookies for new ones, as the SDKs do; the second use of one ends the session.
func refresh(t *testing.T, w *site) {
	var p rig.Package
	must(t, w.anyone, "/Security/StartAuthentication", object{"User": w.Admin, "Version": "1.0", "PlatformTokenResponse": true}, &p)
	s := w.act(t, p, 0, "UP", "Answer", w.Password, "LoginSuccess")
	if s.Token == "" || s.RefreshToken == "" {
		t.Fatalf("%+v", s)
	}
	cookies := h("Cookie", "refreshToken-"+p.TenantID+"="+s.RefreshToken+"; idToken-"+p.TenantID+"="+s.Token)
	a, err := w.anyone.Do(t.Context(), "POST", "/OAuth2/RefreshPlatformToken", cookies, nil)
	if err != nil || a.Status != 200 {
		t.Fatalf("%v %+v", err, a)
	}
	fresh := ""
	for _, line := range a.Header.Values("Set-Cookie") {
		if rest, ok := strings.CutPrefix(line, "idToken-"+p.TenantID+"="); ok {
			fresh, _, _ = strings.Cut(rest, ";")
		}
	}
	must(t, w.anyone.As(fresh), "/Security/WhoAmI", nil, nil)
	if a, err = w.anyone.Do(t.Context(), "POST", "/OAuth2/RefreshPlatformToken", cookies, nil); err != nil || a.Status != 401 {
		t.Errorf("a refresh token was taken twice: %v %d %s", err, a.Status, a.Body)
	}
	for name, token := range map[string]string{"the session's": s.Auth, "the first platform": s.Token, "the second platform": fresh} {
		eventually(t, time.Second, name+" token dies with a stolen refresh token", func() bool {
			return post(t, w.anyone.As(token), "/Security/WhoAmI", nil).Status == 401
		})
	}
}

// serviceUser is a program: it has its password alone, whatever people are asked for.
func serviceUser(t *testing.T, w *site) {
	must(t, w.admin, "/CDirectoryService/CreateUser", object{"Name": "robot@limen", "Mail": "robot@example.com", "Password": password, "ServiceUser": true}, nil)
	_, s, err := w.anyone.Password(t.Context(), "robot@limen", password)
	if err != nil {
		t.Fatal(err)
	}
	me := w.entered(t, s, "robot@limen", "Normal")
	var u struct{ InEverybodyRole bool }
	must(t, w.admin, "/CDirectoryService/GetUser", object{"ID": "robot@limen"}, &u)
	if u.InEverybodyRole {
		t.Error("a service user is in Everybody")
	}
	for path, body := range map[string]object{
		"/CDirectoryService/CreateUser": {"Name": "x@limen", "Mail": "x@example.com"}, "/CDirectoryService/GetUsers": {},
		"/Core/SetTenantConfig": {"key": "Signup.Allowed", "value": "true"}, "/CDirectoryService/GetUser": {"ID": w.Admin},
		"/CDirectoryService/DeleteUser": {"ID": w.Admin}, "/CDirectoryService/SetUserState": {"ID": w.Admin, "state": "Locked"},
	} {
		if a := post(t, me, path, body); a.Success || a.Status != 200 || !strings.Contains(a.Message, "not authorized") {
			t.Errorf("%s by somebody without a right: %d %s", path, a.Status, a.Body)
		}
	}
}

// delegated wants people without rights to see themselves alone in queries, and to change their own profile alone.
func delegated(t *testing.T, w *site) {
	login := w.person(t, "dora", nil)
	me := w.enter(t, login)
	var q struct {
		Results []struct{ Row struct{ Username string } }
	}
	must(t, me, "/Redrock/Query", object{"Script": "select Username from User"}, &q)
	if len(q.Results) != 1 || q.Results[0].Row.Username != login {
		t.Errorf("%+v", q)
	}
	must(t, me, "/CDirectoryService/ChangeUser", object{"DisplayName": "Dora herself"}, nil)
	for _, body := range []object{{"Name": "root@limen"}, {"InSysAdminRole": true}, {"state": "None"}, {"ID": w.Admin, "DisplayName": "x"}, {"OauthClient": true}} {
		if a := post(t, me, "/CDirectoryService/ChangeUser", body); a.Success || a.Status != 200 {
			t.Errorf("%v: %d %s", body, a.Status, a.Body)
		}
	}
	var u struct{ DisplayName, Name string }
	must(t, me, "/CDirectoryService/GetUser", object{"ID": login}, &u)
	if u.DisplayName != "Dora herself" || u.Name != login {
		t.Errorf("%+v", u)
	}
}
