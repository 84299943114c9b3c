package target

import (
	"net/url"
	"strings"
	"testing"
)

func TestOnlyPathsOfThisServer(t *testing.T) {
	for text, want := range map[string]string{
		"/OAuth2/Authorize/app?bounce=x-_1":   "/OAuth2/Authorize/app?bounce=x-_1",
		"Oauth2/Authorize/app?bounce=x%2By":   "/Oauth2/Authorize/app?bounce=x%2By",
		"/my":                                 "/my",
		"/a%20b?c=/d#e":                       "/a%20b?c=/d",
		"":                                    "",
		"//evil.example":                      "",
		"///evil.example":                     "",
		`/\evil.example`:                      "",
		`\\evil.example`:                      "",
		"https://evil.example":                "",
		"https:evil.example":                  "",
		"HTTPS:/evil.example":                 "",
		"javascript:alert(1)":                 "",
		"data:text/html,x":                    "",
		"/\t/evil.example":                    "",
		" //evil.example":                     "",
		"/..//evil.example":                   "",
		"/a//evil.example":                    "",
		"/%2F/evil.example":                   "",
		"/%5cevil.example":                    "",
		"/%0d%0aLocation:x":                   "",
		"@evil.example":                       "/@evil.example",
		"evil.example:443/x":                  "",
		"/\u2215evil.example":                 "",
		"/Security/Login?user=a&password=b":   "",
		"/api/idadmin/%53ecurity/Login?a=b":   "",
		"/login?cloudRedirect=/x":             "",
		"/logout":                             "",
		"/OAuth2/Authorize/logout?bounce=b":   "/OAuth2/Authorize/logout?bounce=b",
		"/OAuth2/Authorize/../../login":       "",
		"/oauth2/endsession/Security?state=s": "/oauth2/endsession/Security?state=s",
		"/" + strings.Repeat("a", most+1):     "",
		"/" + strings.Repeat("[", most/2):     "",
	} {
		if got := Local(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// Whatever a link says, a browser that follows what comes of it stays at this server.
func FuzzLocal(f *testing.F) {
	for _, s := range []string{"/my", "Oauth2/Authorize/a?bounce=b", "//e", "/\\e", "/%2f/e", "/a?b#c", "/%5C%5Ce", ":x", "[[[[", "/:80", "a:b", "/;//e", "?x", "#x", "/%", "/\x00"} {
		f.Add(s)
	}
	base, _ := url.Parse("https://id.example.com/login")
	f.Fuzz(func(t *testing.T, text string) {
		got := Local(text)
		if got == "" {
			return
		}
		at, err := base.Parse(got)
		if err != nil || at.Scheme != "https" || at.Host != "id.example.com" || at.User != nil {
			t.Fatalf("%q gives %q, which leads to %v %v", text, got, at, err)
		}
		if !strings.HasPrefix(got, "/") || len(got) > 1 && (got[1] == '/' || got[1] == '\\') || strings.ContainsAny(got, "\\\r\n\t\x00 ") {
			t.Fatalf("%q gives %q", text, got)
		}
		if again := Local(got); again != got {
			t.Fatalf("%q gives %q, and that gives %q", text, got, again)
		}
	})
}
