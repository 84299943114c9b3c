package message

import (
	"strings"
	"testing"

	"golang.org/x/text/language"
)

// A file that cannot be used is found by Compile, and by whoever needs it: not by the others.
func TestBrokenText(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Compile(); err != nil {
		t.Fatal(err)
	}
	raw, err := files.ReadFile("texts/de.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{
		"no sentence":   strings.Replace(string(raw), "  login_code:", "  another:", 1),
		"no field":      strings.Replace(string(raw), "{{.Code}}", "{{.Code", 1),
		"no such field": string(raw) + "\nmore: text\n",
	} {
		if text == string(raw) {
			t.Fatal(what, "changes nothing")
		}
		i := 0
		for c.langs[i].tag != language.German {
			i++
		}
		c.langs[i].read = func() (*texts, error) { return compile(language.German, []byte(text)) }
		if err := c.Compile(); err == nil {
			t.Error(what, "is not found")
		}
		if _, err := c.Render(LoginCode, []string{"de"}, Sample(), nil); err == nil {
			t.Error(what, "is sent")
		}
		if _, err := c.Draft(LoginCode, "de"); err == nil {
			t.Error(what, "is shown")
		}
		if _, err := c.Render(LoginCode, []string{"fr"}, Sample(), nil); err != nil {
			t.Error(what, err)
		}
	}
}
