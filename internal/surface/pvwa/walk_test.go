package pvwa_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/factor/oath"
	"limen/internal/core/org"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
)

// client is a program that speaks to a tenant.
type client struct {
	t       *testing.T
	s       *apptest.Site
	token   string
	cookies map[string]string
}

func (c *client) do(method, path string, body any) (status int, answer map[string]any, text string) {
	c.t.Helper()
	raw := []byte{}
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			c.t.Fatal(err)
		}
	}
	r, err := http.NewRequest(method, c.s.URL+"/PasswordVault/API"+path, bytes.NewReader(raw))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Host = c.s.Host
	if c.token != "" {
		r.Header.Set("Authorization", c.token)
	}
	for name, value := range c.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	res, err := c.s.HTTP.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, k := range res.Cookies() {
		if c.cookies == nil {
			c.cookies = map[string]string{}
		}
		if k.MaxAge < 0 {
			delete(c.cookies, k.Name)
		} else if k.Name == "LogonState" {
			c.cookies[k.Name] = k.Value
		}
	}
	_ = json.Unmarshal(b, &answer)
	_ = json.Unmarshal(b, &text)
	return res.StatusCode, answer, text
}

// logon signs in, and wants a status.
func (c *client) logon(want int, how, name, password string, concurrent bool) map[string]any {
	c.t.Helper()
	got, answer, token := c.do("POST", "/auth/"+how+"/Logon", map[string]any{"username": name, "password": password, "concurrentSession": concurrent})
	if got != want {
		c.t.Fatalf("logon of %s by %s: %d %v", name, how, got, answer)
	}
	if got == http.StatusOK {
		if len(token) < 180 {
			c.t.Errorf("a token of %d characters", len(token))
		}
		c.token = token
	}
	return answer
}

func (c *client) want(status int, method, path string, body any) map[string]any {
	c.t.Helper()
	got, answer, _ := c.do(method, path, body)
	if got != status {
		c.t.Fatalf("%s %s: %d %v, want %d", method, path, got, answer, status)
	}
	return answer
}

func (c *client) names(query string) (out []string) {
	c.t.Helper()
	answer := c.want(200, "GET", "/Users"+query, nil)
	for _, u := range answer["Users"].([]any) {
		out = append(out, u.(map[string]any)["username"].(string))
	}
	return out
}

// make makes a user who need not change the password, and gives the number.
func (c *client) make(name string, more map[string]any) int {
	c.t.Helper()
	body := map[string]any{"username": name, "initialPassword": password, "changePassOnNextLogon": false}
	for k, v := range more {
		body[k] = v
	}
	return int(c.want(201, "POST", "/Users", body)["id"].(float64))
}

const password = "First-Horse-1-Stable"

func administrator(t *testing.T, s *apptest.Server) *client {
	c := &client{t: t, s: s.Tenant(t)}
	c.logon(200, "CyberArk", "admin", apptest.Password, true)
	return c
}

func (c *client) as(name string) *client {
	out := &client{t: c.t, s: c.s}
	out.logon(200, "CyberArk", name, password, false)
	return out
}

// domain does something in the tenant as the server itself.
func (c *client) domain(f func(ctx context.Context, c *call.Call) error) {
	c.t.Helper()
	c.s.Do(c.t, audit.UserChange, f)
}

// A new session ends the older ones unless they are to go on; others of the person's are left alone.
func TestSessions(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		c := administrator(t, s)
		c.make("anna", nil)
		first, second := c.as("anna"), &client{t: t, s: c.s}
		second.logon(200, "CyberArk", "anna", password, true)
		first.want(200, "GET", "/LoginsInfo", nil)
		third := c.as("anna")
		for _, old := range []*client{first, second} {
			if a := old.want(401, "GET", "/LoginsInfo", nil); a["ErrorCode"] != "PASWS006E" {
				t.Error(a)
			}
		}
		third.want(200, "GET", "/LoginsInfo", nil)
		id := int(c.want(200, "GET", "/Users?userName=anna", nil)["Users"].([]any)[0].(map[string]any)["id"].(float64))
		c.want(200, "POST", fmt.Sprintf("/Users/%d/disable", id), nil)
		third.want(401, "GET", "/LoginsInfo", nil)
	})
}

// Who must show a further factor is asked for it by RADIUS, and told so elsewhere once the password is right.
func TestChallenge(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		c := administrator(t, s)
		c.make("anna", nil)
		const secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
		if err := s.App.Ring.Ensure(t.Context(), c.s.ID, factor.PurposeOATH); err != nil {
			t.Fatal(err)
		}
		c.domain(func(ctx context.Context, call *call.Call) error {
			u, err := s.App.People.ByName(ctx, call, "anna@"+c.s.Suffix)
			if err == nil {
				_, err = s.App.OATH.Set(ctx, call, u.ID, oath.Seed{Name: "app", Secret: secret})
			}
			return err
		})
		anna := &client{t: t, s: c.s}
		if a := anna.logon(403, "CyberArk", "anna", password, false); a["ErrorCode"] != "PASWS013E" {
			t.Error(a)
		}
		if a := anna.logon(403, "CyberArk", "anna", "wrong", false); a["ErrorCode"] != "ITATS004E" {
			t.Error(a)
		}
		if a := anna.logon(500, "RADIUS", "anna", password, false); a["ErrorCode"] != "ITATS542I" || anna.cookies["LogonState"] == "" {
			t.Fatal(a, anna.cookies)
		}
		if a := anna.logon(403, "RADIUS", "anna", "000000", false); a["ErrorCode"] != "ITATS004E" || anna.cookies["LogonState"] != "" {
			t.Error(a, anna.cookies)
		}
		anna.logon(500, "RADIUS", "anna", password, false)
		code, err := oath.Code(secret, "SHA1", 6, time.Now().Unix()/30)
		if err != nil {
			t.Fatal(err)
		}
		c.want(200, "PUT", "/Configuration/AuthenticationMethods/radius", map[string]any{"enabled": false})
		if a := anna.logon(403, "RADIUS", "anna", code, false); a["ErrorCode"] != "PASWS013E" {
			t.Error(a)
		}
		c.want(200, "PUT", "/Configuration/AuthenticationMethods/radius", map[string]any{"enabled": true})
		anna.logon(200, "RADIUS", "anna", code, false)
		anna.want(200, "GET", "/LoginsInfo", nil)
	})
}

// Too many wrong passwords suspend; whoever may activate lets in again.
func TestSuspension(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		c := administrator(t, s)
		id := c.make("anna", nil)
		path := fmt.Sprintf("/Users/%d", id)
		if got := c.names("?userStatus=Active&sort=username&pageSize=2"); !slices.Equal(got, []string{"admin", "anna"}) {
			t.Error(got)
		}
		if got := c.names("?userStatus=suspended"); len(got) > 0 {
			t.Error(got)
		}
		c.domain(func(ctx context.Context, call *call.Call) error { // delays between wrong passwords would take minutes
			then := *call
			for i := range 10 {
				then.Now = call.Now.Add(time.Duration(i-10) * 40 * time.Second)
				if _, err := s.App.Throttle.Count(ctx, &then, throttle.Attempt{Kind: throttle.Password, Login: "anna@" + c.s.Suffix, IP: netip.MustParseAddr("192.0.2.7")}, false); err != nil {
					return err
				}
			}
			return nil
		})
		anna := &client{t: t, s: c.s}
		if a := anna.logon(403, "CyberArk", "anna", password, false); a["ErrorCode"] != "ITATS004E" {
			t.Error(a)
		}
		if full := c.want(200, "GET", path, nil); full["suspended"] != true || full["enableUser"] != true {
			t.Error(full)
		}
		if got := c.names("?userStatus=suspended"); !slices.Equal(got, []string{"anna"}) {
			t.Error(got)
		}
		if got := c.names("?userStatus=Active"); slices.Contains(got, "anna") {
			t.Error(got)
		}
		c.want(200, "POST", path+"/ResetPassword", map[string]any{"newPassword": "Second-Horse-2-Stable"})
		anna.logon(403, "CyberArk", "anna", "Second-Horse-2-Stable", false)
		c.want(200, "POST", path+"/Activate", nil)
		anna.logon(200, "CyberArk", "anna", "Second-Horse-2-Stable", false)
	})
}

// Callers see and change users of their own level of the hierarchy and below, and give what they have.
func TestHierarchy(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		c := administrator(t, s)
		c.domain(func(ctx context.Context, c *call.Call) error {
			sales, err := s.App.Orgs.Create(ctx, c, org.New{Name: "Sales"})
			if err == nil {
				_, err = s.App.Orgs.Create(ctx, c, org.New{Name: "East", Parent: sales.ID})
			}
			if err == nil {
				_, err = s.App.Orgs.Create(ctx, c, org.New{Name: "Labs"})
			}
			return err
		})
		c.make("chief", map[string]any{"location": `\Sales`, "vaultAuthorization": []string{"AuditUsers", "AddUpdateUsers"}})
		c.make("east", map[string]any{"location": `\sales\East`})
		lab := c.make("lab", map[string]any{"location": `\Labs`})
		chief := c.as("chief")
		if got := chief.names("?sort=username"); !slices.Equal(got, []string{"chief", "east"}) {
			t.Error(got)
		}
		chief.want(403, "GET", fmt.Sprintf("/Users/%d", lab), nil) // as of a number that nobody has
		chief.want(403, "POST", "/Users", map[string]any{"username": "x", "initialPassword": password, "location": `\`})
		chief.want(403, "POST", "/Users", map[string]any{"username": "x", "initialPassword": password, "location": `\Labs`})
		chief.want(403, "POST", "/Users", map[string]any{"username": "x", "initialPassword": password, "vaultAuthorization": []string{"AddSafes"}})
		chief.want(403, "POST", "/Users", map[string]any{"username": "x", "initialPassword": password, "vaultAuthorization": []string{"ResetUsersPasswords"}})
		made := chief.want(201, "POST", "/Users", map[string]any{"username": "deputy", "initialPassword": password, "changePassOnNextLogon": false, "location": `\Sales\East`,
			"vaultAuthorization": []string{"AuditUsers"}})
		if made["location"] != `\Sales\East` {
			t.Error(made)
		}
		if got := c.as("deputy").names("?sort=username"); !slices.Equal(got, []string{"deputy", "east"}) {
			t.Error(got)
		}
	})
}

// A person made elsewhere is a user here at once, with what is said where nothing was, and what is changed here is so there.
func TestOnePersonEverywhere(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		c := administrator(t, s)
		var made user.User
		suffix := c.s.Suffix
		c.domain(func(ctx context.Context, c *call.Call) (err error) {
			made, err = s.App.People.Create(ctx, c, user.New{Name: "svc@" + suffix, Service: true, Home: "+4930123"})
			return err
		})
		if got := c.want(200, "GET", "/Users?userName=svc&ExtendedDetails=yes", nil); got["Total"] != 1.0 {
			t.Fatal(got)
		}
		one := c.want(200, "GET", "/Users?userName=svc", nil)["Users"].([]any)[0].(map[string]any)
		if one["userType"] != "AppProvider" || one["componentUser"] != true {
			t.Error(one)
		}
		path := fmt.Sprintf("/Users/%v", one["id"])
		full := c.want(200, "GET", path, nil)
		if full["phones"].(map[string]any)["homeNumber"] != "+4930123" {
			t.Error(full)
		}
		full["userType"], full["phones"] = "EPVUser", map[string]any{"cellularNumber": "+49170999"}
		c.want(200, "PUT", path, full)
		c.domain(func(ctx context.Context, c *call.Call) error {
			u, err := s.App.People.ByID(ctx, c, made.ID)
			if u.Service || !u.Everybody || u.Mobile != "+49170999" || u.Home != "" {
				t.Errorf("%+v", u)
			}
			return err
		})
	})
}
