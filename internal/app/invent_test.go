package app_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/op"

	"pgregory.net/rapid"
)

// What the game of raise_test.go makes up: inputs that fit their operations, about what there is in the tenant.

func (g *game) pick(label string, from []string) string {
	if len(from) == 0 {
		return "none"
	}
	return rapid.SampledFrom(from).Draw(g.rt, label)
}

// fresh is a text that was not there before.
func (g *game) fresh(prefix string) string {
	g.made++
	return fmt.Sprintf("%s%d", prefix, g.made)
}

// texts are what members of inputs are, by their name in lower case; behind a path, those of that operation alone.
var texts = map[string]func(g *game, name string) string{
	"answer":                    always("A blue whale 7"),
	"adminemail":                always("boss@example.com"),
	"algorithm":                 always("SHA1"),
	"challenges":                always("UP"),
	"channel":                   always("Email"),
	"collectiontype":            always("ManualBucket"),
	"column":                    always("Nick_name"),
	"email":                     always("boss@example.com"),
	"emailreportto":             always("boss@example.com"),
	"importtype":                always("ImportBulkUser"),
	"filename":                  always("people.csv"),
	"groups":                    always(""),
	"homenumber":                phone,
	"jobid":                     func(g *game, name string) string { return g.pick(name, g.jobs) },
	"jobids":                    func(g *game, name string) string { return g.pick(name, g.jobs) },
	"mail":                      func(g *game, _ string) string { return g.fresh("new") + "@example.com" },
	"mobilenumber":              phone,
	"objecttype":                func(g *game, name string) string { return g.pick(name, []string{"User", "Role", "Application"}) },
	"officenumber":              phone,
	"orgid":                     func(g *game, name string) string { return g.pick(name, g.orgs) },
	"orgpath":                   func(g *game, name string) string { return g.pick(name, append([]string{""}, g.orgs...)) },
	"parent":                    func(g *game, name string) string { return g.pick(name, append([]string{""}, g.orgs...)) },
	"path":                      func(g *game, name string) string { return g.pick(name, someRights()) },
	"preferredculture":          always("de-DE"),
	"reportsto":                 func(g *game, name string) string { return g.pick(name, g.people) },
	"returnid":                  func(g *game, name string) string { return g.pick(name, g.files[g.who]) },
	"right":                     func(g *game, name string) string { return g.pick(name, someRights()) },
	"role":                      func(g *game, name string) string { return g.pick(name, g.roles) },
	"roles":                     func(g *game, name string) string { return g.pick(name, g.roles) },
	"roletype":                  func(g *game, name string) string { return g.pick(name, []string{role.Static, role.Dynamic}) },
	"script":                    func(g *game, name string) string { return g.pick(name, []string{"true", "false", "user.Name !== ''"}) },
	"secretkey":                 always("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"),
	"settingtype":               always("client"),
	"singlechallengemechanisms": always(""),
	"sql":                       always("SELECT ID FROM User"),
	"state":                     always("None"),
	"subobjecttype":             always(""),
	"table":                     always("users"),
	"timespan":                  always("10"),
	"user":                      func(g *game, name string) string { return g.pick(name, g.people) },
	"users":                     func(g *game, name string) string { return g.pick(name, g.people) },
	"userprincipalname":         func(g *game, name string) string { return g.pick(name, g.people) },
	"uuid":                      func(g *game, name string) string { return g.pick(name, g.people) },
	"value":                     always("203.0.113.0/24"),

	"/UserMgmt/ConfirmAction action": func(g *game, name string) string {
		return g.pick(name, []string{"SetUserState", "RemoveUser", "SetCloudLock", "SignOutEverywhere", "ExemptUserFromMfa"})
	},
	"/CDirectoryService/CreateUser name":      login,
	"/CDirectoryService/CreateUserQuick name": login,
	"/CDirectoryService/CreateUsers name":     login,
	"/CDirectoryService/ChangeUser name":      login,
	"/User/UpdateProfile name":                login,
	"/CDirectoryService/SetUserState state":   func(g *game, name string) string { return g.pick(name, []string{"None", "Locked", "Disabled"}) },
	"/Core/SetTenantConfig key":               always("CusCreateUser.QandD"),
	"/Core/SetTenantConfig value":             always("TRUE"),
	"/Org/Create name":                        newName,
	"/Org/Update name":                        newName,
	"/AuthProfile/SaveProfile name":           newName,
	"/Roles/StoreRole name":                   newName,
	"/SaasManage/ImportAppFromTemplate id": func(g *game, name string) string {
		return g.pick(name, []string{"Generic Bookmark", "Generic OpenID Connect"})
	},
	"/Task/CreateOneTimeJob type":            func(g *game, name string) string { return g.pick(name, g.site.App.Jobs.Startable()) },
	"/Task/CreateOneTimeJob name":            newName,
	"/UserMgmt/InviteUsers role":             always(""),
	"/UserMgmt/UpdateSecurityQuestions type": always("User"),
	"/Oath/AddOrUpdateProfile type":          always("TOTP"),
}

func always(s string) func(*game, string) string { return func(*game, string) string { return s } }

func newName(g *game, _ string) string { return g.fresh("made") }
func login(g *game, _ string) string   { return g.fresh("n") + "@" + g.site.Suffix }
func phone(g *game, _ string) string   { return fmt.Sprintf("+1 650 253 %04d", len(g.fresh(""))) }

func someRights() (out []string) {
	for _, r := range []right.Right{
		right.UserManagement, right.RoleManagement, right.MfaUnlock, right.ReadUsers, right.ReportManagement, right.ApplicationManagement,
	} {
		out = append(out, r.Info().Path)
	}
	return out
}

// text makes up a text for a member of an input.
func (g *game) text(path, name string) string {
	key := strings.ToLower(name)
	for _, known := range []string{path + " " + key, key} {
		if f := texts[known]; f != nil {
			return f(g, name)
		}
	}
	switch {
	case strings.Contains(key, "password"):
		return "Purple-Staple-7-Wagon"
	case strings.HasPrefix(path, "/Collection/") && key == "id":
		return g.pick(name, slices.Sorted(maps.Keys(g.sets)))
	case strings.HasPrefix(path, "/SaasManage/SetApplicationCollection") && key == "id":
		return g.pick(name, slices.DeleteFunc(slices.Sorted(maps.Keys(g.sets)), func(id string) bool { return g.sets[id] != "Application" }))
	case key == "_rowkey" || strings.HasPrefix(path, "/SaasManage/") && key == "id":
		return g.pick(name, g.apps)
	case strings.HasPrefix(key, "principal"):
		return g.pick(name, slices.Concat(g.people, g.roles))
	case key == "rights":
		return g.pick(name, []string{"View", "Grant", "View,Delete", "View,Edit", "View,Grant", "None"})
	case strings.HasPrefix(path, "/Collection/") && key == "name", strings.HasPrefix(key, "new"), key == "description", key == "reason", key == "displayname",
		key == "label", key == "title", key == "questiontext", key == "issuer", key == "accountname":
		return g.fresh("x")
	case strings.HasPrefix(path, "/UserMgmt/"), strings.HasPrefix(path, "/CDirectoryService/"), strings.HasPrefix(path, "/User/"), strings.Contains(key, "user"):
		return g.pick(name, g.people)
	case strings.Contains(key, "role") || strings.Contains(path, "Role") && (key == "name" || key == "id"):
		return g.pick(name, g.roles)
	}
	return g.pick(name, slices.Concat(g.people, g.roles))
}

var moment = reflect.TypeFor[time.Time]()

// value makes up a value of a type, as JSON has it.
func (g *game) value(path, name string, t reflect.Type, depth int) any {
	if get, ok := t.MethodByName("Get"); ok && strings.HasPrefix(t.Name(), "Opt[") {
		t = get.Type.Out(0)
	}
	switch {
	case t == moment:
		first := map[bool]int{true: 0, false: 2}[name == "From"]
		return g.base.Add(time.Duration(rapid.IntRange(first, first+2).Draw(g.rt, name)) * time.Hour).Format(time.RFC3339)
	case depth > 3:
		return nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		return g.value(path, name, t.Elem(), depth)
	case reflect.String:
		return g.text(path, name)
	case reflect.Bool:
		return rapid.IntRange(0, 2).Draw(g.rt, name) == 0
	case reflect.Slice:
		return []any{g.value(path, name, t.Elem(), depth+1)}
	case reflect.Struct:
		return g.object(path, t, depth+1)
	case reflect.Map:
		return g.mapping(path, name, t, depth)
	case reflect.Interface:
		return "x"
	}
	return nil
}

// mapping makes up an object whose members have names of their own.
func (g *game) mapping(path, name string, t reflect.Type, depth int) any {
	switch {
	case path == "/Task/CreateOneTimeJob":
		return map[string]any{"RoleName": g.pick(name, g.roles)}
	case path == "/SaasManage/UpdateApplicationDE":
		return map[string]any{"Name": g.fresh("app")}
	case path == dispatcher:
		return map[string]any{"state": g.pick(name, []string{"None", "Locked", "Disabled"}), "lockUser": true}
	case name == "Columns":
		return map[string]any{"Nick_name": g.value(path, name, t.Elem(), depth+1)}
	case name == "*":
		return map[string]any{"LastTab": "x"}
	}
	return nil
}

// needed are members that most inputs cannot do without.
var needed = []string{"ID", "Name", "Mail", "OrgId", "Grants", "Rights", "PrincipalId", "Principal", "Right", "ObjectType", "newPassword", "AdminEmail", "email", "state", "Path", "Role",
	"importType", "settings", "EmailInvite", "Challenges", "Action", "Users", "Args", "TargetUser", "Add"}

// includes says whether an input has a member: of those that can say much, few are drawn at a time, which would else forbid
// each other.
func (g *game) includes(t reflect.Type, name string) bool {
	switch n := rapid.IntRange(0, 9).Draw(g.rt, name+"?"); {
	case slices.Contains(needed, name):
		return n > 0 || t.NumField() > 8 && (name == "Name" || name == "Mail")
	case t.NumField() > 6:
		return n > 7
	default:
		return n > 2
	}
}

func (g *game) object(path string, t reflect.Type, depth int) map[string]any {
	out := map[string]any{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case !f.IsExported() || name == "-" || strings.HasPrefix(name, "Group") || strings.HasPrefix(name, "DirectoryService"):
		case f.Anonymous && name == "":
			maps.Copy(out, g.object(path, f.Type, depth))
		case name == "" || !g.includes(t, name):
		default:
			if v := g.value(path, name, f.Type, depth); v != nil {
				out[name] = v
			}
		}
	}
	g.agree(path, out)
	return out
}

// agree has the members of an input fit each other: what says whether somebody is a person or a role, and what names one
// thing several times.
func (g *game) agree(path string, in map[string]any) {
	for _, x := range [][2]string{{"ID", "Type"}, {"Principal", "PrincipalType"}, {"PrincipalId", "PType"}, {"Guid", "Type"}} {
		id, named := in[x[0]].(string)
		if _, typed := in[x[1]].(string); named && (typed || slices.Contains(g.roles, id)) && x[1] != "Type" || named && typed && path != "/Task/CreateOneTimeJob" {
			in[x[1]] = map[bool]string{true: role.Sub, false: role.User}[slices.Contains(g.roles, id)]
		}
	}
	switch path {
	case "/Collection/SetCollectionPermissions", "/SaasManage/SetApplicationPermissions", "/SaasManage/SetApplicationCollectionPermissions":
		delete(in, "PVID")
		delete(in, "RowKey")
		if _, ok := in["PrincipalId"]; ok {
			delete(in, "Principal")
		}
	case "/Collection/UpdateCollection":
		delete(in, "ObjectType")
		delete(in, "CollectionType")
		delete(in, "sql")
	case "/SaasManage/UpdateApplicationDE":
		delete(in, "ID")
		delete(in, "PVID")
	case "/Collection/UpdateMembersCollection":
		kind := g.sets[fmt.Sprint(in["ID"])]
		pool := map[string][]string{"User": g.people, "Role": g.roles, "Application": g.apps}[kind]
		for _, side := range []string{"Add", "Remove"} {
			if _, ok := in[side]; ok {
				in[side] = []any{map[string]any{"MemberType": "Row", "Table": kind, "Key": g.pick(side, pool)}}
			}
		}
	case "/SaasManage/TransferOwnership":
		delete(in, "TransferToManager")
	case "/Org/ChangeMembership": // somebody joins, most often for a time
		in["Add"] = []any{map[string]any{"ID": g.pick("Add", g.people), "Type": role.User}}
		if rapid.IntRange(0, 3).Draw(g.rt, "Remove?") > 0 {
			delete(in, "Remove")
		}
	case "/UserMgmt/UpdateSecurityQuestions":
		delete(in, "Uuid")
		delete(in, "Deleted")
	}
}

var (
	oneFile   = reflect.TypeFor[op.Upload]()
	manyFiles = reflect.TypeFor[[]op.Upload]()
)

// attach gives an input the files that it takes: a picture, or a list of people.
func (g *game) attach(path string, in any) {
	v := reflect.ValueOf(in).Elem()
	if v.Kind() != reflect.Struct {
		return
	}
	attach(v, func() op.Upload {
		if strings.HasSuffix(path, "Picture") {
			var b bytes.Buffer
			if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 2, 2))); err != nil {
				g.rt.Fatal(err)
			}
			return op.Upload{Name: "p.png", Type: "image/png", Body: b.Bytes()}
		}
		return op.Upload{Name: "people.csv", Type: "text/csv", Body: []byte(g.list())}
	})
}

func attach(v reflect.Value, file func() op.Upload) {
	for i := range v.NumField() {
		switch f := v.Field(i); {
		case !v.Type().Field(i).IsExported():
		case f.Type() == oneFile:
			f.Set(reflect.ValueOf(file()))
		case f.Type() == manyFiles:
			f.Set(reflect.ValueOf([]op.Upload{file()}))
		case v.Type().Field(i).Anonymous && f.Kind() == reflect.Struct:
			attach(f, file)
		}
	}
}

// list is a file of one person to be imported, with a role, an organization, or administration.
func (g *game) list() string {
	cells := map[string]string{"Login Name": login(g, ""), "Email Address": "new@example.com"}
	for _, x := range []struct {
		column string
		most   int // one in so many files has it
		value  func() string
	}{
		{"Roles", 5, func() string { return strings.TrimPrefix(g.names[g.pick("role of a list", g.roles)], "new ") }},
		{"Organization", 2, func() string {
			return g.pick("organization of a list", []string{"/top", "/top/mid", "/top/mid/low", "/side"})
		}},
		{"System Administrator", 8, func() string { return "TRUE" }},
		{"Password", 2, func() string { return "Purple-Staple-7-Wagon" }},
	} {
		if rapid.IntRange(1, x.most).Draw(g.rt, x.column) == x.most {
			cells[x.column] = x.value()
		}
	}
	columns := slices.Sorted(maps.Keys(cells))
	row := make([]string, len(columns))
	for i, name := range columns {
		row[i] = cells[name]
	}
	return strings.Join(columns, ",") + "\n" + strings.Join(row, ",") + "\n"
}

// fits says whether an operation takes an input and lets the caller in, so far as its rule and its own check say.
func (g *game) fits(o *op.Op, c *op.Call, in any) bool {
	if ch, ok := in.(op.Checker); ok && ch.Check() != nil {
		return false
	}
	if r, ok := in.(op.Resolver); ok {
		if c.Snapshot(context.Background(), func() error { return r.Resolve(context.Background(), c) }) != nil {
			return false
		}
	}
	var t op.Target
	if i, ok := in.(op.Targeted); ok {
		t = i.Target()
	}
	allowed := o.Allow.Decide(c, t)
	return !allowed.Nothing()
}
