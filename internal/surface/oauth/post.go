package oauth

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/url"

	"limen/internal/op"
	wire "limen/internal/wire/oauth"
)

// submit sends the form as soon as it is there. Without scripts there is a button.
const submit = "document.forms[0].submit()"

var form = template.Must(template.New("post").Parse(`<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>…</title></head><body>
<form method="post" action="{{.Action}}">{{range .Fields}}<input type="hidden" name="{{.Name}}" value="{{.Value}}">{{end}}
<noscript><button>&rarr;</button></noscript></form><script>` + submit + `</script></body></html>
`))

// post is a page that sends the answer as a form (OAuth 2.0 Form Post Response Mode).
func post(redirect string, fields []wire.Pair) op.Page {
	var kept []wire.Pair
	for _, f := range fields {
		if f.Value != "" {
			kept = append(kept, f)
		}
	}
	var out bytes.Buffer
	// The URI is one that an administrator registered, perhaps with a program's own scheme, which templates would take out.
	err := form.Execute(&out, struct {
		Action template.URL
		Fields []wire.Pair
	}{template.URL(redirect), kept}) //nolint:gosec // see above
	if err != nil {
		return op.Page{Code: 500}
	}
	sum := sha256.Sum256([]byte(submit))
	return op.Page{HTML: out.Bytes(), CSP: "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; script-src 'sha256-" +
		base64.StdEncoding.EncodeToString(sum[:]) + "'; form-action " + origin(redirect)}
}

// origin is where the form may go: not more of the URI, whose characters a policy may read otherwise.
func origin(redirect string) string {
	u, err := url.Parse(redirect)
	if err != nil {
		return "'none'"
	}
	if u.Host == "" {
		return u.Scheme + ":"
	}
	return u.Scheme + "://" + u.Host
}
