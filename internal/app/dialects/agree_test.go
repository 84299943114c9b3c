package dialects

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/detail"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// Facts of a person that dialects tell in forms of their own.
const (
	name    = "name"    // by which they sign in, with the suffix
	display = "display" // as people read it
	mail    = "mail"
	mobile  = "mobile"
	on      = "on" // whether an administrator lets them in: true or false
	roles   = "roles"
	given   = "given" // name, on record
	family  = "family"
	called  = "called" // given and family name, also those that the display name is cut into
	place   = "place"  // path of the organization; empty: none
)

// facts are what a dialect tells of one person; what it does not tell is absent.
type facts map[string]string

// dialect is one way to the directory. Answers that an operation must not give end the test.
type dialect interface {
	// create makes a person and gives the UUID.
	create(f facts) string
	// change sets one of the facts that changes names, but roles.
	change(id, fact, value string)
	changes() []string
	remove(id string)
	// join and leave change who is directly in a role.
	join(roleID, id string)
	leave(roleID, id string)
	// see tells of one person by a single read, and all of everybody by lists. Who is not there is nil.
	see(id string) facts
	all() map[string]facts
}

// TestDialectsAgree plays random operations through random dialects, and has everyone of them tell of everybody after each.
func TestDialectsAgree(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		s.App.Kernel.Limit = func(*op.Call, *op.Op) *fault.Error { return nil } // one caller asks all the time
		site := s.Tenant(t)
		w := &world{t: t, site: site, roles: map[string]string{}, invited: map[string]pending{}, chose: map[string]bool{}, used: map[string]bool{}, enrolled: map[string]int{}}
		site.Set(t, "Signup.Allowed", "true")
		site.Set(t, "Signup.RequireCaptcha", "false")
		(&rpcDialect{w}).must("/Org/Create", object{"Name": "Sales"}, &w.sales)
		for _, n := range []string{"Readers", "Writers"} {
			w.roles[w.role(n)] = n
		}
		w.dialects = map[string]dialect{"RPC": &rpcDialect{w}, "SCIM": &scimDialect{w}, "PVWA": &pvwaDialect{w}}
		w.tellers = map[string]teller{
			"Redrock": {w.redrock, func(facts) bool { return true }}, "Synerise": {w.workspace, func(f facts) bool { return f[place] == salesPath }},
		}
		w.prove("a.example", "b.example")
		rapid.Check(t, func(rt *rapid.T) { w.play(rt) })
		if w.managed == 0 {
			t.Error("nobody was changed by Synerise's API: the game does not reach it")
		}
		if len(w.enrolled) != 4 {
			t.Error("the game reaches of ways to come by Synerise's API only", w.enrolled)
		}
	})
}

type world struct {
	t        *testing.T
	site     *apptest.Site
	dialects map[string]dialect
	tellers  map[string]teller
	roles    map[string]string   // names by ids
	sales    struct{ ID string } // an organization
	entered  string              // the administrator's token for it
	made     int
	managed  int // how often somebody was changed as a user of the workspace

	invited  map[string]pending // those whose invitation may wait
	chose    map[string]bool    // those who chose a password by the workspace's API
	enrolled map[string]int     // how often people came by it, in which way
	used     map[string]bool    // what mails brought, and was taken up
}

// teller only reads: people of whom knows is true.
type teller struct {
	all   func() map[string]facts
	knows func(f facts) bool
}

// play makes people, changes them, and takes them away again.
func (w *world) play(rt *rapid.T) {
	people := map[string]bool{}
	clear(w.invited)
	clear(w.chose)
	defer func() {
		for id := range people {
			w.dialects["RPC"].remove(id)
		}
	}()
	var did []string
	for range rapid.IntRange(2, 10).Draw(rt, "steps") {
		by := rapid.SampledFrom(append(slices.Sorted(maps.Keys(w.dialects)), "Synerise")).Draw(rt, "dialect")
		d := w.dialects[by]
		var what string
		switch here := w.here(people); {
		case d != nil:
			what = w.step(rt, d, people)
		case rapid.Bool().Draw(rt, "enrol"):
			what = w.enrol(rt, people)
		case len(here) > 0:
			what = w.manage(rt, rapid.SampledFrom(here).Draw(rt, "member"), people)
		case len(people) > 0: // or it is given people
			id := rapid.SampledFrom(slices.Sorted(maps.Keys(people))).Draw(rt, "newcomer")
			w.dialects["RPC"].change(id, place, salesPath)
			what = "is given " + id
		default:
			by, what = "RPC", w.step(rt, w.dialects["RPC"], people)
		}
		did = append(did, by+" "+what)
		if !strings.HasPrefix(what, "invite ") {
			w.revoke(what)
		}
		if differ := w.compare(people); len(differ) > 0 {
			rt.Fatalf("after\n%s\nthere is disagreement:\n%s", strings.Join(did, "\n"), strings.Join(differ, "\n"))
		}
		maps.DeleteFunc(people, func(_ string, there bool) bool { return !there })
	}
}

// here are the people of the organization, in order, but for those who are invited.
func (w *world) here(people map[string]bool) (in []string) {
	for id := range people {
		if _, waits := w.invited[id]; !waits && w.core(id)[place] == salesPath {
			in = append(in, id)
		}
	}
	slices.Sort(in)
	return in
}

// step does one thing, and says what.
func (w *world) step(rt *rapid.T, d dialect, people map[string]bool) string {
	what := "create"
	if len(people) > 0 {
		what = rapid.SampledFrom([]string{"create", "change", "change", "change", "join", "join", "leave", "remove"}).Draw(rt, "operation")
	}
	if what == "create" {
		w.made++
		f := facts{name: fmt.Sprintf("p%d@%s", w.made, w.site.Suffix)}
		for _, fact := range []string{display, mail, mobile} {
			f[fact] = w.value(rt, fact)
		}
		id := d.create(f)
		people[id] = true
		return fmt.Sprintf("create %s %v", id, f)
	}
	id := rapid.SampledFrom(slices.Sorted(maps.Keys(people))).Draw(rt, "person")
	r := rapid.SampledFrom(slices.Sorted(maps.Keys(w.roles))).Draw(rt, "role")
	switch what {
	case "join":
		d.join(r, id)
		return "join " + w.roles[r] + " " + id
	case "leave":
		d.leave(r, id)
		return "leave " + w.roles[r] + " " + id
	case "remove":
		d.remove(id)
		people[id] = false // which is compared before it is forgotten
		return "remove " + id
	}
	fact := rapid.SampledFrom(d.changes()).Draw(rt, "fact")
	value := w.value(rt, fact)
	d.change(id, fact, value)
	return fmt.Sprintf("change %s of %s to %q", fact, id, value)
}

const salesPath = "/Sales"

// value makes one up.
func (w *world) value(rt *rapid.T, fact string) string {
	w.made++
	switch fact {
	case name:
		return fmt.Sprintf("p%d@%s", w.made, w.site.Suffix)
	case mail:
		return fmt.Sprintf("p%d@%s.example", w.made, rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "domain"))
	case mobile:
		return fmt.Sprintf("+1510555%04d", w.made%10000)
	case place:
		return rapid.SampledFrom([]string{"", salesPath}).Draw(rt, "organization")
	case on:
		return fmt.Sprint(rapid.Bool().Draw(rt, "on"))
	}
	if fact == given || fact == family {
		return rapid.SampledFrom([]string{"Ada", "van der Meer", "Żak", "O'Brien"}).Draw(rt, fact)
	}
	return rapid.SampledFrom([]string{"Ada", "Łukasz Żak", `O"Brien \ Sons`, "  spaced  out ", "<b>Eve</b>", "李 明", "Zoë"}).Draw(rt, "display")
}

// compare lists where a dialect and the core do not tell the same. People who are gone are false in the map.
func (w *world) compare(people map[string]bool) (differ []string) {
	say := func(who, id string, got, want facts) {
		if (got == nil) != (want == nil) {
			differ = append(differ, fmt.Sprintf("%s: of %s are %v told, and the core has %v", who, id, got, want))
		}
		for fact, v := range got {
			if want != nil && v != want[fact] {
				differ = append(differ, fmt.Sprintf("%s: %s of %s is %q, and the core has %q", who, fact, id, v, want[fact]))
			}
		}
	}
	truth := map[string]facts{}
	for id := range people {
		truth[id] = w.core(id)
	}
	for by, d := range w.dialects {
		listed := d.all()
		for id, want := range truth {
			say(by, id, d.see(id), want)
			say(by+", listed", id, listed[id], want)
		}
	}
	for by, t := range w.tellers {
		listed := t.all()
		for id, want := range truth {
			if want != nil && !t.knows(want) {
				want = nil
			}
			say(by, id, listed[id], want)
		}
	}
	slices.Sort(differ)
	return differ
}

// core tells what the directory itself has of somebody.
func (w *world) core(id string) facts {
	w.t.Helper()
	var u []user.User
	var in []string
	var known map[string][]detail.Item
	c := w.site.App.Shell(w.site.ID)
	if err := c.Snapshot(context.Background(), func() (err error) {
		if u, err = user.ByIDs(context.Background(), c, id); err != nil {
			return err
		}
		if known, err = detail.Of(context.Background(), c, id); err != nil {
			return err
		}
		in, err = w.direct(c, id)
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	if len(u) == 0 {
		return nil
	}
	at := map[string]string{"": "", w.sales.ID: salesPath}
	first, last, _ := detail.Name(known[id])
	one, other := detail.Named(known[id], u[0].Display)
	return facts{
		given: first, family: last, called: one + "|" + other,
		place: at[u[0].Org], name: u[0].Name, display: u[0].Display, mail: u[0].Mail, mobile: u[0].Mobile,
		on: fmt.Sprint(!u[0].Suspended && !u[0].Disabled && !u[0].Expired), roles: strings.Join(in, ","),
	}
}

// direct names the test's roles in which somebody directly is.
func (w *world) direct(c *call.Call, id string) (in []string, err error) {
	for r, n := range w.roles {
		is, err := w.site.App.Roles.Direct(context.Background(), c, r, id)
		if err != nil {
			return nil, err
		}
		if is {
			in = append(in, n)
		}
	}
	slices.Sort(in)
	return in, nil
}

// named gives the test's roles among others by their names, in order.
func (w *world) named(names []string) string {
	var in []string
	for _, n := range names {
		for _, own := range w.roles {
			if own == n {
				in = append(in, n)
			}
		}
	}
	slices.Sort(in)
	return strings.Join(in, ",")
}

func (w *world) role(n string) (id string) {
	w.site.Do(w.t, "Cloud.Core.RoleCreate", func(ctx context.Context, c *call.Call) error {
		made, err := w.site.App.Roles.Create(ctx, c, role.New{Name: n})
		id = made.ID
		return err
	})
	return id
}
