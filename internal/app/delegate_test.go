package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/org"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/op"
)

// branches is a tenant with a tree of organizations: parent, this below it, child below that, and foreign beside them. In
// each is a member with the organization's name, and one called none is in none. In this are also strong, who manages the
// tenant's users, and envoy, who administers foreign. Outside are the administrators: of this, of parent ...
type branches struct {
	t    *testing.T
	site *apptest.Site
	org  map[string]string
	id   map[string]string // of people by name
	role string            // a role that belongs to this, with everybody in it
}

func plant(t *testing.T, s *apptest.Server) *branches {
	t.Helper()
	b := &branches{t: t, site: s.Tenant(t), org: map[string]string{}, id: map[string]string{}}
	b.do(audit.OrgCreate, func(ctx context.Context, c *call.Call) error {
		for _, x := range [][2]string{{"parent"}, {"this", "parent"}, {"child", "this"}, {"foreign"}} {
			made, err := s.App.Orgs.Create(ctx, c, org.New{Name: x[0], Parent: b.org[x[1]]})
			if err != nil {
				return err
			}
			b.org[x[0]] = made.ID
		}
		return nil
	})
	for name, in := range map[string]string{
		"parent": "parent", "this": "this", "child": "child", "foreign": "foreign", "none": "", "strong": "this", "envoy": "this",
		"of this": "", "of parent": "", "of child": "", "of foreign": "", "unlocks this": "", "reads this": "", "roles of this": "",
	} {
		b.person(name, in)
	}
	for _, name := range slices.Sorted(maps.Keys(b.org)) {
		b.appoint("of "+name, name)
	}
	b.appoint("envoy", "foreign")
	b.permit("unlocks this", right.MfaUnlock)
	b.permit("reads this", right.ReadUsers)
	b.permit("roles of this", right.RoleManagement)
	b.role = b.makeRole("inside", "this")
	b.makeRole("managers", "", right.UserManagement)
	b.do(audit.RoleMembers, func(ctx context.Context, c *call.Call) error {
		var all []role.Member
		for _, id := range b.id {
			all = append(all, role.Member{Kind: role.User, ID: id})
		}
		return errors.Join(s.App.Roles.Add(ctx, c, b.role, all...), s.App.Roles.Add(ctx, c, b.idOf("managers"), role.Member{Kind: role.User, ID: b.id["strong"]}))
	})
	return b
}

func (b *branches) do(kind string, f func(ctx context.Context, c *call.Call) error) {
	b.t.Helper()
	b.site.Do(b.t, kind, f)
}

func (b *branches) person(name, in string) {
	b.t.Helper()
	b.do(audit.UserCreate, func(ctx context.Context, c *call.Call) error {
		local := strings.ReplaceAll(name, " ", ".")
		u, err := b.site.App.People.Create(ctx, c, user.New{
			Name: local + "@" + b.site.Suffix, Mail: local + "@example.com", Display: name, Mobile: "+1 650 253 0000", Org: b.org[in], Everybody: true,
		})
		b.id[name] = u.ID
		return err
	})
}

func (b *branches) appoint(who, to string) {
	b.t.Helper()
	b.do(audit.OrgChange, func(ctx context.Context, c *call.Call) error {
		return b.site.App.Orgs.Appoint(ctx, c, b.org[to], []org.Appointee{{Principal: org.Principal{Kind: role.User, ID: b.id[who]}}}, nil)
	})
}

func (b *branches) permit(who string, r right.Right) {
	b.t.Helper()
	b.do(audit.OrgChange, func(ctx context.Context, c *call.Call) error {
		held := org.Held{Principal: org.Principal{Kind: role.User, ID: b.id[who]}, Rights: []right.Right{r}}
		return b.site.App.Orgs.Permit(ctx, c, b.org["this"], []org.Held{held}, nil)
	})
}

func (b *branches) makeRole(name, in string, rights ...right.Right) (id string) {
	b.t.Helper()
	b.do(audit.RoleCreate, func(ctx context.Context, c *call.Call) error {
		made, err := b.site.App.Roles.Create(ctx, c, role.New{Name: name, Org: b.org[in]})
		id = made.ID
		for _, r := range rights {
			err = errors.Join(err, b.site.App.Roles.Assign(ctx, c, id, role.Given{Path: r.Info().Path}))
		}
		return err
	})
	return id
}

func (b *branches) idOf(roleName string) (id string) {
	b.t.Helper()
	b.read(func(ctx context.Context, c *call.Call) error {
		r, err := b.site.App.Roles.Get(ctx, c, roleName)
		id = r.ID
		return err
	})
	return id
}

func (b *branches) read(f func(ctx context.Context, c *call.Call) error) {
	b.t.Helper()
	c := b.site.App.Shell(b.site.ID)
	if err := c.Snapshot(b.t.Context(), func() error { return f(b.t.Context(), c) }); err != nil {
		b.t.Fatal(err)
	}
}

// token is somebody's: of those of the tree by name, else as in exchanges.
func (b *branches) token(who string) string {
	if id, ok := b.id[who]; ok {
		return b.site.SignedIn(b.t, id)
	}
	return b.site.TokenOf(b.t, who)
}

// answered is what the dialect answers.
type answered struct {
	Success   bool            `json:"success"`
	Result    json.RawMessage `json:"Result"`
	MessageID string          `json:"MessageID"`
}

func (b *branches) ask(token, path string, in any) (out answered) {
	b.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		b.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.site.URL+path, bytes.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Host = b.site.Host
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := b.site.HTTP.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		b.t.Fatalf("%s: status %d, %v", path, res.StatusCode, err)
	}
	return out
}

// ids gives the values of a column of a list, sorted, without what is no person of the tenant.
func (b *branches) ids(a answered, column string) []string {
	b.t.Helper()
	var q struct {
		Results []struct{ Row map[string]any }
	}
	if err := json.Unmarshal(a.Result, &q); err != nil {
		b.t.Fatal(string(a.Result), err)
	}
	out := []string{}
	for _, r := range q.Results {
		out = append(out, fmt.Sprint(r.Row[column]))
	}
	slices.Sort(out)
	return out
}

// people are the ids of everybody in the tenant.
func (b *branches) people() []string {
	b.t.Helper()
	return b.ids(b.ask(b.token("admin"), "/Redrock/Query", map[string]any{"Script": "SELECT ID FROM User"}), "ID")
}

// names makes failures readable.
func (b *branches) names(ids []string) string {
	var out []string
	for _, id := range ids {
		for name, its := range b.id {
			if its == id {
				id = name
			}
		}
		out = append(out, id)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// Lists and searches give exactly the people whom single reads give to the same caller.
func TestListsEqualSingleReads(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		b := plant(t, s)
		callers := []string{
			"of this", "of parent", "of child", "of foreign", "reads this", "unlocks this", "roles of this", "this", "strong", "envoy", "plain", "admin",
			"holder User Management", "holder Read Only User Management", "holder Read Only System Administration", "holder Report Management",
			"holder Role Management", "holder MFA Unlock",
		}
		for _, who := range callers {
			b.token(who) // before everybody is counted: some are made here
		}
		everybody, counts := b.people(), map[string]int{}
		for _, who := range callers {
			token := b.token(who)
			single := []string{}
			for _, id := range everybody {
				if b.ask(token, "/CDirectoryService/GetUser", map[string]any{"ID": id}).Success {
					single = append(single, id)
				}
			}
			counts[who] = len(single)
			same := func(what string, got []string) {
				t.Helper()
				if !slices.Equal(got, single) {
					t.Errorf("%s by %s: %s\nsingle reads: %s", what, who, b.names(got), b.names(single))
				}
			}
			query := func(script string) answered {
				return b.ask(token, "/Redrock/Query", map[string]any{"Script": script})
			}
			same("User", b.ids(query("SELECT ID FROM User"), "ID"))
			same("CDUser", b.ids(query("SELECT ID FROM CDUser"), "ID"))
			same("DSUsers", b.ids(query("SELECT InternalName FROM DSUsers"), "InternalName"))
			same("a search", b.ids(b.ask(token, "/Redrock/Query", map[string]any{
				"Script": "SELECT ID, Username FROM User", "Args": map[string]any{"FilterBy": []string{"Username"}, "FilterValue": b.site.Suffix},
			}), "ID"))
			if a := b.ask(token, "/CDirectoryService/GetUsers", map[string]any{}); a.Success {
				listed := b.ids(a, "Uuid")
				if own, ok := b.id[who]; ok && !slices.Contains(listed, own) { // one's own record is read without administering it
					listed = append(listed, own)
					slices.Sort(listed)
				}
				same("GetUsers", listed)
			} else if len(single) > 1 {
				t.Errorf("%s may read %d people, but not list them", who, len(single))
			}
			b.membersAsSingle(who, token, single)
		}
		for who, n := range map[string]int{"of this": 5, "of parent": 6, "of child": 2, "unlocks this": 1, "reads this": 5, "plain": 1, "admin": len(everybody)} {
			if counts[who] != n {
				t.Errorf("%s reads %d people, want %d", who, counts[who], n)
			}
		}
	})
}

// TestReportsKnowOrganizations asks as clients list the members of an organization.
func TestReportsKnowOrganizations(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		b := plant(t, s)
		for _, x := range []struct{ who, script, column, want string }{
			{"admin", "SELECT ID, Username FROM User WHERE OrgId = '" + b.org["this"] + "'", "ID", "envoy, strong, this"},
			{"of this", "SELECT ID FROM User WHERE OrgPath = '/parent/this/child'", "ID", "child"},
			{"of child", "SELECT ID FROM User WHERE OrgId = '" + b.org["this"] + "'", "ID", ""},
			{"of this", "SELECT Path FROM Organization", "Path", "/parent/this, /parent/this/child"},
			{"this", "SELECT Path FROM Organization", "Path", ""},
			{"holder MFA Unlock", "SELECT Path FROM Organization WHERE ParentId IS NULL", "Path", "/foreign, /parent"},
			{"of this", "SELECT ID, OrgPath FROM Role WHERE OrgId = '" + b.org["this"] + "'", "OrgPath", "/parent/this"},
			{"of child", "SELECT Name FROM Role WHERE Name = 'inside' OR Name = 'managers'", "Name", "inside"}, // they are in it
			{"of foreign", "SELECT Name FROM Role WHERE Name = 'managers'", "Name", ""},
		} {
			a := b.ask(b.token(x.who), "/Redrock/Query", map[string]any{"Script": x.script})
			if got := b.names(b.ids(a, x.column)); got != x.want {
				t.Errorf("%s: %s gives %q, want %q", x.who, x.script, got, x.want)
			}
		}
	})
}

// membersAsSingle compares who is in a role with whom the caller may read, when they may read the role.
func (b *branches) membersAsSingle(who, token string, single []string) {
	b.t.Helper()
	if _, ok := b.site.App.Kernel.Find(http.MethodPost, "/SaasManage/GetRoleMembers"); !ok {
		return
	}
	a := b.ask(token, "/SaasManage/GetRoleMembers", map[string]any{"Name": b.role})
	if !a.Success {
		return
	}
	for _, id := range b.ids(a, "Guid") {
		if who != "roles of this" && who != "holder Role Management" && !slices.Contains(single, id) {
			b.t.Errorf("%s sees %s in a role and may not read them", who, b.names([]string{id}))
		}
	}
}

// fill fills an operation's input so that it is about a person: every text that names one, and something plausible
// everywhere else.
func fill(o op.Op, id string) map[string]any {
	out := map[string]any{}
	in := o.In
	for in.Kind() == reflect.Pointer {
		in = in.Elem()
	}
	for i := range in.NumField() {
		f := in.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" || !f.IsExported() {
			continue
		}
		switch key := strings.ToLower(name); {
		case key == "orgid", key == "orgpath", strings.HasPrefix(key, "in") && f.Type.Kind() != reflect.String:
		case f.Type.Kind() == reflect.String && (strings.HasSuffix(key, "id") || strings.Contains(key, "uuid") || key == "user" || key == "username"):
			out[name] = id
		case key == "state" && f.Type.Kind() == reflect.String:
			out[name] = "Locked"
		case strings.Contains(key, "password"):
			out[name] = "Purple-Staple-7-Wagon"
		case f.Type.Kind() == reflect.Bool, f.Type == reflect.TypeFor[op.Opt[bool]]():
			out[name] = true
		case f.Type == reflect.TypeFor[op.Opt[string]]() && key == "description", key == "column" || key == "value":
			out[name] = "x"
		}
	}
	return out
}

// slow are operations that wait for what nothing here delivers, where they are allowed.
var slow = map[string]bool{"/CDirectoryService/SendIdentityVerificationOTP": true}

// Whoever administers other organizations, or is weaker than somebody, changes nothing of theirs by any operation that is
// about a person, and reads nothing of them.
func TestNoOperationReachesOtherOrganizations(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		b := plant(t, s)
		denied := 0
		for _, x := range []struct {
			who, target string
			reads       bool // single reads are allowed
		}{
			{"of child", "this", false}, {"of foreign", "this", false}, {"of this", "parent", false}, {"of this", "none", false},
			{"of this", "strong", true}, {"of this", "envoy", true}, {"reads this", "this", true}, {"unlocks this", "foreign", false},
		} {
			token := b.token(x.who)
			before := b.shape(x.target)
			for _, surface := range s.App.Surfaces() {
				for _, o := range surface.Ops {
					if _, about := reflect.New(o.In).Interface().(op.Targeted); !about || surface.Name != "identity" || o.Allow.Open() || o.Method != http.MethodPost {
						continue
					}
					if x.reads && (o.Effect == op.Read || slow[o.Path]) || o.Allow.String() == op.Self.String() {
						continue
					}
					a := b.ask(token, o.Path, fill(o, b.id[x.target]))
					if a.MessageID == "auth.denied" {
						denied++
					}
					if now := b.shape(x.target); now != before {
						t.Errorf("%s by %s changed %s:\n%s\n%s", o.Path, x.who, x.target, before, now)
						before = now
					}
					if a.Success && !x.reads && !strings.Contains(o.Allow.String(), op.Authenticated.String()) {
						t.Errorf("%s by %s about %s: %s", o.Path, x.who, x.target, a.Result)
					}
				}
			}
		}
		if denied < 100 {
			t.Errorf("only %d calls came as far as being denied", denied)
		}
	})
}

// shape is what is stored of a person and what they hold.
func (b *branches) shape(name string) (out string) {
	b.t.Helper()
	b.read(func(ctx context.Context, c *call.Call) error {
		u, err := b.site.App.People.ByID(ctx, c, b.id[name])
		m, err2 := b.site.App.Roles.Of(ctx, c, b.id[name])
		out = fmt.Sprintf("%+v %v %v", u, m.Roles, m.Held)
		return errors.Join(err, err2)
	})
	return out
}
