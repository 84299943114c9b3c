package profiles_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor/oath"
	"limen/internal/core/profile"
	"limen/internal/surface/identity"
)

type object = map[string]any

// client is a browser or a script at a tenant.
type client struct {
	*testing.T
	site   *apptest.Site
	token  string // of an administrator; empty: a stranger
	device string // cookie
}

// post sends a request, and reads the result into out unless that is nil; it says whether it succeeded.
func (c *client) post(path string, in, out any) bool {
	c.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		c.Fatal(err)
	}
	r, err := http.NewRequestWithContext(c.Context(), http.MethodPost, c.site.URL+path, bytes.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	r.Host = c.site.Host
	r.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	if c.device != "" {
		r.AddCookie(&http.Cookie{Name: identity.DeviceCookie, Value: c.device})
	}
	res, err := c.site.HTTP.Do(r)
	if err != nil {
		c.Fatal(err)
	}
	defer res.Body.Close()
	for _, cookie := range res.Cookies() {
		if cookie.Name == identity.DeviceCookie && c.token == "" {
			c.device = cookie.Value
		}
	}
	answer := struct {
		Success bool            `json:"success"`
		Result  json.RawMessage `json:"Result"`
	}{}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		c.Fatal(path, err)
	}
	if out != nil && string(answer.Result) != "null" {
		if err := json.Unmarshal(answer.Result, out); err != nil {
			c.Fatal(path, err)
		}
	}
	return answer.Success
}

func (c *client) must(path string, in, out any) {
	c.Helper()
	if !c.post(path, in, out) {
		c.Fatal(path, in, "was refused")
	}
}

// use has everybody sign in by a profile.
func (c *client) use(name string, minutes, questions int, rounds ...string) string {
	c.Helper()
	settings := object{"Name": name, "Challenges": rounds, "DurationInMinutes": minutes}
	if questions > 0 {
		settings["AdditionalData"] = object{"NumberOfQuestions": questions}
	}
	var made struct{ Uuid string } //nolint:revive // as the contract spells it
	c.must("/AuthProfile/SaveProfile", object{"settings": settings}, &made)
	c.must("/Core/SetTenantConfig", object{"key": "Authentication.Profile", "value": made.Uuid}, nil)
	return made.Uuid
}

// asked is a package of challenges.
type asked struct {
	SessionID  string `json:"SessionId"`
	Challenges []struct {
		Mechanisms []struct {
			Name, MechanismID  string
			MultipartMechanism struct {
				MechanismParts []struct{ UUID, QuestionText string }
			}
		}
	}
	Summary string
}

// start begins a sign-in that must ask for these mechanisms.
func (c *client) start(user, want string) (p asked) {
	c.Helper()
	c.must("/Security/StartAuthentication", object{"User": user, "Version": "1.0"}, &p)
	if got := p.names(); got != want {
		c.Fatalf("%s is asked for %s, want %s", user, got, want)
	}
	return p
}

func (p asked) names() string {
	var rounds []string
	for _, ch := range p.Challenges {
		var names []string
		for _, m := range ch.Mechanisms {
			names = append(names, m.Name)
		}
		rounds = append(rounds, strings.Join(names, ","))
	}
	return strings.Join(rounds, ";")
}

// answer answers the first mechanism of a challenge.
func (c *client) answer(p asked, at int, answer any) (out asked) {
	c.Helper()
	in := object{"SessionId": p.SessionID, "MechanismId": p.Challenges[at].Mechanisms[0].MechanismID, "Action": "Answer", "Answer": answer}
	c.post("/Security/AdvanceAuthentication", in, &out)
	return out
}

func (c *client) expect(got asked, want string) {
	c.Helper()
	if got.Summary != want {
		c.Fatalf("%s, want %s", got.Summary, want)
	}
}

const seed = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

// enroll gives somebody an authenticator.
func enroll(t *testing.T, site *apptest.Site, userID string) {
	t.Helper()
	if err := site.App.Logins.Ensure(t.Context(), site.ID); err != nil {
		t.Fatal(err)
	}
	site.Do(t, audit.FactorEnroll, func(ctx context.Context, c *call.Call) error {
		_, err := site.App.OATH.Set(ctx, c, userID, oath.Seed{Secret: seed})
		return err
	})
}

// code is what the authenticator shows.
func (c *client) code() string {
	c.Helper()
	code, err := oath.Code(seed, "SHA1", 6, time.Now().Unix()/30)
	if err != nil {
		c.Fatal(err)
	}
	return code
}

// Profiles decide what people answer, as soon as the setting names one.
func TestSignInByProfile(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		admin := &client{T: t, site: site, token: site.TokenOf(t, "admin")}
		boss := site.Admin.Name
		enroll(t, site, site.Admin.ID)
		admin.must("/UserMgmt/ResetUserPassword", object{"ID": site.Plain.ID, "newPassword": "Yellow-Staple-7-Wagon"}, nil)
		stranger := &client{T: t, site: site}

		admin.use("One round", 0, 0, "UP", "")
		stranger.expect(stranger.answer(stranger.start(boss, "UP"), 0, apptest.Password), "LoginSuccess")

		// Two rounds; on the device on which they were passed the second stands for an hour.
		two := admin.use("Two rounds", 60, 0, "UP", "OATH,EMAIL")
		laptop, other := &client{T: t, site: site}, &client{T: t, site: site}
		p := laptop.start(boss, "UP;OATH")
		laptop.expect(laptop.answer(p, 0, apptest.Password), "StartNextChallenge")
		laptop.expect(laptop.answer(p, 1, laptop.code()), "LoginSuccess")
		laptop.expect(laptop.answer(laptop.start(boss, "UP"), 0, apptest.Password), "LoginSuccess")
		other.start(boss, "UP;OATH")
		admin.must("/AuthProfile/SaveProfile", object{"settings": object{"Uuid": two, "Name": "Two rounds", "Challenges": []string{"UP", "OATH,EMAIL"}}}, nil)
		p = laptop.start(boss, "UP;OATH")
		laptop.expect(laptop.answer(p, 0, apptest.Password), "StartNextChallenge")
		laptop.expect(laptop.answer(p, 1, "000000"), "Failure")

		// Somebody who has nothing for the second round.
		admin.use("Authenticator", 0, 0, "UP", "OATH")
		stranger.expect(stranger.answer(stranger.start(site.Plain.Name, "UP"), 0, "Yellow-Staple-7-Wagon"), "LoginSuccess")
		admin.must("/Core/SetTenantConfig", object{"key": "Authentication.RequireSecondFactor", "value": "true"}, nil)
		stranger.expect(stranger.answer(stranger.start(site.Plain.Name, "UP"), 0, "Yellow-Staple-7-Wagon"), "Failure")

		// Two security questions.
		var added []object
		for _, q := range []string{"Pet", "Town", "Book"} {
			added = append(added, object{"QuestionText": q + "?", "Answer": "the " + q})
		}
		admin.must("/UserMgmt/UpdateSecurityQuestions", object{"ID": site.Admin.ID, "Added": added}, nil)
		admin.use("Asked", 0, 2, "UP", "SQ")
		p = stranger.start(boss, "UP;SQ")
		parts := p.Challenges[1].Mechanisms[0].MultipartMechanism.MechanismParts
		if len(parts) != 2 {
			t.Fatalf("%+v", p)
		}
		answers := object{}
		for _, part := range parts {
			answers[part.UUID] = "THE " + strings.TrimSuffix(part.QuestionText, "?")
		}
		stranger.expect(stranger.answer(p, 0, apptest.Password), "StartNextChallenge")
		stranger.expect(stranger.answer(p, 1, answers), "LoginSuccess")
	})
}

// The built-in profile for recoveries acts once the setting names it, and the second round of a sign-in comes back after
// an administrator has set the password.
func TestResets(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		admin := &client{T: t, site: site, token: site.TokenOf(t, "admin")}
		admin.must("/Core/SetTenantConfig", object{"key": "Authentication.RecoveryProfile", "value": profile.Reset}, nil)
		admin.must("/UserMgmt/ResetUserPassword", object{"ID": site.Plain.ID, "newPassword": "Yellow-Staple-7-Wagon"}, nil)
		enroll(t, site, site.Plain.ID)
		admin.use("Two rounds", 60, 0, "UP", "OATH")
		laptop := &client{T: t, site: site}
		p := laptop.start(site.Plain.Name, "UP;OATH")
		laptop.expect(laptop.answer(p, 0, "Yellow-Staple-7-Wagon"), "StartNextChallenge")
		laptop.expect(laptop.answer(p, 1, laptop.code()), "LoginSuccess")
		laptop.start(site.Plain.Name, "UP")
		admin.must("/UserMgmt/ResetUserPassword", object{"ID": site.Plain.ID, "newPassword": "Green-Staple-7-Wagon"}, nil)
		p = laptop.start(site.Plain.Name, "UP;OATH")
		var out asked
		laptop.must("/Security/AdvanceAuthentication", object{"SessionId": p.SessionID, "Action": "ForgotPassword"}, &out)
		if out.names() != "EMAIL,OATH;RESET" && out.names() != "OATH,EMAIL;RESET" {
			t.Fatal(out.names())
		}
	})
}
