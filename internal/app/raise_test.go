package app_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/grant"
	"limen/internal/core/org"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"

	"pgregory.net/rapid"
)

// untried are operations that the game does not play, with the reason.
var untried = map[string]string{
	"/CDirectoryService/SendIdentityVerificationOTP": "it waits for what nothing here delivers",
}

// giving are the operations by which rights, or what leads to them, are handed on. They are tried more often than others.
var giving = []string{
	"/SaasManage/AddUsersAndGroupsToRole", "/Roles/AssignSuperRights", "/Roles/UpdateRole", "/Roles/StoreRole", "/SaasManage/StoreRole",
	"/SaasManage/RemoveUsersAndGroupsFromRole", "/Org/UpdateAdministrators", "/Org/UpdatePermission", "/Org/ChangeMembership", "/Org/Create", "/Org/Update",
	"/CDirectoryService/CreateUser", "/CDirectoryService/ChangeUser", "/UserMgmt/ResetUserPassword", "/CDirectoryService/SetUserState", "/UserMgmt/InviteUsers",
}

// game is a tenant in which people whose rights are limited try what they can, by the operations of the program.
type game struct {
	rt     *rapid.T
	site   *apptest.Site
	base   time.Time
	now    time.Time
	ops    []op.Op
	gives  []op.Op
	people []string
	roles  []string
	orgs   []string
	names  map[string]string
}

// moments are when the game looks at what people hold.
func (g *game) moments() (out []time.Time) {
	for _, m := range []int{0, 45, 90, 150, 240, 100_000} {
		if at := g.base.Add(time.Duration(m) * time.Minute); at.After(g.now) {
			out = append(out, at)
		} else {
			out = append(out, g.now)
		}
	}
	return out
}

// standing is what there is to gain of somebody: what they hold at moments, and what opens their account.
type standing struct {
	held []right.Held
	door string
}

func (g *game) look() map[string]standing {
	out := map[string]standing{}
	c := g.site.App.Shell(g.site.ID)
	err := c.Snapshot(context.Background(), func() error {
		clear(out)
		for _, id := range g.people {
			u, err := g.site.App.People.ByID(context.Background(), c, id)
			if errors.Is(err, user.ErrNotFound) {
				continue
			}
			s := standing{door: fmt.Sprintf("%v %v %v %v %v %v", u.Name, u.PasswordChanged, u.Mail, u.Mobile, u.Home, u.MfaUser)}
			for _, at := range g.moments() {
				c.Now = at
				m, err2 := g.site.App.Roles.Of(context.Background(), c, id)
				err = errors.Join(err, err2)
				s.held = append(s.held, m.Held)
			}
			if err != nil {
				return err
			}
			out[id] = s
		}
		return nil
	})
	if err != nil {
		g.rt.Fatal(err)
	}
	return out
}

// everyone finds who is in the tenant by now: operations make people, too.
func (g *game) everyone() {
	c := g.site.App.Shell(g.site.ID)
	_ = c.Snapshot(context.Background(), func() error {
		rows, err := g.site.App.People.List(context.Background(), c, grant.All(), user.Query{Limit: 100})
		for _, u := range rows {
			if g.names[u.ID] == "" {
				g.names[u.ID] = "new " + u.Name
				g.people = append(g.people, u.ID)
			}
		}
		all, err2 := g.site.App.Roles.List(context.Background(), c)
		for _, r := range all {
			if g.names[r.ID] == "" {
				g.names[r.ID] = "new " + r.Name
				g.roles = append(g.roles, r.ID)
			}
		}
		return errors.Join(err, err2)
	})
}

// beyond is what a holds beyond b.
func beyond(a, b right.Held) right.Held {
	out := right.Held{Tenant: a.Tenant &^ b.Tenant, Tree: a.Tree}
	for id, s := range a.Orgs {
		out.Add(id, s&^(b.Tenant|b.At(id)))
	}
	return out
}

func (g *game) pick(label string, from []string) string {
	return rapid.SampledFrom(from).Draw(g.rt, label)
}

// text makes up a text for a member of an input.
func (g *game) text(path, name string) string {
	key := strings.ToLower(name)
	switch {
	case strings.Contains(key, "password"):
		return "Purple-Staple-7-Wagon"
	case key == "script":
		return g.pick(name, []string{"true", "false", "user.Name != ''"})
	case key == "state":
		return "None"
	case key == "roletype":
		return g.pick(name, []string{role.Static, role.Dynamic})
	case strings.Contains(key, "user") || strings.Contains(key, "uuid") || key == "guid":
		return g.pick(name, g.people)
	case strings.Contains(key, "right") || key == "path":
		return g.pick(name, []string{
			right.UserManagement.Info().Path, right.RoleManagement.Info().Path, right.MfaUnlock.Info().Path, right.ReadUsers.Info().Path, right.ReportManagement.Info().Path,
		})
	case strings.Contains(key, "org") || key == "parent":
		return g.pick(name, append([]string{""}, g.orgs...))
	case key == "mail" || strings.Contains(key, "email"):
		return "new@example.com"
	case strings.Contains(key, "role") || strings.Contains(path, "Role") && (key == "name" || key == "id"):
		return g.pick(name, g.roles)
	case strings.HasSuffix(path, "CreateUser") && key == "name":
		return fmt.Sprintf("n%d@%s", len(g.people), g.site.Suffix)
	case strings.HasSuffix(key, "name") && strings.HasPrefix(key, "new"), key == "description", key == "reason", key == "value":
		return fmt.Sprint("x", len(g.roles))
	}
	return g.pick(name, append(slices.Clone(g.people), g.roles...))
}

var moment = reflect.TypeFor[time.Time]()

// value makes up a value of a type, as JSON has it.
func (g *game) value(path, name string, t reflect.Type, depth int) any {
	if get, ok := t.MethodByName("Get"); ok && strings.HasPrefix(t.Name(), "Opt[") {
		if rapid.IntRange(0, 2).Draw(g.rt, name+" is there") == 0 {
			return nil
		}
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
		return rapid.Bool().Draw(g.rt, name)
	case reflect.Slice:
		return []any{g.value(path, name, t.Elem(), depth+1)}
	case reflect.Struct:
		return g.object(path, t, depth+1)
	}
	return nil
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
		case name == "" || rapid.IntRange(0, 7).Draw(g.rt, name+"?") == 0: // left out
		default:
			if v := g.value(path, name, f.Type, depth); v != nil {
				out[name] = v
			}
		}
	}
	g.agree(out)
	return out
}

// agree has an input say of whoever it names whether that is a person or a role.
func (g *game) agree(in map[string]any) {
	for _, x := range [][2]string{{"ID", "Type"}, {"Principal", "PrincipalType"}} {
		id, named := in[x[0]].(string)
		if _, typed := in[x[1]].(string); named && typed {
			in[x[1]] = map[bool]string{true: role.Sub, false: role.User}[slices.Contains(g.roles, id)]
		}
	}
}

// play has somebody call an operation through the kernel, as far as its input can be read.
func (g *game) play(who string) string {
	from := g.ops
	if rapid.IntRange(0, 3).Draw(g.rt, "often") > 0 {
		from = g.gives
	}
	o := from[rapid.IntRange(0, len(from)-1).Draw(g.rt, "operation")]
	t := o.In
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var made any
	if t.Kind() == reflect.Struct {
		made = g.object(o.Path, t, 0)
	} else {
		made = g.value(o.Path, "", t, 0)
	}
	body, err := json.Marshal(made)
	if err != nil {
		g.rt.Fatal(err)
	}
	in := reflect.New(t)
	did := fmt.Sprintf("%s %s: ", o.Path, body)
	if json.Unmarshal(body, in.Interface()) != nil {
		return did + "unread"
	}
	c := g.site.App.Shell(g.site.ID)
	c.Now = g.now
	u, m := user.User{}, role.Membership{}
	if err := c.Snapshot(context.Background(), func() (err error) {
		if u, err = g.site.App.People.ByID(context.Background(), c, who); err == nil {
			m, err = g.site.App.Roles.Of(context.Background(), c, who)
		}
		return err
	}); err != nil {
		g.rt.Fatal(err)
	}
	c.Caller = &call.Caller{User: u.ID, Name: u.Name, Org: u.Org, Means: call.BySession, Level: "High", Proved: g.now, Roles: m.Roles, Held: m.Held}
	_, err = g.site.App.Kernel.Run(context.Background(), &o, c, in.Interface())
	if f := fault.Of(err); err != nil {
		did += f.Code
		if f.Kind == fault.Internal {
			g.rt.Fatalf("%s: %v", did, err)
		}
	}
	return did
}

// step has somebody do something, and sees that whatever anybody holds now or later, and did not before, the one who did it
// holds too, for as long; that nobody lost what that one does not hold; and that no account was opened or shut whose rights
// the one does not hold.
func (g *game) step(who string, before map[string]standing) map[string]standing {
	did := g.play(who)
	g.everyone()
	after, mine, at := g.look(), before[who], g.moments()
	wrong := func(what, whom string, h right.Held) {
		g.rt.Errorf("%s by %s, who holds %+v\n%s %s: %+v %v", did, g.names[who], mine.held[0], what, g.names[whom], h.Tenant.Rights(), h.Orgs)
	}
	for id, now := range after {
		was, known := before[id]
		if !known {
			was.held = make([]right.Held, len(at))
		}
		for i := range at {
			if gained := beyond(now.held[i], was.held[i]); !mine.held[i].Covers(gained) {
				wrong(fmt.Sprintf("gives, at %v, to", at[i].Sub(g.base)), id, gained)
			}
			if lost := beyond(was.held[i], now.held[i]); known && id != who && !mine.held[0].Covers(lost) {
				wrong(fmt.Sprintf("takes, at %v, from", at[i].Sub(g.base)), id, lost)
			}
			if known && id != who && was.door != now.door && !mine.held[0].Covers(was.held[i]) {
				wrong("has taken over "+was.door+" > "+now.door, id, was.held[i])
				break
			}
		}
	}
	for id, was := range before {
		if _, there := after[id]; !there && id != who && !mine.held[0].Covers(was.held[0]) {
			wrong("has deleted", id, was.held[0])
		}
	}
	return after
}

// begin makes the tenant of a game: a tree of organizations, roles, and people with rights of all kinds, some for a time.
func begin(rt *rapid.T, t *testing.T, s *apptest.Server) *game {
	g := &game{rt: rt, site: s.Tenant(t), base: time.Now().Truncate(time.Millisecond), names: map[string]string{}}
	g.now = g.base
	b := &branches{t: t, site: g.site, org: map[string]string{}, id: map[string]string{}}
	b.do(audit.OrgCreate, func(ctx context.Context, c *call.Call) error {
		for _, x := range [][2]string{{"top"}, {"mid", "top"}, {"low", "mid"}, {"side"}} {
			made, err := s.App.Orgs.Create(ctx, c, org.New{Name: x[0], Parent: b.org[x[1]]})
			if err != nil {
				return err
			}
			b.org[x[0]], g.orgs, g.names[made.ID] = made.ID, append(g.orgs, made.ID), x[0]
		}
		return nil
	})
	for _, x := range [][2]string{{"desk", "top"}, {"manager", ""}, {"lender", "mid"}, {"sider", "low"}, {"member", "mid"}, {"passing", ""}, {"strong", "mid"}} {
		b.person(x[0], x[1])
		g.people, g.names[b.id[x[0]]] = append(g.people, b.id[x[0]]), x[0]
	}
	for _, x := range []struct {
		name, in string
		rights   []right.Right
	}{
		{"empty", "", nil}, {"inside", "mid", nil}, {"helpers", "low", []right.Right{right.UserManagement}}, {"users", "", []right.Right{right.UserManagement}},
		{"roles", "", []right.Right{right.RoleManagement}}, {"reports", "", []right.Right{right.ReportManagement}},
	} {
		id := b.makeRole(x.name, x.in, x.rights...)
		g.roles, g.names[id] = append(g.roles, id), x.name
	}
	g.roles = append(g.roles, role.System, role.Everybody)
	g.names[role.System], g.names[role.Everybody] = role.System, role.Everybody
	later := func(h int) time.Time { return g.base.Add(time.Duration(h) * time.Hour) }
	b.do(audit.OrgChange, func(ctx context.Context, c *call.Call) error {
		a := s.App
		person := func(name string, until time.Time) role.Member {
			return role.Member{Kind: role.User, ID: b.id[name], Until: until}
		}
		appoint := func(name, to string, until time.Time) error {
			who := org.Appointee{Principal: org.Principal{Kind: role.User, ID: b.id[name]}, Term: role.Term{Until: until}}
			return a.Orgs.Appoint(ctx, c, b.org[to], []org.Appointee{who}, nil)
		}
		return errors.Join(
			appoint("desk", "mid", time.Time{}), appoint("sider", "side", later(2)),
			a.Roles.Add(ctx, c, b.idOfIn(ctx, c, "roles"), person("manager", time.Time{})),
			a.Roles.Add(ctx, c, b.idOfIn(ctx, c, "users"), person("manager", later(1)), person("lender", later(2))),
			a.Roles.Add(ctx, c, b.idOfIn(ctx, c, "reports"), person("strong", time.Time{})),
			a.Roles.Add(ctx, c, role.System, person("passing", later(3))),
		)
	})
	g.everyone()
	return g
}

// idOfIn finds a role within a transaction.
func (b *branches) idOfIn(ctx context.Context, c *call.Call, name string) string {
	r, err := b.site.App.Roles.Get(ctx, c, name)
	if err != nil {
		b.t.Error(err)
	}
	return r.ID
}

// playable are the operations that a game may play: all that are for people who are signed in and change the store.
func playable(t *testing.T, s *apptest.Server) (all, often []op.Op) {
	used := map[string]bool{}
	for _, surface := range s.App.Surfaces() {
		for _, o := range surface.Ops {
			if untried[o.Path] != "" {
				used[o.Path] = true
				continue
			}
			if surface.Name != "identity" || o.Allow.Open() || o.Effect != op.Write && o.Effect != op.Serial {
				continue
			}
			all = append(all, o)
			if slices.Contains(giving, o.Path) {
				often = append(often, o)
			}
		}
	}
	for path := range untried {
		if !used[path] {
			t.Errorf("there is no operation %s that could go untried", path)
		}
	}
	if len(all) < 80 || len(often) < 12 {
		t.Fatalf("only %d operations can be played, and %d of those that give", len(all), len(often))
	}
	byPath := func(a, b op.Op) int { return cmp.Compare(a.Path, b.Path) }
	slices.SortFunc(all, byPath)
	slices.SortFunc(often, byPath)
	return all, often
}

// checks has a property tried fewer times than usual, unless the command line says how often.
func checks(t *testing.T, n string) {
	f := flag.Lookup("rapid.checks")
	if was := f.Value.String(); was == f.DefValue {
		if err := f.Value.Set(n); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Value.Set(was) })
	}
}

// Nobody raises their own rights, or anybody's, by any sequence of calls: whatever operations people without full and lasting
// administration call, nobody ends with a right that they, or whoever gave it to them, did not hold, or for longer than that.
func TestNobodyRaisesRightsByAnyOperation(t *testing.T) {
	checks(t, "25")
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		all, often := playable(t, s)
		rapid.Check(t, func(rt *rapid.T) {
			g := begin(rt, t, s)
			g.ops, g.gives = all, often
			holds := g.look()
			actors := slices.Clone(g.people[:7])
			for range rapid.IntRange(4, 14).Draw(rt, "steps") {
				if rapid.IntRange(0, 7).Draw(rt, "time passes") == 0 {
					g.now = g.now.Add(40 * time.Minute)
					holds = g.look()
				}
				who := actors[rapid.IntRange(0, len(actors)-1).Draw(rt, "who")]
				if _, there := holds[who]; !there {
					continue
				}
				holds = g.step(who, holds)
			}
		})
	})
}
