package dialects

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// ask sends a request as the administrator, and gives status and body.
func (w *world) ask(method, path string, body any, header ...string) (int, []byte) {
	w.t.Helper()
	text, ok := body.(string)
	if !ok && body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			w.t.Fatal(err)
		}
		text = string(b)
	}
	r, err := http.NewRequest(method, w.site.URL+path, strings.NewReader(text))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Host = w.site.Host
	r.Header.Set("Authorization", "Bearer "+w.site.TokenOf(w.t, "admin"))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := w.site.HTTP.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return res.StatusCode, b
}

type object = map[string]any

// rpcDialect is the RPC surface.
type rpcDialect struct{ *world }

// call calls an operation, and reads its result.
func (d *rpcDialect) call(path string, in, out any) (ok bool) {
	d.t.Helper()
	status, b := d.ask(http.MethodPost, path, in)
	var e struct {
		Success bool
		Result  json.RawMessage
	}
	if err := json.Unmarshal(b, &e); err != nil || status != http.StatusOK {
		d.t.Fatalf("%s: %d %s", path, status, b)
	}
	if e.Success && out != nil {
		if err := json.Unmarshal(e.Result, out); err != nil {
			d.t.Fatalf("%s: %v %s", path, err, b)
		}
	}
	return e.Success
}

func (d *rpcDialect) must(path string, in, out any) {
	d.t.Helper()
	if !d.call(path, in, out) {
		d.t.Fatalf("%s %v is refused", path, in)
	}
}

func (d *rpcDialect) create(f facts) (id string) {
	d.must("/CDirectoryService/CreateUser", object{"Name": f[name], "DisplayName": f[display], "Mail": f[mail], "MobileNumber": f[mobile]}, &id)
	return id
}

var rpcNames = map[string]string{name: "Name", display: "DisplayName", mail: "Mail", mobile: "MobileNumber"}

func (d *rpcDialect) changes() []string { return []string{name, display, mail, mobile, on} }

func (d *rpcDialect) change(id, fact, value string) {
	switch {
	case fact == on && value == "false":
		d.must("/CDirectoryService/SetUserState", object{"ID": id, "state": "Disabled"}, nil)
		return
	case fact == on: // there are two ways to be kept out
		d.must("/CDirectoryService/SetUserState", object{"ID": id, "state": "None"}, nil)
		d.must("/CDirectoryService/ChangeUserState", object{"uuid": id, "state": true}, nil)
		return
	}
	d.must("/CDirectoryService/ChangeUser", object{"ID": id, rpcNames[fact]: value}, nil)
}

func (d *rpcDialect) remove(id string) {
	d.must("/UserMgmt/RemoveUsers", object{"Users": []string{id}}, nil)
}

func (d *rpcDialect) join(roleID, id string) {
	d.must("/SaasManage/AddUsersAndGroupsToRole", object{"Name": roleID, "Users": []string{id}}, nil)
}

func (d *rpcDialect) leave(roleID, id string) {
	d.call("/SaasManage/RemoveUsersAndGroupsFromRole", object{"Name": roleID, "Users": []string{id}}, nil)
}

func (d *rpcDialect) see(id string) facts {
	var u struct{ Name, DisplayName, Mail, MobileNumber, State, StatusEnum string }
	if !d.call("/UserMgmt/GetUserInfo", object{"ID": id}, &u) {
		return nil
	}
	var held rows
	d.must("/UserMgmt/GetUsersRolesAndAdministrativeRights?id="+id, nil, &held)
	var names []string
	for _, r := range held.Results {
		n, _ := r.Row["Name"].(string)
		names = append(names, n)
	}
	in := u.State == "None" && u.StatusEnum != "Suspended"
	return facts{name: u.Name, display: u.DisplayName, mail: u.Mail, mobile: u.MobileNumber, on: truth(in), roles: d.named(names)}
}

func (d *rpcDialect) all() map[string]facts {
	var people rows
	d.must("/CDirectoryService/GetUsers", nil, &people)
	out := map[string]facts{}
	for _, r := range people.Results {
		id, _ := r.Row["Uuid"].(string)
		f := facts{}
		for fact, column := range map[string]string{name: "Name", display: "DisplayName", mail: "Mail"} {
			if v, ok := r.Row[column].(string); ok {
				f[fact] = v
			}
		}
		out[id] = f
	}
	return out
}

type rows struct{ Results []struct{ Row object } }

// redrock tells by a query.
func (w *world) redrock() map[string]facts {
	var people rows
	d := rpcDialect{w}
	d.must("/Redrock/Query", object{"Script": "SELECT ID, Username, DisplayName, Email FROM User", "Args": object{"Caching": -1}}, &people)
	out := map[string]facts{}
	for _, r := range people.Results {
		id, _ := r.Row["ID"].(string)
		f := facts{}
		for fact, column := range map[string]string{name: "Username", display: "DisplayName", mail: "Email"} {
			f[fact], _ = r.Row[column].(string)
		}
		out[id] = f
	}
	return out
}

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

func (d *scimDialect) changes() []string { return []string{name, display, mail, mobile, on} }

func (d *scimDialect) change(id, fact, value string) {
	path := map[string]string{name: "userName", display: "displayName", mail: `emails[type eq "work"].value`, mobile: `phoneNumbers[type eq "mobile"].value`, on: "active"}[fact]
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
	return facts{
		name: o["userName"].(string), display: said, mail: typed("emails", "work"), mobile: typed("phoneNumbers", "mobile"),
		on: truth(o["active"] == true), roles: d.named(in),
	}
}

func truth(is bool) string {
	if is {
		return "true"
	}
	return "false"
}
