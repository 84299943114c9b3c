// Package authenticator has the scripts of the authenticator that the server itself serves, and its icon: an app that is installed from
// a page. The page is web/login's.
package authenticator

import (
	"embed"
	"encoding/json"
)

//go:embed app.js worker.js icon.svg
var files embed.FS

// File is one of the files of the app.
type File struct {
	Type string // media type
	Body []byte
}

// The paths of the app, which browsers keep: they do not change. The script that shows messages lies at the top, because it may only be
// about what lies below it.
const (
	Page     = "/authenticator"
	Script   = "/authenticator/app.js"
	Icon     = "/authenticator/icon.svg"
	Manifest = "/authenticator/manifest"
	Worker   = "/authenticator-worker.js"
)

// At gives the file at a path; false where there is none. name is what the app is called on a phone.
func At(path, name string) (File, bool) {
	known := map[string]struct{ name, kind string }{
		Script: {"app.js", "text/javascript; charset=utf-8"}, Worker: {"worker.js", "text/javascript; charset=utf-8"}, Icon: {"icon.svg", "image/svg+xml"},
	}
	if path == Manifest {
		return File{"application/manifest+json", manifest(name)}, true
	}
	f, ok := known[path]
	if !ok {
		return File{}, false
	}
	body, err := files.ReadFile(f.name)
	return File{f.kind, body}, err == nil
}

// manifest is what a browser installs the app by (W3C Web Application Manifest).
func manifest(name string) []byte {
	out, err := json.Marshal(map[string]any{
		"id": Page, "start_url": Page, "scope": Page, "display": "standalone", "name": name, "short_name": name,
		"background_color": "#f2f4f7", "theme_color": "#f2f4f7",
		"icons": []map[string]string{{"src": Icon, "sizes": "any", "type": "image/svg+xml", "purpose": "any"}},
	})
	if err != nil {
		panic(err) // texts alone
	}
	return out
}
