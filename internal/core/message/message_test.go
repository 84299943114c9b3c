package message_test

import (
	"encoding/json"
	"errors"
	"flag"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"limen/internal/core/message"
	"limen/internal/fault"
)

var update = flag.Bool("update", false, "write the golden files anew")

func load(t testing.TB) *message.Catalog {
	t.Helper()
	c, err := message.Load()
	if err == nil {
		err = c.Compile()
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// segments is a bound from above on the parts of a text message: only ASCII letters count as the GSM alphabet.
func segments(s string) int {
	units, size := 0, 153
	for _, r := range s {
		units++
		if r > 0xffff {
			units++
		}
		if r >= 0x80 || strings.ContainsRune("^{}\\[~]|`", r) {
			size = 67
		}
	}
	return (units + size - 1) / size
}

func TestEveryKindInEveryLanguage(t *testing.T) {
	c := load(t)
	langs := c.Languages()
	if want := "en ar de es fr he it ja nl pl pt zh-Hans"; strings.Join(langs, " ") != want {
		t.Fatalf("languages: %v", langs)
	}
	english := map[message.Kind]message.Rendered{}
	for _, lang := range langs {
		for _, k := range message.Kinds() {
			t.Run(lang+"/"+string(k), func(t *testing.T) {
				d := message.Sample()
				r, err := c.Render(k, []string{lang}, d, nil)
				if err != nil {
					t.Fatal(err)
				}
				if r.Lang != lang || r.Refused != nil {
					t.Errorf("language %s, %v", r.Lang, r.Refused)
				}
				all := r.Subject + r.Text + r.HTML + r.SMS
				for _, bad := range []string{"<no value>", "{{", "}}", "{n}", "ZgotmplZ", "!!"} {
					if strings.Contains(all, bad) {
						t.Errorf("%s in %s", bad, all)
					}
				}
				needs := []string{d.Tenant, d.Name, "help.example.com"}
				switch k {
				case message.LoginCode:
					needs = append(needs, d.Code, d.Link, d.IP, d.Device, "2026-03-29 14:05 UTC", "10")
				case message.RecoveryCode:
					needs = append(needs, d.Code, d.IP, d.Device, "2026-03-29 14:05 UTC", "10")
					if strings.Contains(all, d.Link) {
						t.Error("there is a link to click in what strangers can have sent")
					}
				case message.Invitation, message.PasswordReset:
					needs = append(needs, d.Link, "10")
				case message.ForgotUsername:
					needs = append(needs, d.Accounts...)
				case message.PasswordChanged, message.NewDevice:
					needs = append(needs, d.IP, d.Place, d.Device, "2026-03-29 14:05 UTC")
				case message.AccountLocked:
					needs = append(needs, d.IP, "2026-03-29 14:35 UTC")
				}
				page := html.UnescapeString(r.HTML)
				for _, n := range needs {
					if !strings.Contains(r.Text, n) || !strings.Contains(page, n) {
						t.Errorf("%q is missing in\n%s\n%s", n, r.Text, page)
					}
				}
				if !strings.Contains(r.Subject, d.Tenant) || strings.ContainsAny(r.Subject, "\r\n") {
					t.Errorf("subject: %q", r.Subject)
				}
				dir := "ltr"
				if lang == "ar" || lang == "he" {
					dir = "rtl"
				}
				if !strings.Contains(r.HTML, `<html lang="`+lang+`" dir="`+dir+`">`) {
					t.Error("language or direction is missing in the HTML")
				}
				for _, m := range regexp.MustCompile(`(?:src|href|url)\s*[=(]\s*["']?([^"' )>]+)`).FindAllStringSubmatch(r.HTML, -1) {
					if m[1] != d.Link && m[1] != d.Support {
						t.Errorf("the HTML refers to %s", m[1])
					}
				}
				if (r.SMS != "") != k.SMS() {
					t.Errorf("text message: %q", r.SMS)
				}
				if n := segments(r.SMS); n > 2 {
					t.Errorf("%d segments: %q", n, r.SMS)
				}
				if (k == message.LoginCode || k == message.RecoveryCode) && !strings.Contains(r.SMS, d.Code) || k == message.Invitation && !strings.Contains(r.SMS, d.Link) {
					t.Errorf("text message: %q", r.SMS)
				}
				if lang == "en" {
					english[k] = r
				} else if e := english[k]; e.Subject == r.Subject || e.Text == r.Text || r.SMS != "" && e.SMS == r.SMS {
					t.Error("this is English")
				}
			})
		}
	}
}

// TestCodesSayWhatTheyAreFor holds that nobody can be talked into passing on the code for a new password as one that
// merely signs in.
func TestCodesSayWhatTheyAreFor(t *testing.T) {
	c := load(t)
	for _, lang := range c.Languages() {
		signIn, err := c.Render(message.LoginCode, []string{lang}, message.Sample(), nil)
		if err != nil {
			t.Fatal(err)
		}
		recovery, err := c.Render(message.RecoveryCode, []string{lang}, message.Sample(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if signIn.Subject == recovery.Subject || signIn.Text == recovery.Text || signIn.SMS == recovery.SMS {
			t.Errorf("%s: the codes cannot be told apart: %q", lang, recovery.Subject)
		}
	}
}

func TestGolden(t *testing.T) {
	c := load(t)
	for _, lang := range []string{"en", "ar"} {
		for _, k := range message.Kinds() {
			r, err := c.Render(k, []string{lang}, message.Sample(), nil)
			if err != nil {
				t.Fatal(err)
			}
			for ext, got := range map[string]string{"txt": r.Subject + "\n\n" + r.Text, "html": r.HTML} {
				if r.SMS != "" && ext == "txt" {
					got += "\nSMS: " + r.SMS + "\n"
				}
				name := filepath.Join("testdata", lang+"-"+string(k)+"."+ext)
				if *update {
					if err := os.WriteFile(name, []byte(got), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				if got != string(want) {
					t.Errorf("%s differs (go test -update writes it anew):\n%s", name, got)
				}
			}
		}
	}
}

func TestLeastData(t *testing.T) {
	c := load(t)
	at := time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)
	least := map[message.Kind]message.Data{
		message.Invitation:      {Link: "https://x.example/a", Lasts: time.Hour},
		message.LoginCode:       {Code: "1", Lasts: time.Minute},
		message.RecoveryCode:    {Code: "1", Lasts: time.Minute},
		message.PasswordReset:   {Link: "https://x.example/a", Lasts: time.Hour},
		message.PasswordChanged: {At: at}, message.NewDevice: {At: at}, message.AccountLocked: {At: at},
		message.ForgotUsername: {Accounts: []string{"a"}},
		message.TestMail:       {}, message.SignInRecovered: {At: at},
		message.MailChanged: {At: at}, message.MobileChanged: {At: at}, message.MfaExempted: {At: at}, message.ScriptFailed: {App: "Sales", At: at},
		message.VerifyMail:   {Link: "https://x.example/a", Lasts: time.Hour},
		message.IdentityCode: {Code: "1", Lasts: time.Minute},
		message.ImportReport: {File: "f", Made: "0", Total: "1"}, message.ImportStopped: {File: "f", Made: "0", Total: "1"},
		message.JobDone: {App: "Audit"}, message.JobFailed: {App: "Audit"}, message.ApprovalAsked: {App: "Audit", Lasts: time.Minute},
		message.AccessAsked: {App: "Wiki", By: "anna"}, message.AccessGiven: {App: "Wiki"}, message.AccessRefused: {App: "Wiki"},
		message.SignupAsked: {By: "anna"}, message.SignupApproved: {Link: "https://x.example/a"}, message.SignupRefused: {At: at},
		message.RegisterCode: {Code: "1", Lasts: time.Hour},
		message.JoinAsked:    {App: "Wiki", Code: "1", Lasts: time.Hour},

		message.AuthenticatorAdded: {At: at}, message.PushRefused: {At: at}, message.CodesMade: {At: at}, message.NetworkPassword: {At: at}, message.CodeUsed: {At: at, Total: "9"},
		message.CodeRefused: {At: at}, message.BreakGlass: {At: at, By: "glass@acme"},
		message.RegainWaiting: {Link: "https://x.example/a", At: at, Until: at}, message.RegainReady: {Link: "https://x.example/a", Lasts: time.Hour},
		message.RegainCode: {Code: "1", Lasts: time.Hour}, message.RegainStopped: {At: at}, message.RegainApproved: {Link: "https://x.example/a", At: at, By: "a, b"},
	}
	for _, k := range message.Kinds() {
		d := least[k]
		d.Product, d.Tenant = "P", "T"
		r, err := c.Render(k, nil, d, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Lang != "en" || strings.Contains(r.Text, ":\n\n\n") || strings.Contains(r.Text, ": \n") || strings.Contains(r.Text, "  .") ||
			d.Link == "" && strings.Contains(r.HTML, "<a ") || !strings.HasPrefix(r.Text, "Hello,\n") {
			t.Errorf("%s:\n%s", k, r.Text)
		}
		if e := fault.Of(render(c, k, message.Data{Product: "P", Tenant: "T"})); k != message.TestMail && (!errors.Is(e, message.ErrData) || e.Field == "") {
			t.Errorf("%s without data: %v", k, e)
		}
		if err := render(c, k, message.Data{Product: "P"}); !errors.Is(err, message.ErrData) {
			t.Errorf("%s without a tenant: %v", k, err)
		}
	}
	if err := render(c, "poem", message.Sample()); !errors.Is(err, message.ErrKind) {
		t.Error(err)
	}
}

func render(c *message.Catalog, k message.Kind, d message.Data) error {
	_, err := c.Render(k, nil, d, nil)
	return err
}

func TestHostileData(t *testing.T) {
	c := load(t)
	d := message.Sample()
	d.Device = `<script>alert(1)</script>"'>` + "\r\nBcc: eve@example.org\u202e\u2066\x00" + strings.Repeat("x", 5000)
	d.Tenant = "Evil\r\nBcc: eve@example.org <b>"
	d.Support = "javascript:alert(1)"
	d.Name = "win money at http://evil.example"
	r, err := c.Render(message.LoginCode, []string{"en"}, d, nil)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(r.HTML, "<script>") || strings.Contains(r.HTML, "<b>") || strings.Contains(r.HTML, `href="javascript`) {
		t.Error("HTML was not escaped")
	}
	if strings.Contains(r.Subject, "\n") || strings.Contains(r.Text, "\nBcc:") || strings.ContainsAny(r.Text+r.HTML, "\u202e\u2066\x00\r") {
		t.Errorf("a value left its line: %q", r.Text)
	}
	if strings.Contains(r.Text+r.HTML, "evil.example") || strings.Contains(r.Text, strings.Repeat("x", 200)) {
		t.Errorf("a name carries an address, or a value has no end: %q", r.Text)
	}
	for _, link := range []string{"javascript:alert(1)", "//evil", "https://", "https://a b", "data:text/html,x", "https://u:p@h/", "https://a/\nb", "https://a/\u202e"} {
		d := message.Sample()
		d.Link = link
		if err := render(c, message.Invitation, d); !errors.Is(err, message.ErrData) || fault.Of(err).Field != "Link" {
			t.Errorf("%q: %v", link, err)
		}
	}
}

func TestSupport(t *testing.T) {
	c := load(t)
	for support, want := range map[string]string{
		"help@example.com":           `<a class="link" href="mailto:help@example.com" style="color:#1a56c4;"><bdi>help@example.com</bdi></a>`,
		"mailto:help@example.com":    `href="mailto:help@example.com"`,
		"https://help.example.com/x": `href="https://help.example.com/x" style="color:#1a56c4;"><bdi>help.example.com/x</bdi>`,
		"Extension 17, room B":       `Help: <bdi>Extension 17, room B</bdi>`,
	} {
		d := message.Sample()
		d.Support = support
		if r, err := c.Render(message.NewDevice, nil, d, nil); err != nil || !strings.Contains(r.HTML, want) {
			t.Errorf("%s: %v %s", support, err, r.HTML)
		}
	}
}

func TestMatch(t *testing.T) {
	c := load(t)
	tests := []struct {
		want []string
		lang string
	}{
		{nil, "en"}, {[]string{""}, "en"}, {[]string{"en-US"}, "en"}, {[]string{"en-GB", "de"}, "en"}, {[]string{"de-DE"}, "de"},
		{[]string{"de-CH", "fr"}, "de"}, {[]string{"DE_at"}, "de"}, {[]string{"pt-BR"}, "pt"}, {[]string{"pt-PT"}, "pt"},
		{[]string{"zh-CN"}, "zh-Hans"}, {[]string{"zh-Hans-CN"}, "zh-Hans"}, {[]string{"zh"}, "zh-Hans"}, {[]string{"iw"}, "he"},
		{[]string{"ar-EG"}, "ar"}, {[]string{"es-419"}, "es"}, {[]string{"sv-SE"}, "en"}, {[]string{"sv", "de"}, "de"},
		{[]string{"", "it-IT"}, "it"}, {[]string{"not a tag", "nl"}, "nl"}, {[]string{"fr;q=0.5, ja"}, "ja"},
		{[]string{strings.Repeat("de-", 2000), "pl"}, "pl"},
	}
	for _, tt := range tests {
		if got := c.Match(tt.want...); got != tt.lang {
			t.Errorf("%q: %s, want %s", tt.want, got, tt.lang)
		}
	}
}

func TestLasts(t *testing.T) {
	c := load(t)
	tests := []struct {
		lang string
		d    time.Duration
		want string
	}{
		{"en", time.Minute, "1 minute"}, {"en", 90 * time.Second, "1 minute"}, {"en", 10 * time.Second, "1 minute"},
		{"en", 90 * time.Minute, "90 minutes"}, {"en", time.Hour, "1 hour"}, {"en", 72 * time.Hour, "3 days"},
		{"pl", time.Minute, "1 minutę"}, {"pl", 3 * time.Minute, "3 minuty"}, {"pl", 12 * time.Minute, "12 minut"}, {"pl", 22 * time.Minute, "22 minuty"},
		{"ar", 2 * time.Hour, "ساعتين"}, {"ar", 10 * time.Minute, "10 دقائق"}, {"ar", 15 * time.Minute, "15 دقيقة"},
		{"he", 2 * time.Hour, "שעתיים"}, {"ja", 7 * 24 * time.Hour, "7日間"},
	}
	for _, tt := range tests {
		d := message.Sample()
		d.Lasts = tt.d
		if r, err := c.Render(message.Invitation, []string{tt.lang}, d, nil); err != nil || !strings.Contains(r.Text, tt.want) {
			t.Errorf("%s %s: %v\n%s", tt.lang, tt.d, err, r.Text)
		}
	}
}

func TestZone(t *testing.T) {
	d := message.Sample()
	d.Zone = time.FixedZone("CEST", 7200)
	if r, err := load(t).Render(message.NewDevice, nil, d, nil); err != nil || !strings.Contains(r.Text, "Time: 2026-03-29 16:05 CEST") {
		t.Errorf("%v %s", err, r.Text)
	}
}

func TestOverride(t *testing.T) {
	c := load(t)
	own := []message.Override{
		{Kind: message.LoginCode, Lang: "de", Subject: "{{.Tenant}}\nCode"},
		{Kind: message.LoginCode, Lang: "sv", Subject: "Kod", HTML: `<p>{AuthCode}, {{if .Place}}{{.Place}}{{else}}?{{end}} <a href='{AuthLink}'>här</a>`},
		{Kind: message.ForgotUsername, Lang: "en", Text: "{{range .Accounts}}{{.}} at {{$.Tenant}}\n{{end}}"},
		{Kind: message.LoginCode, Lang: "fr", HTML: "{{.Nothing}}"},
		{Kind: message.LoginCode, Lang: "no such tag!", HTML: "x"},
	}
	d := message.Sample()
	d.Place = "<London>"
	r, err := c.Render(message.LoginCode, []string{"de-AT"}, d, own)
	if err != nil || r.Subject != "Example Ltd Code" || r.Refused != nil || !strings.Contains(r.Text, "Guten Tag Ada") {
		t.Errorf("de: %+v %v", r, err)
	}
	r, err = c.Render(message.LoginCode, []string{"sv-SE", "de"}, d, own)
	if err != nil || r.Lang != "sv" || r.HTML != `<p>493817, &lt;London&gt; <a href='https://id.example.com/go/Zm9vYmFyYmF6cXV4'>här</a>` {
		t.Errorf("sv: %+v %v", r, err)
	}
	r, err = c.Render(message.ForgotUsername, nil, d, own)
	if err != nil || r.Text != "ada@example.com at Example Ltd\nada.l@example.com at Example Ltd\n" || !strings.Contains(r.HTML, "<html") {
		t.Errorf("en: %+v %v", r, err)
	}
	r, err = c.Render(message.LoginCode, []string{"fr"}, d, own)
	if err != nil || !errors.Is(r.Refused, message.ErrOverride) || !strings.Contains(r.Text, d.Code) || r.Lang != "fr" {
		t.Errorf("a broken text keeps the message from being sent: %+v %v", r, err)
	}
}

func TestCheckRefuses(t *testing.T) {
	c := load(t)
	tests := []struct {
		o    message.Override
		says string
	}{
		{message.Override{HTML: "{{.Code}}\n\n{{if .Place}}"}, "HTML, line 3: unexpected EOF."},
		{message.Override{Text: "one\n{{.Code}} {{.Password}}"}, "Text, line 2: only a placeholder such as {{.Tenant}} can stand here."},
		{message.Override{Text: `{{.Code}}{{printf "%999999999d" 1}}`}, `Text, line 1: function "printf" not defined.`},
		{message.Override{Text: `{{.Code}}{{.Code.Length}}`}, "Text, line 1: only a placeholder"},
		{message.Override{Text: `{{.}}`}, "Text, line 1: only a placeholder"},
		{message.Override{Text: `{{$x := .Code}}{{$x}}`}, "Text, line 1: only a placeholder"},
		{message.Override{Text: `{{.Accounts}}`}, "Text, line 1: only a placeholder"},
		{message.Override{Text: `{{.Code}}{{range .Accounts}}{{range $.Accounts}}{{end}}{{end}}`}, "Text, line 1: only {{range .Accounts}}"},
		{message.Override{Text: `{{.Code}}{{range .Accounts}}{{.Code}}{{end}}`}, "Text, line 1: only a placeholder"},
		{message.Override{Text: `{{.Code}}{{with .Place}}{{.}}{{end}}`}, "Text, line 1: this is not possible here."},
		{message.Override{Text: `{{.Code}}{{template "Text"}}`}, "Text, line 1: this is not possible here."},
		{message.Override{Text: `{{define "x"}}{{.Code}}{{end}}{{.Code}}`}, "Text: a text cannot define further templates."},
		{message.Override{Text: `{{.Code}}{{supportURL}}`}, `Text, line 1: function "supportURL" not defined.`},
		{message.Override{Text: `{{.Code}}{{.supportURL}}`}, "Text, line 1: only a placeholder"},
		{message.Override{Text: "no code in it"}, "Text must keep the placeholder {{.Code}}."},
		{message.Override{HTML: "<p><!-- {{.Code}} --></p>"}, "HTML must keep the placeholder {{.Code}}."},
		{message.Override{HTML: `<p style="color: {{.Code}}; background: {{.Link}}">{{.Code}}</p>`}, "HTML: a placeholder stands where"},
		{message.Override{HTML: "<p>{{.Code}}</p>\n<a href={{if .Place}}'x{{else}}y{{end}}>"}, "HTML, line 2: "},
		{message.Override{SMS: "{{.Tenant}}"}, "SMS must keep the placeholder {{.Code}}."},
		{message.Override{Text: strings.Repeat("x", 70000)}, "longer than 65536 bytes"},
		{message.Override{Subject: " "}, "Subject: nothing is left of the text."},
		{message.Override{}, "The text is empty."},
		{message.Override{Lang: "klingon language", Text: "{{.Code}}"}, "The language is not a tag"},
		{message.Override{Kind: "poem", Text: "x"}, "There is no message"},
		{message.Override{Kind: message.TestMail, SMS: "x"}, "not sent as a text message"},
	}
	for _, tt := range tests {
		if tt.o.Kind == "" {
			tt.o.Kind = message.LoginCode
		}
		if tt.o.Lang == "" {
			tt.o.Lang = "en"
		}
		if err := c.Check(tt.o); err == nil || !strings.Contains(fault.Of(err).Public, tt.says) {
			t.Errorf("%+.200v:\n%v\nwant %s", tt.o, err, tt.says)
		}
	}
	good := message.Override{Kind: message.LoginCode, Lang: "pt-BR", Subject: "{{.Tenant}}", Text: "{{if .Name}}{{.Name}}, {{end}}{AuthCode}",
		HTML: "<b>{{.Code}}</b>", SMS: "{{.Code}}"}
	if err := c.Check(good); err != nil {
		t.Error(err)
	}
}

// TestDraft holds that our own text as a tenant's text changes nothing, with all data and with the least.
func TestDraft(t *testing.T) {
	c := load(t)
	full := message.Sample()
	full.Support = "room 17"
	least := message.Data{
		Product: "P", Tenant: "T", Name: "N", Code: "1", Link: full.Link, Lasts: time.Minute, At: full.At, Accounts: []string{"a"}, Account: "a",
		File: "f", Made: "0", Total: "1", App: "A", By: "B",
	}
	for _, lang := range c.Languages() {
		for _, k := range message.Kinds() {
			o, err := c.Draft(k, lang)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Check(o); err != nil {
				t.Errorf("%s in %s: %v", k, lang, err)
			}
			for _, d := range []message.Data{full, least} {
				if k == message.RegainWaiting {
					d.Until = full.Until
				}
				want, err := c.Render(k, []string{lang}, d, nil)
				if err != nil {
					t.Fatal(err)
				}
				got, err := c.Render(k, []string{lang}, d, []message.Override{o})
				if err != nil || got.Refused != nil {
					t.Fatal(err, got.Refused)
				}
				if got != want {
					t.Fatalf("%s in %s:\n%+v\nwant\n%+v", k, lang, got, want)
				}
			}
		}
	}
	if o, err := c.Draft(message.LoginCode, "sv"); err != nil || o.Lang != "sv" || !strings.Contains(o.Text, "{{if .Place}}Place: {{.Place}}") {
		t.Errorf("%v %s", err, o.Text)
	}
}

// FuzzOverride holds that no text of a tenant makes rendering panic, and that values stay escaped in whatever it is.
func FuzzOverride(f *testing.F) {
	for _, s := range []string{"{{.Code}}", "<a href='{AuthLink}'>", "{{if .Place}}{{.Place}}{{end}}", "{{range .Accounts}}{{.}}{{end}}", "{{", "<script>{{.Code}}</script>"} {
		f.Add(s, s)
	}
	c := load(f)
	d := message.Sample()
	d.Place = "<img src=x onerror=alert(1)>"
	f.Fuzz(func(t *testing.T, text, page string) {
		o := message.Override{Kind: message.LoginCode, Lang: "en", Text: text, HTML: page}
		_ = c.Check(o)
		r, err := c.Render(message.LoginCode, nil, d, []message.Override{o})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(r.HTML, d.Place) && !strings.Contains(page, "<img") {
			t.Fatalf("%q became %q", page, r.HTML)
		}
		if _, err := json.Marshal(r.Subject); err != nil {
			t.Fatal(err)
		}
	})
}
