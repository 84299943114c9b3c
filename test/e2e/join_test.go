package e2e

import (
	"net/url"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"limen/test/rig"
)

// Somebody who has an account is invited to a workspace, signs in on the way, and joins by keyboard alone. The mail says where.
func TestBrowserGuestJoins(t *testing.T) {
	t.Parallel()
	s := start(t, "SQLite", rig.Options{Args: []string{"--dev"}})
	c := client(t, s)
	w := &workspace{Server: s, admin: admin(t, s), anyone: c.HTTP, base: c.Base}
	w.found(t)
	must(t, w.admin, "/CDirectoryService/CreateUser", object{"Name": "ada@limen", "Mail": "ada@example.com", "DisplayName": "Ada", "Password": password}, nil)
	boss := w.enter(t, "boss@example.com", password)
	must(t, w.admin, "/Core/SetTenantConfig", object{"key": "Authentication.Challenges", "value": "UP"}, nil)
	w.call(t, boss, "POST", "/uauth/users/invitations/invite", object{"email": "ada@example.com"}, 200)
	code := w.mailed(t, "ada@example.com", 0, longToken)

	b := open(t, s)
	b.visit("/join?" + url.Values{"code": {code}}.Encode())
	b.shows("Sign in to Limen")
	b.keys("ada@limen" + kb.Enter)
	b.shows("Enter your password")
	b.keys(password + kb.Enter)
	b.shows("Join a workspace", "Code of the invitation")
	b.look("join")
	b.keys(kb.Enter)
	b.shows("Join Nord?", "ada@limen")
	b.look("joining")
	b.press(`button[value="join"]`)
	b.shows("You have joined Nord")
	b.look("joined")
	b.visit("/join")
	b.keys(code + kb.Enter)
	b.shows("This invitation is not valid", "Code of the invitation")
	b.look("join-wrong")
	in := w.call(t, "", "POST", "/uauth/auth/login/user", object{"username": "ada@example.com", "password": password}, 200)
	if in["consumer"].(object)["businessProfileId"] == nil {
		t.Errorf("Ada is in no workspace: %v", in)
	}
}
