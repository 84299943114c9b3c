package dialects

import (
	"encoding/json"
	"net/http"
)

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

func (d *rpcDialect) changes() []string { return []string{name, display, mail, mobile, on, place} }

func (d *rpcDialect) change(id, fact, value string) {
	switch {
	case fact == place:
		what := map[string]string{"": "Remove", salesPath: "Add"}[value]
		d.call("/Org/ChangeMembership", object{"OrgId": d.sales.ID, what: []object{{"ID": id, "Type": "User"}}}, nil)
		return
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
	var u struct{ Name, DisplayName, Mail, MobileNumber, State, StatusEnum, OrgPath string }
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
	return facts{place: u.OrgPath, name: u.Name, display: u.DisplayName, mail: u.Mail, mobile: u.MobileNumber, on: truth(in), roles: d.named(names)}
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
