// Package login has the pages on which people prove who they are or set up how they will: their templates, and their
// sentences, one file a language in texts/. The pages work without script, but for what only a script can ask a browser for: passkeys.
package login

import (
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/sync/errgroup"
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
	Privacy string // address of what is said on privacy; empty: none
	Terms   string // address of the terms of use; empty: none
	Theme   page.Theme
	// Languages are BCP 47 tags of those that pages may be in; empty: all that there are.
	Languages []string
	// Texts of the first step of a sign-in, in the tenant's own words; each may be empty.
	Greeting string // below the heading
	Banner   string // what must be known before signing in
	Sample   string // what a user name looks like
}

// View is what one of the pages shows.
type View interface{ page() shape }

type shape struct {
	name    string
	culture string // BCP 47 tag of the reader's language, where it is known
	failed  bool
	refresh string // page.Edge.Refresh

	manifest string // page.Edge.Manifest
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
	Landing string // where they go on; empty: nowhere
}

// Fault tells of a failure.
type Fault struct {
	Code   string
	Reason string // in words, where the language has none for the code; for developers, where Asked
	ID     string // of the request, by which its line in the log is found
	Asked  bool   // an application asked for what cannot be answered
	App    string // its name; empty: not known
}

// Authenticator is the page of the authenticator that runs in a browser.
type Authenticator struct {
	TenantID string
	User     string // UUID of who is signed in; empty: nobody is
	Account  string // their login name
}

func (Authenticator) page() shape {
	return shape{name: "authenticator", manifest: "/authenticator/manifest"}
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
	tags    []string // theirs
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
	texts := make([]*words, len(names))
	var all errgroup.Group // a start waits for them
	for i, name := range names {
		all.Go(func() (err error) {
			if texts[i], err = read(name); err != nil {
				err = fmt.Errorf("login: %s: %w", name, err)
			}
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	var tags []language.Tag
	for _, w := range texts {
		if w.tag == language.English {
			p.langs, tags = append([]*words{w}, p.langs...), append([]language.Tag{w.tag}, tags...)
		} else {
			p.langs, tags = append(p.langs, w), append(tags, w.tag)
		}
	}
	for _, tag := range tags {
		p.tags = append(p.tags, tag.String())
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

// complete wants every language to have the sentences that English has, and no others but those of faults, with the same placeholders.
func (p *Pages) complete() error {
	english := p.langs[0].Sentences
	for _, w := range p.langs {
		for key, text := range english {
			if w.Sentences[key] == "" {
				return fmt.Errorf("login: texts/%s.yaml lacks %s", w.tag, key)
			}
			if want, got := marks(text), marks(w.Sentences[key]); !slices.Equal(want, got) {
				return fmt.Errorf("login: texts/%s.yaml: %s has the placeholders %v instead of %v", w.tag, key, got, want)
			}
		}
		for key := range w.Sentences {
			if english[key] == "" && !strings.HasPrefix(key, "fault.") {
				return fmt.Errorf("login: texts/%s.yaml: nothing uses %s", w.tag, key)
			}
		}
	}
	return nil
}

var mark = regexp.MustCompile(`\{[a-z]+\}`)

// marks are the placeholders of a sentence, each once, sorted.
func marks(text string) []string {
	return slices.Compact(slices.Sorted(slices.Values(mark.FindAllString(text, -1))))
}

// Render makes the HTML of a page in the best of our languages for the wishes: BCP 47 tags or values of the header
// Accept-Language, the most wanted first. The reader's own language, where the view names it, comes before them.
func (p *Pages) Render(want []string, b Brand, v View) ([]byte, error) {
	is := v.page()
	w := p.pick(append([]string{is.culture}, want...), b.Languages)
	if b.Tenant == "" {
		b.Tenant = b.Product
	}
	e := page.Edge{Lang: w.tag.String(), Dir: w.Direction, Name: b.Tenant, Failed: is.failed, Refresh: is.refresh, Theme: b.Theme, Manifest: is.manifest}
	e.Foot = b.foot(w)
	return p.set.Render(is.name, e, shown{w, b, v})
}

// pick is the best language for the wishes among those that may be; the first of them where it has none of ours.
func (p *Pages) pick(want, among []string) *words {
	langs, matcher := p.langs, p.matcher
	if len(among) > 0 {
		langs = p.among(among)
		tags := make([]language.Tag, len(langs))
		for i, w := range langs {
			tags[i] = w.tag
		}
		matcher = language.NewMatcher(tags)
	}
	var tags []language.Tag
	for _, s := range want {
		if len(s) > 500 {
			continue // no browser asks for so many
		}
		if ts, _, err := language.ParseAcceptLanguage(s); err == nil {
			tags = append(tags, ts...)
		}
	}
	_, i, _ := matcher.Match(tags...)
	return langs[i]
}

// among gives the languages of some tags, in their order; English where none of them is ours.
func (p *Pages) among(tags []string) (out []*words) {
	for _, tag := range tags {
		for _, w := range p.langs {
			if strings.EqualFold(w.tag.String(), tag) {
				out = append(out, w)
			}
		}
	}
	if len(out) == 0 {
		return p.langs[:1]
	}
	return out
}

// Languages are the BCP 47 tags of those that pages can be in.
func (p *Pages) Languages() []string { return p.tags }

// Say is a sentence in the best of our languages for the wishes, for who shows it elsewhere than on a page.
func (p *Pages) Say(want []string, key string) string { return p.pick(want, nil).Sentences[key] }

// foot is what stands below every page.
func (b Brand) foot(w *words) (out []page.Line) {
	if b.Support != "" {
		out = append(out, b.help(w))
	}
	for _, more := range [][2]string{{"privacy", b.Privacy}, {"terms", b.Terms}} {
		if isWeb(more[1]) {
			out = append(out, page.Line{Text: w.Sentences[more[0]], Link: more[1]})
		}
	}
	return out
}

func isWeb(link string) bool {
	return strings.HasPrefix(link, "https://") || strings.HasPrefix(link, "http://")
}

// help is the line that says where to get help, and where it leads.
func (b Brand) help(w *words) page.Line {
	out := page.Line{Text: w.fill("help", "contact", strings.TrimPrefix(b.Support, "mailto:"))}
	switch {
	case isWeb(b.Support), strings.HasPrefix(b.Support, "mailto:"):
		out.Link = b.Support
	case strings.Count(b.Support, "@") == 1 && !strings.ContainsAny(b.Support, " /?#:"):
		out.Link = "mailto:" + b.Support
	}
	return out
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
	area, _, _ := strings.Cut(code, ".")
	for _, key := range []string{code, area} {
		if text := s.Sentences["title."+key]; text != "" {
			return text
		}
	}
	return s.Sentences["title"]
}

// Bare is a code without its area: as an application's developers know it.
func (s shown) Bare(code string) string { return code[strings.LastIndex(code, ".")+1:] }

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
