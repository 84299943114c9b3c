package oauth

import (
	"net/url"
	"strings"
)

// Pair is one field of an authorization answer.
type Pair struct{ Name, Value string }

// Location is where a browser is sent with an answer in the query or the fragment of a redirect URI. What the URI has of its
// own stays (RFC 6749 section 3.1.2). Fields without a value are left out.
func Location(redirect string, m Mode, fields []Pair) string {
	var b strings.Builder
	for _, f := range fields {
		if f.Value == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(f.Name) + "=" + url.QueryEscape(f.Value))
	}
	if b.Len() == 0 {
		return redirect
	}
	sep := "?"
	switch {
	case m == Fragment || m == FragmentJWT:
		sep = "#"
	case strings.HasSuffix(redirect, "?") || strings.HasSuffix(redirect, "&"):
		sep = ""
	case strings.Contains(redirect, "?"):
		sep = "&"
	}
	return redirect + sep + b.String()
}
