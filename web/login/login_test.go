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
	Step{Kind: Password, Account: "anna@example.com", Image: "boat"}, Step{Kind: Code, Way: Way{Name: "app"}, Image: `"><script>`},
	Step{Kind: Password, Account: `"><script>`, To: `"><script>`, Way: Way{ID: `"><script>`}},
	Step{Kind: Code, Way: Way{Name: "mail", Where: "***@example.com"}, Link: true, Other: true}, Step{Kind: Code, Way: Way{Name: "app"}},
	Step{Kind: Code, Way: Way{Name: "sms", Where: "0100"}, Code: "login.empty"},
	Step{Kind: Send, Way: Way{Name: "mail", Where: "***@example.com"}}, Step{Kind: Send, Way: Way{Name: "sms", Where: "0100"}, Other: true},
	Step{Kind: Choose, Ways: []Way{{Name: "mail", Where: "x"}, {Name: "sms", Where: "0100"}, {Name: "app"}, {Name: "questions"}, {Name: "password"}}},
	Step{Kind: Questions, Asked: []string{"One?", "<script>?"}, Code: "login.empty"},
	Step{Kind: Reset, Rules: []Rule{{"length", 8}}, Code: "invite.differ", Reason: "No.", Again: true},
	Step{Kind: Key, Way: Way{Name: "passkey"}, Other: true}, Step{Kind: Key, Key: `{"challenge":"AA"}`, Way: Way{Name: "key"}, Persist: true},
	Step{Kind: Choose, Ways: []Way{{Name: "key"}, {Name: "device"}, {Name: "passkey"}}}, Step{Kind: Key, Key: `"></form><script>`},
	Step{Kind: Scan, Way: Way{Name: "scan"}, Number: "17", Drawing: "M4 4h7v1h-7z", Size: 45, Nobody: true, To: "/x"}, Step{Kind: Scan, Begun: true, Other: true},
	Step{Kind: Scan, Account: "anna@example.com", Number: "17", Drawing: `"><script>`, Size: 45}, Name{Scan: true, To: `"><script>`},
	Step{Kind: Terms, Account: "anna@example.com", Terms: Text{Version: "2026-11", Language: "en", Address: "https://example.com/terms", Paragraphs: []string{"One.", "<script>"}}},
	Step{Kind: Terms, To: `"><script>`, Way: Way{ID: `"><script>`}, Terms: Text{Version: "<script>", Language: `"><script>`, Address: "javascript:alert(1)"}},
	Step{Kind: Wait, Way: Way{Where: "x"}, Back: "/login"},
	Welcome{Account: "anna@example.com", Display: "Anna"}, Welcome{To: "/x", Now: true}, Welcome{To: "javascript:alert(1)", Display: "<script>"},
	Told{}, Told{Replaced: true, To: "/x"}, Leave{Account: "anna@example.com", Action: "/logout"}, Left{}, Left{Apps: []string{"Shop", "<script>"}},
	Left{To: "/OAuth2/EndSession/shop?state=1", Frames: []Frame{{"https://shop.example.com/left?a=1&b=%22", "https://shop.example.com"}}},
	Select{Account: "anna@example.com", Display: "Anna", App: "Shop", To: "/OAuth2/Authorize/a?bounce=b"}, Select{Account: "<script>"},
	Raise{Account: "anna@example.com", App: "<script>", To: `"><script>`}, Raise{Account: "anna@example.com", App: "Shop", None: true},
	Device{}, Device{User: `"><script>`, Code: "device.code", Reason: "No."},
	Connect{Account: "anna@example.com", App: "<script>", User: "BCDF-GHJK", Wants: []Want{{Scope: "openid"}}}, Connect{App: "Shop"},
	Connected{App: "Shop", Agreed: true}, Connected{App: "<script>"},
	Join{}, Join{Invitation: `"><script>`, Code: "workspace.invitation_other", Reason: "No."}, Joining{Account: "anna@example.com", Workspace: "<script>", Invitation: `"><script>`},
	Joined{Workspace: "Nord", Agreed: true}, Joined{Workspace: "<script>"},
	Fault{Code: "oauth.invalid_request", Reason: "<script>", ID: "1", Asked: true, App: "<script>"}, Fault{Code: "oauth.access_denied", ID: "1", Asked: true},
	Consent{Account: "anna@example.com", App: "<script>", Action: "/OAuth2/Confirm/a", Bounce: "b", Scopes: "openid,x", Site: "app.example.com",
		Wants: []Want{{Scope: "openid"}, {Scope: "x"}, {Scope: "y", Text: "<script>"}}},
	Fault{Code: "invite.link", Reason: "No.", ID: "1"},
	Passkeys{Account: "anna@example.com"}, Passkeys{Account: `"><script>`, Code: "passkey.unfit", Reason: "<script>", Have: []Passkey{
		{Handle: `"><script>`, Name: `"><script>`, Way: "passkey", Host: "id.example.com", Used: "2026-11-23", Suspect: true}, {Name: "Key", Way: "key"},
	}},
	Widget{},
	Widget{Tenant: map[string]string{"WelcomeMessage": "</script><script>alert(1)//"}, Server: map[string]string{"x": "<!--<script>"}, User: `"</script>`},
	Registering{Account: "anna@example.com", Name: `"><script>`, Options: `"></form><script>`},
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
				text, err := p.Render([]string{w.tag.String()}, Brand{
					Product: "Limen", Tenant: "A & B <Co>", Support: "help@example.com", Privacy: "https://example.com/p", Terms: "javascript:alert(1)",
					Greeting: "<script>", Banner: "<script>", Sample: "<script>",
				}, v)
				if err != nil {
					t.Fatal(err)
				}
				if regexp.MustCompile(`\{[a-z]+\}`).Match(text[strings.Index(string(text), "</style>"):]) {
					t.Error("a placeholder is left over")
				}
				if strings.Contains(string(text), "javascript:") || !strings.Contains(string(text), `href="https://example.com/p"`) {
					t.Error("the foot leads elsewhere")
				}
				if script := scriptOf(v); script != "" { // the one script, byte for byte what the policy allows
					whole := string(text)
					if text = []byte(strings.Replace(whole, "<script>"+script+"</script>", "", 1)); len(text) == len(whole) {
						t.Error("the script is another than the policy allows")
					}
				}
				look(t, string(text))
			})
		}
	}
}

// scriptOf is the script of a page that has one.
func scriptOf(v View) string {
	switch v := v.(type) {
	case Left:
		return string(v.GoOn())
	case Step:
		return string(v.Script())
	case Name:
		return string(v.Script())
	case Registering:
		return string(v.Script())
	case Widget:
		script, _ := v.Script() // texts alone
		return string(script)
	}
	return ""
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
		if name != "meta" && name != "input" && name != "img" && name != "link" {
			open = append(open, name)
		}
		ids[a["id"]] = true
		labels[a["for"]] = true
		switch name {
		case "h1":
			headings++
		case "script":
			if a["src"] != "/vfslow"+WidgetFolder+"login.js" {
				t.Error("there is a script")
			}
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
		if w := p.pick(want, nil); w.tag.String() != "en" {
			t.Errorf("%.40v gives %s", want, w.tag)
		}
	}
	for _, one := range []struct {
		want, among []string
		is          string
	}{
		{[]string{"de-AT"}, nil, "de"}, {[]string{"pt-PT"}, nil, "pt"}, {[]string{"zh-CN"}, nil, "zh-Hans"}, {[]string{"tlh", "it"}, nil, "it"},
		{[]string{"de"}, []string{"fr", "en"}, "fr"}, {[]string{"en-US"}, []string{"fr", "en"}, "en"}, {[]string{"de"}, []string{"tlh"}, "en"},
	} {
		if w := p.pick(one.want, one.among); w.tag.String() != one.is {
			t.Errorf("%v among %v gives %s, want %s", one.want, one.among, w.tag, one.is)
		}
	}
}

// The pages speak the languages that mails do.
func TestTwelveLanguages(t *testing.T) {
	p, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(p.Languages(), " "); got != "en ar de es fr he it ja nl pl pt zh-Hans" {
		t.Error(got)
	}
	for _, w := range p.langs {
		if rtl := w.tag.String() == "ar" || w.tag.String() == "he"; (w.Direction == "rtl") != rtl || !rtl && w.Direction != "ltr" {
			t.Errorf("%s is written %q", w.tag, w.Direction)
		}
	}
}

// A language that lacks a sentence, or whose sentence lacks a placeholder, or has one that nothing uses, does not load.
func TestLanguagesAreWhole(t *testing.T) {
	english := map[string]string{"a": "x {one} {two}", "b": "y"}
	for problem, other := range map[string]map[string]string{
		"": {"a": "{two} {one} {two}", "b": "z", "fault.x": "f"}, "lacks b": {"a": "{one}{two}"}, "has the placeholders": {"a": "{one}", "b": "z"},
		"nothing uses c": {"a": "{one}{two}", "b": "z", "c": "d"},
	} {
		err := (&Pages{langs: []*words{{Sentences: english}, {Sentences: other}}}).complete()
		if (err == nil) != (problem == "") || err != nil && !strings.Contains(err.Error(), problem) {
			t.Errorf("%q: %v", problem, err)
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
		if got := (Brand{Support: support}).help(w); got.Text != want[0] || got.Link != want[1] {
			t.Errorf("%s: %+v", support, got)
		}
	}
}
