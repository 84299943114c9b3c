package users_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/password"
	"limen/internal/core/user"
)

const tulips = "Purple-Staple-7-Wagon"

// secured makes somebody with a password, who is asked for nothing else.
func secured(t *testing.T, s *apptest.Site, name string) apptest.Person {
	t.Helper()
	p := s.Person(t, name)
	n, err := s.App.Passwords.Prepare(t.Context(), s.App.Shell(s.ID), password.Change{User: p.ID, Plain: tulips, Any: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Do(t, audit.PasswordSet, func(ctx context.Context, c *call.Call) error { return s.App.Passwords.Put(ctx, c, p.ID, n, false) })
	return p
}

type pack struct {
	SessionID  string `json:"SessionId"`
	Summary    string
	Challenges []struct {
		Mechanisms []struct{ Name, MechanismID, PromptMechChosen string }
	}
}

// step makes a call of a conversation, and gives what is asked for then.
func step(t *testing.T, s *apptest.Site, path string, body map[string]any) (out pack) {
	t.Helper()
	body["TenantId"] = s.ID
	_, b := s.Call(t, "", http.MethodPost, path, body)
	var e struct{ Result pack }
	if err := json.Unmarshal(b, &e); err != nil {
		t.Fatal(string(b))
	}
	return e.Result
}

// password signs in as far as the password goes.
func passed(t *testing.T, s *apptest.Site, name string) (session string, out pack) {
	t.Helper()
	p := step(t, s, "/Security/StartAuthentication", map[string]any{"User": name, "Version": "1.0"})
	return p.SessionID, step(t, s, "/Security/AdvanceAuthentication", map[string]any{
		"SessionId": p.SessionID, "MechanismId": p.Challenges[0].Mechanisms[0].MechanismID, "Action": "Answer", "Answer": tulips,
	})
}

func answer(t *testing.T, s *apptest.Site, session string, p pack, text string) pack {
	t.Helper()
	return step(t, s, "/Security/AdvanceAuthentication", map[string]any{
		"SessionId": session, "MechanismId": p.Challenges[0].Mechanisms[0].MechanismID, "Action": "Answer", "Answer": text,
	})
}

func consents(t *testing.T, s *apptest.Site, who string) []string {
	t.Helper()
	_, b := s.Call(t, s.TokenOf(t, "admin"), http.MethodPost, "/ConsentManagement/GetUserConsents", map[string]any{"userId": who})
	var e struct {
		Result []struct{ Version, Means string }
	}
	if err := json.Unmarshal(b, &e); err != nil {
		t.Fatal(string(b))
	}
	out := []string{}
	for _, g := range e.Result {
		out = append(out, g.Version+" "+g.Means)
	}
	return out
}

// Who signs in agrees once to each version, and is not let in by another answer.
func TestConsentAtSignIn(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		s.Set(t, "Authentication.Challenges", "UP")
		anna := secured(t, s, "anna")
		for _, version := range []string{"1", "2"} {
			terms(t, s, version, "Terms "+version)
			session, p := passed(t, s, anna.Name)
			if p.Summary != "NewPackage" || p.Challenges[0].Mechanisms[0].Name != factor.Consent || !strings.Contains(p.Challenges[0].Mechanisms[0].PromptMechChosen, "version "+version) {
				t.Fatalf("%+v", p)
			}
			if got := answer(t, s, session, p, "no"); got.Summary != "Failure" {
				t.Errorf("no: %+v", got)
			}
			if got := answer(t, s, session, p, "agree"); got.Summary != "Failure" {
				t.Errorf("agreed to what was over: %+v", got)
			}
			session, p = passed(t, s, anna.Name)
			if got := answer(t, s, session, p, "Agree"); got.Summary != "LoginSuccess" {
				t.Errorf("agreed: %+v", got)
			}
			if _, got := passed(t, s, anna.Name); got.Summary != "LoginSuccess" {
				t.Errorf("asked again: %+v", got)
			}
		}
		if got := strings.Join(consents(t, s, anna.Name), ","); got != "2 SignIn,1 SignIn" {
			t.Error(got)
		}
	})
}

// While somebody is asked, the text becomes another one: what they agree to then is not what they would be held to.
func TestConsentToWhatCountsNoMore(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		s.Set(t, "Authentication.Challenges", "UP")
		anna := secured(t, s, "anna")
		terms(t, s, "1", "Little.")
		session, p := passed(t, s, anna.Name)
		terms(t, s, "2", "Everything.")
		got := answer(t, s, session, p, "agree")
		if got.Summary != "NewPackage" || len(consents(t, s, anna.Name)) != 0 || !strings.Contains(got.Challenges[0].Mechanisms[0].PromptMechChosen, "version 2") {
			t.Fatalf("%+v %v", got, consents(t, s, anna.Name))
		}
		if got = answer(t, s, session, got, "agree"); got.Summary != "LoginSuccess" || strings.Join(consents(t, s, anna.Name), ",") != "2 SignIn" {
			t.Errorf("%+v %v", got, consents(t, s, anna.Name))
		}
	})
}

// Nobody gets past the terms by a way that cannot show them; who has agreed gets in by all of them, and so does who need not agree.
func TestConsentIsSkippedByNoDriver(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		s.Set(t, "Authentication.Challenges", "UP")
		anna := secured(t, s, "anna")
		ways := map[string]func() bool{
			"Login": func() bool {
				_, b := s.Call(t, "", http.MethodPost, "/Security/Login", map[string]any{"TenantId": s.ID, "User": anna.Name, "Password": tulips})
				return strings.Contains(string(b), `"success":true`)
			},
			"PVWA": func() bool {
				code, _ := s.Call(t, "", http.MethodPost, "/PasswordVault/API/auth/Cyberark/Logon", map[string]any{"username": anna.Name, "password": tulips, "concurrentSession": true})
				return code == http.StatusOK
			},
			"PVWA by RADIUS": func() bool {
				code, _ := s.Call(t, "", http.MethodPost, "/PasswordVault/API/auth/RADIUS/Logon", map[string]any{"username": anna.Name, "password": tulips, "concurrentSession": true})
				return code == http.StatusOK
			},
			"provider": func() (in bool) {
				s.Do(t, audit.LoginStep, func(ctx context.Context, c *call.Call) error {
					r, _, err := s.App.Logins.Vouched(ctx, c, anna.ID, "Google")
					in = r.Success != nil
					return err
				})
				return in
			},
		}
		each := func(want bool) {
			t.Helper()
			for name, way := range ways {
				if got := way(); got != want {
					t.Errorf("%s lets in: %v, want %v", name, got, want)
				}
			}
		}
		each(true)
		terms(t, s, "1", "We keep your name.")
		each(false)
		set := func(body map[string]any) {
			if _, b := s.Call(t, s.TokenOf(t, "admin"), http.MethodPost, "/ConsentManagement/UpdateConsentManagementConfiguration", body); !strings.Contains(string(b), `"success":true`) {
				t.Fatal(string(b))
			}
		}
		set(map[string]any{"Script": "function required(user, consents) { return user.name.indexOf('anna') !== 0; }"})
		delete(ways, "provider") // nothing is typed there, so no script is asked
		each(true)
		set(map[string]any{"Script": "function required() { throw new Error('no luck'); }"})
		s.DropEvents()
		each(false)
		if e := s.Events(t); !strings.Contains(e, audit.ConsentFail) || !strings.Contains(e, "no luck") {
			t.Error(e)
		}
		session, p := passed(t, s, anna.Name)
		if got := answer(t, s, session, p, "agree"); got.Summary != "LoginSuccess" {
			t.Fatalf("%+v", got)
		}
		each(true)
	})
}

// On the pages people read the text, and agree by a button.
func TestConsentOnThePage(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		s.Set(t, "Authentication.Challenges", "UP")
		anna := secured(t, s, "anna")
		terms(t, s, "2026-11", "We keep your name.\n\nAnd <b>your</b> address.")
		jar, _ := cookiejar.New(nil)
		post := func(path string, form url.Values) {
			t.Helper()
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, strings.NewReader(form.Encode()))
			req.Host = s.Host
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.Header.Set("Sec-Fetch-Site", "same-origin")
			visit(t, s, jar, req)
		}
		page := func() string {
			t.Helper()
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/login", nil)
			req.Host = s.Host
			return visit(t, s, jar, req)
		}
		mechanism := func(html string) string {
			_, rest, _ := strings.Cut(html, `name="mechanism" value="`)
			id, _, _ := strings.Cut(rest, `"`)
			return id
		}
		post("/login", url.Values{"user": {anna.Name}})
		post("/login/answer", url.Values{"mechanism": {mechanism(page())}, "answer": {tulips}})
		html := page()
		for _, want := range []string{"<p>We keep your name.</p>", "And &lt;b&gt;your&lt;/b&gt; address.", `value="agree"`, "2026-11", `lang="en"`} {
			if !strings.Contains(html, want) {
				t.Errorf("no %s in %s", want, html)
			}
		}
		post("/login/answer", url.Values{"mechanism": {mechanism(html)}, "answer": {"agree"}})
		if html = page(); !strings.Contains(html, "You are signed in") || len(consents(t, s, anna.Name)) != 1 {
			t.Error(html)
		}
	})
}

// visit makes a request as a browser does, and gives the page.
func visit(t *testing.T, s *apptest.Site, jar http.CookieJar, req *http.Request) string {
	t.Helper()
	for _, k := range jar.Cookies(req.URL) {
		req.AddCookie(k)
	}
	res, err := s.HTTP.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	jar.SetCookies(req.URL, res.Cookies())
	var b strings.Builder
	if _, err := io.Copy(&b, res.Body); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Programs agree to nothing, and consents go with the person.
func TestConsentOfProgramsAndOfWhoIsGone(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		s.Set(t, "Authentication.Challenges", "UP")
		anna, robot := secured(t, s, "anna"), secured(t, s, "robot")
		s.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
			service := true
			_, err := s.App.People.Change(ctx, c, robot.ID, user.Change{Service: &service})
			return err
		})
		terms(t, s, "1", "We keep your name.")
		if _, p := passed(t, s, robot.Name); p.Summary != "LoginSuccess" {
			t.Errorf("%+v", p)
		}
		session, p := passed(t, s, anna.Name)
		if got := answer(t, s, session, p, "agree"); got.Summary != "LoginSuccess" {
			t.Fatalf("%+v", got)
		}
		s.Do(t, audit.UserDelete, func(ctx context.Context, c *call.Call) error {
			if err := s.App.People.Delete(ctx, c, anna.ID); err != nil {
				return err
			}
			left, err := s.App.Consents.Of(ctx, c, anna.ID)
			if len(left) != 0 {
				t.Errorf("%+v", left)
			}
			return err
		})
	})
}
