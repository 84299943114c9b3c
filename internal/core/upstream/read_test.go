package upstream

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// Whatever a provider answers, what is kept of it is short, one line, and text.
func FuzzIdentity(f *testing.F) {
	for _, s := range []string{
		`{"id":"1","name":"Ada","email":"ada@example.com"}`, `{"data":{"id":"1","username":"ada","confirmed_email":"a@b.c"}}`,
		`{"sub":"1","email":"a@b.c","email_verified":"true","xms_edov":1}`, `{"name":{"firstName":"Ada","lastName":"\u0000"}}`, `[]`, `{"id":{}}`, "{\"name\":\"\xff\"}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var all []Identity
		for _, read := range []func([]byte) (Identity, error){readFacebook, readX} {
			if id, err := read([]byte(text)); err == nil {
				all = append(all, id)
			}
		}
		var c claims
		if json.Unmarshal([]byte(text), &c) == nil {
			all = append(all, c.identity())
			if ownsGoogle(c) && !bool(c.Verified) || ownsMicrosoft(c) && !bool(c.Owner) {
				t.Errorf("%q is believed", text)
			}
		}
		var id Identity
		id.named(text)
		for _, id := range append(all, id) {
			for most, kept := range map[int]string{254: id.label(), 100: printable(id.Name)} {
				if len(kept) > most || !utf8.ValidString(kept) || strings.ContainsFunc(kept, unicode.IsControl) {
					t.Errorf("%q of %q", kept, text)
				}
			}
		}
	})
}

func TestWhatIsBelieved(t *testing.T) {
	for _, tt := range []struct {
		domains, mail string
		want          bool
	}{
		{"", "ada@example.com", false}, {"*", "ada@example.com", true}, {"*", "ada", false}, {"example.com", "ada@EXAMPLE.com", true}, {" a.example , example.com ", "ada@example.com", true},
		{"example.com", "ada@sub.example.com", false}, {"example.com", "ada@badexample.com", false}, {",", "ada@", false}, {"example.com", "ada@example.com@evil.example", false},
	} {
		if got := (Provider{Domains: tt.domains}).believed(tt.mail); got != tt.want {
			t.Errorf("%q of %q: %v", tt.mail, tt.domains, got)
		}
	}
}

func TestWhosePathItIs(t *testing.T) {
	for last, want := range map[string]string{
		"GoogleAuthCallback": "Google", "googleauthcallback": "google", "my-idpAuthCallback": "my-idp", "AuthCallback": "", "Portal": "", "": "",
	} {
		if got := NameOf(last); got != want {
			t.Errorf("%s: %q", last, got)
		}
	}
}

func TestDomainsAreRead(t *testing.T) {
	for text, want := range map[string]string{
		"": "", " , ": "", "example.com": "example.com", " a.example , b.example,": "a.example,b.example", "*": "*", "ada@example.com": "no", "a b": "no", ".example": "no", "*.example": "no",
	} {
		got, ok := domains(text)
		if !ok {
			got = "no"
		}
		if got != want {
			t.Errorf("%q gives %q, want %q", text, got, want)
		}
	}
}
