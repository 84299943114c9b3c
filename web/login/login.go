// Package login has the pages on which people prove who they are or set up how they will: their templates, and their
// sentences, one file a language in texts/. The pages work without script.
package login

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"

	"limen/web/page"
)

//go:embed *.html parts/*.html texts/*.yaml
var files embed.FS

// Brand is whose pages they are.
type Brand struct {
	Product string // the program's name
	Tenant  string // the organization's display name
	Support string // where to get help; empty: nowhere
	Theme   page.Theme
}

// View is what one of the pages shows.
type View interface{ page() shape }

type shape struct {
	name    string
	culture string // BCP 47 tag of the reader's language, where it is known
	failed  bool
	refresh string // page.Edge.Refresh
}

// Front is the first page.
type Front struct {
	ID     string // of the tenant
	Host   string // the tenant's host name
	Outbox string // where messages are that were not sent; empty: they are sent
}

// Invitation asks an invited person for their first password.
type Invitation struct {
	Account string // login name
	Culture string // BCP 47 tag of the person's language; empty: whatever the browser asks for
	Token   string // of the link; the form sends it back
	Rules   []Rule
	Code    string // fault code of what is wrong with the password sent before; empty: nothing
	Reason  string // the same in words, where the language has none for the code
	Again   bool   // the mistake is in the second field
}

// Rule is one thing that a password needs: the key of its sentence below "rule.", and the number in it.
type Rule struct {
	Key    string
	Number int
}

// Accepted tells an invited person that the password is set.
type Accepted struct {
	Account string
	Culture string
}

// Address asks somebody whether a mail address is theirs.
type Address struct {
	Account string // login name
	Mail    string
	Culture string // BCP 47 tag of the person's language
	Token   string // of the link; the form sends it back
}

// Confirmed tells somebody that the mail address is confirmed.
type Confirmed struct {
	Mail    string
	Culture string
}

// Fault tells of a failure.
type Fault struct {
	Code   string
	Reason string // in words, where the language has none for the code
	ID     string // of the request, by which its line in the log is found
}

func (Front) page() shape        { return shape{name: "front"} }
func (v Invitation) page() shape { return shape{name: "invitation", culture: v.Culture} }
func (v Accepted) page() shape   { return shape{name: "accepted", culture: v.Culture} }
func (v Address) page() shape    { return shape{name: "address", culture: v.Culture} }
func (v Confirmed) page() shape  { return shape{name: "confirmed", culture: v.Culture} }
func (Fault) page() shape        { return shape{name: "fault", failed: true} }

// Pages renders. It does not change and may be used concurrently.
type Pages struct {
	set     page.Set
	langs   []*words // English first: the language of last resort
	matcher language.Matcher
}

// words is one language's file.
type words struct {
	Direction string            `yaml:"direction"` // ltr or rtl
	Sentences map[string]string `yaml:"sentences"` // {name} is a placeholder

	tag language.Tag
}

// Load reads and checks what is part of the program.
func Load() (*Pages, error) {
	p := &Pages{}
	var err error
	if p.set, err = page.Load(files); err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "texts/*.yaml")
	if err != nil {
		return nil, err
	}
	var tags []language.Tag
	for _, name := range names {
		w, err := read(name)
		if err != nil {
			return nil, fmt.Errorf("login: %s: %w", name, err)
		}
		if w.tag == language.English {
			p.langs, tags = append([]*words{w}, p.langs...), append([]language.Tag{w.tag}, tags...)
		} else {
			p.langs, tags = append(p.langs, w), append(tags, w.tag)
		}
	}
	p.matcher = language.NewMatcher(tags)
	return p, p.complete()
}

func read(name string) (*words, error) {
	raw, err := files.ReadFile(name)
	if err != nil {
		return nil, err
	}
	w := &words{}
	if err := yaml.Unmarshal(raw, w); err != nil {
		return nil, err
	}
	w.tag, err = language.Parse(strings.TrimSuffix(strings.TrimPrefix(name, "texts/"), ".yaml"))
	return w, err
}

// complete wants every language to have the sentences that English has.
func (p *Pages) complete() error {
	for _, w := range p.langs {
		for key := range p.langs[0].Sentences {
			if w.Sentences[key] == "" {
				return fmt.Errorf("login: texts/%s.yaml lacks %s", w.tag, key)
			}
		}
	}
	return nil
}

// Render makes the HTML of a page in the best of our languages for the wishes: BCP 47 tags or values of the header
// Accept-Language, the most wanted first. The reader's own language, where the view names it, comes before them.
func (p *Pages) Render(want []string, b Brand, v View) ([]byte, error) {
	is := v.page()
	w := p.pick(append([]string{is.culture}, want...))
	if b.Tenant == "" {
		b.Tenant = b.Product
	}
	e := page.Edge{Lang: w.tag.String(), Dir: w.Direction, Name: b.Tenant, Failed: is.failed, Refresh: is.refresh, Theme: b.Theme}
	if b.Support != "" {
		e.Foot, e.Link = b.help(w)
	}
	return p.set.Render(is.name, e, shown{w, b, v})
}

func (p *Pages) pick(want []string) *words {
	var tags []language.Tag
	for _, s := range want {
		if len(s) > 500 {
			continue // no browser asks for so many
		}
		if ts, _, err := language.ParseAcceptLanguage(s); err == nil {
			tags = append(tags, ts...)
		}
	}
	_, i, _ := p.matcher.Match(tags...)
	return p.langs[i]
}

// help is the line that says where to get help, and where it leads.
func (b Brand) help(w *words) (text, link string) {
	switch {
	case strings.HasPrefix(b.Support, "https://"), strings.HasPrefix(b.Support, "http://"), strings.HasPrefix(b.Support, "mailto:"):
		link = b.Support
	case strings.Count(b.Support, "@") == 1 && !strings.ContainsAny(b.Support, " /?#:"):
		link = "mailto:" + b.Support
	}
	return w.fill("help", "contact", strings.TrimPrefix(b.Support, "mailto:")), link
}

// shown is what templates see.
type shown struct {
	*words
	Brand
	V View
}

// Say gives a sentence; pairs are names of placeholders and their values.
func (s shown) Say(key string, pairs ...any) (string, error) {
	if s.Sentences[key] == "" {
		return "", fmt.Errorf("login: there is no sentence %q", key)
	}
	return s.fill(key, pairs...), nil
}

// Head gives the heading for a fault.
func (s shown) Head(code string) string {
	if text := s.Sentences["title."+code]; text != "" {
		return text
	}
	return s.Sentences["title"]
}

// Why gives the sentence of a fault in this language, or else the one it carries.
func (s shown) Why(code, reason string) string {
	if text := s.Sentences["fault."+code]; text != "" {
		return text
	}
	return reason
}

func (w *words) fill(key string, pairs ...any) string {
	var marks []string
	for i := 0; i+1 < len(pairs); i += 2 {
		marks = append(marks, fmt.Sprintf("{%v}", pairs[i]), fmt.Sprint(pairs[i+1]))
	}
	return strings.NewReplacer(marks...).Replace(w.Sentences[key])
}
