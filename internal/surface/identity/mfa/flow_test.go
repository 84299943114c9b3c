package mfa_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
)

// client is a caller of a tenant; without a token a stranger.
type client struct {
	t     *testing.T
	site  *apptest.Site
	token string
}

type envelope struct {
	Success   bool            `json:"success"`
	Result    json.RawMessage `json:"Result"`
	Message   string          `json:"Message"`
	MessageID string          `json:"MessageID"`
	status    int
}

func (c client) post(path string, in any) (e envelope) {
	c.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		c.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.site.URL+path, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Host = c.site.Host
	r.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := c.site.HTTP.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := json.Unmarshal(b, &e); err != nil {
		c.t.Fatalf("%s: %d %s", path, res.StatusCode, b)
	}
	e.status = res.StatusCode
	return e
}

// must posts what has to succeed, and reads the result into out unless that is nil.
func (c client) must(path string, in, out any) {
	c.t.Helper()
	e := c.post(path, in)
	if !e.Success {
		c.t.Fatalf("%s: %s", path, e.Message)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal(e.Result, out); err != nil {
		c.t.Fatalf("%s: %s: %v", path, e.Result, err)
	}
}

func (c client) as(userID string) client {
	c.token = c.site.SignedIn(c.t, userID)
	return c
}

type object = map[string]any

// A new password ends every other session, keeps the caller's, and is told by mail.
func TestChangedPassword(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		nobody := client{t, site, ""}
		admin, here, there := nobody.as(site.Admin.ID), nobody, nobody.as(site.Plain.ID)
		admin.must("/UserMgmt/ResetUserPassword", object{"ID": site.Plain.ID, "newPassword": "Yellow-Staple-7-Wagon"}, nil)
		if there.post("/Oath/GetProfileList", nil).status != http.StatusUnauthorized {
			t.Fatal("the reset ended no session")
		}
		here, there = nobody.as(site.Plain.ID), nobody.as(site.Plain.ID)
		here.must("/UserMgmt/ChangeUserPassword", object{"oldPassword": "Yellow-Staple-7-Wagon", "newPassword": "Purple-Staple-7-Wagon"}, nil)
		if there.post("/Oath/GetProfileList", nil).status != http.StatusUnauthorized {
			t.Error("the other session goes on")
		}
		here.must("/UserMgmt/VerifyPassword", object{"password": "Purple-Staple-7-Wagon"}, nil)
		if e := here.post("/UserMgmt/VerifyPassword", object{"password": "Yellow-Staple-7-Wagon"}); e.Success {
			t.Error("the old password is still right")
		}
		if !mailed(site, site.Plain.Mail, "password") {
			t.Error("no mail tells of the change")
		}
	})
}

// mailed waits for a mail of the tenant that says something.
func mailed(s *apptest.Site, to, says string) bool {
	for range 100 {
		for _, m := range s.App.Tray.To(to) {
			if m.Tenant == s.ID && strings.Contains(strings.ToLower(m.Subject), says) {
				return true
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	return false
}

// However many guesses come at once, no more are looked at than one after the other would be.
func TestGuessesAtOnce(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		admin := client{t, site, site.TokenOf(t, "admin")}
		admin.must("/Core/SetTenantConfig", object{"key": "Lockout.Password.Threshold", "value": "4"}, nil)
		for _, attack := range []struct {
			path string
			in   func(guess string) object
		}{
			{"/UserMgmt/VerifyPassword", func(g string) object { return object{"password": g} }},
			{"/UserMgmt/ChangeUserPassword", func(g string) object { return object{"oldPassword": g, "newPassword": "weak"} }},
		} {
			site.Do(t, audit.Unlock, func(ctx context.Context, c *call.Call) error { return site.App.Throttle.Clear(ctx, c, site.Admin.Name) })
			for i := range 3 {
				if e := admin.post(attack.path, attack.in(fmt.Sprint("wrong", i))); e.MessageID != "password.wrong" {
					t.Fatal(attack.path, i, e)
				}
			}
			if looked := together(admin, attack.path, attack.in); looked != 1 {
				t.Errorf("%s: %d guesses were looked at while one was left", attack.path, looked)
			}
			if e := admin.post(attack.path, attack.in(apptest.Password)); e.MessageID != "guess.wait" || e.status != http.StatusTooManyRequests {
				t.Errorf("%s: the right one passes a locked account: %+v", attack.path, e)
			}
		}
	})
}

// together sends wrong guesses at once and counts those that were looked at.
func together(c client, path string, in func(string) object) (looked int) {
	answers := make([]envelope, 24)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() { answers[i] = c.post(path, in(fmt.Sprint("wrong again ", i))) })
	}
	wg.Wait()
	for _, e := range answers {
		if e.MessageID != "guess.wait" {
			looked++
		}
	}
	return looked
}

type challenge struct {
	SessionID  string `json:"SessionId"`
	Challenges []struct {
		Mechanisms []struct{ Name, MechanismId string }
	}
	Summary string
}

func (c challenge) mechanism(t *testing.T, name string) string {
	t.Helper()
	for _, ch := range c.Challenges {
		for _, m := range ch.Mechanisms {
			if m.Name == name {
				return m.MechanismId
			}
		}
	}
	t.Fatalf("%s is not offered: %+v", name, c)
	return ""
}

// A code that is submitted in a session finishes the sign-in that waits for it elsewhere.
func TestSubmittedCodeFinishesSignIn(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		vars := codeApps(t, site)
		nobody := client{t, site, ""}
		var begun challenge
		nobody.must("/Security/StartAuthentication", object{"User": site.Admin.Name, "Version": "1.0"}, &begun)
		step := func(mechanism, action, answer string) string {
			t.Helper()
			var out challenge
			in := object{"SessionId": begun.SessionID, "MechanismId": begun.mechanism(t, mechanism), "Action": action}
			if answer != "" {
				in["Answer"] = answer
			}
			nobody.must("/Security/AdvanceAuthentication", in, &out)
			return out.Summary
		}
		submit := object{"otpCode": vars["code"], "userUuid": site.Admin.ID}
		if got := step("UP", "Answer", apptest.Password); got != "StartNextChallenge" {
			t.Fatal(got)
		}
		if got := step("OATH", "StartOOB", ""); got != "OobPending" {
			t.Fatal(got)
		}
		if e := nobody.as(site.Plain.ID).post("/Security/SubmitOathOtpCode", submit); e.Success {
			t.Fatal("somebody else submits the code")
		}
		if got := step("OATH", "Poll", ""); got != "OobPending" {
			t.Fatal(got)
		}
		nobody.as(site.Admin.ID).must("/Security/SubmitOathOtpCode", submit, nil)
		if got := step("OATH", "Poll", ""); got != "LoginSuccess" {
			t.Fatal(got)
		}
	})
}

// Who is deleted leaves no authenticators, answers or devices behind.
func TestDeletedPerson(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		codeApps(t, site)
		admin := client{t, site, site.TokenOf(t, "admin")}
		admin.must("/UserMgmt/UpdateSecurityQuestions", object{"ID": site.Plain.ID, "Added": []object{{"QuestionText": "Why?", "Answer": "because"}}}, nil)
		left := func() (n int) {
			site.Do(t, audit.Shell, func(ctx context.Context, c *call.Call) error {
				profiles, err := site.App.OATH.List(ctx, c, site.Plain.ID)
				if err != nil {
					return err
				}
				answers, err := site.App.Questions.Of(ctx, c, site.Plain.ID)
				n = len(profiles) + len(answers)
				return err
			})
			return n
		}
		if n := left(); n != 2 {
			t.Fatal(n)
		}
		admin.must("/UserMgmt/RemoveUser", object{"ID": site.Plain.ID}, nil)
		if n := left(); n != 0 {
			t.Fatal(n, "are left")
		}
	})
}
