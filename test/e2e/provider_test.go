package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"limen/internal/core/upstream/upstreamtest"
	"limen/test/rig"
)

// Somebody signs in at an identity provider by keyboard alone, in a real browser with its rules for cookies and redirects, sees the account
// that did it, and takes it away.
func TestBrowserSignsInAtProvider(t *testing.T) {
	t.Parallel()
	p := upstreamtest.Run(t, "company")
	trust := filepath.Join(t.TempDir(), "trust.pem")
	if err := os.WriteFile(trust, p.Certificate(), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, "SQLite", rig.Options{Env: []string{"LIMEN_ALLOW_NETWORK=127.0.0.0/8", "SSL_CERT_FILE=" + trust}})
	a := admin(t, s)
	must(t, a, "/CDirectoryService/CreateUser", object{"Name": "ada@limen", "Mail": p.Mail, "DisplayName": "Ada", "Password": password}, nil)
	must(t, a, "/Core/SetTenantConfig", object{"key": "Authentication.Challenges", "value": "UP"}, nil)
	must(t, a, "/SocialConfig/SetSocialCustomConfig", object{
		"IdpName": "company", "DisplayName": "Our company", "Issuer": p.URL, "AppId": upstreamtest.Client, "AppSecret": upstreamtest.Secret,
		"LinkDomains": "example.com",
	}, nil)
	must(t, a, "/SocialConfig/SetSocialAuthConfig", object{"EnabledSocialUserIdps": "company"}, nil)

	b := open(t, s)
	press := func(button string) {
		b.do(chromedp.Focus(button, chromedp.ByQuery))
		b.keys(kb.Enter)
	}
	b.visit("/login")
	b.shows("Sign in to Limen", "Sign in with Our company")
	b.look("providers")
	press(`button[name="provider"]`)
	b.shows("You are signed in", "ada@limen")
	b.visit("/connections")
	b.shows("Accounts that sign you in", "Our company", p.Mail)
	b.look("connections")
	press(`button[value="remove"]`)
	b.shows("No account elsewhere signs you in here yet.")
	press(`button[value="connect"]`)
	b.shows("With these accounts elsewhere", p.Mail)
}
