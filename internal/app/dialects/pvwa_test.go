package dialects

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"limen/internal/core/number"
)

// pvwaDialect is the Vault's API. It has no name for display.
type pvwaDialect struct{ *world }

const pvwa = "/PasswordVault/API"

func (d *pvwaDialect) ok(status int, method, path string, body any) (out object) {
	d.t.Helper()
	got, b := d.ask(method, pvwa+path, body)
	if got != status || len(b) > 0 && json.Unmarshal(b, &out) != nil {
		d.t.Fatalf("%s %s %v: %d %s", method, path, body, got, b)
	}
	return out
}

// users is where the person of a UUID is; empty when there is none.
func (d *pvwaDialect) user(id string) string {
	d.t.Helper()
	c := d.site.App.Shell(d.site.ID)
	n := map[string]int64{}
	if err := c.Snapshot(context.Background(), func() (err error) {
		n, err = number.Some(context.Background(), c, number.User, id)
		return err
	}); err != nil {
		d.t.Fatal(err)
	}
	if n[id] == 0 {
		return ""
	}
	return fmt.Sprintf("/Users/%d", n[id])
}

// short is a name as the dialect writes it: without the tenant's own suffix.
func (d *pvwaDialect) short(s string) string { return strings.TrimSuffix(s, "@"+d.site.Suffix) }

func (d *pvwaDialect) create(f facts) (id string) {
	made := d.ok(http.StatusCreated, http.MethodPost, "/Users", object{
		"username": d.short(f[name]), "initialPassword": "First-Horse-1-Stable",
		"internet": object{"businessEmail": f[mail]}, "phones": object{"cellularNumber": f[mobile]},
	})
	c := d.site.App.Shell(d.site.ID)
	if err := c.Snapshot(context.Background(), func() (err error) {
		id, err = number.Find(context.Background(), c, number.User, int64(made["id"].(float64)))
		return err
	}); err != nil {
		d.t.Fatal(err)
	}
	return id
}

func (d *pvwaDialect) changes() []string {
	return []string{name, mail, mobile, on, place, given, family}
}

// change sends the whole user back, as clients do.
func (d *pvwaDialect) change(id, fact, value string) {
	at := d.user(id)
	if fact == on {
		d.ok(http.StatusOK, http.MethodPost, at+map[string]string{"true": "/enable", "false": "/disable"}[value], nil)
		return
	}
	u := d.ok(http.StatusOK, http.MethodGet, at, nil)
	for _, own := range []string{"id", "lastSuccessfulLoginDate", "source", "componentUser", "groupsMembership", "authenticationMethod"} {
		delete(u, own)
	}
	switch fact {
	case name:
		u["username"] = d.short(value)
	case mail:
		u["internet"].(object)["businessEmail"] = value
	case mobile:
		u["phones"].(object)["cellularNumber"] = value
	case given:
		u["personalDetails"].(object)["firstName"] = value
	case family:
		u["personalDetails"].(object)["lastName"] = value
	case place:
		u["location"] = `\` + strings.TrimPrefix(value, "/")
	}
	d.ok(http.StatusOK, http.MethodPut, at, u)
}

func (d *pvwaDialect) remove(id string) {
	d.ok(http.StatusNoContent, http.MethodDelete, d.user(id), nil)
}

func (d *pvwaDialect) group(roleID string) string {
	d.t.Helper()
	list := d.ok(http.StatusOK, http.MethodGet, "/UserGroups?search="+url.QueryEscape(d.roles[roleID]), nil)
	for _, g := range list["value"].([]any) {
		if g := g.(object); g["groupName"] == d.roles[roleID] {
			return fmt.Sprintf("/UserGroups/%.0f", g["id"])
		}
	}
	d.t.Fatalf("there is no group %s in %v", d.roles[roleID], list)
	return ""
}

// member is how members of groups are named: by their names.
func (d *pvwaDialect) member(id string) string {
	return d.ok(http.StatusOK, http.MethodGet, d.user(id), nil)["username"].(string)
}

// either wants one of two statuses: the second is that of what is so already.
func (d *pvwaDialect) either(one, other int, method, path string, body any) {
	d.t.Helper()
	if got, b := d.ask(method, pvwa+path, body); got != one && got != other {
		d.t.Fatalf("%s %s: %d %s", method, path, got, b)
	}
}

func (d *pvwaDialect) join(roleID, id string) {
	d.either(http.StatusCreated, http.StatusConflict, http.MethodPost, d.group(roleID)+"/Members", object{"memberId": d.member(id), "memberType": "vault"})
}

func (d *pvwaDialect) leave(roleID, id string) {
	d.either(http.StatusNoContent, http.StatusNotFound, http.MethodDelete, d.group(roleID)+"/members/"+url.PathEscape(d.member(id))+"/", nil)
}

func (d *pvwaDialect) see(id string) facts {
	at := d.user(id)
	if at == "" {
		return nil
	}
	return d.facts(d.ok(http.StatusOK, http.MethodGet, at, nil))
}

func (d *pvwaDialect) all() map[string]facts {
	out, byNumber := map[string]facts{}, map[string]facts{}
	for _, v := range d.ok(http.StatusOK, http.MethodGet, "/Users?ExtendedDetails=true", nil)["Users"].([]any) {
		u := v.(object)
		f := facts{on: truth(u["enableUser"] == true), place: d.place(u)}
		f[name] = d.long(u["username"].(string))
		byNumber[fmt.Sprintf("/Users/%.0f", u["id"])] = f
	}
	c := d.site.App.Shell(d.site.ID)
	var ids map[int64]string
	if err := c.Snapshot(context.Background(), func() (err error) {
		var ns []int64
		for at := range byNumber {
			var n int64
			if _, err := fmt.Sscanf(at, "/Users/%d", &n); err != nil {
				return err
			}
			ns = append(ns, n)
		}
		ids, err = number.Objects(context.Background(), c, number.User, ns...)
		return err
	}); err != nil {
		d.t.Fatal(err)
	}
	for n, id := range ids {
		out[id] = byNumber[fmt.Sprintf("/Users/%d", n)]
	}
	return out
}

func (d *pvwaDialect) long(s string) string {
	if strings.Contains(s, "@") {
		return s
	}
	return s + "@" + d.site.Suffix
}

func (d *pvwaDialect) place(u object) string {
	at := strings.ReplaceAll(u["location"].(string), `\`, "/")
	return strings.TrimSuffix(at, "/")
}

func (d *pvwaDialect) facts(u object) facts {
	var in []string
	for _, g := range u["groupsMembership"].([]any) {
		in = append(in, g.(object)["groupName"].(string))
	}
	parts := u["personalDetails"].(object)
	return facts{
		given: parts["firstName"].(string), family: parts["lastName"].(string), name: d.long(u["username"].(string)), mail: u["internet"].(object)["businessEmail"].(string), mobile: u["phones"].(object)["cellularNumber"].(string),
		on: truth(u["enableUser"] == true), place: d.place(u), roles: d.named(in),
	}
}
