package simulation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/grant"
	"limen/internal/core/lease"
	"limen/internal/core/login"
	"limen/internal/core/login/logintest"
	"limen/internal/core/policy"
	"limen/internal/core/profile"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/simulation"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
)

// world is a tenant with people, policies and recorded sign-ins.
type world struct {
	*logintest.World
	t        testing.TB
	p        *policy.Policies
	log      *audit.Log
	s        *simulation.Simulator
	people   []user.User
	roles    []string
	profiles []string // the password; the password and an authenticator; the password and mail
}

func each(t *testing.T, f func(w *world)) {
	logintest.Each(t, func(t *testing.T, l *logintest.World) { f(start(t, l)) })
}

func start(t testing.TB, l *logintest.World) *world {
	w := &world{World: l, t: t}
	w.p = &policy.Policies{Roles: l.Roles, Changes: l.Changes, Ring: l.Logins.Ring, Profiles: l.Profiles}
	w.p.Able = func(ctx context.Context, c *call.Call, id string, of profile.Profile) (bool, error) {
		u, err := l.People.ByID(ctx, c, id)
		if err != nil {
			return false, err
		}
		return l.Logins.Able(ctx, c, u, login.Profile{}.With(of))
	}
	w.p.Knows = func(ctx context.Context, c *call.Call, id string) (bool, error) {
		known, err := l.Throttle.Known(ctx, c, id, throttle.DeviceHash(c.Client.Device))
		return known != nil, err
	}
	l.Logins.Profile = w.p.Login
	w.log = &audit.Log{DB: l.DB, Strict: true, Leases: &lease.Leases{DB: l.DB, Node: "n1"}}
	w.s = &simulation.Simulator{Roles: l.Roles, Policies: w.p, People: l.People, Logins: l.Logins, Events: w.log}
	for _, name := range []string{"anna", "bert", "carl", "dora"} {
		w.people = append(w.people, l.Add(name))
	}
	w.must(func(ctx context.Context, c *call.Call) error {
		if err := w.p.Make(ctx, c); err != nil {
			return err
		}
		for i, name := range []string{"Staff", "Desk", "Outer"} {
			r, err := l.Roles.Create(ctx, c, role.New{Name: name})
			if err != nil {
				return err
			}
			w.roles = append(w.roles, r.ID)
			if err := l.Roles.Add(ctx, c, r.ID, role.Member{Kind: role.User, ID: w.people[i].ID}); err != nil {
				return err
			}
		}
		for i, rounds := range [][][]string{{{"UP"}}, {{"UP"}, {"OATH"}}, {{"UP"}, {"EMAIL"}}} {
			made, err := l.Profiles.Save(ctx, c, profile.Profile{Name: fmt.Sprint("Profile ", i), Challenges: rounds})
			if err != nil {
				return err
			}
			w.profiles = append(w.profiles, made.ID)
		}
		return nil
	})
	return w
}

// try runs f as somebody at the server's own command line, in a transaction that may write.
func (w *world) try(f func(ctx context.Context, c *call.Call) error) error {
	return w.Try(func(ctx context.Context, c *call.Call) error {
		c.Caller = &call.Caller{Means: call.ByShell, Held: right.Held{Tenant: right.Of(right.System)}}
		return f(ctx, c)
	})
}

func (w *world) must(f func(ctx context.Context, c *call.Call) error) {
	w.t.Helper()
	if err := w.try(f); err != nil {
		w.t.Fatal(err)
	}
}

// simulate asks about all people and all recorded sign-ins.
func (w *world) simulate(ch simulation.Change, at policy.Situation) (out simulation.Result) {
	w.t.Helper()
	c := w.Call()
	q := simulation.Question{At: at, Days: 7, Most: 100, Grant: grant.All()}
	for _, u := range w.people {
		q.People = append(q.People, u.ID)
	}
	if err := c.Snapshot(w.t.Context(), func() (err error) { out, err = w.s.Run(w.t.Context(), c, ch, q); return err }); err != nil {
		w.t.Fatal(err)
	}
	return out
}

// explain says how each person signs in now.
func (w *world) explain(at policy.Situation) map[string]simulation.Way {
	w.t.Helper()
	c, out := w.Call(), map[string]simulation.Way{}
	if err := c.Snapshot(w.t.Context(), func() error {
		for _, u := range w.people {
			way, _, err := w.s.Explain(w.t.Context(), c, u.ID, at)
			if err != nil {
				return err
			}
			out[u.ID] = way
		}
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
	return out
}

// held is what each person holds now.
func (w *world) held() map[string]right.Held {
	w.t.Helper()
	c, out := w.Call(), map[string]right.Held{}
	if err := c.Snapshot(w.t.Context(), func() error {
		for _, u := range w.people {
			m, err := w.Roles.Of(w.t.Context(), c, u.ID)
			if err != nil {
				return err
			}
			out[u.ID] = m.Held
		}
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
	return out
}

// record stores the event of a sign-in as it would have been recorded.
func (w *world) record(u user.User, b login.Basis) {
	w.t.Helper()
	raw, err := json.Marshal(b)
	if err != nil {
		w.t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(raw, &fields); err != nil {
		w.t.Fatal(err)
	}
	w.must(func(ctx context.Context, c *call.Call) error {
		c.Event.ID, c.Event.Type, c.Event.User = c.NewID(), audit.Login, u.ID
		c.Event.Set(login.BasisField, fields)
		return w.log.Record(ctx, c)
	})
}

func ask[T any](t *rapid.T, name string, from ...T) T { return rapid.SampledFrom(from).Draw(t, name) }

// condition draws one of those that rules may have.
func condition(t *rapid.T) policy.Condition {
	return ask(
		t, "condition",
		policy.Condition{Prop: "IpAddress", Op: "OpInsideIpRange", Val: "192.0.2.0/24"},
		policy.Condition{Prop: "IpAddress", Op: "OpInsideIpRange", Val: "198.51.100.7"},
		policy.Condition{Prop: "IdentityCookie", Op: "OpExists"}, policy.Condition{Prop: "IdentityCookie", Op: "OpNotExists"},
		policy.Condition{Prop: "Time", Op: "OpBetween", Val: "U,08:00,17:00"}, policy.Condition{Prop: "DayOfWeek", Op: "OpIsDayOfWeek", Val: "U,1,2,3"},
		policy.Condition{Prop: "DeviceOs", Op: "OpEqual", Val: "Windows"}, policy.Condition{Prop: "Browser", Op: "OpNotEqual", Val: "Firefox"},
		policy.Condition{Prop: "CountryCode", Op: "OpEqual", Val: "DE"}, policy.Condition{Prop: "RiskLevel", Op: "OpEqual", Val: "High"},
	)
}

// situated draws a situation.
func situated(t *rapid.T) policy.Situation {
	yes, no := true, false
	return policy.Situation{
		IP:    netip.MustParseAddr(ask(t, "ip", "192.0.2.9", "198.51.100.7", "2001:db8::1")),
		Time:  time.Date(2026, 11, 16+rapid.IntRange(0, 6).Draw(t, "day"), rapid.IntRange(0, 23).Draw(t, "hour"), 30, 0, 0, time.UTC),
		Known: ask(t, "known", nil, &yes, &no), OS: ask(t, "os", "", "Windows", "Mac"), Browser: ask(t, "browser", "", "Firefox", "Other"),
		Country: ask(t, "country", "", "DE"),
	}
}

// nearby draws a situation that differs in one thing at most.
func nearby(t *rapid.T, at policy.Situation) policy.Situation {
	o := situated(t)
	switch rapid.IntRange(0, 5).Draw(t, "differs") {
	case 0:
		at.IP = o.IP
	case 1:
		at.Time = o.Time
	case 2:
		at.Known = o.Known
	case 3:
		at.OS = o.OS
	case 4:
		at.Browser = o.Browser
	case 5:
		at.Country = o.Country
	}
	return at
}

// set draws a policy set and its link.
func (w *world) set(t *rapid.T, name string) policy.Save {
	reference := func() string {
		return ask(t, "profile", append(slices.Clone(w.profiles), policy.Never, policy.Always)...)
	}
	var rules []policy.Rule
	for range rapid.IntRange(0, 3).Draw(t, "rules") {
		rule := policy.Rule{ProfileID: reference()}
		for range rapid.IntRange(0, 2).Draw(t, "conditions") {
			rule.Conditions = append(rule.Conditions, condition(t))
		}
		rules = append(rules, rule)
	}
	raw := map[string]json.RawMessage{}
	for key, v := range map[string]any{
		"AuthenticationEnabled": rapid.Bool().Draw(t, "on"), "/Core/Authentication/AuthenticationRulesDefaultProfileId": reference(),
		"/Core/Authentication/AuthenticationRules": map[string]any{"_Type": "RowSet", "_UniqueKey": "Condition", "Enabled": true, "_Value": rules},
		"/Core/Authentication/NoMfaMechLogin":      rapid.Bool().Draw(t, "lax"),
	} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		raw[key] = b
	}
	checked, err := w.p.Check(w.t.Context(), w.Call(), raw)
	if err != nil {
		t.Fatal(err)
	}
	link := policy.Link{Type: ask(t, "link", policy.Global, policy.Role, policy.Inactive), Params: []string{ask(t, "role", w.roles...)}}
	return policy.Save{Path: policy.Prefix + name, Settings: checked, Links: []policy.Listed{{Path: policy.Prefix + name, Link: link}}, Confirm: true}
}

// save makes or replaces a set.
func (w *world) save(in policy.Save) {
	w.t.Helper()
	w.must(func(ctx context.Context, c *call.Call) error {
		b, _, err := w.p.Get(ctx, c, in.Path)
		in.New, in.Stamp = err != nil, b.Stamp
		_, err = w.p.Save(ctx, c, in)
		return err
	})
}

// roleChange draws a change of roles.
func (w *world) roleChange(t *rapid.T) role.Proposal {
	at := rapid.IntRange(0, len(w.roles)-1).Draw(t, "which")
	out := role.Proposal{Role: w.roles[at]}
	someone := role.Member{Kind: role.User, ID: ask(t, "who", w.people...).ID}
	switch rapid.IntRange(0, 5).Draw(t, "change") {
	case 0:
		out.Add = []role.Member{someone}
	case 1:
		out.Remove = []role.Member{someone}
	case 2:
		out.Assign = []role.Given{{Path: ask(t, "right", "/lib/rights/dsman.json", "/lib/rights/roleman.json")}}
	case 3:
		out.Take = []string{ask(t, "right", "/lib/rights/dsman.json", "/lib/rights/roleman.json")}
	case 4: // the later in the earlier, so that no role is in itself
		if at < len(w.roles)-1 {
			out.Add = []role.Member{{Kind: role.Sub, ID: w.roles[at+1]}}
		}
	case 5:
		if at < len(w.roles)-1 {
			out.Remove = []role.Member{{Kind: role.Sub, ID: w.roles[at+1]}}
		}
	}
	return out
}

// do really makes a change of roles.
func (w *world) do(p role.Proposal) {
	w.t.Helper()
	w.must(func(ctx context.Context, c *call.Call) error {
		if err := w.Roles.Touch(ctx, c); err != nil {
			return err
		}
		for _, f := range []func() error{
			func() error { return w.Roles.Add(ctx, c, p.Role, p.Add...) }, func() error { return w.Roles.Remove(ctx, c, p.Role, p.Remove...) },
			func() error { return w.Roles.Assign(ctx, c, p.Role, p.Assign...) }, func() error { return w.Roles.Unassign(ctx, c, p.Role, p.Take...) },
		} {
			if err := f(); err != nil {
				return err
			}
		}
		return nil
	})
}

// What a simulation says is what comes of really making the change; and what is changes nobody's sign-in.
func TestSimulatedIsWhatBecomes(t *testing.T) {
	each(t, func(w *world) {
		rapid.Check(w.t.(*testing.T), func(t *rapid.T) {
			w.Now = w.Now.Add(8 * 24 * time.Hour) // what was recorded before is not looked at
			w.save(w.set(t, "First"))
			w.save(w.set(t, "Second"))
			at := situated(t)
			who := ask(t, "signs in", w.people...)
			w.record(who, basis(at))
			other, elsewhere := ask(t, "signs in, too", w.people...), nearby(t, at)
			before, held := w.explain(at), w.held()
			beforeElsewhere := w.explain(elsewhere)

			same := w.simulate(simulation.Change{}, at)
			if same.Otherwise+same.Affected+same.LockedOut != 0 || same.Replayed == 0 || same.Truncated != "" {
				t.Fatalf("no change affects somebody: %+v", same)
			}

			ch := simulation.Change{}
			switch rapid.IntRange(0, 2).Draw(t, "what") {
			case 0:
				in := w.set(t, ask(t, "set", "First", "Second", "Third"))
				ch.Policy.Save = &in
			case 1:
				in := profile.Profile{ID: ask(t, "changed", w.profiles[1:]...), Name: "Profile", Challenges: [][]string{{"UP"}, {ask(t, "second", "OATH", "EMAIL")}}}
				in.Name += in.ID
				ch.Policy.Profiles = []profile.Profile{in}
			case 2:
				ch.Roles = []role.Proposal{w.roleChange(t)}
			}
			would := w.simulate(ch, at)
			w.record(other, basis(elsewhere))
			both := w.simulate(ch, at)
			switch {
			case ch.Policy.Save != nil:
				w.save(*ch.Policy.Save)
			case len(ch.Roles) > 0:
				w.do(ch.Roles[0])
			default:
				w.must(func(ctx context.Context, c *call.Call) error {
					_, err := w.Profiles.Save(ctx, c, ch.Policy.Profiles[0])
					return err
				})
			}
			after := w.explain(at)
			w.compare(t, would, before, after, held, w.held())
			want := differ(before[who.ID], after[who.ID]) + differ(beforeElsewhere[other.ID], w.explain(elsewhere)[other.ID])
			if both.Replayed != 2 || both.Otherwise != want {
				t.Fatalf("of two sign-ins %d go otherwise, and %d are told: %+v", want, both.Otherwise, both)
			}
		})
	})
}

func basis(at policy.Situation) login.Basis {
	return login.Basis{At: at.Time, IP: at.IP.String(), OS: at.OS, Browser: at.Browser, Country: at.Country, Known: at.Known}
}

// differ is 1 for two ways that are not the same.
func differ(a, b simulation.Way) int {
	if spell(a) == spell(b) {
		return 0
	}
	return 1
}

// compare holds a simulation against how people sign in, and what they hold, before and after the change was made.
func (w *world) compare(t *rapid.T, r simulation.Result, before, after map[string]simulation.Way, had, has map[string]right.Held) {
	found := map[string]simulation.Person{}
	for _, p := range r.People {
		found[p.ID] = p
	}
	for _, u := range w.people {
		p, was, is := found[u.ID], before[u.ID], after[u.ID]
		told := p.Before != nil
		if other := spell(was) != spell(is); other != told {
			t.Fatalf("%s: told %v, is %v:\n%s\n%s", u.Name, told, other, spell(was), spell(is))
		}
		if told && (spell(*p.Before) != spell(was) || spell(*p.After) != spell(is) || p.Otherwise != p.SignIns) {
			t.Fatalf("%s: would be %s, is %s", u.Name, spell(*p.After), spell(is))
		}
		gained, lost := right.Set(0), right.Set(0)
		for _, x := range p.Gained {
			gained |= right.Of(x.Right)
		}
		for _, x := range p.Lost {
			lost |= right.Of(x.Right)
		}
		if want := has[u.ID].Tenant &^ had[u.ID].Tenant; gained != want {
			t.Fatalf("%s gains %v, not %v", u.Name, want.Rights(), gained.Rights())
		}
		if want := had[u.ID].Tenant &^ has[u.ID].Tenant; lost != want {
			t.Fatalf("%s loses %v, not %v", u.Name, want.Rights(), lost.Rights())
		}
	}
}

func spell(w simulation.Way) string {
	var rounds []string
	for _, r := range w.Challenges {
		rounds = append(rounds, strings.Join(r, ","))
	}
	return fmt.Sprint(w.Decision.Verdict, " ", w.Profile, " ", strings.Join(rounds, ";"), " refused ", w.Refused != "")
}
