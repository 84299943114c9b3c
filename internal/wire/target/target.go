// Package target reads where a link to the pages of sign-in wants people led when they are done there, and lets it lead nowhere else.
package target

import (
	"net/url"
	"strings"
)

// most bounds a target, in bytes.
const most = 2048

// Local reads where to go on after signing in: a path of this server with its query, whose first slash may be missing
// (authentication.yaml, /login). Everything else is ignored and gives an empty text, so that a link to these pages leads nobody
// astray: addresses of other servers in all their spellings, and paths below which signing in or out happens, by which a link
// could change whom the browser belongs to.
func Local(text string) string {
	if text == "" || len(text) > most {
		return ""
	}
	for i := range len(text) { // of what browsers drop or turn into slashes, and of what is not ASCII
		if text[i] <= ' ' || text[i] >= 0x7f || text[i] == '\\' {
			return ""
		}
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || strings.HasPrefix(text, "//") || u.Path == "" {
		return ""
	}
	path := "/" + strings.TrimPrefix(u.Path, "/")
	app := Within(path, AuthorizePath) || Within(path, LeavePath) // an application may have any name
	for segment := range strings.SplitSeq(strings.ToLower(path[1:]), "/") {
		switch segment {
		case ".", "..":
			return ""
		case "security", "login", "logout":
			if !app {
				return ""
			}
		}
	}
	if strings.Contains(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return ""
	}
	out := (&url.URL{Path: path, RawQuery: u.RawQuery}).String()
	if len(out) > most { // escaped it is longer, and is read again on the next page
		return ""
	}
	return out
}

// Within says whether a target is a path or lies below it. The case of letters does not count.
func Within(target, path string) bool {
	if len(target) < len(path) || !strings.EqualFold(target[:len(path)], path) {
		return false
	}
	return len(target) == len(path) || target[len(path)] == '/' || target[len(path)] == '?'
}

// The paths of the authorization server that lead here, alone or with an application's name behind them.
const (
	AuthorizePath = "/OAuth2/Authorize"
	LeavePath     = "/OAuth2/EndSession"
)

// Parts takes a target's path and query apart.
func Parts(target string) (string, url.Values) {
	path, query, _ := strings.Cut(target, "?")
	q, err := url.ParseQuery(query)
	if err != nil {
		return path, nil
	}
	return path, q
}
