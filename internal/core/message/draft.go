package message

import (
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// marks are words that pass every escaping unchanged and become template syntax afterwards.
const (
	mark     = "zq0"
	markLink = "https://" + mark + "Link" + mark + ".invalid/"
)

// Draft gives our own text of a message as an Override to start from: it passes Check, and used as it is it says what
// ours says, parts that depend on a value included. The one difference is that a support address is not made a link.
func (c *Catalog) Draft(k Kind, lang string) (Override, error) {
	if _, ok := kinds[k]; !ok {
		return Override{}, ErrKind.Say("There is no message %q.", plain(string(k), 40))
	}
	_, i := pick(c.matcher, []string{lang})
	l, err := c.langs[i].read()
	if err != nil {
		return Override{}, err
	}
	p, sms, err := l.page(k, marked())
	if err != nil {
		return Override{}, err
	}
	var named, unnamed string
	if named, err = l.HelloName.say(marked()); err != nil {
		return Override{}, err
	}
	if unnamed, err = l.Hello.say(marked()); err != nil {
		return Override{}, err
	}
	p.Hello = open("Name") + named + mark + "Else" + mark + unnamed + mark + "End" + mark
	p.Close = mark + "End" + mark
	p.Open = map[string]string{"Accounts": mark + "Range" + mark}
	for _, f := range Placeholders() {
		if f != "Accounts" {
			p.Open[f] = open(f)
		}
	}
	r, err := c.lay(p)
	if err != nil {
		return Override{}, err
	}
	to := syntax()
	tag, err := language.Parse(lang)
	if err != nil || len(lang) > maxWish {
		tag = l.tag
	}
	return Override{
		Kind: k, Lang: tag.String(), Subject: to.Replace(r.Subject), Text: to.Replace(r.Text), HTML: to.Replace(r.HTML),
		SMS: to.Replace(sms),
	}, nil
}

func open(field string) string { return mark + "If" + field + mark }

// marked are values that are marks themselves.
func marked() values {
	m := func(field string) string { return mark + field + mark }
	return values{
		Product: m("Product"), Tenant: m("Tenant"), Support: m("Support"), Name: m("Name"), Account: m("Account"),
		By: m("By"), App: m("App"), File: m("File"), Made: m("Made"), Total: m("Total"), Code: m("Code"), Link: markLink, Lasts: m("Lasts"), Until: m("Until"), When: m("When"),
		IP: m("IP"), Place: m("Place"), Device: m("Device"), Page: m("Page"), Reason: m("Reason"), Accounts: []string{m("Dot")}, supportText: m("Support"),
	}
}

// syntax turns marks into template syntax.
func syntax() *strings.Replacer {
	pairs := []string{
		markLink, "{{.Link}}", mark + "Dot" + mark, "{{.}}", mark + "Range" + mark, "{{range .Accounts}}",
		mark + "Else" + mark, "{{else}}", mark + "End" + mark, "{{end}}",
	}
	for f := range slices.Values(Placeholders()) {
		pairs = append(pairs, mark+f+mark, "{{."+f+"}}", open(f), "{{if ."+f+"}}")
	}
	return strings.NewReplacer(pairs...)
}
