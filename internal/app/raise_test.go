package app_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/audit"
	"limen/internal/core/collection"
	"limen/internal/core/org"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/rpc"

	"pgregory.net/rapid"
)

// untried are operations that the game does not play, with the reason.
var untried = map[string]string{
	"/CDirectoryService/SendIdentityVerificationOTP": "it waits for what nothing here delivers",
}

// dispatcher runs other operations, and has no transaction of its own.
const dispatcher = "/UserMgmt/ConfirmAction"

// giving are the operations by which rights, or what leads to them, are handed on. They are tried more often than others.
var giving = []string{
	"/SaasManage/AddUsersAndGroupsToRole", "/Roles/AssignSuperRights", "/Roles/UpdateRole", "/Roles/StoreRole", "/SaasManage/StoreRole",
	"/SaasManage/RemoveUsersAndGroupsFromRole", "/Org/UpdateAdministrators", "/Org/UpdatePermission", "/Org/ChangeMembership", "/Org/Create", "/Org/Update",
	"/CDirectoryService/CreateUser", "/CDirectoryService/ChangeUser", "/UserMgmt/ResetUserPassword", "/CDirectoryService/SetUserState", "/UserMgmt/InviteUsers",
	"/CDirectoryService/GetUsersFromCsvFile", "/CDirectoryService/SubmitUploadedFile", "/CDirectoryService/BulkImportUsers", "/Roles/SetDynamicRoleScript",
	"/Collection/CreateManualCollection", "/Collection/UpdateMembersCollection", "/Collection/SetCollectionPermissions",
	"/SaasManage/TransferOwnership", dispatcher,
	"/SaasManage/ImportAppFromTemplate", "/SaasManage/SetApplicationPermissions", "/SaasManage/SetApplicationCollectionPermissions", "/SaasManage/UpdateApplicationDE",
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
	apps   []string
	jobs   []string
	files  map[string][]string // that somebody uploaded, to be imported
	who    string              // who plays
	sets   map[string]string   // with the type of their members
	names  map[string]string
	made   int // names made up
	tally  *tally
}

// tally counts how many calls an operation got, and how many of them did something.
type tally struct{ tried, done map[string]int }

func (n *tally) share() (tried, done int) {
	for path := range n.tried {
		tried, done = tried+n.tried[path], done+n.done[path]
	}
	return tried, done
}

// tries is how many inputs are made up for a call, until one fits.
const tries = 12

// play has somebody call an operation through the kernel, as far as its input can be read.
func (g *game) play(who string) string {
	g.who = who
	from := g.ops
	if rapid.IntRange(0, 3).Draw(g.rt, "often") > 0 {
		from = g.gives
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
	var o op.Op
	var body []byte
	var in any
	for range tries {
		o = from[rapid.IntRange(0, len(from)-1).Draw(g.rt, "operation")]
		if body, in = g.invent(&o); in != nil && !bytes.Contains(body, []byte(`"none"`)) && g.fits(&o, c, in) || rapid.IntRange(0, 15).Draw(g.rt, "all the same") == 0 {
			break
		}
	}
	did := fmt.Sprintf("%s %s: ", o.Path, body)
	if in == nil {
		return did + "unread"
	}
	g.tally.tried[o.Path]++
	out, err := g.site.App.Kernel.Run(context.Background(), &o, c, in)
	if err == nil {
		g.tally.done[o.Path]++
		if q, ok := out.(rpc.Query); ok && q.ReturnID != "" {
			g.files[who] = append(g.files[who], q.ReturnID)
		}
		return did
	}
	f := fault.Of(err)
	if f.Kind == fault.Internal {
		g.rt.Fatalf("%s%s: %v", did, f.Code, err)
	}
	return did + f.Code
}

// invent makes up an input of an operation; nil when it cannot be read.
func (g *game) invent(o *op.Op) (body []byte, in any) {
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
	in = reflect.New(t).Interface()
	if json.Unmarshal(body, in) != nil {
		return body, nil
	}
	g.attach(o.Path, in)
	return body, in
}

// step has somebody do something, and sees that whatever anybody holds now or later, and did not before, the one who did it
// holds too, for as long; that nobody lost what that one does not hold; and that no account was opened or shut whose rights
// the one does not hold.
func (g *game) step(who string, before map[string]standing) map[string]standing {
	orgs := slices.Clone(g.orgs)
	return g.judge(g.play(who), who, orgs, before)
}

// judge looks at what somebody did, when there were these organizations.
func (g *game) judge(did, who string, orgs []string, before map[string]standing) map[string]standing {
	g.things()
	g.everyone()
	after, mine, at := g.look(), before[who], g.moments()
	if mine.held == nil { // a stranger
		mine.held = make([]right.Held, len(at))
	}
	wrong := func(what, whom string, h right.Held) {
		g.rt.Errorf("%s by %s, who holds %+v\n%s %s: %+v %v", did, g.names[who], mine.held[0], what, g.names[whom], h.Tenant.Rights(), h.Orgs)
	}
	for id, now := range after {
		was, known := before[id]
		if !known {
			was.held = make([]right.Held, len(at))
		}
		for i := range at {
			if gained := beyond(now.held[i], was.held[i], orgs); !mine.held[i].Covers(gained) {
				wrong(fmt.Sprintf("gives, at %v, to", at[i].Sub(g.base)), id, gained)
			}
			if lost := beyond(was.held[i], now.held[i], orgs); known && id != who && !mine.held[0].Covers(lost) {
				wrong(fmt.Sprintf("takes, at %v, from", at[i].Sub(g.base)), id, lost)
			}
			if known && id != who && was.door != now.door && !mine.held[i].Covers(was.held[i]) {
				wrong("has taken over "+was.door+" > "+now.door, id, was.held[i])
				break
			}
		}
		if known && was.roles == now.roles { // who fills a role decides who has what it is given on rows
			g.reach(did, who, id, mine, was, now)
		}
	}
	g.touched(did, who, before, after)
	for id, was := range before {
		if _, there := after[id]; !there && id != who && !mine.held[0].Covers(was.held[0]) {
			wrong("has deleted", id, was.held[0])
		}
	}
	return after
}

// begin makes the tenant of a game: a tree of organizations, roles, and people with rights of all kinds, some for a time.
func begin(rt *rapid.T, t *testing.T, s *apptest.Server, n *tally, b *branches) *game {
	g := &game{rt: rt, site: s.Tenant(t), base: time.Now().Truncate(time.Millisecond), names: map[string]string{}, files: map[string][]string{}, tally: n}
	g.now = g.base
	*b = branches{t: t, site: g.site, org: map[string]string{}, id: map[string]string{}}
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
	for _, x := range [][2]string{{"desk", "top"}, {"manager", ""}, {"lender", "mid"}, {"sider", "low"}, {"member", "mid"}, {"passing", ""}, {"strong", "mid"},
		{"anna", "mid"}, {"ben", "low"}, {"carl", "side"}, {"dora", ""}} {
		b.person(x[0], x[1])
		g.people, g.names[b.id[x[0]]] = append(g.people, b.id[x[0]]), x[0]
	}
	for _, x := range []struct {
		name, in string
		rights   []right.Right
	}{
		{"empty", "", nil}, {"inside", "mid", nil}, {"helpers", "low", []right.Right{right.UserManagement}}, {"users", "", []right.Right{right.UserManagement}},
		{"roles", "", []right.Right{right.RoleManagement}}, {"reports", "", []right.Right{right.ReportManagement}},
		{"apps", "", []right.Right{right.ApplicationManagement}}, {"shelves", "mid", []right.Right{right.ApplicationManagement}},
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
			a.Roles.Add(ctx, c, b.idOfIn(ctx, c, "apps"), person("strong", later(2)), person("desk", time.Time{})),
			a.Roles.Add(ctx, c, b.idOfIn(ctx, c, "shelves"), person("sider", time.Time{})),
			a.Roles.Add(ctx, c, role.System, person("passing", later(3))),
		)
	})
	b.do(audit.SetCreate, func(ctx context.Context, c *call.Call) error {
		link, err := s.App.Apps.Create(ctx, c, "Generic Bookmark")
		given := acl.Given{Kind: role.User, Principal: b.id["desk"], Mask: acl.View | acl.Grant}
		for _, object := range []string{"User", "Role", "Application"} {
			set, err2 := s.App.Sets.Create(ctx, c, collection.New{Object: object, Name: "some"})
			err = errors.Join(err, err2)
			if err == nil {
				err = s.App.Sets.Permit(ctx, c, set.ID, given)
			}
		}
		return errors.Join(err, s.App.Apps.Permit(ctx, c, link.ID, acl.Given{Kind: role.User, Principal: b.id["sider"], Mask: acl.View | acl.Grant, Until: later(2)}))
	})
	g.keeping(t, b)
	g.everyone()
	g.things()
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
			if surface.Name != "identity" || o.Allow.Open() || o.Effect != op.Write && o.Effect != op.Serial && o.Path != dispatcher {
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

// checks has a property tried fewer times than usual, and not long made smaller where it does not hold, unless the command line says otherwise.
func checks(t *testing.T, n string) {
	for name, value := range map[string]string{"rapid.checks": n, "rapid.shrinktime": "10s"} {
		f := flag.Lookup(name)
		if was := f.Value.String(); was == f.DefValue {
			if err := f.Value.Set(value); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = f.Value.Set(was) })
		}
	}
}

// tell says which share of the calls did something, which must be some percent. A game of calls that are refused says little.
func (n *tally) tell(t *testing.T, percent int) {
	tried, done := n.share()
	t.Logf("%d of %d calls did something, of %d operations", done, tried, len(n.done))
	for _, path := range slices.Sorted(maps.Keys(n.tried)) {
		t.Logf("%5d of %5d %s", n.done[path], n.tried[path], path)
	}
	if tried > 100 && done*100 < tried*percent {
		t.Errorf("only %d of %d calls did something", done, tried)
	}
}

// Nobody raises their own rights, or anybody's, by any sequence of calls: whatever operations people without full and lasting
// administration call, nobody ends with a right that they, or whoever gave it to them, did not hold, or for longer than that.
func TestNobodyRaisesRightsByAnyOperation(t *testing.T) {
	checks(t, "25")
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		all, often := playable(t, s)
		n := &tally{map[string]int{}, map[string]int{}}
		defer n.tell(t, 30)
		rapid.Check(t, func(rt *rapid.T) {
			g := begin(rt, t, s, n, &branches{})
			g.ops, g.gives = all, often
			holds := g.look()
			actors := append(slices.Clone(g.people[:7]), g.people[0], g.people[1], g.people[5], g.people[5]) // who holds most has most to try
			for range rapid.IntRange(4, 14).Draw(rt, "steps") {
				if rapid.IntRange(0, 7).Draw(rt, "time passes") == 0 {
					g.pass(40 * time.Minute)
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
