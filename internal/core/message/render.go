package message

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// page is what the layouts show: whole sentences only.
type page struct {
	Lang, Dir, Subject  string
	Hello, Lead         string
	Accounts            []string
	Code                string
	Button, Link, Below string
	Valid, Until        string
	Facts               []fact
	Advice              []string
	Help                string
	Support, SupportURL string
	Footer              string

	// Open and Close surround what depends on a placeholder. They are empty in a message; a draft has its conditions in
	// them (see Draft).
	Open  map[string]string
	Close string
}

// fact is a labelled value.
type fact struct{ Field, Label, Value string }

// maxRendered bounds each part of a rendered message, in bytes.
const maxRendered = 256 << 10

// Render writes a message. The language is the best of ours for the wishes (see Match); a tenant's own texts take part
// with the languages that they are in. Errors are ErrKind and ErrData, which are mistakes of the caller; a text of the
// tenant that cannot be used is reported in Rendered.Refused instead.
func (c *Catalog) Render(k Kind, want []string, d Data, own []Override) (Rendered, error) {
	if _, ok := kinds[k]; !ok {
		return Rendered{}, ErrKind.Say("There is no message %q.", plain(string(k), 40))
	}
	tag, o := c.choose(k, want, own)
	_, base := pick(c.matcher, []string{tag.String()})
	l, err := c.langs[base].read()
	if err != nil {
		return Rendered{}, err
	}
	v, err := l.shown(k, d)
	if err != nil {
		return Rendered{}, err
	}
	r, err := c.ours(l, k, v)
	if err != nil {
		return Rendered{}, err
	}
	if o == nil {
		return r, nil
	}
	changed := r
	if err := o.apply(k, v, &changed); err != nil {
		r.Refused = err
		return r, nil //nolint:nilerr // our own text goes out instead
	}
	changed.Lang = tag.String()
	return changed, nil
}

// choose picks the language among ours and the tenant's, and the tenant's text in it, if there is one.
func (c *Catalog) choose(k Kind, want []string, own []Override) (language.Tag, *Override) {
	tags := c.tags()
	byTag := map[language.Tag]*Override{}
	for i := range own {
		if own[i].Kind != k || len(own[i].Lang) > maxWish {
			continue
		}
		t, err := language.Parse(own[i].Lang)
		if err != nil {
			continue
		}
		if _, twice := byTag[t]; !twice {
			byTag[t] = &own[i]
			tags = append(tags, t)
		}
	}
	m := c.matcher
	if len(byTag) > 0 {
		m = language.NewMatcher(tags)
	}
	_, i := pick(m, want)
	return tags[i], byTag[tags[i]]
}

// ours renders our own words.
func (c *Catalog) ours(l *texts, k Kind, v values) (Rendered, error) {
	p, sms, err := l.page(k, v)
	if err != nil {
		return Rendered{}, fmt.Errorf("message: %s in %s: %w", k, l.tag, err)
	}
	r, err := c.lay(p)
	r.SMS = sms
	return r, err
}

// lay puts the sentences into the layouts.
func (c *Catalog) lay(p page) (Rendered, error) {
	l, err := c.layouts()
	if err != nil {
		return Rendered{}, err
	}
	var text, html bounded
	if err := errors.Join(l.text.Execute(&text, p), l.html.Execute(&html, p)); err != nil {
		return Rendered{}, fmt.Errorf("message: layout in %s: %w", p.Lang, err)
	}
	return Rendered{Lang: p.Lang, Subject: p.Subject, Text: tidy(text.String()), HTML: html.String()}, nil
}

// page says all sentences of a message.
func (l *texts) page(k Kind, v values) (p page, sms string, err error) {
	m := l.Messages[k]
	say := func(s sentence) string {
		out, e := s.say(v)
		err = errors.Join(err, e)
		return out
	}
	p = page{
		Lang: l.tag.String(), Dir: l.Direction, Subject: plain(say(m.Subject), 150), Lead: say(m.Lead),
		Link: v.Link,
		Help: l.Words["Help"], Support: v.supportText, SupportURL: v.supportURL, Footer: say(l.Footer),
	}
	if p.Hello = say(l.Hello); v.Name != "" {
		p.Hello = say(l.HelloName)
	}
	if slices.Contains(kinds[k].need, "Code") {
		p.Code = v.Code
	}
	if kinds[k].list || slices.Contains(kinds[k].need, "Accounts") {
		p.Accounts = v.Accounts
	}
	if v.Link != "" {
		p.Button, p.Below = say(m.Button), say(l.Below)
	}
	if v.Lasts != "" {
		p.Valid = say(m.Valid)
	}
	if v.Until != "" {
		p.Until = say(m.Until)
	}
	for _, a := range m.Advice {
		p.Advice = append(p.Advice, say(a))
	}
	for _, f := range kinds[k].facts {
		if value := v.field(f); value != "" {
			p.Facts = append(p.Facts, fact{f, l.Words[f], value})
		}
	}
	v.Tenant = plain(v.Tenant, 30) // a long name would cost a segment
	return p, say(m.SMS), err
}

// tidy leaves at most one empty line between paragraphs and none at the ends.
func tidy(s string) string {
	lines := strings.Split(s, "\n")
	out := lines[:0]
	for _, line := range lines {
		if line = strings.TrimRight(line, " "); line != "" || len(out) > 0 && out[len(out)-1] != "" {
			out = append(out, line)
		}
	}
	return strings.TrimSpace(strings.Join(out, "\n")) + "\n"
}

// bounded is a buffer that refuses to grow beyond maxRendered.
type bounded struct{ strings.Builder }

var errLong = errors.New("the message becomes too long")

// Write adds to the buffer.
func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxRendered {
		return 0, errLong
	}
	return b.Builder.Write(p)
}
