package message

import (
	"errors"
	"fmt"
	"html"
	htmltemplate "html/template"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
	"time"

	"golang.org/x/text/language"

	"limen/internal/fault"
)

// Override is a tenant's own text in the place of ours. An empty part means ours.
//
// The parts are templates of very few words: {{.Tenant}} and the other placeholders, {{if .Place}} ... {{else}} ...
// {{end}}, and {{range .Accounts}}{{.}}{{end}}. No functions, variables or nesting of ranges: a text cannot do more than
// show what the message has anyway, and cannot take long about it. The contract's placeholders {AuthCode}, {AuthLink}
// and {EnrollLink} (customization.yaml, GetEditableMessageTemplate) work as well.
//
// The HTML is escaped by context (html/template), so values cannot break out of where they stand. It is shown to its
// author and sent to others as it is: a preview belongs in a sandboxed frame.
type Override struct {
	Kind    Kind
	Lang    string // BCP 47
	Subject string
	Text    string
	HTML    string
	SMS     string // only for kinds that have one
}

// maxSource bounds each part of an override, in bytes.
const maxSource = 64 << 10

// contract are the contract's placeholders in our spelling.
var contract = strings.NewReplacer("{AuthCode}", "{{.Code}}", "{AuthLink}", "{{.Link}}", "{EnrollLink}", "{{.Link}}")

// Placeholders lists what a tenant's own text may show, such as "Tenant" for {{.Tenant}}.
func Placeholders() []string {
	var out []string
	t := reflect.TypeFor[values]()
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() {
			out = append(out, f.Name)
		}
	}
	slices.Sort(out)
	return out
}

// Check compiles a tenant's own text and renders it with made-up values. The refusal says which part and line is wrong
// and why, or which placeholder must stay.
func (c *Catalog) Check(o Override) error {
	spec, ok := kinds[o.Kind]
	if !ok {
		return ErrKind.Say("There is no message %q.", plain(string(o.Kind), 40))
	}
	if _, err := language.Parse(o.Lang); err != nil || len(o.Lang) > maxWish {
		return ErrOverride.At("Lang").Because(err).Say("The language is not a tag such as en or pt-BR.")
	}
	if o.SMS != "" && !spec.sms {
		return ErrOverride.At("SMS").Say("This message is not sent as a text message.")
	}
	if o.Subject+o.Text+o.HTML+o.SMS == "" {
		return ErrOverride.Say("The text is empty.")
	}
	l, err := c.langs[0].read()
	if err != nil {
		return err
	}
	v, err := l.shown(o.Kind, Sample())
	if err != nil {
		return err
	}
	var r Rendered
	if err := o.apply(o.Kind, v, &r); err != nil {
		return err
	}
	shown := map[string]string{"Text": r.Text, "HTML": html.UnescapeString(r.HTML), "SMS": r.SMS}
	for part, text := range shown {
		for _, f := range spec.keep {
			if text != "" && !strings.Contains(text, v.token(f)) {
				return ErrOverride.At(part).Say("%s must keep the placeholder {{.%s}}.", part, f)
			}
		}
	}
	return nil
}

// token is the text by which a rendered placeholder is recognised.
func (v values) token(field string) string {
	if field == "Accounts" {
		return v.Accounts[0]
	}
	return v.field(field)
}

// Sample is made-up data that fills every placeholder, for checks, previews and tests.
func Sample() Data {
	at := time.Date(2026, 3, 29, 14, 5, 0, 0, time.UTC)
	return Data{
		Product: "Limen", Tenant: "Example Ltd", Support: "https://help.example.com/",
		Name: "Ada Lovelace", Account: "ada@example.com", Accounts: []string{"ada@example.com", "ada.l@example.com"},
		By: "Charles Babbage", App: "Analytical Engine", File: "people.csv", Made: "998", Total: "1000", Code: "493817", Link: "https://id.example.com/go/Zm9vYmFyYmF6cXV4",
		Lasts: 10 * time.Minute, At: at, Until: at.Add(30 * time.Minute),
		IP: "192.0.2.17", Place: "London, GB", Device: "Firefox on Linux",
	}
}

// apply renders the parts that are not empty.
func (o *Override) apply(k Kind, v values, r *Rendered) error {
	if v.Name == "" {
		v.Name = v.Account // "Hello ," reads badly
	}
	for _, p := range []struct {
		part, source string
		out          *string
	}{{"Subject", o.Subject, &r.Subject}, {"Text", o.Text, &r.Text}, {"HTML", o.HTML, &r.HTML}, {"SMS", o.SMS, &r.SMS}} {
		if p.source == "" || p.part == "SMS" && !kinds[k].sms {
			continue
		}
		text, err := fill(p.part, p.source, v)
		if err != nil {
			return reason(p.part, err)
		}
		switch p.part {
		case "Subject":
			text = plain(text, 150)
		case "Text":
			text = tidy(text) // what was left out leaves empty lines behind
		case "SMS":
			text = strings.TrimSpace(text)
		}
		if strings.TrimSpace(text) == "" {
			return reason(p.part, errors.New("nothing is left of the text"))
		}
		*p.out = text
	}
	return nil
}

// fill compiles and renders one part.
func fill(part, source string, v values) (string, error) {
	if len(source) > maxSource {
		return "", fmt.Errorf("the text is longer than %d bytes", maxSource)
	}
	source = contract.Replace(source)
	if err := allowed(part, source); err != nil {
		return "", err
	}
	var b bounded
	if part != "HTML" {
		t, err := template.New(part).Parse(source)
		if err != nil {
			return "", err
		}
		err = t.Execute(&b, v)
		return b.String(), err
	}
	t, err := htmltemplate.New(part).Parse(source)
	if err != nil {
		return "", err
	}
	if err := t.Execute(&b, v); err != nil {
		return "", err
	}
	if strings.Contains(b.String(), "ZgotmplZ") {
		return "", errors.New("a placeholder stands where its value would not be safe, for example in a script or a style")
	}
	return b.String(), nil
}

// allowed parses a template without any function and walks over what it does.
func allowed(part, source string) error {
	trees, err := parse.Parse(part, source, "", "", map[string]any{})
	if err != nil {
		return err
	}
	if len(trees) > 1 {
		return errors.New("a text cannot define further templates")
	}
	if tree := trees[part]; tree != nil {
		return walk(tree, tree.Root, false)
	}
	return nil
}

// walk refuses everything but text, placeholders, if and range.
func walk(t *parse.Tree, n parse.Node, ranging bool) error {
	bad := func(n parse.Node, why string) error {
		at, _ := t.ErrorContext(n)
		return fmt.Errorf("template: %s: %s", at, why)
	}
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return nil
		}
		for _, c := range n.Nodes {
			if err := walk(t, c, ranging); err != nil {
				return err
			}
		}
		return nil
	case *parse.TextNode, *parse.CommentNode:
		return nil
	case *parse.ActionNode:
		if name, ok := placeholder(n.Pipe, ranging); !ok || name == "Accounts" {
			return bad(n, "only a placeholder such as {{.Tenant}} can stand here")
		}
		return nil
	case *parse.IfNode:
		if _, ok := placeholder(n.Pipe, ranging); !ok {
			return bad(n, "only a placeholder can be asked for")
		}
		return errors.Join(walk(t, n.List, ranging), walk(t, n.ElseList, ranging))
	case *parse.RangeNode:
		if name, ok := placeholder(n.Pipe, false); ranging || !ok || name != "Accounts" {
			return bad(n, "only {{range .Accounts}} is possible, and not within itself")
		}
		return errors.Join(walk(t, n.List, true), walk(t, n.ElseList, ranging))
	}
	return bad(n, "this is not possible here")
}

// placeholder reads a pipeline that is a single known field; within a range, "." is the element and "$.Field" a field.
func placeholder(p *parse.PipeNode, ranging bool) (string, bool) {
	if p == nil || len(p.Decl) > 0 || len(p.Cmds) != 1 || len(p.Cmds[0].Args) != 1 {
		return "", false
	}
	switch a := p.Cmds[0].Args[0].(type) {
	case *parse.DotNode:
		return ".", ranging
	case *parse.FieldNode:
		return a.Ident[0], !ranging && len(a.Ident) == 1 && slices.Contains(Placeholders(), a.Ident[0])
	case *parse.VariableNode:
		if len(a.Ident) == 2 && a.Ident[0] == "$" && slices.Contains(Placeholders(), a.Ident[1]) {
			return a.Ident[1], true
		}
	}
	return "", false
}

// position is how the template packages begin their errors.
var position = regexp.MustCompile(`^(?:html/)?template: ?[^:]*:(\d+)(?::\d+)?: ?(.*)$`)

// reason makes the refusal of a part of what the template packages say.
func reason(part string, err error) *fault.Error {
	line, why := "", err.Error()
	if m := position.FindStringSubmatch(why); m != nil {
		line, why = ", line "+m[1], m[2]
	}
	return ErrOverride.At(part).Because(err).Say("%s%s: %s.", part, line, plain(why, 300))
}
