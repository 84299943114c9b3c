package dialects

import (
	"encoding/json"
	"net/http"
	"net/url"
)

// scimDialect is SCIM 2.0.
type scimDialect struct{ *world }

func (d *scimDialect) ok(status int, method, path string, body any) (out object) {
	d.t.Helper()
	got, b := d.ask(method, path, body)
	if got != status || len(b) > 0 && json.Unmarshal(b, &out) != nil {
		d.t.Fatalf("%s %s %v: %d %s", method, path, body, got, b)
	}
	return out
}

func (d *scimDialect) create(f facts) string {
	o := object{"userName": f[name], "displayName": f[display], "emails": []object{{"value": f[mail], "type": "work"}}, "phoneNumbers": []object{{"value": f[mobile], "type": "mobile"}}}
	return d.ok(http.StatusCreated, http.MethodPost, "/scim/v2/Users", o)["id"].(string)
}

func (d *scimDialect) changes() []string {
	return []string{name, display, mail, mobile, on, given, family}
}

func (d *scimDialect) change(id, fact, value string) {
	if fact == mobile && d.core(id)[mobile] == "" { // a filter that finds nothing is no target (RFC 7644 section 3.5.2.3)
		d.patch("/scim/v2/Users/"+id, object{"op": "add", "path": "phoneNumbers", "value": []object{{"value": value, "type": "mobile"}}})
		return
	}
	path := map[string]string{name: "userName", display: "displayName", mail: `emails[type eq "work"].value`, mobile: `phoneNumbers[type eq "mobile"].value`, on: "active", given: "name.givenName", family: "name.familyName"}[fact]
	d.patch("/scim/v2/Users/"+id, object{"op": "replace", "path": path, "value": value})
}

func (d *scimDialect) patch(path string, operation object) {
	d.t.Helper()
	o := object{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": []object{operation}}
	if got, b := d.ask(http.MethodPatch, path, o); got != http.StatusOK && got != http.StatusNoContent {
		d.t.Fatalf("%s %v: %d %s", path, operation, got, b)
	}
}

func (d *scimDialect) remove(id string) {
	d.ok(http.StatusNoContent, http.MethodDelete, "/scim/v2/Users/"+id, nil)
}

func (d *scimDialect) join(roleID, id string) {
	d.patch("/scim/v2/Groups/"+url.PathEscape(roleID), object{"op": "add", "path": "members", "value": []object{{"value": id}}})
}

func (d *scimDialect) leave(roleID, id string) {
	d.patch("/scim/v2/Groups/"+url.PathEscape(roleID), object{"op": "remove", "path": `members[value eq "` + id + `"]`})
}

func (d *scimDialect) see(id string) facts {
	status, b := d.ask(http.MethodGet, "/scim/v2/Users/"+id, nil)
	if status == http.StatusNotFound {
		return nil
	}
	var o object
	if status != http.StatusOK || json.Unmarshal(b, &o) != nil {
		d.t.Fatalf("%d %s", status, b)
	}
	return d.facts(o)
}

func (d *scimDialect) all() map[string]facts {
	out := map[string]facts{}
	for _, r := range d.ok(http.StatusOK, http.MethodGet, "/scim/v2/Users?count=100", nil)["Resources"].([]any) {
		o := r.(object)
		out[o["id"].(string)] = d.facts(o)
	}
	return out
}

// facts reads them from a resource.
func (d *scimDialect) facts(o object) facts {
	typed := func(in, kind string) string {
		list, _ := o[in].([]any)
		for _, v := range list {
			if v := v.(object); v["type"] == kind {
				return v["value"].(string)
			}
		}
		return ""
	}
	var in []string
	groups, _ := o["groups"].([]any)
	for _, g := range groups {
		in = append(in, g.(object)["display"].(string))
	}
	said, _ := o["displayName"].(string)
	parts, _ := o["name"].(object)
	first, _ := parts["givenName"].(string)
	last, _ := parts["familyName"].(string)
	return facts{
		given: first, family: last, name: o["userName"].(string), display: said, mail: typed("emails", "work"), mobile: typed("phoneNumbers", "mobile"),
		on: truth(o["active"] == true), roles: d.named(in),
	}
}
