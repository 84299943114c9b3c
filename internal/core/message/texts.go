package message

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/template"
	"time"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

//go:embed texts/*.yaml layout/*
var files embed.FS

// sentence is a text with placeholders, compiled when its file is read.
type sentence struct{ *template.Template }

// UnmarshalYAML compiles the text.
func (s *sentence) UnmarshalYAML(n *yaml.Node) error {
	var src string
	if err := n.Decode(&src); err != nil {
		return err
	}
	if err := allowed("sentence", src); err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	t, err := template.New("sentence").Parse(strings.TrimSpace(src))
	if err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	s.Template = t
	return nil
}

// say fills the placeholders in; a sentence that is not there says nothing.
func (s sentence) say(v values) (string, error) {
	if s.Template == nil {
		return "", nil
	}
	var b strings.Builder
	err := s.Execute(&b, v)
	return b.String(), err
}

// texts is one language's file.
type texts struct {
	Name      string            `yaml:"name"`      // the language's own name
	Direction string            `yaml:"direction"` // ltr or rtl
	Units     map[string]forms  `yaml:"units"`     // minute, hour, day: as they stand after "for"
	Words     map[string]string `yaml:"words"`     // labels of facts, by field, and "Help"
	Hello     sentence          `yaml:"hello"`
	HelloName sentence          `yaml:"hello_name"`
	Below     sentence          `yaml:"below"` // introduces the link's address as text
	Footer    sentence          `yaml:"footer"`
	Messages  map[Kind]*letter  `yaml:"messages"`

	tag language.Tag
}

// entry is a language of ours. Its file is read when the language is first used: most installations use one or two, and
// reading all of them would be a good part of the time that the program takes to start.
type entry struct {
	tag  language.Tag
	read func() (*texts, error)
}

// letter is the words of one kind of message.
type letter struct {
	Subject sentence   `yaml:"subject"`
	Lead    sentence   `yaml:"lead"`   // what this is about
	Button  sentence   `yaml:"button"` // leads to Link, when there is one
	Valid   sentence   `yaml:"valid"`  // shown when Lasts is known
	Until   sentence   `yaml:"until"`  // shown when Until is known
	Advice  []sentence `yaml:"advice"` // what to do, above all if it was not the reader
	SMS     sentence   `yaml:"sms"`
}

// forms are a unit's plural forms by CLDR's names; {n} is the number.
type forms map[string]string

// Catalog has the texts of all languages. It does not change and may be used concurrently.
type Catalog struct {
	langs   []entry // English first: the language of last resort
	matcher language.Matcher
	layouts func() (layouts, error)
}

// layouts are how the sentences are put together.
type layouts struct {
	html *htmltemplate.Template
	text *template.Template
}

// Load finds the texts that are part of the program. They are read when they are first used; Compile reads all of them.
func Load() (*Catalog, error) {
	names, err := files.ReadDir("texts")
	if err != nil {
		return nil, fmt.Errorf("message: %w", err)
	}
	c := &Catalog{layouts: sync.OnceValues(parseLayouts)}
	for _, n := range names {
		tag, err := language.Parse(strings.TrimSuffix(n.Name(), ".yaml"))
		if err != nil {
			return nil, fmt.Errorf("message: %s: %w", n.Name(), err)
		}
		e := entry{tag, sync.OnceValues(func() (*texts, error) { return load(tag, path.Join("texts", n.Name())) })}
		if tag == language.English {
			c.langs = slices.Insert(c.langs, 0, e)
		} else {
			c.langs = append(c.langs, e)
		}
	}
	c.matcher = language.NewMatcher(c.tags())
	return c, nil
}

// Compile reads the texts of every language and the layouts, and says what is wrong with them.
func (c *Catalog) Compile() error {
	_, err := c.layouts()
	for _, l := range c.langs {
		_, e := l.read()
		err = errors.Join(err, e)
	}
	return err
}

func parseLayouts() (l layouts, err error) {
	if l.html, err = htmltemplate.ParseFS(files, "layout/mail.html"); err != nil {
		return l, fmt.Errorf("message: %w", err)
	}
	if l.text, err = template.ParseFS(files, "layout/mail.txt"); err != nil {
		return l, fmt.Errorf("message: %w", err)
	}
	return l, nil
}

func load(tag language.Tag, file string) (*texts, error) {
	raw, err := files.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("message: %w", err)
	}
	l, err := compile(tag, raw)
	if err != nil {
		return nil, fmt.Errorf("message: %s: %w", file, err)
	}
	return l, nil
}

// compile reads one language's file and says what it lacks.
func compile(tag language.Tag, raw []byte) (*texts, error) {
	l := &texts{tag: tag}
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	if err := dec.Decode(l); err != nil {
		return nil, err
	}
	return l, l.check()
}

// words are the labels that every language has.
var words = []string{"Account", "By", "App", "When", "IP", "Place", "Device", "Page", "Reason", "Help"}

func (l *texts) check() error {
	if l.Name == "" || l.Direction != "ltr" && l.Direction != "rtl" {
		return fmt.Errorf("name or direction is missing")
	}
	for _, u := range []string{"minute", "hour", "day"} {
		if l.Units[u]["other"] == "" {
			return fmt.Errorf("units.%s.other is missing", u)
		}
	}
	for _, w := range words {
		if l.Words[w] == "" {
			return fmt.Errorf("words.%s is missing", w)
		}
	}
	for what, s := range map[string]sentence{"hello": l.Hello, "hello_name": l.HelloName, "below": l.Below, "footer": l.Footer} {
		if s.Template == nil {
			return fmt.Errorf("%s is missing", what)
		}
	}
	for k, spec := range kinds {
		m := l.Messages[k]
		if m == nil {
			return fmt.Errorf("messages.%s is missing", k)
		}
		for what, gone := range map[string]bool{
			"subject": m.Subject.Template == nil, "lead": m.Lead.Template == nil, "advice": len(m.Advice) == 0,
			"button": (m.Button.Template == nil) != spec.bare,
			"valid":  m.Valid.Template == nil && slices.Contains(spec.need, "Lasts"),
			"until":  m.Until.Template == nil && k == AccountLocked,
			"sms":    (m.SMS.Template == nil) == spec.sms,
		} {
			if gone {
				return fmt.Errorf("messages.%s.%s is missing, or there without use", k, what)
			}
		}
	}
	if len(l.Messages) != len(kinds) {
		return fmt.Errorf("messages has a kind that does not exist")
	}
	return nil
}

func (c *Catalog) tags() []language.Tag {
	tags := make([]language.Tag, len(c.langs))
	for i, l := range c.langs {
		tags[i] = l.tag
	}
	return tags
}

// Languages lists the tags of the languages that we have texts in, English first.
func (c *Catalog) Languages() []string {
	var out []string
	for _, t := range c.tags() {
		out = append(out, t.String())
	}
	return out
}

// Match picks one of our languages for wishes in descending order of importance, such as a user's preferred culture and
// the tenant's language. A wish is a BCP 47 tag or a .NET culture such as "de-DE", and may be empty; an Accept-Language
// list works as well. English is the last resort.
func (c *Catalog) Match(want ...string) string {
	_, i := pick(c.matcher, want)
	return c.langs[i].tag.String()
}

// Limits of wishes: parsing tags takes time.
const (
	maxWishes = 5
	maxWish   = 100 // bytes
)

func pick(m language.Matcher, want []string) (language.Tag, int) {
	var tags []language.Tag
	for _, w := range want[:min(len(want), maxWishes)] {
		if len(w) > maxWish {
			continue
		}
		if t, _, err := language.ParseAcceptLanguage(w); err == nil {
			tags = append(tags, t...)
		}
	}
	t, i, sure := m.Match(tags...)
	if sure == language.No {
		i = 0
	}
	return t, i
}

// lasts says a duration in the largest unit that fits it without a rest.
func (l *texts) lasts(d time.Duration) string {
	unit, n := "minute", max(int(d/time.Minute), 1)
	switch {
	case n%(24*60) == 0:
		unit, n = "day", n/(24*60)
	case n%60 == 0:
		unit, n = "hour", n/60
	}
	form := map[plural.Form]string{
		plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many", plural.Other: "other",
	}[plural.Cardinal.MatchPlural(l.tag, n, 0, 0, 0, 0)]
	text := l.Units[unit][form]
	if text == "" {
		text = l.Units[unit]["other"]
	}
	return strings.ReplaceAll(text, "{n}", strconv.Itoa(n))
}
