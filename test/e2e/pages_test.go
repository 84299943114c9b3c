package e2e

import (
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"golang.org/x/oauth2"
)

// logo is a picture of 8 by 8 pixels.
const logo = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR42mOQjVqGFTEMLQkAtR1HQS1tkOcAAAAASUVORK5CYII="

// press presses a button by the keyboard.
func (b *tab) press(selector string) {
	b.t.Helper()
	b.do(chromedp.Focus(selector, chromedp.ByQuery))
	b.keys(kb.Enter)
}

// speaks has the browser ask for a language.
func (b *tab) speaks(lang string) {
	b.t.Helper()
	b.do(network.Enable(), network.SetExtraHTTPHeaders(network.Headers{"Accept-Language": lang}))
}

// asks is where an application asks for a sign-in, with more parameters.
func (r relying) asks(t *testing.T, more ...oauth2.AuthCodeOption) string {
	t.Helper()
	u, err := url.Parse(r.config.AuthCodeURL("a-state", append(more, oauth2.SetAuthURLParam("nonce", "n"))...))
	if err != nil {
		t.Fatal(err)
	}
	return u.RequestURI()
}

// Every page of a sign-in for an application, in a tenant's own dress and in two scripts, stands up to whoever uses it.
func TestBrowserOfAnApplication(t *testing.T) {
	t.Parallel()
	w := newSite(t, "SQLite")
	r := w.relyingParty(t, object{})
	var id string
	must(t, w.admin, "/CDirectoryService/CreateUser", object{
		"Name": "anna@limen", "Mail": "anna@example.com", "DisplayName": "Anna Stone", "Password": password, "ForcePasswordChangeNext": true,
	}, &id)
	must(t, w.admin, "/SaasManage/SetApplicationPermissions", object{
		"ID": r.id(t, w), "Grants": []object{{"PType": "User", "PrincipalId": id, "Rights": "View,Execute"}},
	}, nil)
	must(t, w.admin, "/TenantConfig/SetCustomerConfig", object{
		"CompanyName": "Acme", "CompanySupportLink": "mailto:help@acme.example", "ThemeColor": "#7a1fa2", "BackgroundColor": "#fbf7ff", "LoginImage": logo,
		"WelcomeMessage": "Welcome to Acme.", "DisplayLoginBanner": true, "LoginBannerMessage": "For staff only. What you do here is written down.",
		"LoginSampleText": "For example: anna@limen", "PrivacyPolicyLink": "https://acme.example/privacy", "TermsOfUseLink": "https://acme.example/terms",
	}, nil)
	must(t, w.admin, "/Core/SetTenantConfig", object{"key": "Session.AllowPersist", "value": "true"}, nil)
	b := open(t, w.Server)

	b.visit("/login")
	b.shows("Sign in to Acme", "Welcome to Acme.", "For staff only.", "For example", "Privacy", "Terms of use")
	var wide int
	if b.do(chromedp.Evaluate(`document.querySelector("header img").naturalWidth`, &wide)); wide != 8 {
		t.Errorf("the logo is not shown: %d pixels", wide)
	}
	b.look("themed")
	b.speaks("ar")
	b.visit("/login")
	b.shows("Acme", "اسم المستخدم")
	b.look("arabic")
	b.speaks("en")

	b.visit("/login")
	b.shows("Sign in to Acme")
	b.keys("anna@limen" + kb.Enter)
	b.shows("Enter your password", "Stay signed in")
	b.look("persist")
	b.keys(password + kb.Enter)
	b.shows("Show that it is you")
	b.keys(kb.Enter)
	b.shows("Enter the code")
	b.visit("/login?wait=1")
	b.shows("Waiting for the link")
	b.look("wait")
	b.visit("/login")
	b.shows("Enter the code")
	b.keys(code.FindString(w.mail.Wait(t, "anna@example.com", 1).Text) + kb.Enter)
	b.shows("Choose a new password", "The password needs:")
	b.look("reset")
	b.keys("a-new-Correct-1-horse" + kb.Tab + "a-new-Correct-2-horse" + kb.Enter)
	b.shows("The two passwords are not the same.")
	b.look("differ")
	b.speaks("he")
	b.visit("/login")
	b.look("hebrew")
	b.speaks("en")
	b.visit("/login")
	b.shows("Choose a new password")
	for _, field := range []string{"#answer", "#again"} {
		b.do(chromedp.SetValue(field, "a-new-Correct-1-horse", chromedp.ByQuery))
	}
	b.press(`form button[type="submit"]`)
	b.shows("You are signed in", "Anna Stone")

	b.visit(strings.Replace(r.asks(t), "wiki.example.com", "evil.example", 1))
	b.shows("cannot be answered", "Wiki sent you here", "invalid redirect")
	b.look("fault")
	b.visit(r.asks(t, oauth2.SetAuthURLParam("prompt", "select_account consent")))
	b.shows("Choose an account", "Anna Stone")
	b.look("select")
	b.press(`form[action="/login/account"] button`)
	b.shows("Wiki asks for access", "know who you are")
	b.look("consent")
	b.speaks("ar")
	b.do(chromedp.Reload())
	b.shows("Wiki")
	b.look("consent-arabic")
	b.speaks("en")
	b.visit("/UPRest/HandleAppClick?appkey=" + r.id(t, w))
	b.shows("This application cannot be opened", "has no address")
	b.look("launch")
	b.speaks("he")
	b.visit("/UPRest/HandleAppClick?appkey=nothing")
	b.shows("אי אפשר לפתוח את היישום הזה", "אין לך רשות לפתוח אותו")
	b.look("launch-hebrew")
	b.speaks("en")
	b.visit("/logout")
	b.shows("Do you want to sign out?")
	b.look("leave")
	b.press(`form[action="/logout"] button`)
	b.shows("You are signed out")
	b.look("left-themed")
}

// A further proof is asked for by an application of somebody who signed in by a password alone, and has no other.
func TestBrowserRaises(t *testing.T) {
	t.Parallel()
	w := newSite(t, "SQLite")
	r := w.relyingParty(t, object{})
	var id string
	must(t, w.admin, "/CDirectoryService/CreateUser", object{"Name": "bert@limen", "Mail": "bert@example.com", "DisplayName": "Bert", "Password": password}, &id)
	must(t, w.admin, "/SaasManage/SetApplicationPermissions", object{
		"ID": r.id(t, w), "Grants": []object{{"PType": "User", "PrincipalId": id, "Rights": "View,Execute"}},
	}, nil)
	must(t, w.admin, "/Core/SetTenantConfig", object{"key": "Authentication.Challenges", "value": "UP"}, nil)
	b := open(t, w.Server)
	b.visit(r.asks(t, oauth2.SetAuthURLParam("acr_values", "High"), oauth2.SetAuthURLParam("prompt", "consent")))
	b.shows("Sign in to Limen")
	b.keys("bert@limen" + kb.Enter)
	b.shows("Enter your password")
	b.keys(password + kb.Enter)
	b.shows("One more proof is needed", "Wiki asks you to show")
	b.look("raise")
	b.keys(kb.Enter)
	b.shows("Show that it is you")
	b.keys(kb.Enter)
	b.shows("Enter the code")
	b.keys(code.FindString(w.mail.Wait(t, "bert@example.com", 1).Text) + kb.Enter)
	b.shows("Wiki asks for access")
	b.press(`button[value="0"]`)
}

// Somebody who is asked by an application elsewhere sees on a page who asks for what, and answers by the keyboard, after a further proof.
func TestBrowserApproves(t *testing.T) {
	t.Parallel()
	w := newSite(t, "SQLite")
	r := w.relyingParty(t, object{})
	var id string
	must(t, w.admin, "/CDirectoryService/CreateUser", object{"Name": "cleo@limen", "Mail": "cleo@example.com", "DisplayName": "Cleo", "Password": password}, &id)
	must(t, w.admin, "/SaasManage/SetApplicationPermissions", object{
		"ID": r.id(t, w), "Grants": []object{{"PType": "User", "PrincipalId": id, "Rights": "View,Execute"}},
	}, nil)
	must(t, w.admin, "/SaasManage/UpdateApplicationDE", object{"_RowKey": r.id(t, w), "OAuthProfile": object{
		"ClientIDType": 1, "ClientSecret": "a-secret-of-the-wiki-itself", "AllowedAuth": "CIBA", "KnownScopes": []object{},
	}}, nil)
	must(t, w.admin, "/Core/SetTenantConfig", object{"key": "Authentication.Challenges", "value": "UP"}, nil)
	for _, message := range []string{"W-4711", "W-4712"} {
		form := url.Values{
			"client_id": {r.config.ClientID}, "client_secret": {"a-secret-of-the-wiki-itself"}, "scope": {"openid email"}, "login_hint": {"cleo@limen"},
			"binding_message": {message}, "acr_values": {"High"},
		}
		if a := submit(t, w.anyone, "/OAuth2/BackchannelAuthorize/wiki", form); a.Status != 200 {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
	}
	if mail := w.mail.Wait(t, "cleo@example.com", 2).Text; !strings.Contains(mail, "/approvals") {
		t.Error("the mail does not say where to answer: ", mail)
	}
	b := open(t, w.Server)
	b.visit("/approvals")
	b.shows("Sign in to Limen")
	b.keys("cleo@limen" + kb.Enter)
	b.shows("Enter your password")
	b.keys(password + kb.Enter)
	b.shows("Requests that wait for you", "Wiki asks for your approval", "W-4711", "W-4712", "Open for")
	b.look("approvals")
	b.speaks("he")
	b.visit("/approvals")
	b.shows("W-4711")
	b.look("approvals-hebrew")
	b.speaks("en")
	b.visit("/approvals")
	b.press(`button[value="refuse"]`)
	b.shows("Refused", "Other requests that wait")
	b.look("approved-refused")
	b.press("a.main")
	b.shows("W-4711")
	b.press(`button[value="agree"]`)
	b.shows("One more proof is needed", "Wiki asks you to show")
	b.keys(kb.Enter)
	b.shows("Show that it is you")
	b.keys(kb.Enter)
	b.shows("Enter the code")
	b.keys(code.FindString(w.mail.Wait(t, "cleo@example.com", 3).Text) + kb.Enter)
	b.shows("W-4711")
	b.press(`button[value="agree"]`)
	b.shows("Approved", "Wiki goes on in your name")
	b.look("approved")
	b.visit("/approvals")
	b.shows("Nothing waits for you")
	b.look("approvals-none")
}
