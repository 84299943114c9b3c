package e2e

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"limen/test/rig"
)

// tab is a tab of a real browser. Pages are looked at as people with other eyes and hands use them; shots are written to
// LIMEN_TEST_SHOTS, where that is set.
type tab struct {
	context.Context
	t    *testing.T
	base string
}

// open starts the browser with an empty profile.
func open(t *testing.T, s *rig.Server) *tab {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if at, err := exec.LookPath(name); err == nil && program == "" {
			program = at
		}
	}
	if program == "" {
		if os.Getenv("LIMEN_TEST_BROWSER_REQUIRED") == "1" {
			t.Fatal("there is no chromium, and LIMEN_TEST_BROWSER_REQUIRED says that there must be")
		}
		t.Skip("there is no chromium (test/browser installs it)")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.Flag("ignore-certificate-errors", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("accept-lang", "en"), chromedp.WSURLReadTimeout(60*time.Second))
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 4*time.Minute)
	t.Cleanup(cancel)
	b := &tab{Context: ctx, t: t, base: s.URL}
	b.do(chromedp.Navigate("about:blank"))
	return b
}

func (b *tab) do(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b, actions...); err != nil {
		var text string
		_ = chromedp.Run(b, chromedp.Evaluate(`location.href+"\n"+document.body.innerText`, &text))
		b.t.Fatalf("%v at %s", err, text)
	}
}

func (b *tab) visit(path string) { b.t.Helper(); b.do(chromedp.Navigate(b.base + path)) }

// keys types into what has the focus, as people without a pointer do.
func (b *tab) keys(text string) {
	b.t.Helper()
	// A page gets its focus when it is drawn, which on a busy machine is some time after it has come.
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		var ready bool
		err := chromedp.Run(b, chromedp.Evaluate(`document.activeElement!=null&&document.activeElement!=document.body`, &ready))
		if err == nil && ready || time.Now().After(end) {
			break
		}
	}
	b.do(chromedp.KeyEvent(text))
}

// shows waits for a page with a heading and sentences.
func (b *tab) shows(want ...string) {
	b.t.Helper()
	var text string
	has := func(s string) bool { return strings.Contains(text, s) }
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		err := chromedp.Run(b, chromedp.Evaluate(`document.readyState=="complete"&&document.querySelector("h1")?document.body.innerText:""`, &text))
		if err == nil && !slices.ContainsFunc(want, func(s string) bool { return !has(s) }) {
			return
		}
	}
	b.t.Fatalf("want %q, there is %s", want, text)
}

// widths are those of a phone, a tablet and a desk.
var widths = []int64{360, 768, 1280}

// flaws are found by looking at the page as it is drawn: text without contrast (WCAG 2.2, 1.4.3), targets that are too small (2.5.8),
// fields without a name (4.1.2), landmarks, and what sticks out at the side (1.4.10).
const flaws = `(() => {
	const out = [], rgb = s => { const m = s.match(/[\d.]+/g).map(Number); return m.length > 3 && m[3] == 0 ? null : m.slice(0, 3) };
	const lum = c => { const [r, g, b] = c.map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b };
	const ground = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c) return c } return [255, 255, 255] };
	for (const e of document.querySelectorAll("body *")) {
		const s = getComputedStyle(e), r = e.getBoundingClientRect();
		if (!r.width || e.classList.contains("unseen")) continue;
		if ([...e.childNodes].some(n => n.nodeType == 3 && n.textContent.trim()) || e.tagName == "INPUT") {
			const a = lum(rgb(s.color)), b = lum(ground(e)), ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
			if (ratio < 4.5) out.push("contrast " + ratio.toFixed(2) + ": " + e.outerHTML.slice(0, 80));
		}
		if (/^(A|BUTTON|INPUT)$/.test(e.tagName) && (r.width < 24 || r.height < 20)) out.push("small: " + e.outerHTML.slice(0, 80));
		if (e.tagName == "INPUT" && e.type != "hidden" && !e.labels.length) out.push("no label: " + e.outerHTML.slice(0, 80));
		if (r.right > innerWidth + 1 || r.left < -1) out.push("sticks out: " + e.outerHTML.slice(0, 80));
	}
	if (document.documentElement.scrollWidth > innerWidth) out.push("scrolls sideways");
	for (const l of ["main", "header", "h1"]) if (document.querySelectorAll(l).length != 1) out.push("not one " + l);
	return out.join("\n");
})()`

// look looks at the page at each width, by day and by night.
func (b *tab) look(name string) {
	b.t.Helper()
	for _, night := range []string{"light", "dark"} {
		for _, w := range widths {
			var found string
			var shot []byte
			b.do(chromedp.EmulateViewport(w, 760), emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: night}}),
				chromedp.Evaluate(flaws, &found))
			if found != "" {
				b.t.Errorf("%s, %d pixels, %s:\n%s", name, w, night, found)
			}
			if w == widths[0] { // what it looks for hardly depends on the width
				b.axe(name, night)
			}
			if dir := os.Getenv("LIMEN_TEST_SHOTS"); dir != "" {
				b.do(chromedp.CaptureScreenshot(&shot))
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%s-%d.png", name, night, w)), shot, 0o600); err != nil {
					b.t.Fatal(err)
				}
			}
		}
	}
}

// rules are those of WCAG 2.2, levels A and AA, as axe-core names them. In the dark a page has other colours, and is the same for all other rules.
var rules = map[string]string{
	"light": `{type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}`,
	"dark":  `{type: "rule", values: ["color-contrast"]}`,
}

// violations has axe-core run some rules.
func violations(rules string) string {
	return `axe.run({runOnly: ` + rules + `, resultTypes: ["violations"]}).then(r =>
	r.violations.map(v => v.id + ": " + v.help + "\n" + v.nodes.map(n => "  " + n.html.slice(0, 120)).join("\n")).join("\n"))`
}

// axe has axe-core look at the page, where test/browser has put it into LIMEN_TEST_AXE. It comes in as a debugger does, past the
// page's policy, which lets no script run.
func (b *tab) axe(name, night string) {
	b.t.Helper()
	file := os.Getenv("LIMEN_TEST_AXE")
	if file == "" {
		return
	}
	script, err := os.ReadFile(file)
	if err != nil {
		b.t.Fatal(err)
	}
	var found string
	b.do(chromedp.Evaluate(`typeof axe`, &found))
	if found == "undefined" {
		b.do(chromedp.Evaluate(string(script)+";0", nil))
	}
	b.do(chromedp.Evaluate(violations(rules[night]), &found, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	if found != "" {
		b.t.Errorf("%s, %s:\n%s", name, night, found)
	}
}

// Somebody signs in with password and mailed code by keyboard alone, in a browser in which no script of ours runs, and signs out.
func TestBrowserSignsIn(t *testing.T) {
	t.Parallel()
	w := newSite(t, "SQLite") // the engines make no difference to a browser; exchanges are played on both
	anna := w.person(t, "anna", nil)
	b := open(t, w.Server)

	b.visit("/login?cloudRedirect=" + url.QueryEscape("//evil.example/"))
	b.shows("Sign in to Limen")
	b.look("name")
	b.keys(anna + kb.Enter)
	b.shows("Enter your password")
	b.look("password")
	b.keys("wrong-password" + kb.Enter)
	b.shows("Enter your password", "That was not right. Please try again.")
	b.look("wrong")
	b.keys(password + kb.Enter)
	b.shows("Show that it is you")
	b.look("send")
	b.keys(kb.Enter)
	b.shows("Enter the code")
	b.look("code")
	b.keys(code.FindString(w.mail.Wait(t, "anna@example.com", 1).Text) + kb.Enter)
	b.shows("You are signed in", anna)
	b.look("welcome")
	b.do(chromedp.Focus(`form[action="/logout"] button`, chromedp.ByQuery))
	b.keys(kb.Enter)
	b.shows("You are signed out")
	b.look("left")
	b.visit("/login")
	b.shows("Sign in to Limen")
}
