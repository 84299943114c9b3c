package dialects

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"pgregory.net/rapid"

	"limen/internal/app/apptest"
	"limen/internal/core/number"
	"limen/internal/platform/dns/dnstest"
)

// enter gives the administrator's token for the organization, as a workspace.
func (w *world) enter() string {
	w.t.Helper()
	if w.entered == "" {
		status, b := w.ask(http.MethodPost, "/uauth/auth/login/user", object{
			"username": w.site.Admin.Name, "password": apptest.Password, "businessProfileGuid": w.sales.ID,
		}, "Authorization", "")
		var in struct{ Token string }
		if status != http.StatusOK || json.Unmarshal(b, &in) != nil || in.Token == "" {
			w.t.Fatalf("%d %s", status, b)
		}
		w.entered = in.Token
	}
	return w.entered
}

// workspace tells of the people of the organization, as a workspace has them.
func (w *world) workspace() map[string]facts {
	w.t.Helper()
	status, b := w.ask(http.MethodGet, "/uauth/users/listing?limit=100", nil, "Authorization", "Bearer "+w.enter())
	var list struct {
		Data []struct {
			ID                                int64
			Email, Phone, FirstName, LastName string
		}
	}
	if status != http.StatusOK || json.Unmarshal(b, &list) != nil {
		w.t.Fatalf("%d %s", status, b)
	}
	out := map[string]facts{}
	c := w.site.App.Shell(w.site.ID)
	if err := c.Snapshot(context.Background(), func() error {
		for _, u := range list.Data {
			id, err := number.Find(context.Background(), c, number.User, u.ID)
			if err != nil {
				return fmt.Errorf("%d: %w", u.ID, err)
			}
			out[id] = facts{mail: u.Email, mobile: u.Phone, called: u.FirstName + "|" + u.LastName}
		}
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
	return out
}

// prove has the organization show that mail domains are its own, without which its people are guests that it cannot change.
func (w *world) prove(domains ...string) {
	w.t.Helper()
	var zone dnstest.Zone
	w.site.App.Resolver.Server = zone.Serve(w.t)
	for _, d := range domains {
		var code struct{ DNSTXTRecord string }
		status, b := w.ask(http.MethodGet, "/uauth/managed-domains/initialize-code?domain="+d, nil, "Authorization", "Bearer "+w.enter())
		if status != http.StatusOK || json.Unmarshal(b, &code) != nil || code.DNSTXTRecord == "" {
			w.t.Fatalf("%d %s", status, b)
		}
		zone.Set(d, code.DNSTXTRecord)
		status, b = w.ask(http.MethodPost, "/uauth/managed-domains/verification", object{"domain": d, "verificationMethod": "DNS_TXT"}, "Authorization", "Bearer "+w.enter())
		if status != http.StatusOK {
			w.t.Fatalf("%d %s", status, b)
		}
	}
}

// manage changes or removes somebody of the organization, and says what it did.
func (w *world) manage(rt *rapid.T, id string, people map[string]bool) string {
	w.t.Helper()
	var n int64
	c := w.site.App.Shell(w.site.ID)
	if err := c.Snapshot(context.Background(), func() (err error) { n, err = number.Of(context.Background(), c, number.User, id); return err }); err != nil {
		w.t.Fatal(err)
	}
	path, by := fmt.Sprintf("/uauth/users/%d", n), []string{"Authorization", "Bearer " + w.enter()}
	field := rapid.SampledFrom([]string{"firstName", "lastName", "phone", "phone", "remove"}).Draw(rt, "field")
	if field == "remove" {
		if w.allowed(http.MethodDelete, path, nil, by...) {
			people[id] = false
		}
		return "remove " + id
	}
	value := w.value(rt, map[string]string{"firstName": given, "lastName": family, "phone": mobile}[field])
	w.allowed(http.MethodPost, path, object{field: value}, by...)
	return fmt.Sprintf("change %s of %s to %q", field, id, value)
}

// allowed says whether somebody was the organization's to change: a guest is not.
func (w *world) allowed(method, path string, body any, header ...string) bool {
	w.t.Helper()
	got, b := w.ask(method, path, body, header...)
	guest := got == http.StatusForbidden && strings.Contains(string(b), `"workspace.guest"`)
	if got >= http.StatusBadRequest && !guest {
		w.t.Fatalf("%s %s %v: %d %s", method, path, body, got, b)
	}
	if !guest {
		w.managed++
	}
	return !guest
}
