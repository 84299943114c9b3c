package authentication_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"limen/internal/core/login/logintest"
	"limen/internal/core/user"
	"limen/internal/surface/identity"
)

// The shapes that clients know, whole, with every key.
func TestShapes(t *testing.T) {
	each(t, func(s *site) {
		anna := s.Add("anna", func(n *user.New) { n.Mobile, n.Display = "+12065550199", "Anna K" })
		s.Enroll(anna.ID)
		raw := s.post("/Security/StartAuthentication", m{"User": anna.Name, "Version": "1.0", "PlatformTokenResponse": "true"})
		s.golden("start", raw)
		p := raw.got(s)
		up, mail := p.pick(s, 0, "UP"), p.pick(s, 1, "EMAIL")
		s.golden("next", s.advance(p.SessionId, up.MechanismId, "Answer", logintest.Secret))
		s.golden("pending", s.advance(p.SessionId, mail.MechanismId, "StartOOB", ""))
		s.golden("pending", s.advance(p.SessionId, mail.MechanismId, "poll", nil))
		s.golden("success", s.advance(p.SessionId, mail.MechanismId, "", s.Sent[0].Code))
		s.jar = map[string]*http.Cookie{}
		p = s.start(anna.Name)
		s.golden("failure", s.advance(p.SessionId, p.pick(s, 0, "UP").MechanismId, "Answer", "wrong"))
		s.golden("failure", s.advance(p.SessionId, p.pick(s, 0, "UP").MechanismId, "Poll", nil))
		p = s.start(anna.Name)
		s.golden("forgot", s.advance(p.SessionId, "", "ForgotPassword", nil))
		for _, bad := range []m{{"User": "", "Version": "1.0"}, {"User": anna.Name}, {"User": anna.Name, "Version": "2.0"}, {"User": strings.Repeat("x", 600) + "@x", "Version": "1.0"}} {
			s.golden("undefined", s.post("/Security/StartAuthentication", bad))
		}
		s.only("UP")
		robot := s.Add("robot", func(n *user.New) { n.Service = true })
		s.golden("single", s.post("/Security/StartAuthentication", m{"User": robot.Name, "Version": "1.0"}))
		s.golden("single", s.post("/security/startauthentication/", m{"user": robot.Name, "version": "1.0", "tenantid": s.Tenant.ID}))
		p = s.start(robot.Name)
		s.golden("plain_success", s.advance(p.SessionId, p.pick(s, 0, "UP").MechanismId, "Answer", logintest.Secret))
		due := s.Add("due", func(n *user.New) { n.ForceChange = true })
		s.jar = map[string]*http.Cookie{}
		p = s.start(due.Name)
		raw = s.advance(p.SessionId, p.pick(s, 0, "UP").MechanismId, "Answer", logintest.Secret)
		s.golden("reset", raw)
		s.golden("reset_again", s.advance(p.SessionId, raw.got(s).pick(s, 0, "RESET").MechanismId, "Answer", "short"))
	})
}

func TestQuestionShape(t *testing.T) {
	each(t, func(s *site) {
		s.only("UP;SQ")
		anna := s.Add("anna")
		s.Answer(anna.ID, "Pet?", "Rex the dog")
		p := s.post("/Security/StartAuthentication", m{"User": anna.Name, "Version": "1.0"})
		s.golden("question", p)
		g := p.got(s)
		sq := g.pick(s, 1, "SQ")
		s.advance(g.SessionId, g.pick(s, 0, "UP").MechanismId, "Answer", logintest.Secret)
		answers := m{sq.MultipartMechanism.MechanismParts[0].Uuid: "rex  THE dog"}
		if got := s.advance(g.SessionId, sq.MechanismId, "Answer", answers).got(s); got.Summary != "LoginSuccess" || got.AuthLevel != "High" {
			s.Fatalf("%+v", got)
		}
	})
}

func TestCookies(t *testing.T) {
	each(t, func(s *site) {
		s.only("UP")
		anna := s.Add("anna")
		g := s.signIn(anna.Name)
		for name, readable := range map[string]bool{".ASPXAUTH": false, "antixss": true, "CCSID": false, "podloc": false, "sessdata": false, "userdata": false} {
			c := s.jar[name]
			if c == nil {
				s.Fatal("no cookie", name)
			}
			if c.HttpOnly == readable || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
				s.Errorf("%s: %+v", name, c)
			}
			if name != "CCSID" && (c.MaxAge != 0 || !c.Expires.IsZero()) {
				s.Errorf("%s outlives the browser", name)
			}
		}
		if s.jar[".ASPXAUTH"].Value != g.Auth {
			s.Fatal("the cookie is not the token")
		}
		// A cookie alone, as another site would have it sent, proves nothing; with the client's sign it does.
		if a := s.post("/Security/WhoAmI", nil); a.status != http.StatusUnauthorized {
			s.Fatal(a.raw)
		}
		s.header.Set("X-IDAP-NATIVE-CLIENT", "1")
		if who := s.post("/Security/whoami", nil).got(s); who.User != anna.Name || who.UserUuid != anna.ID {
			s.Fatalf("%+v", who)
		}
		s.header = http.Header{"X-Antixss": {s.jar["antixss"].Value}}
		if who := s.read(s.send(http.MethodGet, "/Security/WhoAmI", "")).got(s); who.User != anna.Name {
			s.Fatalf("%+v", who)
		}
		device := s.jar["CCSID"].Value
		if w := s.send(http.MethodPost, "/Security/Logout", ""); w.Code != 200 || s.jar[".ASPXAUTH"] != nil || s.jar["antixss"] != nil || s.jar["CCSID"] == nil {
			s.Fatal(w.Code, w.Body, s.jar)
		}
		s.signIn(anna.Name)
		if s.jar["CCSID"].Value != device {
			s.Fatal("the device is not known again")
		}
	})
}

func TestPersistentCookies(t *testing.T) {
	each(t, func(s *site) {
		s.only("UP")
		s.Set("Session.AllowPersist", "true")
		anna := s.Add("anna")
		p := s.start(anna.Name)
		s.post("/Security/AdvanceAuthentication", m{"SessionId": p.SessionId, "MechanismId": p.pick(s, 0, "UP").MechanismId, "Answer": logintest.Secret, "PersistantLogin": "true"})
		if c := s.jar[".ASPXAUTH"]; c == nil || c.Expires.Before(s.Now.Add(13*24*time.Hour)) {
			s.Fatalf("%+v", c)
		}
	})
}

func TestProofs(t *testing.T) {
	each(t, func(s *site) {
		s.only("UP")
		anna := s.Add("anna")
		g := s.signIn(anna.Name, m{"PlatformTokenResponse": true})
		s.jar = map[string]*http.Cookie{}
		for _, token := range []string{g.Auth, g.Token} {
			s.header.Set("Authorization", "Bearer "+token)
			if who := s.post("/Security/WhoAmI", nil).got(s); who.UserUuid != anna.ID {
				s.Fatalf("%+v", who)
			}
		}
		// Who is signed in and starts again has it at once, with the same token.
		s.header.Set("Authorization", "Bearer "+g.Auth)
		if again := s.start(anna.Name); again.Summary != "LoginSuccess" || again.Auth != g.Auth || again.Token == "" || again.RefreshToken != "" {
			s.Fatalf("%+v", again)
		}
		if again := s.start(anna.Name, m{"PlatformTokenResponse": true}); again.RefreshToken == "" || again.TokenLifetime == 0 {
			s.Fatalf("%+v", again)
		}
		s.post("/Security/Logout", nil)
		for _, token := range []string{g.Auth, g.Token} {
			s.header.Set("Authorization", "Bearer "+token)
			if a := s.post("/Security/WhoAmI", nil); a.status != http.StatusUnauthorized {
				s.Fatal("alive after the logout", a.raw)
			}
		}
		if again := s.start(anna.Name); again.Summary != "NewPackage" {
			s.Fatalf("%+v", again)
		}
	})
}

func TestLogoutRedirects(t *testing.T) {
	each(t, func(s *site) {
		for to, want := range map[string]string{
			"/my?x=1": "/my?x=1", "https://" + s.host + "/done": "https://" + s.host + "/done", "": "/login", "//evil.test/": "/login",
			"https://evil.test/": "/login", `/\evil.test`: "/login", "javascript:alert(1)": "/login", "https://" + s.host + "@evil.test/": "/login",
			"http://" + s.host + "/": "/login", "relative": "/login",
		} {
			s.header.Set("Accept", "text/html")
			w := s.send(http.MethodGet, "/Security/Logout?redirectUrl="+url.QueryEscape(to), "")
			if w.Code != http.StatusFound || w.Header().Get("Location") != want {
				s.Errorf("%s: %d %s", to, w.Code, w.Header().Get("Location"))
			}
			s.header.Del("Accept")
			if a := s.post("/Security/Logout", nil); !a.Success || string(a.Result) != "null" {
				s.Error("without a session", a.raw)
			}
		}
	})
}

func TestSignOut(t *testing.T) {
	each(t, func(s *site) {
		s.only("UP")
		anna, bob := s.Add("anna"), s.Add("bob")
		one := s.signIn(anna.Name).Auth
		s.jar = map[string]*http.Cookie{}
		two := s.signIn(anna.Name).Auth
		s.jar = map[string]*http.Cookie{}
		other := s.signIn(bob.Name).Auth
		s.jar = map[string]*http.Cookie{}
		s.header.Set("Authorization", "Bearer "+one)
		if a := s.post("/UserMgmt/SignOutCurrentSession", nil); !a.Success || s.alive(one) || !s.alive(two) {
			s.Fatal(a.raw)
		}
		s.header.Set("Authorization", "Bearer "+other)
		for _, id := range []string{anna.ID, "nobody@" + s.Suffix} {
			if a := s.post("/UserMgmt/SignOutEverywhere?id="+url.QueryEscape(id), nil); a.Success || !strings.Contains(*a.Message, "not authorized") || !s.alive(two) {
				s.Fatal(a.raw)
			}
		}
		if a := s.post("/UserMgmt/SignOutEverywhere", m{"id": bob.ID}); !a.Success || s.alive(other) {
			s.Fatal("one's own", a.raw)
		}
		three := s.signIn(anna.Name).Auth
		s.Promote(bob.ID)
		s.jar = map[string]*http.Cookie{}
		s.header.Del("Authorization")
		s.header.Set("Authorization", "Bearer "+s.signIn(bob.Name).Auth)
		if a := s.post("/UserMgmt/SignOutEverywhere", m{"id": anna.Name}); !a.Success || s.alive(two) || s.alive(three) {
			s.Fatal("an administrator", a.raw)
		}
		if a := s.post("/Security/RefreshToken", nil); !a.Success {
			s.Fatal(a.raw)
		}
	})
}

func TestOldLogin(t *testing.T) {
	each(t, func(s *site) {
		s.only("UP;OATH")
		anna := s.Add("anna")
		form := url.Values{"user": {anna.Name}, "password": {logintest.Secret}}.Encode()
		for name, a := range map[string]func() answer{
			"query": func() answer { return s.read(s.send(http.MethodGet, "/security/login/?"+form, "")) },
			"body, not strict": func() answer {
				return s.read(s.send(http.MethodPost, "/Security/Login", "{user:'"+anna.Name+"',password:'"+logintest.Secret+"'}"))
			},
		} {
			s.jar = map[string]*http.Cookie{}
			if g := a().got(s); g.Summary != "LoginSuccess" || !s.alive(g.Auth) || g.UserId != anna.ID || s.jar[identity.SessionCookie].Value != g.Auth {
				s.Fatalf("%s: %+v", name, g)
			}
		}
		s.golden("failure", s.post("/Security/Login", m{"user": anna.Name, "password": "wrong"}))
		s.golden("failure", s.post("/Security/Login", m{"user": s.Name("nobody"), "password": logintest.Secret}))
		s.Enroll(anna.ID)
		s.golden("failure", s.post("/Security/Login", m{"user": anna.Name, "password": logintest.Secret}))
	})
}

func TestRefreshPlatformToken(t *testing.T) {
	each(t, func(s *site) {
		s.only("UP")
		anna := s.Add("anna")
		g := s.signIn(anna.Name, m{"PlatformTokenResponse": true})
		id, refresh := "idToken-"+s.Tenant.ID, "refreshToken-"+s.Tenant.ID
		s.jar = map[string]*http.Cookie{id: {Name: id, Value: g.Token}, refresh: {Name: refresh, Value: g.RefreshToken}}
		s.Now = s.Now.Add(16 * time.Minute) // the platform token is over
		if w := s.send(http.MethodPost, "/OAuth2/RefreshPlatformToken", ""); w.Code != 200 || s.jar[refresh].Value == g.RefreshToken || s.jar[id].Value == g.Token {
			s.Fatal(w.Code, w.Body)
		}
		s.header.Set("Authorization", "Bearer "+s.jar[id].Value)
		fresh := s.jar
		s.jar = map[string]*http.Cookie{}
		if who := s.post("/Security/WhoAmI", nil).got(s); who.UserUuid != anna.ID {
			s.Fatalf("%+v", who)
		}
		s.header.Del("Authorization")
		for name, jar := range map[string]map[string]*http.Cookie{
			"none": {}, "no platform token": {refresh: fresh[refresh]}, "no refresh token": {id: fresh[id]},
			"forged": {id: {Name: id, Value: "a.b.c"}, refresh: fresh[refresh]}, "unknown": {id: fresh[id], refresh: {Name: refresh, Value: "x"}},
		} {
			s.jar = jar
			if w := s.send(http.MethodPost, "/OAuth2/RefreshPlatformToken", ""); w.Code != http.StatusUnauthorized {
				s.Fatal(name, w.Code, w.Body)
			}
		}
		if !s.alive(g.Auth) {
			s.Fatal("ended too early")
		}
		s.jar = map[string]*http.Cookie{id: {Name: id, Value: g.Token}, refresh: {Name: refresh, Value: g.RefreshToken}}
		if w := s.send(http.MethodPost, "/OAuth2/RefreshPlatformToken", ""); w.Code != http.StatusUnauthorized || s.alive(g.Auth) {
			s.Fatal("a refresh token came twice and the session lives", w.Code)
		}
		s.jar = fresh
		if w := s.send(http.MethodPost, "/OAuth2/RefreshPlatformToken", ""); w.Code != http.StatusUnauthorized {
			s.Fatal("the thief's, or the owner's, goes on", w.Code)
		}
	})
}

func TestLinkPage(t *testing.T) {
	each(t, func(s *site) {
		anna := s.Add("anna")
		p := s.start(anna.Name)
		mail := p.pick(s, 1, "EMAIL")
		s.advance(p.SessionId, p.pick(s, 0, "UP").MechanismId, "Answer", logintest.Secret)
		s.advance(p.SessionId, mail.MechanismId, "StartOOB", "")
		q := "?answer=" + answerOf(s, s.Sent[0])
		s.jar = map[string]*http.Cookie{}
		for range 2 { // a scanner looks
			w := s.send(http.MethodGet, "/Security/AnswerOOBChallenge"+q, "")
			if w.Code != 200 || !strings.Contains(w.Body.String(), anna.Name) || !strings.Contains(w.Body.String(), "192.0.2.10") ||
				!strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
				s.Fatal(w.Code, w.Body, w.Header())
			}
		}
		if g := s.advance(p.SessionId, mail.MechanismId, "Poll", nil).got(s); g.Summary != "OobPending" {
			s.Fatalf("%+v", g)
		}
		s.header.Set("Content-Type", "application/x-www-form-urlencoded")
		if w := s.send(http.MethodPost, "/Security/AnswerOOBChallenge", q[1:]); w.Code != 200 || !strings.Contains(w.Body.String(), "Confirmed") {
			s.Fatal(w.Code, w.Body)
		}
		s.header.Del("Content-Type")
		for _, bad := range []string{q, "?answer=x", ""} {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				if w := s.send(method, "/Security/AnswerOOBChallenge"+bad, ""); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "not valid any more") {
					s.Fatal(method, bad, w.Code, w.Body)
				}
			}
		}
		if g := s.advance(p.SessionId, mail.MechanismId, "Poll", nil).got(s); g.Summary != "LoginSuccess" || !s.alive(g.Auth) || s.jar[identity.SessionCookie].Value != g.Auth {
			s.Fatalf("%+v", g)
		}
	})
}

func TestPodFqdn(t *testing.T) {
	each(t, func(s *site) {
		other := serve(s.T, logintest.New(s.T, s.DB))
		s.golden("pod", s.post("/Security/StartAuthentication", m{"User": "@" + s.Suffix, "Version": "1.0"}))
		if a := s.post("/Security/StartAuthentication", m{"User": "@unknown.test", "Version": "1.0"}); a.Success || a.Message == nil {
			s.Fatal(a.raw)
		}
		// At the other tenant's host, by the suffix: go home.
		s.host = other.host
		a := s.post("/Security/StartAuthentication", m{"User": "anna@" + s.Suffix, "Version": "1.0"})
		if g := a.got(s); !strings.EqualFold(g.PodFqdn, s.Tenant.Host) || len(g.Challenges) != 0 {
			s.Fatal(a.raw)
		}
	})
}

func TestDiscovery(t *testing.T) {
	each(t, func(s *site) {
		sub := strings.Split(s.host, ".")[0]
		for path, want := range map[string]string{
			"/api/identity-endpoint/" + sub:                            `"endpoint":"https://` + s.host,
			"/api/v2/services/subdomain/" + sub:                        `"identity_administration":{"api":"https://` + s.host,
			"/api/public/tenant-discovery?bySubdomain=" + sub:          `"service_name":"identity_administration"`,
			"/api/public/tenant-discovery?bySubdomain=" + sub + "&x=1": `"is_active":true`,
		} {
			if w := s.send(http.MethodGet, path, ""); w.Code != 200 || !strings.Contains(w.Body.String(), want) || strings.Contains(w.Body.String(), "success") {
				s.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
		}
		for path, want := range map[string]int{"/api/identity-endpoint/nowhere": 404, "/api/v2/services/subdomain/nowhere": 404, "/api/public/tenant-discovery": 400} {
			if w := s.send(http.MethodGet, path, ""); w.Code != want {
				s.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
		}
	})
}

func TestCleanup(t *testing.T) {
	each(t, func(s *site) {
		s.only("UP")
		anna := s.Add("anna")
		p := s.start(anna.Name)
		for _, id := range []string{p.SessionId, p.SessionId, "unknown"} {
			if a := s.post("/Security/CleanupAuthentication", m{"TenantId": s.Tenant.ID, "SessionId": id}); !a.Success {
				s.Fatal(a.raw)
			}
		}
		s.golden("failure", s.advance(p.SessionId, p.pick(s, 0, "UP").MechanismId, "Answer", logintest.Secret))
		if a := s.post("/Security/CleanupAuthentication", m{}); a.Success {
			s.Fatal(a.raw)
		}
	})
}

func TestMultipleOperations(t *testing.T) {
	each(t, func(s *site) {
		anna := s.Add("anna")
		s.Enroll(anna.ID)
		p := s.start(anna.Name)
		g := s.post("/Security/AdvanceAuthentication", m{"SessionId": p.SessionId, "TenantId": s.Tenant.ID, "MultipleOperations": []m{
			{"MechanismId": p.pick(s, 0, "UP").MechanismId, "Action": "Answer", "Answer": logintest.Secret},
			{"MechanismId": p.pick(s, 1, "OATH").MechanismId, "Action": "Answer", "Answer": s.Code()},
		}}).got(s)
		if g.Summary != "LoginSuccess" || g.AuthLevel != "High" || len(s.list(anna.ID)) != 1 {
			s.Fatalf("%+v", g)
		}
	})
}
