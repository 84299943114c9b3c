package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/pquerna/otp/totp"
)

// shop is an application of another site, whose policy lets in nothing but the widget's two files and calls to the tenant, and no text become
// HTML or script.
const shop = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Shop</title>
<link rel="stylesheet" href="%[1]s/vfslow/lib/uibuild/standalonelogin/css/login.css"></head>
<body><header><p>Shop</p></header><main><h1>Shop</h1><div id="login"></div><p id="out"></p></main>
<script src="%[1]s/vfslow/lib/uibuild/standalonelogin/login.js"></script><script src="/shop.js"></script></body></html>`

const shopScript = `
const q = new URLSearchParams(location.search);
const out = text => { document.getElementById("out").textContent += text + " "; };
document.addEventListener("securitypolicyviolation", e => { if (e.sourceFile) out("violation:" + e.violatedDirective + e.sourceFile); }); // a debugger has no file
LaunchLoginView({
  containerSelector: "#login", apiFqdn: %[1]q, username: q.get("user") || "", autoSubmitUsername: q.has("user"), locale: q.get("locale") || "",
  success: data => { out("success:" + data.Summary + ":" + data.User); window.auth = data.Auth; },
  failure: data => out("failure:" + data.Summary + ":" + data.Result.Summary),
});`

// openShop serves the page at another host than the program's.
func openShop(t *testing.T, w *site) (origin string) {
	t.Helper()
	at, err := url.Parse(w.URL)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/shop.js" {
			rw.Header().Set("Content-Type", "text/javascript")
			fmt.Fprintf(rw, shopScript, at.Host)
			return
		}
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		rw.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self' "+w.URL+"; style-src "+w.URL+"; connect-src "+w.URL+
			"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'")
		fmt.Fprintf(rw, shop, w.URL)
	}))
	t.Cleanup(s.Close)
	host := map[string]string{"localhost": "127.0.0.1"}[at.Hostname()]
	if host == "" {
		host = "localhost"
	}
	return strings.Replace(s.URL, "127.0.0.1", host, 1)
}

// People sign in to an application in its own page, by password and code, and by password and number on their authenticator; nothing of it
// works in a page that the tenant has not named.
func TestBrowserWidget(t *testing.T) {
	t.Parallel()
	w := newSite(t, "SQLite")
	anna := w.person(t, "anna", nil)
	me := w.enter(t, anna)
	phone := w.carry(t, me)
	var offer struct{ UrlQr, ProfileUuid string }
	must(t, me, "/Mobile/GetUserThirdPartyOtp", object{"DeviceId": nil}, &offer)
	secret := secretOf(t, offer.UrlQr)
	first, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	must(t, me, "/Mobile/ValidateAndSetUserThirdPartyOtp", object{"otpCode": first, "uuid": offer.ProfileUuid}, nil)

	b := open(t, w.Server)
	b.base = openShop(t, w)
	b.do(chromedp.EmulateViewport(360, 760), emulation.SetEmulatedMedia().WithMedia("screen"))
	b.visit("/")
	b.shows("Sign in to", "User name")
	b.do(chromedp.Focus(`#login input`, chromedp.ByQuery))
	b.keys(anna + kb.Enter)
	b.shows("That did not work. Try again.") // the tenant has not named the page

	must(t, w.admin, "/TenantConfig/SetCustomerConfig", object{"AllowCors": []string{b.base}}, nil)
	b.visit("/")
	b.shows("Sign in to", "User name")
	b.look("widget-name")
	b.do(chromedp.Focus(`#login input`, chromedp.ByQuery))
	b.keys(anna + kb.Enter)
	b.shows("Enter your password", anna)
	b.look("widget-password")
	b.keys("wrong-password" + kb.Enter)
	b.shows("Enter your password", "That was not right. Please try again.", "failure:Failure:Failure")
	b.keys(password + kb.Enter)
	b.shows("How do you want to go on?", "Code from your authenticator app", "Mobile authenticator")
	b.pressNamed("Code from your authenticator app")
	b.shows("Enter the code")
	b.look("widget-code")
	next, err := totp.GenerateCode(secret, time.Now().Add(30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	b.keys(next + kb.Enter)
	b.shows("You are signed in", "success:LoginSuccess:"+anna)
	b.lacks("violation")
	b.belongs(w, anna)

	b.visit("/?locale=de&user=" + url.QueryEscape(anna))
	b.shows("Passwort")
	b.do(chromedp.Focus(`#login input[type=password]`, chromedp.ByQuery))
	b.keys(password + kb.Enter)
	b.shows("Wie möchten Sie fortfahren?")
	b.visit("/?user=" + url.QueryEscape(anna))
	b.shows("Enter your password")
	b.do(chromedp.Focus(`#login input[type=password]`, chromedp.ByQuery))
	b.keys(password + kb.Enter)
	b.shows("How do you want to go on?")
	b.pressNamed("Mobile authenticator")
	b.shows("Your authenticator will be asked")
	b.pressNamed("Ask my authenticator")
	b.shows("Enter this number there:")
	b.look("widget-number")
	var number string
	b.do(chromedp.Text(`#login .number`, &number, chromedp.ByQuery))
	w.answer(t, phone, true, strings.TrimSpace(number))
	b.shows("You are signed in", "success:LoginSuccess:"+anna)
	b.lacks("violation")
	b.belongs(w, anna)

	// The tenant's own page, which ends signed in here.
	var id string
	must(t, w.admin, "/Widget/SetWidget", object{"Name": "Shop"}, &id)
	b.base = w.URL
	b.visit("/Widget/GetAuthWidgetAsPage?widgetId=" + id + "&username=" + url.QueryEscape(anna))
	b.shows("Enter your password", anna)
	b.look("widget-page")
	b.do(chromedp.Focus(`#login input[type=password]`, chromedp.ByQuery))
	b.keys(password + kb.Enter)
	b.shows("How do you want to go on?")
	b.pressNamed("Mobile authenticator")
	b.shows("Your authenticator will be asked")
	b.pressNamed("Ask my authenticator")
	b.shows("Enter this number there:")
	b.do(chromedp.Text(`#login .number`, &number, chromedp.ByQuery))
	w.answer(t, phone, true, strings.TrimSpace(number))
	b.shows("You are signed in", "Sign out")
}

// pressNamed presses the button of the widget with a text, by the keyboard.
func (b *tab) pressNamed(text string) {
	b.t.Helper()
	b.do(chromedp.Evaluate(fmt.Sprintf(`[...document.querySelectorAll("#login button")].find(x => x.textContent == %q).focus()`, text), nil))
	b.keys(kb.Enter)
}

func (b *tab) lacks(text string) {
	b.t.Helper()
	var all string
	b.do(chromedp.Evaluate(`document.body.innerText`, &all))
	if strings.Contains(all, text) {
		b.t.Errorf("there is %q in %s", text, all)
	}
}

// belongs wants the session that the page was handed to be somebody's.
func (b *tab) belongs(w *site, user string) {
	b.t.Helper()
	var auth string
	b.do(chromedp.Evaluate(`window.auth`, &auth))
	var who struct{ User string }
	must(b.t, w.anyone.As(auth), "/Security/WhoAmI", nil, &who)
	if who.User != user {
		b.t.Errorf("the page has a session of %q", who.User)
	}
}
