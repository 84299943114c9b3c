package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"rsc.io/qr/coding"
)

// drawn reads the code that a page draws, as a camera would.
func (b *tab) drawn() string {
	b.t.Helper()
	var path string
	var size int
	b.do(chromedp.AttributeValue(`.scan path[fill="#000"]`, "d", &path, nil, chromedp.ByQuery), chromedp.Evaluate(`document.querySelector(".scan svg").viewBox.baseVal.width`, &size))
	modules := make([][]bool, size-8)
	for i := range modules {
		modules[i] = make([]bool, size-8)
	}
	for _, run := range strings.Split(strings.TrimSuffix(path, "z"), "z") {
		var x, y, n int
		if _, err := fmt.Sscanf(run, "M%d %dh%dv1", &x, &y, &n); err != nil {
			b.t.Fatal(run, err)
		}
		for i := range n {
			modules[y-4][x-4+i] = true
		}
	}
	for level := coding.L; level <= coding.H; level++ {
		for mask := coding.Mask(0); mask < 8; mask++ {
			plan, err := coding.NewPlan(coding.Version((len(modules)-17)/4), level, mask)
			if err != nil {
				b.t.Fatal(err)
			}
			if text := textOf(plan, modules); strings.HasPrefix(text, "https://") {
				return text
			}
		}
	}
	b.t.Fatal("nothing to read is drawn")
	return ""
}

// number is what stands beside the code.
func (b *tab) number() (out string) {
	b.t.Helper()
	b.do(chromedp.Text(`.number`, &out, chromedp.ByQuery))
	return strings.TrimSpace(out)
}

// asSeen gives pages a camera that sees what is put into window.seen, and a detector of what a camera sees. The browser that tests drive has neither.
const asSeen = `navigator.mediaDevices.getUserMedia = async () => document.createElement("canvas").captureStream(5);
HTMLMediaElement.prototype.play = async () => {};
window.BarcodeDetector = class { async detect() { return window.seen ? [{ rawValue: window.seen }] : [] } };`

// Somebody signs in on a desk by a code that they read with the authenticator: opened by the telephone's camera, and read in the app.
func TestBrowserScansCode(t *testing.T) {
	t.Parallel()
	w := newSite(t, "SQLite")
	must(t, w.admin, "/TenantConfig/SetCustomerConfig", object{"EnableQRCode": true}, nil)
	must(t, w.admin, "/Core/SetTenantConfig", object{"key": "Authentication.Challenges", "value": "UP;OTP"}, nil)
	anna := w.person(t, "anna", nil)
	phone, desk := open(t, w.Server), open(t, w.Server)
	phone.do(chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := page.AddScriptToEvaluateOnNewDocument(asSeen).Do(ctx)
		return err
	}))
	phone.visit("/authenticator")
	phone.shows("This device is not set up yet.")
	phone.press(`#signin a`)
	phone.shows("Sign in to Limen")
	phone.keys(anna + kb.Enter)
	phone.shows("Enter your password")
	phone.keys(password + kb.Enter)
	phone.shows("Name of this device", anna)
	phone.do(chromedp.Focus(`#name`, chromedp.ByQuery))
	phone.keys("Phone" + kb.Enter)
	phone.shows("Nothing waits for you.", "Read a code")
	phone.look("authenticator-reads")

	desk.visit("/login?cloudRedirect=%2Flogin")
	desk.shows("Sign in with your phone")
	desk.look("name-code")
	desk.press(`form[action="/login/code"] button`)
	desk.shows("Read this code with your authenticator", "Then enter this number there:")
	desk.look("scan")

	// By the telephone's camera. A wrong number ends it.
	code := desk.drawn()
	if !strings.HasPrefix(code, w.URL+"/Security/SubmitQRCode?sessionId=") {
		t.Fatal(code)
	}
	phone.do(chromedp.Navigate(code))
	phone.shows("Is it you who signs in?", anna, "127.0.0.1")
	phone.look("authenticator-code")
	wrong := "10"
	if desk.number() == wrong {
		wrong = "11"
	}
	phone.keys(wrong + kb.Enter)
	phone.shows("That was not the number. Nobody was signed in.")
	desk.shows("Please begin again.")

	// Read in the app, by the keyboard.
	desk.press(`form[action="/login/code"] button`)
	desk.shows("Then enter this number there:")
	phone.do(chromedp.Focus(`#read`, chromedp.ByQuery))
	phone.keys(kb.Enter)
	phone.shows("Point the camera at the code.")
	phone.look("authenticator-camera")
	phone.do(chromedp.Evaluate(`window.seen="https://elsewhere.example/"`, nil))
	phone.shows("That is no code of a sign-in here.")
	phone.do(chromedp.Evaluate(fmt.Sprintf("window.seen=%q", desk.drawn()), nil), chromedp.Focus(`#read`, chromedp.ByQuery))
	phone.keys(kb.Enter)
	phone.shows("Is it you who signs in?", anna)
	phone.keys(desk.number() + kb.Enter)
	phone.shows("Approved.")
	desk.shows("Enter your password", anna)
	desk.keys(password + kb.Enter)
	desk.shows("You are signed in", anna)

	// The code of a name that nobody may replace a password by is a way among others; refused, it says so.
	must(t, w.admin, "/Core/SetTenantConfig", object{"key": "Authentication.Challenges", "value": "UP;QR"}, nil)
	other := open(t, w.Server)
	other.visit("/login")
	other.keys(anna + kb.Enter)
	other.shows("Enter your password")
	other.keys(password + kb.Enter)
	other.shows("A code will be shown")
	other.look("scan-before")
	other.keys(kb.Enter)
	other.shows("Then enter this number there:", anna)
	phone.do(chromedp.Navigate(other.drawn()))
	phone.shows("Is it you who signs in?")
	phone.press(`#refuse`)
	phone.shows("Refused. Nobody was signed in.")
	other.shows("Please begin again.")
}
