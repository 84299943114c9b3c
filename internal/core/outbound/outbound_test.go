package outbound_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/app"
	"limen/internal/core/audit"
	"limen/internal/core/grant"
	"limen/internal/core/org"
	"limen/internal/core/outbound"
	"limen/internal/core/outbound/outboundtest"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/wire/scim"
)

func TestMain(m *testing.M) { apptest.Main(m) }

// world is a tenant with an application that is given to a role, and the service that its people are provisioned to.
type world struct {
	*apptest.Site
	t       *testing.T
	service *outboundtest.Service
	app     string
	role    string
}

func each(t *testing.T, settings outbound.Settings, f func(w *world)) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		w := &world{Site: s.Tenant(t), t: t}
		base := ""
		w.service, base = outboundtest.Serve(s.App.Outbound, strings.ReplaceAll(w.Suffix, ".", "-"))
		w.Do(t, audit.AppCreate, func(ctx context.Context, c *call.Call) error {
			it, err := s.App.Apps.Create(ctx, c, "Generic OpenID Connect")
			if err != nil {
				return err
			}
			r, err := s.App.Roles.Create(ctx, c, role.New{Name: "Wiki"})
			w.app, w.role = it.ID, r.ID
			if err != nil {
				return err
			}
			return s.App.Apps.Permit(ctx, c, it.ID, acl.Given{Kind: role.Sub, Principal: r.ID, Mask: acl.View | app.Execute})
		})
		w.set(base, settings)
		f(w)
	})
}

// set sets the target.
func (w *world) set(base string, settings outbound.Settings) {
	w.t.Helper()
	w.Do(w.t, audit.ProvisionTarget, func(ctx context.Context, c *call.Call) error {
		wish := outbound.Wish{Target: outbound.Target{Base: base, Auth: outbound.Bearer, Enabled: true, Settings: settings}, Secret: "right"}
		if err := wish.Check(); err != nil {
			return err
		}
		_, err := w.App.Outbound.Set(ctx, c, grant.All(), w.app, wish)
		return err
	})
}

// person makes somebody in the role, or not.
func (w *world) person(name string, in bool) (id string) {
	w.t.Helper()
	w.Do(w.t, audit.UserCreate, func(ctx context.Context, c *call.Call) error {
		u, err := w.App.People.Create(ctx, c, user.New{Name: name + "@" + w.Suffix, Mail: name + "@example.com", Display: strings.ToUpper(name)})
		id = u.ID
		if err == nil && in {
			err = w.App.Roles.Add(ctx, c, w.role, role.Member{Kind: role.User, ID: u.ID})
		}
		return err
	})
	return id
}

func (w *world) change(id string, ch user.Change) {
	w.t.Helper()
	w.Do(w.t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
		_, err := w.App.People.Change(ctx, c, id, ch)
		return err
	})
}

func (w *world) name(name string) string { return name + "@" + w.Suffix }

// receipt is how somebody stands; a zero one where there is none.
func (w *world) receipt(id string) (out outbound.Receipt) {
	w.t.Helper()
	w.read(func(ctx context.Context, c *call.Call) error {
		rs, err := w.App.Outbound.Receipts(ctx, c, grant.All(), w.app, outbound.Query{User: id, Limit: 10})
		if len(rs) > 0 {
			out = rs[0]
		}
		return err
	})
	return out
}

func (w *world) read(f func(ctx context.Context, c *call.Call) error) {
	w.t.Helper()
	c := w.App.Shell(w.ID)
	if err := c.Snapshot(w.t.Context(), func() error { return f(w.t.Context(), c) }); err != nil {
		w.t.Fatal(err)
	}
}

// eventually waits for something that other goroutines do.
func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("%s did not happen; %v", what, w.service.Told())
		}
	}
}

// settled waits until somebody stands so.
func (w *world) settled(id, state, there string) outbound.Receipt {
	w.t.Helper()
	var r outbound.Receipt
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if r = w.receipt(id); r.State == state && r.There == there && (!r.Pending || state == outbound.Waiting) {
			return r
		}
		if time.Now().After(end) {
			w.t.Fatalf("the receipt is %+v, want %s %s; %v", r, state, there, w.service.Told())
		}
	}
}

// Who comes to an application, changes, is disabled, comes back, loses it and is deleted is so there, each time with one request.
func TestLifeOfAnAccount(t *testing.T) {
	each(t, outbound.Settings{Gone: outbound.Delete}, func(w *world) {
		ann := w.person("ann", true)
		w.person("bob", false)
		w.settled(ann, outbound.Acknowledged, outbound.Active)
		got := w.service.User(w.t, w.name("ann"))
		if got["externalId"] != ann || got["active"] != true || got["displayName"] != "ANN" || w.service.User(w.t, w.name("bob")) != nil {
			w.t.Fatal(got)
		}
		w.service.Told()
		text, off, on := "Ann of Wiki", true, false
		step := func(what, state string, f func(), ok func(o scim.Object) bool) {
			w.t.Helper()
			f()
			w.eventually(what, func() bool { return ok(w.service.User(w.t, w.name("ann"))) })
			w.settled(ann, outbound.Acknowledged, state)
			if told := w.service.Told(); len(told) != 1 {
				w.t.Errorf("%s took %v", what, told)
			}
		}
		step("change", outbound.Active, func() { w.change(ann, user.Change{Display: &text}) }, func(o scim.Object) bool { return o["displayName"] == text })
		step("disabling", outbound.Disabled, func() { w.change(ann, user.Change{State: &user.State{Disabled: off}}) }, func(o scim.Object) bool { return o["active"] == false })
		step("enabling", outbound.Active, func() { w.change(ann, user.Change{State: &user.State{Disabled: on}}) }, func(o scim.Object) bool { return o["active"] == true })
		member := role.Member{Kind: role.User, ID: ann}
		step("loss", outbound.Disabled, func() {
			w.Do(w.t, audit.RoleMembers, func(ctx context.Context, c *call.Call) error { return w.App.Roles.Remove(ctx, c, w.role, member) })
		}, func(o scim.Object) bool { return o["active"] == false && o["displayName"] == text })
		step("return", outbound.Active, func() {
			w.Do(w.t, audit.RoleMembers, func(ctx context.Context, c *call.Call) error { return w.App.Roles.Add(ctx, c, w.role, member) })
		}, func(o scim.Object) bool { return o["active"] == true })
		step("deletion", outbound.Removed, func() {
			w.Do(w.t, audit.UserDelete, func(ctx context.Context, c *call.Call) error { return w.App.People.Delete(ctx, c, ann) })
		}, func(o scim.Object) bool { return o == nil })
		if events := w.Events(w.t); !strings.Contains(events, audit.ProvisionAccount) || strings.Contains(events, "right\"") {
			w.t.Error(events)
		}
	})
}

// What happens to roles and entries as a whole reaches those whom it concerns.
func TestEverybodyIsLookedAt(t *testing.T) {
	each(t, outbound.Settings{}, func(w *world) {
		ann := w.person("ann", false)
		inner := ""
		w.Do(w.t, audit.RoleCreate, func(ctx context.Context, c *call.Call) error {
			r, err := w.App.Roles.Create(ctx, c, role.New{Name: "Inner"})
			inner = r.ID
			if err != nil {
				return err
			}
			return w.App.Roles.Add(ctx, c, inner, role.Member{Kind: role.User, ID: ann})
		})
		w.Do(w.t, audit.RoleMembers, func(ctx context.Context, c *call.Call) error {
			return w.App.Roles.Add(ctx, c, w.role, role.Member{Kind: role.Sub, ID: inner})
		})
		w.settled(ann, outbound.Acknowledged, outbound.Active)
		w.Do(w.t, audit.AppPermissions, func(ctx context.Context, c *call.Call) error {
			return w.App.Apps.Permit(ctx, c, w.app, acl.Given{Kind: role.Sub, Principal: w.role})
		})
		w.settled(ann, outbound.Acknowledged, outbound.Disabled)
		until := time.Now().Add(2 * time.Second)
		w.Do(w.t, audit.AppPermissions, func(ctx context.Context, c *call.Call) error {
			return w.App.Apps.Permit(ctx, c, w.app, acl.Given{Kind: role.User, Principal: ann, Mask: acl.View | app.Execute, Until: until})
		})
		w.settled(ann, outbound.Acknowledged, outbound.Active)
		w.settled(ann, outbound.Acknowledged, outbound.Disabled) // by the clock
	})
}

// An account that is there already is taken over where that is wanted and it is nobody else's; else it is a conflict.
func TestAccountsThatAreThere(t *testing.T) {
	each(t, outbound.Settings{}, func(w *world) {
		w.service.Have["Users"]["x"] = scim.Object{"id": "x", "userName": strings.ToUpper(w.name("ann")), "title": "Boss"}
		w.service.Have["Users"]["y"] = scim.Object{"id": "y", "userName": w.name("bob"), "externalId": "somebody"}
		ann, bob := w.person("ann", true), w.person("bob", true)
		w.settled(ann, outbound.Conflict, "")
		w.settled(bob, outbound.Conflict, "")
		w.set("https://"+strings.ReplaceAll(w.Suffix, ".", "-")+".example/v2", outbound.Settings{Adopt: true})
		r := w.settled(ann, outbound.Acknowledged, outbound.Active)
		got := w.service.User(w.t, w.name("ann"))
		if r.Remote != "x" || got["title"] != "Boss" || got["externalId"] != ann || got["displayName"] != "ANN" {
			w.t.Error(r, got)
		}
		w.settled(bob, outbound.Conflict, "")
	})
}

// An answer that was lost makes no second account.
func TestLostAnswers(t *testing.T) {
	each(t, outbound.Settings{Matching: []string{}}, func(w *world) {
		w.App.Outbound.Backoff = 50 * time.Millisecond
		lost := 2
		w.service.After, w.service.Fail = true, func(method, _ string) *outbound.Answer {
			if method == "GET" || lost == 0 {
				return nil
			}
			lost--
			return outboundtest.Refusal(502)
		}
		ann := w.person("ann", true)
		w.settled(ann, outbound.Acknowledged, outbound.Active)
		if w.service.User(w.t, w.name("ann")) == nil {
			w.t.Error("there is no account")
		}
	})
}

// A service that fails is asked less, one that wants time gets it, and everything arrives in the end. What it refuses for good is not
// asked again before something changes.
func TestFailures(t *testing.T) {
	each(t, outbound.Settings{}, func(w *world) {
		w.App.Outbound.Backoff = 50 * time.Millisecond
		var answer *outbound.Answer
		put := func(a *outbound.Answer) {
			w.service.Lock()
			defer w.service.Unlock()
			answer = a
		}
		w.service.Fail = func(string, string) *outbound.Answer { return answer }
		for class, a := range map[string]*outbound.Answer{
			outbound.Server: outboundtest.Refusal(500), outbound.Unproved: outboundtest.Refusal(403), outbound.Throttled: {Status: 429, Header: map[string][]string{"Retry-After": {"1"}}},
		} {
			put(a)
			id := w.person("p"+class, true)
			if r := w.settled(id, outbound.Waiting, ""); r.Class != "" && r.Class != class {
				w.t.Errorf("%s: %+v", class, r)
			}
			w.eventually(class, func() bool { return w.receipt(id).Class == class })
			put(nil)
			w.settled(id, outbound.Acknowledged, outbound.Active)
		}
		put(outboundtest.Refusal(400))
		id := w.person("refused", true)
		w.settled(id, outbound.Failed, "")
		w.service.Told()
		put(nil)
		w.Do(w.t, audit.ProvisionRetry, func(ctx context.Context, c *call.Call) error {
			n, err := w.App.Outbound.Retry(ctx, c, grant.All(), w.app, "")
			if n != 1 {
				w.t.Errorf("%d are tried again", n)
			}
			return err
		})
		w.settled(id, outbound.Acknowledged, outbound.Active)
	})
}

// What somebody else changes or removes there is put right when it is come across.
func TestVersions(t *testing.T) {
	each(t, outbound.Settings{}, func(w *world) {
		w.service.ETags = true
		ann := w.person("ann", true)
		r := w.settled(ann, outbound.Acknowledged, outbound.Active)
		w.service.Lock()
		w.service.Have["Users"][r.Remote]["meta"] = scim.Object{"version": `W/"other"`}
		w.service.Have["Users"][r.Remote]["displayName"] = "Somebody else"
		w.service.Have["Users"][r.Remote]["nickName"] = "Annie"
		w.service.Unlock()
		text := "Ann"
		w.change(ann, user.Change{Display: &text})
		w.eventually("the change", func() bool { return w.service.User(w.t, w.name("ann"))["displayName"] == text })
		w.settled(ann, outbound.Acknowledged, outbound.Active)
		if got := w.service.User(w.t, w.name("ann")); got["nickName"] != "Annie" {
			w.t.Error("what is not looked after was taken away:", got)
		}
		w.service.Lock()
		delete(w.service.Have["Users"], r.Remote)
		w.service.Unlock()
		text = "Ann again"
		w.change(ann, user.Change{Display: &text})
		w.eventually("a new account", func() bool { return w.service.User(w.t, w.name("ann"))["displayName"] == text })
	})
}

// A mapping script says what is told; one that fails tells nothing.
func TestMapping(t *testing.T) {
	each(t, outbound.Settings{Script: "set('title', User.Username.toUpperCase()); set('name.familyName', 'F'); remove('displayName'); if (LoginUser.Shortname == 'bob') throw new Error('no bob');"}, func(w *world) {
		ann, bob := w.person("ann", true), w.person("bob", true)
		w.settled(ann, outbound.Acknowledged, outbound.Active)
		got := w.service.User(w.t, w.name("ann"))
		name, _ := got["name"].(scim.Object)
		if got["title"] != strings.ToUpper(w.name("ann")) || got["displayName"] != nil || name["familyName"] != "F" {
			w.t.Error(got)
		}
		if r := w.settled(bob, outbound.Failed, ""); r.Class != outbound.Mapping || !strings.Contains(r.Error, "no bob") {
			w.t.Error(r)
		}
	})
}

// Roles are groups there, of those of their members who have active accounts.
func TestGroups(t *testing.T) {
	for _, method := range []string{outbound.Patch, outbound.Put} {
		t.Run(method, func(t *testing.T) { groups(t, method) })
	}
}

func groups(t *testing.T, method string) {
	each(t, outbound.Settings{}, func(w *world) {
		ann, bob := w.person("ann", true), w.person("bob", true)
		writers := ""
		w.Do(w.t, audit.RoleCreate, func(ctx context.Context, c *call.Call) error {
			r, err := w.App.Roles.Create(ctx, c, role.New{Name: "Writers"})
			writers = r.ID
			if err != nil {
				return err
			}
			return w.App.Roles.Add(ctx, c, writers, role.Member{Kind: role.User, ID: ann}, role.Member{Kind: role.User, ID: w.Plain.ID})
		})
		base := "https://" + strings.ReplaceAll(w.Suffix, ".", "-") + ".example/v2"
		w.set(base, outbound.Settings{Method: method, Loss: outbound.Delete, Groups: []outbound.Group{{Role: writers, Name: "wiki-writers"}, {Role: w.role}}})
		in := func(name string) (out []string) {
			w.service.Lock()
			defer w.service.Unlock()
			for _, g := range w.service.Have["Groups"] {
				if g["displayName"] != name {
					continue
				}
				out = []string{}
				ms, _ := g["members"].([]any)
				for _, m := range ms {
					id, _ := m.(scim.Object)["value"].(string)
					of, _ := w.service.Have["Users"][id]["userName"].(string)
					out = append(out, strings.TrimSuffix(of, "@"+w.Suffix))
				}
				slices.Sort(out)
			}
			return out
		}
		are := func(what, name string, want ...string) {
			w.t.Helper()
			w.eventually(what, func() bool { return slices.Equal(in(name), want) })
		}
		are("members", "wiki-writers", "ann")
		are("members of Wiki", "Wiki", "ann", "bob")
		w.Do(w.t, audit.RoleMembers, func(ctx context.Context, c *call.Call) error {
			if err := w.App.Roles.Add(ctx, c, writers, role.Member{Kind: role.User, ID: bob}); err != nil {
				return err
			}
			return w.App.Roles.Remove(ctx, c, writers, role.Member{Kind: role.User, ID: ann})
		})
		are("another member", "wiki-writers", "bob")
		w.change(bob, user.Change{State: &user.State{Disabled: true}})
		are("nobody who is disabled", "wiki-writers")
		w.change(bob, user.Change{State: &user.State{}})
		are("bob again", "wiki-writers", "bob")
		w.Do(w.t, audit.RoleDelete, func(ctx context.Context, c *call.Call) error { return w.App.Roles.Delete(ctx, c, writers) })
		w.eventually("the end of the group", func() bool { return in("wiki-writers") == nil })
		are("the other group", "Wiki", "ann", "bob")
	})
}

// Who administers organizations provisions their people alone, is told of these alone, and cannot take over what is for others too.
func TestOrganizationsBound(t *testing.T) {
	each(t, outbound.Settings{}, func(w *world) {
		base := "https://" + strings.ReplaceAll(w.Suffix, ".", "-") + ".example/v2"
		ann, bob := w.person("ann", true), w.person("bob", true)
		w.settled(ann, outbound.Acknowledged, outbound.Active)
		w.settled(bob, outbound.Acknowledged, outbound.Active)
		var sales grant.Grant
		w.Do(w.t, audit.OrgCreate, func(ctx context.Context, c *call.Call) error {
			of, err := w.App.Orgs.Create(ctx, c, org.New{Name: "Sales"})
			if err != nil {
				return err
			}
			sales = grant.Orgs(nil, of.ID)
			_, err = w.App.People.Change(ctx, c, ann, user.Change{Org: &of.ID})
			return err
		})
		w.settled(ann, outbound.Acknowledged, outbound.Active)
		try := func(g grant.Grant, want error, f func(ctx context.Context, c *call.Call, g grant.Grant) error) {
			w.t.Helper()
			w.Do(w.t, audit.ProvisionTarget, func(ctx context.Context, c *call.Call) error {
				err := f(ctx, c, g)
				if errors.Is(err, dbx.ErrBusy) {
					return err // what works on the accounts meanwhile was in the way: the store tries again
				}
				if !errors.Is(err, want) {
					w.t.Errorf("%v, want %v", err, want)
				}
				return nil
			})
		}
		set := func(ctx context.Context, c *call.Call, g grant.Grant) error {
			wish := outbound.Wish{Target: outbound.Target{Base: base, Auth: outbound.Bearer, Enabled: true}, Secret: "right"}
			if err := wish.Check(); err != nil {
				return err
			}
			_, err := w.App.Outbound.Set(ctx, c, g, w.app, wish)
			return err
		}
		drop := func(ctx context.Context, c *call.Call, g grant.Grant) error {
			return w.App.Outbound.Drop(ctx, c, g, w.app)
		}
		try(sales, outbound.ErrReach, set)
		try(sales, outbound.ErrReach, drop)
		try(grant.Rows(ann), outbound.ErrPeople, set)
		// A receipt is of the organization in which somebody was when they were looked at last.
		w.eventually("that of hers, and of nobody else", func() (is bool) {
			w.read(func(ctx context.Context, c *call.Call) error {
				rs, err := w.App.Outbound.Receipts(ctx, c, sales, w.app, outbound.Query{Limit: 100})
				is = len(rs) == 1 && rs[0].Object == ann
				return err
			})
			return is
		})
		try(grant.All(), nil, drop)
		try(sales, nil, set)
		w.settled(ann, outbound.Acknowledged, outbound.Active)
		w.service.Told()
		text := "Another"
		w.change(bob, user.Change{Display: &text})
		w.change(ann, user.Change{Display: &text})
		w.eventually("the change", func() bool { return w.service.User(w.t, w.name("ann"))["displayName"] == text })
		if w.receipt(bob).ID != "" || w.service.User(w.t, w.name("bob"))["displayName"] == text {
			w.t.Error("somebody of no organization was provisioned")
		}
	})
}
