package oauth_test

import (
	"strings"
	"testing"

	"limen/internal/wire/oauth"
)

func TestLocales(t *testing.T) {
	for in, want := range map[string]string{
		"de-CH fr en": "de-CH fr en", "": "", "de,fr zh-Hans": "zh-Hans", "-de de- \"x\" en": "en", strings.Repeat("x", 36): "",
		strings.Repeat("de ", 20): strings.TrimSpace(strings.Repeat("de ", 10)),
	} {
		if got := oauth.Locales(strings.Fields(in)); got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
}
