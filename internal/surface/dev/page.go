package dev

import (
	"bytes"
	"html/template"
)

// pageCSP allows the page's own style and nothing else; mails are shown as text, so nothing of theirs runs or loads.
const pageCSP = "default-src 'none'; style-src 'sha256-" + styleHash + "'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

var page = template.Must(template.New("outbox").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Outbox</title>
<style>` + style + `</style>
</head>
<body>
<main>
<h1>Outbox</h1>
<p>With <code>--dev</code> nothing leaves this machine: what would have been sent is shown here, newest first.</p>
<form method="get"><label for="to">To</label> <input id="to" name="to" value="{{.To}}" placeholder="every address"> <button>Show</button></form>
{{range .Messages}}<article>
<h2>{{if .Subject}}{{.Subject}}{{else}}Text message{{end}}</h2>
<p><strong>{{.To}}</strong> by {{.Channel}}, <time datetime="{{.At.Format "2006-01-02T15:04:05Z07:00"}}">{{.At.Format "15:04:05"}}</time>, tenant {{.Tenant}}</p>
<pre>{{.Text}}</pre>
</article>
{{else}}<p>Nothing yet.</p>
{{end}}</main>
</body>
</html>
`))

// styleHash is what the policy allows: the SHA-256 of style. A test compares them.
const styleHash = "C/4L2BvBiRnSUWhkxDYf4O/xs6aOIuZ52rpyQEOBvOM="

const style = `body{font:16px/1.5 system-ui,sans-serif;margin:0;padding:1rem}main{max-width:46rem;margin:auto}article{border:1px solid #8886;border-radius:.5rem;padding:0 1rem;margin:1rem 0}h1{font-size:1.5rem}h2{font-size:1.1rem;margin:.75rem 0 0}p{margin:.25rem 0}pre{white-space:pre-wrap;overflow-wrap:anywhere;font:14px/1.5 ui-monospace,monospace}input,button{font:inherit;padding:.25rem .5rem}`

func render(messages []Message, to string) ([]byte, error) {
	var b bytes.Buffer
	err := page.Execute(&b, map[string]any{"Messages": messages, "To": to})
	return b.Bytes(), err
}
