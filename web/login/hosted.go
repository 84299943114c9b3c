package login

import (
	"encoding/json"
	"html/template"
	"strings"
)

// Widget is the tenant's own page with the sign-in widget.
type Widget struct {
	Tenant any // AuthData.TenantConfig
	Server any // ServerConfig
	Known  bool
	In     bool   // somebody is signed in
	ID     string // of the widget
	App    string // id of the application that it leads on to; empty: none
	User   string // login name to begin with
	// Embedders are the origins whose pages may show this one in a frame; none: nobody's.
	Embedders []string
}

func (Widget) page() shape { return shape{name: "widget"} }

// Script has what the page knows as data, and launches the widget. JSON is encoded so that no text can end the script.
func (v Widget) Script() (template.JS, error) {
	auth := map[string]any{"TenantConfig": v.Tenant, "KnownTenant": v.Known, "Authenticated": v.In}
	config := map[string]any{"containerSelector": "#login", "widgetId": v.ID, "appKey": v.App, "username": v.User, "autoSubmitUsername": v.User != ""}
	var b strings.Builder
	for _, part := range []struct {
		head string
		data any
		tail string
	}{
		{"var AuthData = ", auth, ";\n"}, {"var ServerConfig = ", v.Server, ";\n"},
		{"document.addEventListener(\"DOMContentLoaded\", function () { LaunchLoginView(", config, "); });"},
	} {
		raw, err := json.Marshal(part.data)
		if err != nil {
			return "", err
		}
		b.WriteString(part.head + string(raw) + part.tail)
	}
	return template.JS(b.String()), nil //nolint:gosec // texts are in JSON, which encoding/json makes fit for a script
}

// directives let the widget's files be loaded, the page's own script run, and the named origins show the page in a frame.
func (v Widget) directives() []string {
	own, err := v.Script()
	if err != nil {
		return nil
	}
	out := []string{strings.Replace(allow(string(own)), "script-src", "script-src 'self'", 1), "style-src 'self'", "connect-src 'self'"}
	if len(v.Embedders) > 0 {
		out = append(out, "frame-ancestors "+strings.Join(v.Embedders, " "))
	}
	return out
}
