package e2e

import (
	"testing"

	"github.com/chromedp/chromedp/kb"

	"limen/test/rig"
)

// A stranger finds the way from the page of sign-in, registers by keyboard alone while the browser does its work, agrees to the terms, and waits for
// approval.
func TestBrowserRegisters(t *testing.T) {
	t.Parallel()
	s := start(t, "SQLite", rig.Options{Args: []string{"--dev"}})
	c := client(t, s)
	w := &workspace{Server: s, admin: admin(t, s), anyone: c.HTTP, base: c.Base}
	for key, value := range map[string]any{"Signup.Allowed": true, "ForgotUsername.Allowed": true, "Captcha.Work": 20000} {
		must(t, w.admin, "/Core/SetTenantConfig", object{"key": key, "value": value}, nil)
	}
	must(t, w.admin, "/IdentityVerification/UpdateIdentityVerificationConfiguration", object{"ApprovalWorkflowEnabled": true}, nil)
	must(t, w.admin, "/ConsentManagement/UpdateConsentManagementConfiguration", object{
		"ConsentManagementEnabled": true, "Version": "1", "Documents": []object{{"Language": "en", "Text": "We keep your name."}},
	}, nil)

	b := open(t, s)
	b.visit("/login")
	b.shows("Register", "Forgot your user name?")
	b.look("name-more")
	b.press(`a[href="/username"]`)
	b.shows("Forgot your user name?", "Mail address")
	b.look("username")
	b.keys("ada@new.example" + kb.Enter)
	b.shows("If user names belong to this address")
	b.look("username-told")
	b.visit("/signup")
	b.shows("Make yourself an account")
	b.look("signup")
	b.keys("ada@new.example" + kb.Tab + "Ada" + kb.Tab + "Neu" + kb.Tab + password + kb.Enter)
	b.shows("Enter the code", "We keep your name.")
	b.look("signup-code")
	b.keys(w.mailed(t, "ada@new.example", 0, longToken) + kb.Tab + " " + kb.Enter)
	b.shows("Your registration waits for approval")
	b.look("signup-waits")
	must(t, w.admin, "/IdentityVerification/UpdateUserSignUpStatus", object{"UserId": "ada@limen", "Status": "Approved"}, nil)
}
