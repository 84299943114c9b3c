package message_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	xhtml "golang.org/x/net/html"

	"limen/internal/core/message"
)

func TestTame(t *testing.T) {
	for _, good := range []string{
		`<p>Hello {{.Name}}, your code is <b style="font-size:2em;color:#333">{{.Code}}</b></p>`,
		`<!DOCTYPE html><html lang="en"><body><table width="100%"><tr><td align="center">{{if .Link}}<a href="{{.Link}}">Go</a>{{else}}1 &lt; 2{{end}}</td></tr></table></body></html>`,
		`<a href='{AuthLink}'>Go</a>`, `{{range .Accounts}}<li>{{.}}</li>{{end}}`, "",
	} {
		if err := message.Tame(message.Override{HTML: good}); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		`<script>1</script>`, `<p onclick="x">`, `<img src="https://example.org/x.gif">`, `<a href="https://example.org">x</a>`, `<a href="{{.Code}}">x</a>`,
		`<a href="{{.Link}}&amp;x=1">x</a>`, `<a href="javascript:x">x</a>`, `<p title="{{.Code}}">x</p>`, `<style>p{}</style>`, `<p style="background:url(x)">`,
		`<p style="x:\75rl(x)">`, `<!-- x -->`, `<{{if .Name}}{{end}}script>`, `<{{.Name}}script>`, `<{{/* x */}}script>`, `< {{- /* x */ -}} script>`,
		`<p {{if .Name}}title="a"{{end}}>`, `<p title="{{if .Name}}">{{end}}x`, `<p`, `a < b`, `<form action="x">`, `<svg><a xlink:href="x">`, `see www.example.org`,
		`h{{if .Name}}ttps:{{end}}//x`, `https:&#47;&#47;x`, `<title>x</title>`, `<textarea>`, "a\ue000b",
	} {
		if err := message.Tame(message.Override{HTML: bad}); !errors.Is(err, message.ErrOverride) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if err := message.Tame(message.Override{Subject: "at http://x"}); !errors.Is(err, message.ErrOverride) {
		t.Error(err)
	}
	if err := message.Tame(message.Override{Text: "{{.Link}} or www.x"}); !errors.Is(err, message.ErrOverride) {
		t.Error(err)
	}
}

// FuzzTame holds of whatever is tame, and compiles, that the mail which comes of it has no element but plain ones, and leads nowhere but to its
// own link.
func FuzzTame(f *testing.F) {
	for _, seed := range []string{
		`<p>Hello {{.Name}} {{if .Link}}<a href="{{.Link}}">Go</a>{{else}}{{.Code}}{{end}}</p>`, `<{{if .Name}}{{end}}script>`, `<{{.Name}}script>`,
		`<p {{if .Name}}title="a"{{end}}>`, `<a href="{{.Link}}">{{range .Accounts}}<li>{{.}}</li>{{end}}</a>`, `<td width="1" style="color:red">&lt;script&gt;</td>`,
	} {
		f.Add(seed)
	}
	c, err := message.Load()
	if err != nil {
		f.Fatal(err)
	}
	d := message.Sample()
	f.Fuzz(func(t *testing.T, source string) {
		o := message.Override{Kind: message.VerifyMail, Lang: "en", HTML: source}
		if message.Tame(o) != nil || c.Check(o) != nil {
			return
		}
		for _, name := range []string{"", "<script>", `" onclick="x`} {
			d.Name = name
			r, err := c.Render(message.VerifyMail, nil, d, []message.Override{o})
			if err != nil || r.Refused != nil {
				return
			}
			z := xhtml.NewTokenizer(strings.NewReader(r.HTML))
			for kind := z.Next(); kind != xhtml.ErrorToken; kind = z.Next() {
				tag := z.Token()
				if kind != xhtml.StartTagToken && kind != xhtml.SelfClosingTagToken {
					continue
				}
				if slices.Contains([]string{"script", "style", "img", "iframe", "form", "svg", "object", "link", "meta", "input"}, tag.Data) {
					t.Errorf("%q makes <%s>", source, tag.Data)
				}
				for _, a := range tag.Attr {
					if strings.HasPrefix(a.Key, "on") || a.Key == "src" || a.Key == "href" && a.Val != d.Link {
						t.Errorf("%q makes %s=%q", source, a.Key, a.Val)
					}
				}
			}
		}
	})
}
