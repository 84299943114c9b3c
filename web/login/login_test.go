package login

import (
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
)

var views = []View{
	Front{ID: "ABC1234", Host: "id.example.com", Outbox: "/dev/outbox"},
	Invitation{Account: "anna@example.com", Token: "t0ken", Rules: []Rule{
		{"length", 8}, {"digit", 0}, {"case", 0}, {"symbol", 0}, {"unicode", 0}, {"names", 0}, {"common", 0},
	}},
	Invitation{Account: `"><script>`, Token: `"><script>`, Code: "x.y", Reason: "<script>"},
	Invitation{Account: "anna@example.com", Code: "x.y", Reason: "No.", Again: true},
	Accepted{Account: "anna@example.com"},
	Address{Account: "anna@example.com", Mail: "anna@example.com", Token: "t0ken"},
	Address{Account: `"><script>`, Mail: `"><script>`, Token: `"><script>`},
	Confirmed{Mail: "anna@example.com"},
	Name{}, Name{User: "anna@example.com", Again: true, To: "/OAuth2/Authorize/a?bounce=b&c=d", Code: "login.name", Wrong: true}, Name{Code: "login.gone"},
	Name{User: `"><script>`, To: `"><script>`},
	Step{Kind: Password, Account: "anna@example.com", Persist: true, Forgot: true, Other: true, Code: "login.failed", Seconds: 7},
	Step{Kind: Password, Account: `"><script>`, To: `"><script>`, Way: Way{ID: `"><script>`}},
	Step{Kind: Code, Way: Way{Name: "mail", Where: "***@example.com"}, Link: true, Other: true}, Step{Kind: Code, Way: Way{Name: "app"}},
	Step{Kind: Code, Way: Way{Name: "sms", Where: "0100"}, Code: "login.empty"},
	Step{Kind: Send, Way: Way{Name: "mail", Where: "***@example.com"}}, Step{Kind: Send, Way: Way{Name: "sms", Where: "0100"}, Other: true},
	Step{Kind: Choose, Ways: []Way{{Name: "mail", Where: "x"}, {Name: "sms", Where: "0100"}, {Name: "app"}, {Name: "questions"}, {Name: "password"}}},
	Step{Kind: Questions, Asked: []string{"One?", "<script>?"}, Code: "login.empty"},
	Step{Kind: Reset, Rules: []Rule{{"length", 8}}, Code: "invite.differ", Reason: "No.", Again: true},
	Step{Kind: Wait, Way: Way{Where: "x"}, Back: "/login"},
	Welcome{Account: "anna@example.com", Display: "Anna"}, Welcome{To: "/x", Now: true}, Welcome{To: "javascript:alert(1)", Display: "<script>"},
	Told{}, Told{Replaced: true, To: "/x"}, Leave{Account: "anna@example.com", Action: "/logout"}, Left{},
	Consent{Account: "anna@example.com", App: "<script>", Action: "/OAuth2/Confirm/a", Bounce: "b", Scopes: "openid,x", Site: "app.example.com",
		Wants: []Want{{Scope: "openid"}, {Scope: "x"}, {Scope: "y", Text: "<script>"}}},
	Fault{Code: "invite.link", Reason: "No.", ID: "1"},
}

// TestPagesAreWhole renders every page in every language and looks at it as a browser's reader would.
func TestPagesAreWhole(t *testing.T) {
	p, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range p.langs {
		for _, v := range views {
			t.Run(fmt.Sprintf("%s/%s", w.tag, v.page().name), func(t *testing.T) {
				text, err := p.Render([]string{w.tag.String()}, Brand{Product: "Limen", Tenant: "A & B <Co>", Support: "help@example.com"}, v)
				if err != nil {
					t.Fatal(err)
				}
				if regexp.MustCompile(`\{[a-z]+\}`).Match(text[strings.Index(string(text), "</style>"):]) {
					t.Error("a placeholder is left over")
				}
				look(t, string(text))
			})
		}
	}
}

// look checks what assistive technology needs: one heading of the first level, a label for every field, references that
// lead somewhere, closed elements; and that nothing of a script got in.
func look(t *testing.T, text string) {
	ids, labels, wants := map[string]bool{}, map[string]bool{}, []string{}
	var open []string
	headings := 0
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict, d.Entity = false, xml.HTMLEntity
	for {
		token, err := d.RawToken()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if end, ok := token.(xml.EndElement); ok {
			if len(open) == 0 || open[len(open)-1] != end.Name.Local {
				t.Fatalf("</%s> closes %v", end.Name.Local, open)
			}
			open = open[:len(open)-1]
		}
		k, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		name, a := k.Name.Local, map[string]string{}
		for _, attr := range k.Attr {
			a[attr.Name.Local] = attr.Value
		}
		if name != "meta" && name != "input" && name != "img" {
			open = append(open, name)
		}
		ids[a["id"]] = true
		labels[a["for"]] = true
		switch name {
		case "h1":
			headings++
		case "script":
			t.Error("there is a script")
		case "html":
			if a["lang"] == "" || a["dir"] == "" {
				t.Error("the page does not say its language")
			}
		case "input":
			if a["type"] != "hidden" && a["aria-hidden"] == "" {
				wants = append(wants, a["id"])
			}
		}
		for ref := range strings.FieldsSeq(a["aria-describedby"]) {
			defer func() {
				if !ids[ref] {
					t.Errorf("%q describes a field and does not exist", ref)
				}
			}()
		}
	}
	if headings != 1 || len(open) != 0 {
		t.Errorf("%d headings, %v left open", headings, open)
	}
	for _, id := range wants {
		if id == "" || !labels[id] || !ids[id] {
			t.Errorf("the field %q has no label", id)
		}
	}
}

func TestLanguageIsTheBestOfOurs(t *testing.T) {
	p, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]string{nil, {""}, {"xx"}, {"en-GB;q=0.8, tlh"}, {"!!"}, {strings.Repeat("de,", 1000)}} {
		if w := p.pick(want); w.tag.String() != "en" {
			t.Errorf("%.40v gives %s", want, w.tag)
		}
	}
}

func TestHelpLeadsSomewhere(t *testing.T) {
	w := &words{Sentences: map[string]string{"help": "Help: {contact}"}}
	for support, want := range map[string][2]string{
		"help@example.com":        {"Help: help@example.com", "mailto:help@example.com"},
		"mailto:help@example.com": {"Help: help@example.com", "mailto:help@example.com"},
		"https://example.com/x":   {"Help: https://example.com/x", "https://example.com/x"},
		"Room 7":                  {"Help: Room 7", ""},
	} {
		if text, link := (Brand{Support: support}).help(w); text != want[0] || link != want[1] {
			t.Errorf("%s: %q, %q", support, text, link)
		}
	}
}
