package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Somebody sets the authenticator up in a browser, with the keyboard, and approves and refuses sign-ins there. Its key stays in the browser.
func TestBrowserAuthenticator(t *testing.T) {
	t.Parallel()
	w := newSite(t, "SQLite")
	anna := w.person(t, "anna", nil)
	b := open(t, w.Server)
	b.visit("/authenticator")
	b.shows("Authenticator", "This device is not set up yet.")
	b.look("authenticator-new")
	b.press(`#signin a`)
	b.shows("Sign in to Limen")
	b.keys(anna + kb.Enter)
	b.shows("Enter your password")
	b.keys(password + kb.Enter)
	b.shows("Show that it is you")
	b.keys(kb.Enter)
	b.shows("Enter the code")
	b.keys(code.FindString(w.mail.Wait(t, "anna@example.com", 1).Text) + kb.Enter)
	b.shows("Name of this device", anna)
	b.look("authenticator-setup")
	b.do(chromedp.Focus(`#name`, chromedp.ByQuery))
	b.keys("Phone" + kb.Enter)
	b.shows("This device is set up.", "Nothing waits for you.")
	b.look("authenticator-idle")

	p := w.proved(t, anna)
	begin := func() (number string) {
		r := w.act(t, p, 1, "OTP", "StartOOB", nil, "OobPending")
		return r.GeneratedAuthValue
	}
	number := begin()
	b.shows("Is it you who signs in?", "Limen", anna, "127.0.0.1")
	b.look("authenticator-ask")
	b.keys(number + kb.Enter)
	b.shows("Approved.")
	w.entered(t, w.act(t, p, 1, "OTP", "Poll", nil, "LoginSuccess"), anna, "High")

	// The code that it shows, after a reload: what it keeps is still there.
	b.visit("/authenticator")
	b.shows("Nothing waits for you.")
	var shown string
	for end := time.Now().Add(10 * time.Second); len(strings.TrimSpace(shown)) != 6 && time.Now().Before(end); {
		b.do(chromedp.Text(`#code`, &shown, chromedp.ByQuery))
	}
	p = w.proved(t, anna)
	w.entered(t, w.act(t, p, 1, "OTP", "Answer", strings.TrimSpace(shown), "LoginSuccess"), anna, "High")

	p = w.proved(t, anna)
	begin()
	b.shows("Is it you who signs in?")
	b.press(`#refuse`)
	b.shows("Refused. Nobody was signed in.")
	for n := 2; ; n++ { // others tell of the device, and of sign-ins from unknown places
		if strings.Contains(w.mail.Wait(t, "anna@example.com", n).Text, "refused on your authenticator") {
			break
		}
	}

	// Revoked, it says so, and forgets its key.
	var list struct {
		Results []struct{ Row struct{ Id, Name string } }
	}
	must(t, w.admin, "/Authenticator/GetAuthenticators", object{}, &list)
	if len(list.Results) != 1 || list.Results[0].Row.Name != "Phone" {
		t.Fatalf("%+v", list)
	}
	must(t, w.admin, "/Authenticator/DeleteAuthenticator", object{"Id": list.Results[0].Row.Id}, nil)
	b.shows("This device was removed from your account.")
	b.visit("/authenticator")
	b.shows("Name of this device")
}
