// Package page is the frame of every page that the server renders itself: one look, light and dark, for phones and
// desks, that needs no script and loads nothing. What a page shows between the frame's edges is its own file, which
// defines the templates "title" and "body".
package page

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io/fs"
	"strings"
)

//go:embed frame.html
var frame string

//go:embed style.css
var style string

// CSP is the policy of these pages: the frame's own style, forms to their own server, and nothing else.
var CSP = Policy(Theme{}, "")

// Policy is the policy of pages in a theme. goal is where else a form's answer may send the browser on: a source of Content
// Security Policy level 3; empty: nowhere. more are further directives; those on styles are added to the frame's own, and those on ancestors are in
// place of none.
func Policy(t Theme, goal string, more ...string) string {
	sum := sha256.Sum256([]byte(style + t.style()))
	styles, ancestors := "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'", "frame-ancestors 'none'"
	var rest []string
	for _, directive := range more {
		switch own, ok := strings.CutPrefix(directive, "style-src "); {
		case ok:
			styles += " " + own
		case strings.HasPrefix(directive, "frame-ancestors "):
			ancestors = directive
		default:
			rest = append(rest, directive)
		}
	}
	out := "default-src 'none'; style-src " + styles + "; base-uri 'none'; form-action 'self'"
	if goal != "" {
		out += " " + goal
	}
	if t.logo() != "" {
		out += "; img-src 'self'"
	}
	for _, directive := range append(rest, ancestors) {
		out += "; " + directive
	}
	return out
}

// Edge is what the frame shows around a page.
type Edge struct {
	Lang    string // BCP 47 tag of the language that the page is in
	Dir     string // ltr or rtl
	Name    string // whose page it is, at the top
	Foot    []Line // at the bottom
	Broad   bool   // for lists, which need more room than forms
	Failed  bool   // the page tells of a failure
	Refresh string // content of an immediate refresh, "0;url=" and a path; empty: the page stays. Delays take pages from their readers (WCAG 2.2, 2.2.1)
	Theme   Theme
	// Manifest is the path of what an app is installed by (W3C Web Application Manifest); empty: the page is none.
	Manifest string
}

// Line is a text at the bottom of pages.
type Line struct {
	Text string
	Link string // where it leads; empty: nowhere
}

// Set is a set of pages in the frame. It does not change and may be used concurrently.
type Set map[string]*template.Template

// Load reads pages from files: the page "front" is the file front.html. Templates that several pages use are in parts/.
func Load(files fs.FS) (Set, error) {
	names, err := fs.Glob(files, "*.html")
	if err != nil {
		return nil, err
	}
	outer, err := template.New("frame").Parse(frame)
	if parts, _ := fs.Glob(files, "parts/*.html"); err == nil && len(parts) > 0 {
		outer, err = outer.ParseFS(files, parts...)
	}
	if err != nil {
		return nil, fmt.Errorf("page: frame: %w", err)
	}
	set := Set{}
	for _, name := range names {
		t, err := outer.Clone()
		if err == nil {
			t, err = t.ParseFS(files, name)
		}
		if err != nil {
			return nil, fmt.Errorf("page: %s: %w", name, err)
		}
		set[strings.TrimSuffix(name, ".html")] = t
	}
	return set, nil
}

// Must is Load for pages that are part of the program: one that does not parse must not start.
func Must(files fs.FS) Set {
	set, err := Load(files)
	if err != nil {
		panic(err)
	}
	return set
}

// Render makes the HTML of a page; data is what its templates see.
func (s Set) Render(name string, e Edge, data any) ([]byte, error) {
	t := s[name]
	if t == nil {
		return nil, fmt.Errorf("page: there is no page %q", name)
	}
	var b bytes.Buffer
	err := t.ExecuteTemplate(&b, "frame", struct {
		Edge
		Style template.CSS
		Logo  string
		Data  any
	}{e, template.CSS(style + e.Theme.style()), e.Theme.logo(), data}) //nolint:gosec // the style is ours, and a theme is checked
	return b.Bytes(), err
}

// Within is the style of these pages for what is shown in other pages, below the elements that a selector names; more are further rules for them.
func Within(selector, more string) string {
	return selector + " {\n" + strings.ReplaceAll(style, ":root", "&") + more + "}\n"
}
