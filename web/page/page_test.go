package page_test

import (
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"limen/web/page"
)

func render(t *testing.T, e page.Edge, data any) string {
	t.Helper()
	set, err := page.Load(fstest.MapFS{"one.html": {Data: []byte(`{{define "title"}}T {{.}}{{end}}{{define "body"}}<p>{{.}}</p>
{{end}}`)}})
	if err != nil {
		t.Fatal(err)
	}
	html, err := set.Render("one", e, data)
	if err != nil {
		t.Fatal(err)
	}
	return string(html)
}

func TestStyleIsTheOneThePolicyAllows(t *testing.T) {
	for _, theme := range []page.Theme{{}, {Color: "#7a1fa2"}, {Ground: "#ffffff", Dark: "#ffcc00"}} {
		html := render(t, page.Edge{Theme: theme}, "")
		style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(html)
		if style == nil {
			t.Fatal("there is no style")
		}
		sum := sha256.Sum256([]byte(style[1]))
		if !strings.Contains(page.Policy(theme, ""), "style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"';") {
			t.Errorf("%+v: browsers compute another hash of the page's style than the policy has", theme)
		}
	}
	html := render(t, page.Edge{}, "")
	if strings.Contains(html, "style=") || strings.Contains(html, "<script") || strings.Contains(html, "src=") {
		t.Error("the policy forbids what the frame uses:\n", html)
	}
}

func TestFrameSurroundsAPage(t *testing.T) {
	html := render(t, page.Edge{Lang: "ar", Dir: "rtl", Name: "<Acme>", Foot: []page.Line{{Text: "Help", Link: "javascript:alert(1)"}, {Text: "Room 7"}}, Broad: true}, `<b>"x"`)
	for _, want := range []string{
		`<html lang="ar" dir="rtl">`, `<span>&lt;Acme&gt;</span>`, `<title>T &lt;b&gt;&#34;x&#34;</title>`, `<p>&lt;b&gt;&#34;x&#34;</p>`,
		`<body class="broad">`, `<span>Room 7</span>`, `name="viewport" content="width=device-width, initial-scale=1"`,
	} {
		if !strings.Contains(html, want) {
			t.Errorf("%s is missing in\n%s", want, html)
		}
	}
	if strings.Contains(html, "javascript:") {
		t.Error("the foot leads to a script")
	}
	if _, err := (page.Set{}).Render("none", page.Edge{}, nil); err == nil {
		t.Error("a page that does not exist is rendered")
	}
}

// Directives of a page are added to those of all pages, and ancestors are nobody unless it names some.
func TestPolicyOfAPage(t *testing.T) {
	plain := page.Policy(page.Theme{}, "")
	own := page.Policy(page.Theme{}, "", "style-src 'self'", "script-src 'self'", "frame-ancestors https://app.example.com")
	if strings.Count(own, "style-src") != 1 || !strings.Contains(own, "' 'self'; base-uri") || strings.Count(own, "frame-ancestors") != 1 ||
		!strings.HasSuffix(own, "; script-src 'self'; frame-ancestors https://app.example.com") || !strings.HasSuffix(plain, "; frame-ancestors 'none'") {
		t.Errorf("%s\n%s", plain, own)
	}
}
