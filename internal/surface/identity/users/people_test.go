package users_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/exemption"
	"limen/internal/core/login"
	"limen/internal/core/setting"
	"limen/internal/core/user"
	"limen/internal/surface/dev"
)

// mail waits for the newest message to an address whose subject or text has some words.
func mail(t *testing.T, s *apptest.Server, to, words string) dev.Message {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		for _, m := range s.App.Tray.To(to) {
			if strings.Contains(m.Subject+"\n"+m.Text, words) {
				return m
			}
		}
	}
	t.Fatalf("nothing about %q came to %s", words, to)
	return dev.Message{}
}

// A change of what somebody is reached by is told where they were reached before, in their language.
func TestOldAddressHears(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		c := client{t, site, site.TokenOf(t, "admin")}
		old, number := "old@"+site.Suffix, "+1206555"+site.ID[3:]
		e := c.post("/CDirectoryService/CreateUser", `{"Name":"anna@`+site.Suffix+`","Mail":"`+old+`","PreferredCulture":"de"}`)
		if !e.Success {
			t.Fatal(e)
		}
		id := e.Result.(string)
		c.post("/CDirectoryService/ChangeUser", `{"ID":"`+id+`","MobileNumber":"`+number+`"}`)
		if m := mail(t, s, old, "Mobilnummer"); !strings.Contains(m.Text, site.Admin.Name) {
			t.Error("who did it is not told:", m.Text)
		}
		c.post("/CDirectoryService/ExemptUserFromMfa", `{"ID":"`+id+`"}`)
		mail(t, s, old, "ohne zweiten Faktor")
		c.post("/CDirectoryService/ChangeUser", `{"ID":"`+id+`","Mail":""}`)
		mail(t, s, old, "Die Mailadresse Ihres Kontos")
		c.post("/CDirectoryService/ChangeUser", `{"ID":"`+id+`","MobileNumber":""}`)
		mail(t, s, number, "Mobilnummer")
	})
}

// challenges is how many challenges a sign-in of somebody asks for.
func challenges(t *testing.T, site *apptest.Site, name string) (out login.Package) {
	t.Helper()
	site.Do(t, audit.LoginStart, func(ctx context.Context, c *call.Call) (err error) {
		out, _, err = site.App.Logins.Start(ctx, c, login.Begin{Login: name})
		return err
	})
	return out
}

// An exemption leaves the second challenge out, until it ends.
func TestExemptionActsAtSignIn(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		c := client{t, site, site.TokenOf(t, "admin")}
		if err := s.App.Logins.Ensure(t.Context(), site.ID); err != nil {
			t.Fatal(err)
		}
		if n := len(challenges(t, site, site.Plain.Name).Challenges); n != 2 {
			t.Fatal("a password and a code by mail are", n, "challenges")
		}
		if e := c.post("/CDirectoryService/ExemptUserFromMfa", `{"ID":"`+site.Plain.ID+`","timespan":5}`); !e.Success {
			t.Fatal(e)
		}
		if n := len(challenges(t, site, site.Plain.Name).Challenges); n != 1 {
			t.Error("an exemption leaves", n, "challenges")
		}
		site.Do(t, audit.FactorBypass, func(ctx context.Context, c *call.Call) error { // it was granted an hour ago
			then := *c
			then.Now = c.Now.Add(-time.Hour)
			_, err := exemption.Exemptions{}.Grant(ctx, &then, site.Plain.ID, 5*time.Minute)
			return err
		})
		if n := len(challenges(t, site, site.Plain.Name).Challenges); n != 2 {
			t.Error("an exemption that has ended leaves", n, "challenges")
		}
	})
}

// signIn answers a password and says how that ends.
func signIn(t *testing.T, site *apptest.Site, name, password string, between func()) (r login.Result, err error) {
	t.Helper()
	p := challenges(t, site, name)
	if between != nil {
		between()
	}
	c := site.App.Shell(site.ID)
	in := login.Request{Session: p.Session, Actions: []login.Action{{Do: login.DoAnswer, Mechanism: p.Challenges[0][0].ID}}}
	in.Actions[0].Answer.Text = password
	ready, err := site.App.Logins.Prepare(t.Context(), c, in)
	if err != nil {
		t.Fatal(err)
	}
	_ = site.App.Write(t.Context(), c, audit.LoginStep, func(ctx context.Context) error {
		r, err = site.App.Logins.Advance(ctx, c, in, ready)
		return nil
	})
	return r, err
}

// Who is exempt signs in with the password alone, on a session of the lower level and on a device that stays unknown; who was
// exempt when they began, and is not when they finish, does not.
func TestExemptSessionIsNormal(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		c := client{t, site, site.TokenOf(t, "admin")}
		const password = "Purple-Staple-7-Wagon"
		if e := c.post("/UserMgmt/ResetUserPassword", `{"ID":"`+site.Plain.ID+`","newPassword":"`+password+`"}`); !e.Success {
			t.Fatal(e)
		}
		exempt := func(timespan string) {
			if e := c.post("/CDirectoryService/ExemptUserFromMfa", `{"ID":"`+site.Plain.ID+`","timespan":"`+timespan+`"}`); !e.Success {
				t.Fatal(e)
			}
		}
		exempt("5")
		if r, err := signIn(t, site, site.Plain.Name, password, func() { exempt("0") }); err == nil || r.Success != nil {
			t.Error("an exemption that ended meanwhile lets in", r.Summary)
		}
		exempt("5")
		r, err := signIn(t, site, site.Plain.Name, password, nil)
		if err != nil || r.Success == nil || r.Success.Session.Level != "Normal" {
			t.Fatalf("%+v %v", r, err)
		}
		remember, err := s.App.Values.Prepare(t.Context(), s.App.Shell(site.ID), setting.Set("Authentication.RememberDevice", "true"))
		if err != nil {
			t.Fatal(err)
		}
		site.Do(t, audit.SettingChange, func(ctx context.Context, c *call.Call) error { return s.App.Values.Write(ctx, c, remember) })
		exempt("0")
		device := r.Success.Device
		site.Do(t, audit.LoginStart, func(ctx context.Context, c *call.Call) error {
			c.Client.Device = device
			p, _, err := s.App.Logins.Start(ctx, c, login.Begin{Login: site.Plain.Name})
			if len(p.Challenges) != 2 {
				t.Error("the device stands in for the factor that was never asked for")
			}
			return err
		})
	})
}

// An address that is to be verified gets no codes until its link was followed and confirmed; people do not get rid of the
// question by giving another address.
func TestVerifyEmail(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		c := client{t, site, site.TokenOf(t, "admin")}
		if err := s.App.Logins.Ensure(t.Context(), site.ID); err != nil {
			t.Fatal(err)
		}
		first, second := "first@"+site.Suffix, "second@"+site.Suffix
		e := c.post("/CDirectoryService/CreateUser", `{"Name":"anna@`+site.Suffix+`","Mail":"`+first+`","VerifyEmail":true}`)
		if !e.Success {
			t.Fatal(e)
		}
		anna := e.Result.(string)
		open := func() bool {
			got, _ := c.post("/CDirectoryService/GetUser", `{"ID":"`+anna+`"}`).Result.(map[string]any)["MailUnproved"].(bool)
			return got
		}
		if !open() || len(challenges(t, site, "anna@"+site.Suffix).Challenges) != 1 {
			t.Error("codes go to an address that nobody has verified")
		}
		mail(t, s, first, "/address?token=")
		own := client{t, site, site.SignedIn(t, anna)}
		if e := own.post("/UserMgmt/SaveUserInfo", `{"Mail":"`+second+`"}`); !e.Success || !open() {
			t.Fatal("another address ends the question", e)
		}
		m := mail(t, s, second, "/address?token=")
		token := regexp.MustCompile(`/address\?token=(\S+)`).FindStringSubmatch(m.Text)[1]
		if res, _ := own.do("GET", "/address?token="+token, "", nil); res.StatusCode != 200 || !open() {
			t.Fatal("looking is enough", res.Status)
		}
		if res, b := own.do("POST", "/address", "application/x-www-form-urlencoded", strings.NewReader("token="+token)); res.StatusCode != 200 {
			t.Fatalf("%s %s", res.Status, b)
		}
		if open() || len(challenges(t, site, "anna@"+site.Suffix).Challenges) != 2 {
			t.Error("the address is still unverified")
		}
	})
}

// The code of the help desk is right once, and useless after five wrong ones.
func TestIdentityCode(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		c := client{t, site, site.TokenOf(t, "admin")}
		send := func(name string) (id, code string) {
			e := c.post("/CDirectoryService/CreateUser", `{"Name":"`+name+`@`+site.Suffix+`","Mail":"`+name+`@`+site.Suffix+`"}`)
			id, _ = e.Result.(string)
			if e := c.post("/CDirectoryService/SendIdentityVerificationOTP", `{"UUID":"`+id+`"}`); e.Result != true {
				t.Fatal(e)
			}
			m := mail(t, s, name+"@"+site.Suffix, "help desk")
			return id, regexp.MustCompile(`\b\d{6}\b`).FindString(m.Text)
		}
		check := func(id, code string) envelope {
			return c.post("/CDirectoryService/VerifyIdentityOTP", `{"UUID":"`+id+`","OTP":"`+code+`"}`)
		}
		id, code := send("anna")
		if e := check(id, code); e.Result != true {
			t.Error("the right code", code, e)
		}
		if e := check(id, code); e.Success {
			t.Error("a code is right twice")
		}
		id, code = send("bert")
		for range 5 {
			if e := check(id, "00"); e.Result != false {
				t.Error("a wrong code", e)
			}
		}
		if e := check(id, code); e.Success {
			t.Error("the sixth try")
		}
	})
}

// Technical support reads and changes nothing, and is out when its time is over; nobody who took its names before gains.
func TestTechnicalSupport(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		c := client{t, site, site.TokenOf(t, "admin")}
		got, _ := c.post("/CDirectoryService/SetTechSupportUser", `{"Duration":1}`).Result.(map[string]any)
		id, _ := got["Uuid"].(string)
		name, _ := got["Name"].(string)
		password, _ := got["Password"].(string)
		r, err := signIn(t, site, name, password, nil)
		if err != nil || r.Success == nil {
			t.Fatal(r.Summary, err)
		}
		support := client{t, site, r.Success.Auth}
		if e := support.post("/Security/TaskCheck", `{"task":"Read Only System Administration"}`); e.Result != true {
			t.Error(e)
		}
		if e := support.post("/CDirectoryService/CreateUser", `{"Name":"x@`+site.Suffix+`","Mail":"x@example.com"}`); e.Success {
			t.Error("it creates people")
		}
		var u user.User
		site.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) (err error) {
			u, err = s.App.People.ByID(ctx, c, id)
			return err
		})
		if !u.Barred(time.Now().Add(time.Hour)) || u.Barred(time.Now()) {
			t.Error("its account does not end with the access")
		}
		if e := c.post("/CDirectoryService/SetTechSupportUser", `{"Duration":0}`); !e.Success {
			t.Error(e)
		}
		if res, _ := support.do("POST", "/UserMgmt/GetUserInfo", "application/json", strings.NewReader("{}")); res.StatusCode != 401 {
			t.Error("its session goes on", res.Status)
		}
		if e := c.post("/CDirectoryService/CreateUser", `{"Name":"`+name+`","Mail":"x@example.com","Password":"Purple-Staple-7-Wagon"}`); !e.Success {
			t.Fatal(e)
		}
		if e := c.post("/CDirectoryService/SetTechSupportUser", `{"Duration":1}`); e.Success {
			t.Error("an account that somebody prepared gets the right")
		}
	})
}

// What a token for somebody else opens is theirs, short, and cannot change what proves who they are; those who administer are
// nobody's to be.
func TestTokenForUser(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		c := client{t, site, site.TokenOf(t, "admin")}
		e := c.post("/UserMgmt/GetTokenForUser", `{"username":"`+site.Plain.Name+`"}`)
		token, _ := e.Result.(map[string]any)["Token"].(string)
		as := client{t, site, token}
		if who, _ := as.post("/UserMgmt/GetUserInfo", "").Result.(map[string]any); who["Uuid"] != site.Plain.ID {
			t.Fatal(who)
		}
		if e := as.post("/CDirectoryService/ChangeUser", `{"Mail":"thief@example.com"}`); e.Success || !strings.Contains(e.Message, signInAgain) {
			t.Error("it changes where codes go", e)
		}
		if e, _ := as.post("/UserMgmt/IsUserProfileChallengeRequired", "").Result.(map[string]any); e["ChallengeRequired"] != true {
			t.Error("no challenge is asked for", e)
		}
		other := site.Person(t, "second")
		if e := c.post("/CDirectoryService/ChangeUser", `{"ID":"`+other.ID+`","InSysAdminRole":true}`); !e.Success {
			t.Fatal(e)
		}
		if e := c.post("/UserMgmt/GetTokenForUser", `{"username":"`+other.Name+`"}`); e.Success {
			t.Error("one administrator becomes another")
		}
		old := opened(t, site, site.Admin.ID, 16*time.Minute)
		if e := old.post("/UserMgmt/GetTokenForUser", `{"username":"`+site.Plain.Name+`"}`); e.Success || !strings.Contains(e.Message, signInAgain) {
			t.Error("a stale session makes tokens for others", e)
		}
	})
}

// A person who is signed in is remembered with roles and rights. The node may forget them at any moment, so it is asked again.
func TestCachedUser(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		c := client{t, site, site.TokenOf(t, "holder User Management")}
		for path, field := range map[string]string{"/UserMgmt/GetCachedUser": "Roles", "/UserMgmt/GetCachedEntity": "Properties"} {
			var got map[string]any
			for end := time.Now().Add(20 * time.Second); got == nil && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
				got, _ = c.post(path, "").Result.(map[string]any)
			}
			if got == nil || !strings.HasPrefix(got["Name"].(string), "holder") || got[field] == nil {
				t.Errorf("%s: %v", path, got)
			}
		}
	})
}
