package roles_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/attribute"
	"limen/internal/core/audit"
	"limen/internal/core/grant"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/fault"
)

func TestMain(m *testing.M) { apptest.Main(m) }

// clever is a site with a dynamic role and an attribute.
func clever(t *testing.T, s *apptest.Server) (*apptest.Site, role.Role) {
	site := s.Tenant(t)
	var r role.Role
	site.Do(t, audit.RoleCreate, func(ctx context.Context, c *call.Call) (err error) {
		if err := (attribute.Attributes{Stored: s.App.Dynamic.Note}).Replace(ctx, c, []attribute.Column{{Name: "department_", Type: attribute.Text}}); err != nil {
			return err
		}
		r, err = s.App.Roles.Create(ctx, c, role.New{Name: "Sales", Kind: role.Dynamic})
		return err
	})
	return site, r
}

func script(t *testing.T, site *apptest.Site, r role.Role, text string) {
	t.Helper()
	if err := site.App.Dynamic.Check(t.Context(), site.ID, text); err != nil {
		t.Fatal(err)
	}
	site.Do(t, audit.RoleScript, func(ctx context.Context, c *call.Call) error { return site.App.Dynamic.Set(ctx, c, r, text) })
}

func department(t *testing.T, site *apptest.Site, p apptest.Person, name string) {
	t.Helper()
	site.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
		return attribute.Attributes{Stored: site.App.Dynamic.Note}.Set(ctx, c, p.ID, map[string]any{"department_": name}, false)
	})
}

// member waits until a person is a member, or is none any more.
func member(t *testing.T, site *apptest.Site, r role.Role, p apptest.Person, want bool) {
	t.Helper()
	await(t, func() bool { return is(t, site, r, p) == want })
}

func is(t *testing.T, site *apptest.Site, r role.Role, p apptest.Person) (in bool) {
	t.Helper()
	c := site.App.Shell(site.ID)
	if err := c.Snapshot(t.Context(), func() error {
		m, err := site.App.Roles.Of(t.Context(), c, p.ID)
		in = slices.Contains(m.Roles, r.ID)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return in
}

func await(t *testing.T, done func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not come to it")
		}
	}
}

// failure is why the script of a role failed.
func failure(t *testing.T, site *apptest.Site, r role.Role) (why string) {
	t.Helper()
	c := site.App.Shell(site.ID)
	if err := c.Snapshot(t.Context(), func() error {
		s, err := site.App.Dynamic.Of(t.Context(), c, r.ID)
		why = s.Error
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return why
}

func TestMembersFollowTheScript(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site, r := clever(t, s)
		anna, bert := site.Person(t, "anna"), site.Person(t, "bert")
		department(t, site, anna, "Sales")
		script(t, site, r, `return User.Properties.department_ == 'Sales'`)
		member(t, site, r, anna, true)
		member(t, site, r, bert, false)
		department(t, site, bert, "Sales") // one attribute of one person
		member(t, site, r, bert, true)
		department(t, site, anna, "Law")
		member(t, site, r, anna, false)
		script(t, site, r, `return User.InRoleByNames(['System Administrator']) || /^carl@/.test(User.Username)`)
		member(t, site, r, bert, false)
		admin := site.Admin
		member(t, site, r, admin, true)
		carl := site.Person(t, "carl") // somebody new
		member(t, site, r, carl, true)
		site.Do(t, audit.UserRename, func(ctx context.Context, c *call.Call) error {
			name := "karl@" + site.Suffix
			_, err := site.App.People.Change(ctx, c, carl.ID, user.Change{Name: &name})
			return err
		})
		member(t, site, r, carl, false)
		site.Do(t, audit.RoleMembers, func(ctx context.Context, c *call.Call) error {
			return site.App.Roles.Add(ctx, c, role.System, role.Member{Kind: role.User, ID: bert.ID})
		})
		member(t, site, r, bert, true) // a role that the script asks for
	})
}

func TestFailureKeepsMembers(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site, r := clever(t, s)
		anna, bert := site.Person(t, "anna"), site.Person(t, "bert")
		department(t, site, anna, "Sales")
		script(t, site, r, `return User.Properties.department_ == 'Sales'`)
		member(t, site, r, anna, true)
		for text, want := range map[string]string{
			`throw new Error('no luck')`: "no luck", `for (;;);`: "too long", `return 'xxxxxxxxxxxxxxxx'.repeat(1 << 28) == ''`: "too much memory",
		} {
			script(t, site, r, text)
			await(t, func() bool { return failure(t, site, r) != "" })
			if why := failure(t, site, r); !strings.Contains(why, want) {
				t.Errorf("%s: %s", text, why)
			}
			if !is(t, site, r, anna) || is(t, site, r, bert) {
				t.Errorf("%s: the members changed", text)
			}
		}
	})
}

// TestOnlyWhoHoldsMaySetScripts has somebody who manages roles try to make themselves more than they are.
func TestOnlyWhoHoldsMaySetScripts(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site, r := clever(t, s)
		site.Do(t, audit.RoleRights, func(ctx context.Context, c *call.Call) error {
			return site.App.Roles.Assign(ctx, c, r.ID, role.Given{Path: "/lib/rights/dsman.json"})
		})
		c := site.App.Shell(site.ID)
		err := site.App.Write(t.Context(), c, audit.RoleScript, func(ctx context.Context) error {
			c.Caller = &call.Caller{User: site.Plain.ID, Means: call.BySession}
			return site.App.Dynamic.Set(ctx, c, r, `return true`)
		})
		if f := fault.Of(err); f == nil || f.Kind != fault.Denied {
			t.Error(err)
		}
	})
}

// TestDeathInTheMiddle has the process that runs scripts die of one person: everybody else is judged, and the next script finds
// a sound process.
func TestDeathInTheMiddle(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site, r := clever(t, s)
		for i := range 150 {
			site.Person(t, "p"+strconv.Itoa(i))
		}
		script(t, site, r, `if (!/^p\d+@/.test(User.Username)) return false;
			if (/^p149@/.test(User.Username)) 'xxxxxxxxxxxxxxxx'.repeat(1 << 28);
			return true`)
		await(t, func() bool { return failure(t, site, r) != "" })
		await(t, func() bool { return count(t, site, r) == 149 })
		script(t, site, r, `return /^p\d+@/.test(User.Username)`)
		await(t, func() bool { return count(t, site, r) == 150 })
		if why := failure(t, site, r); why != "" {
			t.Error(why)
		}
	})
}

// count is how many direct members a role has.
func count(t *testing.T, site *apptest.Site, r role.Role) (n int) {
	t.Helper()
	c := site.App.Shell(site.ID)
	if err := c.Snapshot(t.Context(), func() error {
		all, err := site.App.Roles.Members(t.Context(), c, grant.All(), r.ID, role.After{}, 1000)
		n = len(all)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return n
}
