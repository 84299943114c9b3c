package job

import (
	"slices"
	"strings"

	"limen/internal/fault"
)

// ErrDenied says that the caller may not start jobs of a type.
var ErrDenied = fault.New(fault.Denied, "auth.denied", "You are not authorized to perform this operation. Please contact your IT helpdesk.")

// Args are the arguments of a job that somebody asks for, by name without regard to case.
type Args map[string]any

const maxArg = 1000 // bytes

// Known refuses arguments that are none of these: a misspelt one would be ignored.
func (a Args) Known(names ...string) error {
	for given := range a {
		if !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, given) }) {
			return fault.Bad("Args", "has something unknown: the job takes %s", list(names))
		}
	}
	return nil
}

func list(names []string) string {
	if len(names) == 0 {
		return "no arguments"
	}
	return strings.Join(names, ", ")
}

// Text gives the text of an argument, empty when it was not given.
func (a Args) Text(name string) (string, error) {
	for given, v := range a {
		if !strings.EqualFold(given, name) || v == nil {
			continue
		}
		s, ok := v.(string)
		if !ok || !readable(s, maxArg) {
			return "", fault.Bad(name, "must be text of at most %d bytes", maxArg)
		}
		return strings.TrimSpace(s), nil
	}
	return "", nil
}

// Need is Text for an argument that must be there.
func (a Args) Need(name string) (string, error) {
	s, err := a.Text(name)
	if err == nil && s == "" {
		err = fault.Missing(name)
	}
	return s, err
}

// Choice gives an argument that is one of some words, without regard to case; the first when it was not given.
func (a Args) Choice(name string, words ...string) (string, error) {
	s, err := a.Text(name)
	if err != nil || s == "" {
		return words[0], err
	}
	if i := slices.IndexFunc(words, func(w string) bool { return strings.EqualFold(w, s) }); i >= 0 {
		return words[i], nil
	}
	return "", fault.Bad(name, "must be %s", strings.Join(words, " or "))
}
