package workflows_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/app"
	"limen/internal/core/audit"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/core/workflow"
)

// desk is a tenant in which people ask for applications.
type desk struct {
	t *testing.T
	s *apptest.Site
}

// as runs f as somebody with the roles that they are in.
func (d desk) as(who apptest.Person, f func(ctx context.Context, c *call.Call) error) error {
	d.t.Helper()
	var out error
	d.s.Do(d.t, audit.WorkflowAnswer, func(ctx context.Context, c *call.Call) error {
		m, err := d.s.App.Roles.Of(ctx, c, who.ID)
		if err != nil {
			return err
		}
		c.Caller = &call.Caller{User: who.ID, Name: who.Name, Roles: m.Roles, Held: m.Held}
		out = f(ctx, c)
		return nil
	})
	return out
}

func (d desk) ask(who apptest.Person, name string, o workflow.Options) string {
	d.t.Helper()
	id := ""
	if err := d.as(who, func(ctx context.Context, c *call.Call) (err error) {
		id, err = d.s.App.Flows.Start(ctx, c, workflow.Request{App: name, Options: o})
		return err
	}); err != nil {
		d.t.Fatal(err)
	}
	return id
}

func (d desk) answer(who apptest.Person, id, event string, o *workflow.Options) error {
	return d.as(who, func(ctx context.Context, c *call.Call) error {
		_, err := d.s.App.Flows.Answer(ctx, c, id, workflow.Answer{Event: event, Options: o})
		return err
	})
}

func (d desk) state(id string) (out string) {
	d.t.Helper()
	if err := d.as(d.s.Admin, func(ctx context.Context, c *call.Call) error {
		j, err := d.s.App.Flows.Get(ctx, c, id)
		out = j.State
		return err
	}); err != nil {
		d.t.Fatal(err)
	}
	return out
}

// rights are those that somebody has on an application by an entry of their own, and until when.
func (d desk) rights(who apptest.Person, id string) (mask acl.Mask, until int64) {
	d.t.Helper()
	if err := d.as(d.s.Admin, func(ctx context.Context, c *call.Call) error {
		t, err := d.s.App.Lists.Table(app.Table)
		if err != nil {
			return err
		}
		o, err := d.s.App.Lists.Find(ctx, c, t, id)
		if err != nil {
			return err
		}
		all, err := d.s.App.Lists.Of(ctx, c, o)
		for _, e := range all {
			if e.Principal == who.ID && e.Source == acl.Direct {
				mask, until = e.Mask, e.Until
			}
		}
		return err
	}); err != nil {
		d.t.Fatal(err)
	}
	return mask, until
}

const given = acl.View | app.Execute | app.Automatic

func eachDesk(t *testing.T, f func(d desk)) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) { f(desk{t, server.Tenant(t)}) })
}

// TestChain: every approver has to agree, in turn; only who is marked chooses for how long; and access is no more than the use of the
// application, for the time that was approved.
func TestChain(t *testing.T) {
	eachDesk(t, func(d desk) {
		anna, ben, cora := d.s.Person(t, "anna"), d.s.Person(t, "ben"), d.s.Person(t, "cora")
		team := ""
		d.s.Do(t, audit.RoleCreate, func(ctx context.Context, c *call.Call) error {
			r, err := d.s.App.Roles.Create(ctx, c, role.New{Name: "Approvers"})
			if err != nil {
				return err
			}
			team = r.ID
			return d.s.App.Roles.Add(ctx, c, r.ID, role.Member{Kind: role.User, ID: cora.ID}, role.Member{Kind: role.User, ID: anna.ID})
		})
		wiki := page(t, d.s, "wiki", `[{"Type":"User","Guid":"`+ben.ID+`"},{"Type":"Role","Guid":"`+team+`","OptionsSelector":true}]`)
		id := d.ask(anna, "wiki", workflow.Options{})
		end := workflow.Options{Until: time.Now().Add(time.Hour).UnixMilli()}
		for _, x := range []struct {
			who  apptest.Person
			o    *workflow.Options
			want error
		}{
			{anna, nil, workflow.ErrOwn}, {cora, nil, workflow.ErrNotFound}, {ben, &end, workflow.ErrOptions}, {ben, nil, nil}, {ben, nil, workflow.ErrApprover},
			{anna, nil, workflow.ErrOwn}, {cora, &workflow.Options{From: 2, Until: 1}, workflow.ErrWindow}, {cora, &end, nil}, {cora, nil, workflow.ErrResolved},
		} {
			if mask, _ := d.rights(anna, wiki.ID); mask != 0 {
				t.Fatal("access before everybody has agreed")
			}
			if err := d.answer(x.who, id, "approve", x.o); !errors.Is(err, x.want) {
				t.Fatalf("%s: %v, want %v", x.who.Name, err, x.want)
			}
			if x.who == cora && x.want == nil {
				break
			}
		}
		if mask, until := d.rights(anna, wiki.ID); mask != given || until != end.Until {
			t.Errorf("rights %b until %d", mask, until)
		}
		if err := d.answer(cora, id, "reject", nil); !errors.Is(err, workflow.ErrResolved) {
			t.Error(err)
		}
		events := d.s.Events(t)
		for _, want := range []string{audit.WorkflowAnswer, audit.AppPermissions, `"State":"Approved"`} {
			if !strings.Contains(events, want) {
				t.Errorf("no event has %s:\n%s", want, events)
			}
		}
	})
}

// TestManagers: the manager answers; where there is none, the settings say what happens, and what they do not say denies.
func TestManagers(t *testing.T) {
	eachDesk(t, func(d desk) {
		anna, boss, ben := d.s.Person(t, "anna"), d.s.Person(t, "boss"), d.s.Person(t, "ben")
		for name, x := range map[string]struct{ more, want string }{
			"silent": {``, workflow.Rejected}, "denying": {`,"NoManagerAction":"deny"`, workflow.Rejected}, "lenient": {`,"NoManagerAction":"approve"`, workflow.Approved},
			"backed": {`,"NoManagerAction":"useBackup","BackupApprover":{"Type":"User","Guid":"` + ben.ID + `"}`, workflow.Pending},
			"loose":  {`,"NoManagerAction":"useBackup","BackupApprover":{"Type":"Manager"}`, workflow.Rejected},
			"mine":   {`,"NoManagerAction":"useBackup","BackupApprover":{"Type":"User","Guid":"` + anna.ID + `"}`, workflow.Rejected},
		} {
			it := page(t, d.s, name, `[{"Type":"Manager"`+x.more+`}]`)
			id := d.ask(anna, name, workflow.Options{})
			if got := d.state(id); got != x.want {
				t.Errorf("%s: %s, want %s", name, got, x.want)
			}
			if mask, _ := d.rights(anna, it.ID); (mask == given) != (x.want == workflow.Approved) {
				t.Errorf("%s: rights %b", name, mask)
			}
		}
		d.s.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
			_, err := d.s.App.People.Change(ctx, c, anna.ID, user.Change{ReportsTo: &boss.ID})
			return err
		})
		wiki := page(t, d.s, "wiki", `[{"Type":"Manager","NoManagerAction":"deny"}]`)
		id := d.ask(anna, "wiki", workflow.Options{})
		if err := d.answer(boss, id, "approve", nil); err != nil || d.state(id) != workflow.Approved {
			t.Error(err, d.state(id))
		}
		if mask, until := d.rights(anna, wiki.ID); mask != given || until != 0 {
			t.Errorf("rights %b until %d", mask, until)
		}
	})
}

// TestApproversAreDeputies: who could not give the application away names nobody who could.
func TestApproversAreDeputies(t *testing.T) {
	eachDesk(t, func(d desk) {
		anna := d.s.Person(t, "anna")
		wiki := page(t, d.s, "wiki", byPerson(d.s.Admin.ID))
		d.s.Do(t, audit.AppPermissions, func(ctx context.Context, c *call.Call) error {
			return d.s.App.Apps.Permit(ctx, c, wiki.ID, acl.Given{Kind: role.User, Principal: anna.ID, Mask: acl.View | acl.Edit})
		})
		raw, err := json.Marshal(map[string]any{"WorkflowApprover": []any{map[string]any{"Type": "User", "Guid": anna.ID}}})
		if err != nil {
			t.Fatal(err)
		}
		for member, v := range map[string]any{"WorkflowSettings": string(raw), "WorkflowEnabled": false} {
			err := d.as(anna, func(ctx context.Context, c *call.Call) error {
				_, err := d.s.App.Apps.Update(ctx, c, wiki.ID, app.Change{Members: map[string]any{member: v}})
				return err
			})
			if !errors.Is(err, acl.ErrDenied) {
				t.Errorf("%s: %v", member, err)
			}
		}
		if err := d.as(anna, func(ctx context.Context, c *call.Call) error {
			_, err := d.s.App.Apps.Update(ctx, c, wiki.ID, app.Change{Members: map[string]any{"Description": "of the house", "WorkflowEnabled": true}})
			return err
		}); err != nil {
			t.Error("what stays as it is:", err)
		}
		// She has rights of her own beyond use: an approval would take them, so it fails.
		id := d.ask(anna, "wiki", workflow.Options{})
		if err := d.answer(d.s.Admin, id, "approve", nil); !errors.Is(err, app.ErrOwnRights) {
			t.Error(err)
		}
	})
}

// TestEndsOfRequests: who asked cancels, what nobody answers expires, and what is deleted or closed gives nothing.
func TestEndsOfRequests(t *testing.T) {
	eachDesk(t, func(d desk) {
		anna, ben := d.s.Person(t, "anna"), d.s.Person(t, "ben")
		wiki := page(t, d.s, "wiki", byPerson(ben.ID))
		id := d.ask(anna, "wiki", workflow.Options{})
		if err := d.answer(ben, id, "cancel", nil); !errors.Is(err, workflow.ErrApprover) {
			t.Error("an approver cancels:", err)
		}
		if err := d.answer(anna, id, "cancel", nil); err != nil || d.state(id) != workflow.Cancelled {
			t.Error(err, d.state(id))
		}
		id = d.ask(anna, "wiki", workflow.Options{})
		if err := d.answer(ben, id, "reject", nil); err != nil || d.state(id) != workflow.Rejected {
			t.Error(err, d.state(id))
		}
		id = d.ask(anna, "wiki", workflow.Options{})
		if err := d.s.App.Flows.Expire(t.Context(), d.s.App.DB, time.Now()); err != nil || d.state(id) != workflow.Pending {
			t.Error(err, d.state(id))
		}
		if err := d.s.App.Flows.Expire(t.Context(), d.s.App.DB, time.Now().Add(15*24*time.Hour)); err != nil || d.state(id) != workflow.Expired {
			t.Error(err, d.state(id))
		}
		id = d.ask(anna, "wiki", workflow.Options{})
		d.s.Do(t, audit.AppChange, func(ctx context.Context, c *call.Call) error {
			_, err := d.s.App.Apps.Update(ctx, c, wiki.ID, app.Change{Members: map[string]any{"WorkflowEnabled": false}})
			return err
		})
		if err := d.answer(ben, id, "approve", nil); err != nil || d.state(id) != workflow.Rejected {
			t.Error("an application that takes no requests any more:", err, d.state(id))
		}
		if mask, _ := d.rights(anna, wiki.ID); mask != 0 {
			t.Errorf("rights %b", mask)
		}
		d.s.Do(t, audit.AppDelete, func(ctx context.Context, c *call.Call) error {
			_, err := d.s.App.Apps.Delete(ctx, c, wiki.ID)
			return err
		})
		if err := d.as(d.s.Admin, func(ctx context.Context, c *call.Call) error { _, err := d.s.App.Flows.Get(ctx, c, id); return err }); !errors.Is(err, workflow.ErrNotFound) {
			t.Error("requests outlive their application:", err)
		}
	})
}

// TestListsOfRequests: a list has what single reads give, page by page, and nobody finds what they have no part in.
func TestListsOfRequests(t *testing.T) {
	eachDesk(t, func(d desk) {
		anna, ben, cora := d.s.Person(t, "anna"), d.s.Person(t, "ben"), d.s.Person(t, "cora")
		for _, name := range []string{"b", "a", "c"} {
			page(t, d.s, name, byPerson(ben.ID))
			d.ask(anna, name, workflow.Options{})
		}
		names := func(who apptest.Person, w workflow.Whose, p workflow.Page) (out string) {
			t.Helper()
			if err := d.as(who, func(ctx context.Context, c *call.Call) error {
				all, _, err := d.s.App.Flows.List(ctx, c, w, p)
				for _, j := range all {
					if _, err := d.s.App.Flows.Get(ctx, c, j.ID); err != nil {
						return err
					}
					out += j.AppName
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return out
		}
		whole := workflow.Page{Number: 1, Limit: 10}
		for _, x := range []struct {
			who  apptest.Person
			w    workflow.Whose
			p    workflow.Page
			want string
		}{
			{anna, workflow.Own, whole, "cab"}, {anna, workflow.All, whole, "cab"}, {anna, workflow.Waiting, whole, ""}, {ben, workflow.Waiting, whole, "cab"},
			{ben, workflow.Own, whole, ""}, {ben, workflow.All, whole, "cab"}, {cora, workflow.All, whole, ""}, {d.s.Admin, workflow.Everyone, whole, "cab"},
			{ben, workflow.Waiting, workflow.Page{ByName: true, Number: 1, Limit: 2}, "ab"}, {ben, workflow.Waiting, workflow.Page{ByName: true, Number: 2, Limit: 2}, "c"},
			{ben, workflow.Waiting, workflow.Page{ByName: true, Desc: true, Number: 1, Limit: 2}, "cb"}, {ben, workflow.Waiting, workflow.Page{Number: 3, Limit: 2}, ""},
		} {
			if got := names(x.who, x.w, x.p); got != x.want {
				t.Errorf("%s %s %+v: %s, want %s", x.who.Name, x.w, x.p, got, x.want)
			}
		}
	})
}
