package oauth

import "strings"

// maxLocales bounds the languages of a request that are looked at.
const maxLocales = 10

// Locales are the first languages of ui_locales that look like BCP 47 tags, with spaces between (OpenID Connect Core section 3.1.2.1).
// Others are nothing to anybody, and no error.
func Locales(tags []string) string {
	var out []string
	for _, tag := range tags {
		if len(out) < maxLocales && len(tag) <= 35 && tag != "" && strings.Trim(tag, "-") == tag && !strings.ContainsFunc(tag, func(r rune) bool {
			return r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
		}) {
			out = append(out, tag)
		}
	}
	return strings.Join(out, " ")
}
