package oauth

import (
	"net/http"
	"strings"

	"limen/internal/op"
)

// navigates says whether a browser shows what it gets to a person.
func navigates(r *http.Request) bool {
	return r != nil && r.Header.Get("Sec-Fetch-Mode") == "navigate" && strings.Contains(r.Header.Get("Accept"), "text/html") && r.Header.Get("Authorization") == ""
}

// appName is the name of the application whose path was asked for; empty where there is none.
func (k Codec) appName(r *op.Request, c *op.Call) (name string) {
	service, client := r.Path[pathApp], r.HTTP.URL.Query().Get("client_id")
	if service == "" && client == "" || c.Tenant.ID == "" || k.Server == nil {
		return ""
	}
	_ = c.Snapshot(r.HTTP.Context(), func() error { // the page is as good without it
		a, err := k.Server.At(r.HTTP.Context(), c, service, client)
		if err == nil && a.Active {
			name = a.Name
		}
		return err
	})
	return name
}
