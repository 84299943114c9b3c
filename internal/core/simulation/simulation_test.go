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
	"limen/internal/core/risk"
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
	w.p = &policy.Policies{DB: l.DB, Roles: l.Roles, Changes: l.Changes, Ring: l.Logins.Ring, Profiles: l.Profiles}
	w.p.Start()
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

// conditions are those that rules may have, by the property that they look at.
var conditions = map[string][]policy.Condition{
	"ip": {
		{Prop: "IpAddress", Op: "OpInsideIpRange", Val: "192.0.2.0/24"}, {Prop: "IpAddress", Op: "OpInsideIpRange", Val: "2001:db8::/32"},
		{Prop: "IpAddress", Op: "OpInsideIpRange", Val: "198.51.100.7"}, {Prop: "IpAddress", Op: "OpInsideIpRange", Val: "198.51.100.50-198.51.100.200"},
	},
	"known":   {{Prop: "IdentityCookie", Op: "OpExists"}, {Prop: "IdentityCookie", Op: "OpNotExists"}},
	"time":    {{Prop: "Time", Op: "OpBetween", Val: "U,08:00,17:00"}, {Prop: "DayOfWeek", Op: "OpIsDayOfWeek", Val: "U,1,2,3"}},
	"os":      {{Prop: "DeviceOs", Op: "OpEqual", Val: "Windows"}},
	"browser": {{Prop: "Browser", Op: "OpNotEqual", Val: "Firefox"}},
	"country": {{Prop: "CountryCode", Op: "OpEqual", Val: "DE"}},
	"risk":    {{Prop: "RiskLevel", Op: "OpEqual", Val: "High,Unknown"}, {Prop: "RiskLevel", Op: "OpGreaterThan", Val: "Low"}},
}

// topics are what one check is about: most rules look at it, and situations differ in it.
var topics = []string{"ip", "known", "time", "os", "browser", "country", "risk"}

// condition draws a condition, mostly one of the topic.
func condition(t *rapid.T, topic string) policy.Condition {
	if rapid.IntRange(0, 3).Draw(t, "aside") == 0 {
		topic = ask(t, "property", topics...)
	}
	return ask(t, "condition", conditions[topic]...)
}

// set draws a policy set and its link.
func (w *world) set(t *rapid.T, name, topic string) policy.Save {
	reference := func() string {
		return ask(t, "profile", append(slices.Clone(w.profiles), policy.Never, policy.Always)...)
	}
	var rules []policy.Rule
	for range rapid.IntRange(1, 3).Draw(t, "rules") {
		rule := policy.Rule{ProfileID: reference()}
		for range rapid.SampledFrom([]int{0, 1, 1, 1, 2}).Draw(t, "conditions") {
			rule.Conditions = append(rule.Conditions, condition(t, topic))
		}
		rules = append(rules, rule)
	}
	link := policy.Link{Type: ask(t, "link", policy.Global, policy.Global, policy.Role, policy.Inactive), Params: []string{ask(t, "role", w.roles...)}}
	return w.only(map[string]any{
		"AuthenticationEnabled": rapid.IntRange(0, 4).Draw(t, "on") > 0, "/Core/Authentication/AuthenticationRulesDefaultProfileId": reference(),
		"/Core/Authentication/AuthenticationRules": map[string]any{"_Type": "RowSet", "_UniqueKey": "Condition", "Enabled": true, "_Value": rules},
		"/Core/Authentication/NoMfaMechLogin":      rapid.Bool().Draw(t, "lax"),
	}, name, link)
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
			topic := ask(t, "topic", topics...)
			w.save(w.set(t, "First", topic))
			w.save(w.set(t, "Second", topic))
			at := situated(t)
			who := ask(t, "signs in", w.people...)
			w.record(who, basis(at))
			others := make([]elsewhere, 5)
			for i := range others {
				others[i] = elsewhere{who: ask(t, "signs in, too", w.people...), at: nearby(t, at, topic)}
				others[i].before = w.explain(others[i].at)
			}
			before, held := w.explain(at), w.held()

			same := w.simulate(simulation.Change{}, at)
			if same.Otherwise+same.Affected+same.LockedOut != 0 || same.Replayed == 0 || same.Truncated != "" {
				t.Fatalf("no change affects somebody: %+v", same)
			}

			ch := simulation.Change{}
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			default:
				in := w.set(t, ask(t, "set", "First", "Second", "Third"), topic)
				ch.Policy.Save = &in
			case 1:
				in := profile.Profile{ID: ask(t, "changed", w.profiles[1:]...), Name: "Profile", Challenges: [][]string{{"UP"}, {ask(t, "second", "OATH", "EMAIL")}}}
				in.Name += in.ID
				ch.Policy.Profiles = []profile.Profile{in}
			case 2:
				ch.Roles = []role.Proposal{w.roleChange(t)}
			}
			would := w.simulate(ch, at)
			for _, o := range others {
				w.record(o.who, basis(o.at))
			}
			all := w.simulate(ch, at)
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
			want := differ(before[who.ID], after[who.ID])
			for _, o := range others {
				want += differ(o.before[o.who.ID], w.explain(o.at)[o.who.ID])
			}
			if all.Replayed != 1+len(others) || all.Otherwise != want {
				t.Fatalf("%d sign-ins go otherwise, and %d are told: %+v", want, all.Otherwise, all)
			}
		})
	})
}

// ways are situations that a topic's conditions tell apart.
var ways = map[string][]policy.Situation{
	"ip": {
		{IP: netip.MustParseAddr("192.0.2.9")}, {IP: netip.MustParseAddr("198.51.100.7")}, {IP: netip.MustParseAddr("198.51.100.100")}, {IP: netip.MustParseAddr("2001:db8::1")},
	},
	"known":   {{Known: new(true)}, {Known: new(false)}},
	"time":    {{Time: time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)}, {Time: time.Date(2026, 11, 21, 23, 0, 0, 0, time.UTC)}},
	"os":      {{OS: "Windows"}, {OS: "Mac"}},
	"browser": {{Browser: "Firefox"}, {Browser: "Other"}},
	"country": {{Country: "DE"}, {Country: "FR"}},
	"risk":    {{Risk: risk.High}, {Risk: risk.Unknown}, {Risk: risk.Normal}},
}

// Sign-ins that a rule tells apart are decided apart, whatever it looks at and in whichever order they are looked at.
func TestSituationsAreToldApart(t *testing.T) {
	each(t, func(w *world) {
		for _, topic := range topics {
			for _, cond := range conditions[topic] {
				w.Now = w.Now.Add(8 * 24 * time.Hour)
				w.save(w.ruled(cond, policy.Never))
				told := 0
				for _, at := range ways[topic] {
					if was := w.explain(at)[w.people[0].ID]; was.Refused != "" {
						told++
					}
					w.record(w.people[0], basis(at))
				}
				if told == 0 || told == len(ways[topic]) {
					w.t.Fatalf("%+v refuses %d of %d", cond, told, len(ways[topic]))
				}
				change := w.ruled(cond, w.profiles[0])
				for _, first := range ways[topic] {
					if got := w.simulate(simulation.Change{Policy: policy.Proposal{Save: &change}}, first); got.Replayed != len(ways[topic]) || got.Released != told {
						w.t.Errorf("%+v: of %d sign-ins %d are released, not %d", cond, got.Replayed, got.Released, told)
					}
				}
			}
		}
	})
}

// ruled is a policy set with one rule; everybody else signs in with the password.
func (w *world) ruled(cond policy.Condition, profileID string) policy.Save {
	return w.only(map[string]any{
		"AuthenticationEnabled": true, "/Core/Authentication/AuthenticationRulesDefaultProfileId": w.profiles[0],
		"/Core/Authentication/AuthenticationRules": map[string]any{
			"_Type": "RowSet", "_UniqueKey": "Condition", "Enabled": true, "_Value": []policy.Rule{{ProfileID: profileID, Conditions: []policy.Condition{cond}}},
		},
	}, "First", policy.Link{Type: policy.Global})
}

// only is a policy set with these settings.
func (w *world) only(settings map[string]any, name string, link policy.Link) policy.Save {
	raw := map[string]json.RawMessage{}
	for key, v := range settings {
		b, err := json.Marshal(v)
		if err != nil {
			w.t.Fatal(err)
		}
		raw[key] = b
	}
	checked, err := w.p.Check(w.t.Context(), w.Call(), raw)
	if err != nil {
		w.t.Fatal(err)
	}
	return policy.Save{Path: policy.Prefix + name, Settings: checked, Links: []policy.Listed{{Path: policy.Prefix + name, Link: link}}, Confirm: true}
}

// elsewhere is a sign-in in a situation that differs in one thing.
type elsewhere struct {
	who    user.User
	at     policy.Situation
	before map[string]simulation.Way
}

func basis(at policy.Situation) login.Basis {
	return login.Basis{At: at.Time, IP: at.IP.String(), OS: at.OS, Browser: at.Browser, Country: at.Country, Known: at.Known, Risk: string(at.Risk)}
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
