package message

import (
	"errors"
	"fmt"
	"html"
	"io"
	"regexp"
	"slices"
	"strings"

	xhtml "golang.org/x/net/html"
)

// What the HTML of people may have who are not trusted with all of the installation's mail.
var (
	tameTags = strings.Fields(`a b bdi blockquote body br center code div em h1 h2 h3 h4 head hr html i li ol p pre small span strong table tbody td
		tfoot th thead tr u ul`)
	tameAttributes = strings.Fields(`align bgcolor border cellpadding cellspacing colspan dir height href lang role rowspan style title valign width`)
	tameStyle      = regexp.MustCompile(`^[a-zA-Z0-9 #%.,:;()'!-]*$`)
	control        = regexp.MustCompile(`(?s)\{\{\s*(?:if|else|end|range)\b.*?\}\}`)
	action         = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
)

// mine stands for a placeholder while HTML is looked at: a letter that no name of HTML has.
const mine = "\ue000"

// Tame says whether an Override is one that may be written by those who administer some of the people alone: their mails go out in the name of
// the whole installation, also to strangers. So its HTML is made of plain elements, shows no pictures, and nothing leads anywhere but to the
// mail's own link. It looks at the parts as they stand, whatever their conditions; Check compiles them. Fault: ErrOverride.
func Tame(o Override) error {
	for part, text := range map[string]string{"Subject": o.Subject, "Text": o.Text, "HTML": o.HTML, "SMS": o.SMS} {
		if strings.Contains(text, mine) || strings.Contains(text, "{{-") || strings.Contains(text, "-}}") || strings.Contains(text, "{{/*") {
			return reason(part, fmt.Errorf("comments, and signs that trim what stands beside a placeholder, are not possible here"))
		}
		if err := tame(part, contract.Replace(text)); err != nil {
			return reason(part, err)
		}
	}
	return nil
}

func tame(part, text string) error {
	if part != "HTML" {
		return leadsNowhere(text)
	}
	// Each piece between conditions begins and ends outside of tags, so that no choice of pieces makes another tag.
	for _, piece := range control.Split(text, -1) {
		if strings.Contains(piece, "{{.Link}}") {
			piece = strings.ReplaceAll(piece, "{{.Link}}", mine+mine)
		}
		if err := tamePiece(action.ReplaceAllString(piece, mine)); err != nil {
			return err
		}
	}
	return leadsNowhere(text)
}

// leadsNowhere refuses addresses as people write them, of which mail programs make links. That is for honest authors: who means it finds words
// that tell where to go.
func leadsNowhere(text string) error {
	text = action.ReplaceAllString(control.ReplaceAllString(text, ""), " ")
	low := strings.ToLower(html.UnescapeString(text))
	for _, sign := range []string{"://", "www.", "javascript:", "data:"} {
		if strings.Contains(low, sign) {
			return fmt.Errorf("nothing may lead anywhere but to {{.Link}}, and there is %q", sign)
		}
	}
	return nil
}

func tamePiece(piece string) error {
	z, read := xhtml.NewTokenizer(strings.NewReader(piece)), 0
	for {
		kind := z.Next()
		if kind == xhtml.ErrorToken {
			if !errors.Is(z.Err(), io.EOF) || read != len(piece) {
				return fmt.Errorf("a tag is not closed, or a condition stands within one")
			}
			return nil
		}
		raw := string(z.Raw())
		read += len(raw)
		t := z.Token()
		switch kind {
		case xhtml.TextToken:
			if strings.Contains(raw, "<") {
				return fmt.Errorf("a sign < stands alone: write &lt;")
			}
		case xhtml.CommentToken:
			return fmt.Errorf("there may be no comments")
		case xhtml.StartTagToken, xhtml.SelfClosingTagToken, xhtml.EndTagToken:
			if err := tameTag(t); err != nil {
				return err
			}
		}
	}
}

func tameTag(t xhtml.Token) error {
	if !slices.Contains(tameTags, t.Data) {
		return fmt.Errorf("there may be no element %q", plain(t.Data, 40))
	}
	for _, a := range t.Attr {
		switch {
		case a.Namespace != "" || !slices.Contains(tameAttributes, a.Key):
			return fmt.Errorf("there may be no attribute %q", plain(a.Key, 40))
		case a.Key == "href" && a.Val != mine+mine:
			return fmt.Errorf("a link leads to {{.Link}} and nowhere else")
		case a.Key != "href" && strings.Contains(a.Val, mine):
			return fmt.Errorf("a placeholder stands in the attribute %s", a.Key)
		case a.Key == "style" && (!tameStyle.MatchString(a.Val) || strings.Contains(strings.ToLower(a.Val), "url") || strings.Contains(strings.ToLower(a.Val), "expression")):
			return fmt.Errorf("a style has what may not be there")
		}
	}
	return nil
}
