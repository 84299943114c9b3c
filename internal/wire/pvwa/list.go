package pvwa

import (
	"slices"
	"strings"
)

// Term is one condition of a filter: a property has a value.
type Term struct {
	Name  string // as it was declared
	Value string
}

// maxTerms is how many conditions a filter has at most.
const maxTerms = 10

// ReadFilter reads a filter such as "userType eq EPVUser AND componentUser eq false". Properties are named whatever their case; a value
// may stand in quotes.
func ReadFilter(s string, names ...string) ([]Term, error) {
	bad := func(text string) ([]Term, error) { return nil, &Error{Field: "filter", Text: text} }
	words := split(s)
	var out []Term
	for len(words) > 0 {
		if len(words) < 3 || !strings.EqualFold(words[1].text, "eq") {
			return bad("must be conditions as userType eq EPVUser, joined by AND")
		}
		name, ok := named(words[0].text, names)
		if !ok {
			return bad("can be about " + strings.Join(names, ", "))
		}
		end := 3
		value := words[2].text
		for !words[2].quoted && end < len(words) && !strings.EqualFold(words[end].text, "and") { // values with blanks come without quotes, too
			value += " " + words[end].text
			end++
		}
		out = append(out, Term{Name: name, Value: value})
		if len(out) > maxTerms {
			return bad("has too many conditions")
		}
		if words = words[end:]; len(words) == 0 {
			break
		}
		if words = words[1:]; len(words) == 0 {
			return bad("ends with AND")
		}
	}
	return out, nil
}

type word struct {
	text   string
	quoted bool
}

// split cuts a text at blanks that are not inside quotes.
func split(s string) (out []word) {
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		if q := s[0]; q == '"' || q == '\'' {
			if text, rest, ok := strings.Cut(s[1:], s[:1]); ok {
				out = append(out, word{text, true})
				s = rest
				continue
			}
		}
		text, rest, _ := strings.Cut(s, " ")
		out = append(out, word{text: text})
		s = rest
	}
	return out
}

func named(s string, names []string) (string, bool) {
	i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, s) })
	if i < 0 {
		return "", false
	}
	return names[i], true
}

// Order is one property that a list is sorted by.
type Order struct {
	Name string // as it was declared
	Desc bool
}

// maxOrders is how many properties a list is sorted by at most.
const maxOrders = 3

// ReadSort reads an order such as "lastname desc, username".
func ReadSort(s string, names ...string) ([]Order, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	parts := strings.Split(s, ",")
	if len(parts) > maxOrders {
		return nil, &Error{Field: "sort", Text: "can have three properties"}
	}
	out := make([]Order, 0, len(parts))
	for _, part := range parts {
		words := strings.Fields(part)
		if len(words) == 0 || len(words) > 2 || len(words) == 2 && !strings.EqualFold(words[1], "asc") && !strings.EqualFold(words[1], "desc") {
			return nil, &Error{Field: "sort", Text: "must be properties as username desc, with commas"}
		}
		name, ok := named(words[0], names)
		if !ok {
			return nil, &Error{Field: "sort", Text: "can have " + strings.Join(names, ", ")}
		}
		out = append(out, Order{Name: name, Desc: len(words) == 2 && strings.EqualFold(words[1], "desc")})
	}
	return out, nil
}
