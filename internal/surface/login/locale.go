package login

import (
	"net/url"
	"strings"

	"limen/internal/op"
	wire "limen/internal/wire/oauth"
	"limen/internal/wire/target"
)

// locales are the languages that an application wants the person to be asked in (ui_locales): those of the request, or of the one to which the
// browser goes on. They come before the browser's own.
func locales(r *op.Request) []string {
	q := r.HTTP.URL.Query()
	if !q.Has("ui_locales") && !q.Has("cloudRedirect") && len(r.Body) > 0 {
		form, err := url.ParseQuery(string(r.Body))
		if err != nil {
			return nil
		}
		q = form
	}
	if !q.Has("ui_locales") {
		_, q = target.Parts(target.Local(q.Get("cloudRedirect")))
	}
	return strings.Fields(wire.Locales(strings.Fields(q.Get("ui_locales"))))
}
