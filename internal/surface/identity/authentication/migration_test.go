package authentication_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/app"
	"limen/internal/core/audit"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/platform/egress"
)

const oldPassword = "Velvet-Anchor-19-Moth"

// old is an old system that knows one password for everybody.
type old struct {
	*apptest.Site
	t       *testing.T
	asked   atomic.Int64
	last    atomic.Value // what it was asked last
	meet    *sync.WaitGroup
	answers func(w http.ResponseWriter, name string, right bool)
}

// migrates sets a tenant up with an old system. Nothing but the password is asked for.
func migrates(t *testing.T, s *apptest.Server, wish map[string]any) *old {
	t.Helper()
	o := &old{Site: s.Tenant(t), t: t}
	o.answers = func(w http.ResponseWriter, _ string, right bool) {
		_ = json.NewEncoder(w).Encode(map[string]bool{"valid": right})
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Username, Password string }
		_ = json.NewDecoder(r.Body).Decode(&in)
		o.asked.Add(1)
		o.last.Store(in.Username + " " + r.Header.Get("X-Api-Key"))
		if o.meet != nil {
			o.meet.Done()
			o.meet.Wait()
		}
		o.answers(w, in.Username, in.Password == oldPassword || in.Password == "short")
	}))
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	out, limit, after := s.App.Egress, s.App.Kernel.Limit, s.App.Migrations.After
	s.App.Egress = &egress.Client{Roots: roots, Guard: egress.Guard{Permit: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}}
	s.App.Kernel.Limit = func(*op.Call, *op.Op) *fault.Error { return nil }
	s.App.Migrations.After = func(time.Duration) <-chan time.Time { return time.After(0) } // how long it is, is the clock's
	t.Cleanup(func() { s.App.Egress, s.App.Kernel.Limit, s.App.Migrations.After = out, limit, after })
	o.Set(t, "Authentication.Challenges", "UP")
	form := map[string]any{"Enabled": true, "ApiUrl": server.URL + "/check", "ApiKey": "hush-hush", "ApiKeyHeader": "X-Api-Key", "TimeoutMs": 5000}
	for name, v := range wish {
		form[name] = v
	}
	if code, b := o.Call(t, o.TokenOf(t, "admin"), http.MethodPost, "/ProgressivePasswordMigration/UpdatePpmConfiguration", form); code != 200 || !strings.Contains(string(b), `"success":true`) {
		t.Fatal(string(b))
	}
	return o
}

// signIn signs in by a driver, and says whether it let in; what says what it said.
func (o *old) signIn(driver, name, password string) (in bool, what string) {
	o.t.Helper()
	switch driver {
	case "Login":
		_, b := o.Call(o.t, "", http.MethodPost, "/Security/Login", map[string]any{"TenantId": o.ID, "User": name, "Password": password})
		return strings.Contains(string(b), `"success":true`), fixed(string(b))
	case "PVWA":
		code, b := o.Call(o.t, "", http.MethodPost, "/PasswordVault/API/auth/Cyberark/Logon", map[string]any{"username": name, "password": password})
		return code == 200, fixed(string(b))
	case "OAuth":
		form := url.Values{"grant_type": {"password"}, "client_id": {"wiki"}, "client_secret": {"correct-horse-battery-wiki"}, "username": {name}, "password": {password}, "scope": {"openid"}}
		r, _ := http.NewRequestWithContext(o.t.Context(), http.MethodPost, o.URL+"/oauth2/token/wiki", strings.NewReader(form.Encode()))
		r.Host = o.Host
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := o.HTTP.Do(r)
		if err != nil {
			o.t.Fatal(err)
		}
		defer res.Body.Close()
		var got map[string]any
		_ = json.NewDecoder(res.Body).Decode(&got)
		return res.StatusCode == 200, ""
	}
	_, b := o.Call(o.t, "", http.MethodPost, "/Security/StartAuthentication", map[string]any{"TenantId": o.ID, "User": name, "Version": "1.0"})
	var start struct {
		Result struct {
			SessionId  string
			Challenges []struct {
				Mechanisms []struct{ MechanismId string }
			}
		}
	}
	if json.Unmarshal(b, &start) != nil || len(start.Result.Challenges) != 1 {
		o.t.Fatal(string(b))
	}
	_, b = o.Call(o.t, "", http.MethodPost, "/Security/AdvanceAuthentication", map[string]any{
		"TenantId": o.ID, "SessionId": start.Result.SessionId, "MechanismId": start.Result.Challenges[0].Mechanisms[0].MechanismId, "Action": "Answer", "Answer": password,
	})
	return strings.Contains(string(b), "LoginSuccess"), fixed(string(b))
}

// fixed is an answer without what is another one each time.
func fixed(text string) string {
	var v map[string]any
	if json.Unmarshal([]byte(text), &v) != nil {
		return text
	}
	delete(v, "ErrorID")
	b, _ := json.Marshal(v)
	return string(b)
}

// wiki makes an application whose clients take passwords.
func (o *old) wiki() {
	o.t.Helper()
	o.Do(o.t, audit.AppCreate, func(ctx context.Context, c *call.Call) error {
		it, err := o.App.Apps.Create(ctx, c, "Generic OpenID Connect")
		if err != nil {
			return err
		}
		if _, err = o.App.Apps.Update(ctx, c, it.ID, app.Change{Members: map[string]any{"ServiceName": "wiki", "OAuthProfile": map[string]any{
			"ClientID": "wiki", "AllowedAuth": "ResourceCreds", "ClientSecret": "correct-horse-battery-wiki",
		}}}); err != nil {
			return err
		}
		return o.App.Apps.Permit(ctx, c, it.ID, acl.Given{Kind: role.Sub, Principal: role.Everybody, Mask: acl.View | app.Execute})
	})
}

// A password that only the old system knows lets in by every way that takes one, and the old system is asked for it once.
func TestMigratesByEveryDriver(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		o := migrates(t, s, nil)
		o.wiki()
		for i, driver := range []string{"Login", "Advance", "PVWA", "OAuth"} {
			p := o.Person(t, "person"+driver)
			o.DropEvents()
			for range 2 {
				if in, what := o.signIn(driver, p.Name, oldPassword); !in {
					t.Fatalf("%s: %s", driver, what)
				}
			}
			if n := o.asked.Load(); n != int64(i+1) || o.last.Load() != p.Name+" hush-hush" {
				t.Errorf("%s: asked %d times, the last time for %v", driver, n, o.last.Load())
			}
			if in, _ := o.signIn(driver, p.Name, oldPassword+"x"); in || o.asked.Load() != int64(i+1) {
				t.Errorf("%s: a wrong password: %v, asked %d times", driver, in, o.asked.Load())
			}
			if e := o.Events(t); strings.Count(e, audit.PasswordMigrate+" success User "+p.ID) != 1 || strings.Contains(e, oldPassword) {
				t.Errorf("%s: %s", driver, e)
			}
		}
	})
}

// Nobody learns by an answer, or by the time that it takes, for whom the old system is asked: everybody's wrong password waits alike.
func TestMigrationAsOracle(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		o := migrates(t, s, map[string]any{"TimeoutMs": 4321})
		moved := o.Person(t, "moved")
		if in, what := o.signIn("Login", moved.Name, oldPassword); !in {
			t.Fatal(what)
		}
		barred, robot := o.Person(t, "barred"), o.Person(t, "robot")
		o.Do(t, audit.UserState, func(ctx context.Context, c *call.Call) error {
			return o.App.People.SetState(ctx, c, barred.ID, user.State{Disabled: true})
		})
		o.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
			service := true
			_, err := o.App.People.Change(ctx, c, robot.ID, user.Change{Service: &service})
			return err
		})
		powerful := o.Holder(t, "User Management")
		asked := o.asked.Load()
		waits := make(chan time.Duration, 10)
		s.App.Migrations.After = func(d time.Duration) <-chan time.Time {
			over := make(chan time.Time)
			go func() {
				select {
				case over <- time.Now(): // it was waited for
					waits <- d
				case <-t.Context().Done():
				}
			}()
			return over
		}
		var first string
		for who, name := range map[string]string{
			"not moved": o.Plain.Name, "moved": moved.Name, "nobody": "nobody@" + o.Suffix, "barred": barred.Name, "service": robot.Name, "administrates": powerful.Name,
			"system administrator": o.Admin.Name,
		} {
			password := oldPassword
			if who == "not moved" || who == "moved" {
				password += "x"
			}
			in, what := o.signIn("Login", name, password)
			if first == "" {
				first = what
			}
			if in || what != first {
				t.Errorf("%s: %v %s", who, in, what)
			}
			select {
			case d := <-waits:
				if d != 4321*time.Millisecond {
					t.Errorf("%s: waited for %v", who, d)
				}
			case <-time.After(5 * time.Second):
				t.Errorf("%s: nobody waited", who)
			}
		}
		if n := o.asked.Load() - asked; n != 1 {
			t.Errorf("the old system was asked %d times, of seven for one", n)
		}
	})
}

// Whoever guesses at the old system's passwords by way of this one is counted as everywhere: after some guesses it is not asked any more, and a right
// one does not let in.
func TestMigrationGuessesAreCounted(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		o := migrates(t, s, nil)
		for range 12 {
			if in, _ := o.signIn("Login", o.Plain.Name, "guess"); in {
				t.Fatal("a guess let in")
			}
		}
		n := o.asked.Load()
		if n > 5 {
			t.Errorf("the old system was asked %d times", n)
		}
		if in, _ := o.signIn("Login", o.Plain.Name, oldPassword); in || o.asked.Load() != n {
			t.Errorf("let in: %v, asked %d times more", in, o.asked.Load()-n)
		}
	})
}

// Of two first sign-ins at once both let in; one of them stores the password.
func TestMigrationRaces(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		o := migrates(t, s, nil)
		o.meet = &sync.WaitGroup{}
		o.meet.Add(2)
		o.DropEvents()
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				if in, what := o.signIn("Login", o.Plain.Name, oldPassword); !in {
					t.Error(what)
				}
			})
		}
		both.Wait()
		if e := o.Events(t); o.asked.Load() != 2 || strings.Count(e, audit.PasswordMigrate+" success") != 1 {
			t.Errorf("asked %d times: %s", o.asked.Load(), e)
		}
	})
}

// A password that breaks the policy is taken, and must be replaced at once, unless administrators want it otherwise.
func TestMigrationOfWeakPasswords(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		for _, replace := range []bool{true, false} {
			o := migrates(t, s, map[string]any{"ReplaceWeak": replace})
			in, what := o.signIn("Advance", o.Plain.Name, "short")
			if in == replace || replace && !strings.Contains(what, "RESET") {
				t.Errorf("replaced %v: %v %s", replace, in, what)
			}
			if in, what := o.signIn("PVWA", o.Plain.Name, "short"); in == replace || o.asked.Load() != 1 {
				t.Errorf("replaced %v: %v %s", replace, in, what)
			}
		}
	})
}

// What goes wrong lets nobody in, and is told to administrators without the password.
func TestMigrationFails(t *testing.T) {
	const request = "function request(user) { return {json: {username: user.name, password: user.password}}; }\n"
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		for what, tt := range map[string]struct{ script, want string }{
			"an error":            {request + "function verdict() { throw new Error('no luck'); }", "no luck"},
			"no verdict":          {request + "function verdict() { return 'true'; }", "must return true or false"},
			"nothing to send":     {"function request() {}\nfunction verdict() { return true; }", "must return an object"},
			"a secret in a query": {"function request(user) { return {query: {p: user.password}}; }\nfunction verdict() { return true; }", "secret in the address"},
			"a secret told":       {request + "function verdict(answer) { throw new Error(answer.text); }", "is not shown"},
			"the password":        {"function request(user) { throw new Error(user.password + ' ' + user.key); }\nfunction verdict() { return true; }", "Error: "},
			"an end without end":  {request + "function verdict() { for (;;) {} }", "too long"},
		} {
			o := migrates(t, s, map[string]any{"Script": tt.script})
			o.answers = func(w http.ResponseWriter, _ string, _ bool) { _, _ = w.Write([]byte("you sent " + oldPassword)) }
			o.DropEvents()
			in, said := o.signIn("Login", o.Plain.Name, oldPassword)
			e := o.Events(t)
			if in || strings.Contains(said+e, oldPassword) || strings.Contains(e, "hush") || !strings.Contains(e, audit.PasswordMigrateFail+" failed User "+o.Plain.ID) || !strings.Contains(e, tt.want) {
				t.Errorf("%s: %v %s", what, in, e)
			}
		}
		o := migrates(t, s, map[string]any{"ApiUrl": "https://127.0.0.1:1/"})
		o.DropEvents()
		if in, _ := o.signIn("Login", o.Plain.Name, oldPassword); in || !strings.Contains(o.Events(t), "does not answer") {
			t.Error("nothing is there, and it let in or said nothing")
		}
	})
}
