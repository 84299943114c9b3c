package dynamic_test

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/attribute"
	"limen/internal/core/dynamic"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fold"
)

// happening is something that happens, and what must be noted of it. statements are those by which it may be written.
type happening struct {
	statements, notes string
	do                func(ctx context.Context, c *call.Call, w *world, id string, other string) error
}

func (w *world) altered(ch user.Change) func(context.Context, *call.Call, *world, string, string) error {
	return func(ctx context.Context, c *call.Call, w *world, id, _ string) error {
		_, err := w.people.Change(ctx, c, id, ch)
		return err
	}
}

// changes are all the ways in which what scripts read changes.
func (w *world) changes(static role.Role) map[string]happening {
	text, on, off := "new", true, false
	name, state := "new@"+w.suffix, user.State{Locked: true}
	return map[string]happening{
		"a person is made": {"user.insert", "*", func(ctx context.Context, c *call.Call, w *world, _, _ string) error {
			_, err := w.people.Create(ctx, c, user.New{Name: "made@" + w.suffix, Mail: "m@example.com"})
			return err
		}},
		"a name":           {"user.update", "Name Alias LastModifiedDate Version", w.altered(user.Change{Name: &name})},
		"a display name":   {"user.update", "DisplayName", w.altered(user.Change{Display: &text})},
		"a mobile number":  {"user.update", "MobileNumber", w.altered(user.Change{Mobile: &[]string{"+12065550100"}[0]})},
		"a mail address":   {"user.update", "Mail", w.altered(user.Change{Mail: &[]string{"other@example.com"}[0]})},
		"a state":          {"user.update", "State", w.altered(user.Change{State: &state})},
		"an OAuth client":  {"user.update", "OauthClient", w.altered(user.Change{OAuthClient: &on})},
		"out of Everybody": {"user.update", "InEverybodyRole (roles)", w.altered(user.Change{Everybody: &off})},
		"an organization":  {"user.update", "OrgId", w.altered(user.Change{Org: &text})},
		"a manager": {"user.update", "ReportsTo", func(ctx context.Context, c *call.Call, w *world, id, other string) error {
			_, err := w.people.Change(ctx, c, other, user.Change{ReportsTo: &id})
			return err
		}},
		"out of an organization": {"user.leaveOrg", "OrgId LastModifiedDate Version", func(ctx context.Context, c *call.Call, w *world, _, _ string) error {
			_, err := w.people.LeaveOrg(ctx, c, "before")
			return err
		}},
		"the manager goes": {"user.dropReports user.dropMfaUser user.delete", "ReportsTo Version", func(ctx context.Context, c *call.Call, w *world, _, other string) error {
			var chief user.User
			chief, err := w.people.Create(ctx, c, user.New{Name: "chief@" + w.suffix, Mail: "m@example.com"})
			if err == nil {
				_, err = w.people.Change(ctx, c, other, user.Change{ReportsTo: &chief.ID, MfaUser: &chief.ID})
			}
			if err == nil {
				err = w.people.Delete(ctx, c, chief.ID)
			}
			return err
		}},
		"a password": {"user.passwordSet", "LastPasswordChangeDate Version", func(ctx context.Context, c *call.Call, w *world, id, _ string) error {
			return w.people.PasswordSet(ctx, c, id, false)
		}},
		"the first sign-in": {"user.activate", "Version", func(ctx context.Context, c *call.Call, w *world, id, _ string) error {
			u, err := w.people.ByID(ctx, c, id)
			if err == nil {
				err = w.people.Activate(ctx, c, u)
			}
			return err
		}},
		"an invitation": {"user.invite", "Version", func(ctx context.Context, c *call.Call, w *world, id, _ string) error {
			return w.people.Invited(ctx, c, id)
		}},
		"a picture": {"user.setPicture", "LastModifiedDate Version", func(ctx context.Context, c *call.Call, w *world, id, _ string) error {
			return w.people.SetPicture(ctx, c, id, user.Picture{Type: "image/png", Body: []byte{1}})
		}},
		"something kept elsewhere": {"user.touch", "LastModifiedDate Version", func(ctx context.Context, c *call.Call, w *world, id, _ string) error {
			return w.people.Touch(ctx, c, id)
		}},
		"a suffix": {"user.rename", "Name Alias LastModifiedDate Version", func(ctx context.Context, c *call.Call, w *world, _, _ string) error {
			_, err := w.people.Move(ctx, c, fold.Key(w.suffix), w.suffix+"2", 10)
			return err
		}},
		"a value": {"attribute.set", "floor_", func(ctx context.Context, c *call.Call, w *world, id, _ string) error {
			return w.attributes.Set(ctx, c, id, map[string]any{"floor_": "4"}, false)
		}},
		"no value": {"attribute.clear", "department_", func(ctx context.Context, c *call.Call, w *world, id, _ string) error {
			return w.attributes.Set(ctx, c, id, map[string]any{"department_": nil}, false)
		}},
		"columns": {"attribute.add attribute.change attribute.remove attribute.removeValues", "floor_ Floor_ department_ lead_",
			func(ctx context.Context, c *call.Call, w *world, _, _ string) error {
				return w.attributes.Replace(ctx, c, []attribute.Column{{Name: "Floor_", Type: attribute.Text}, {Name: "lead_", Type: attribute.Bool}})
			}},
		"into a role": {"role.join role.rejoin", "(roles)", func(ctx context.Context, c *call.Call, w *world, id, _ string) error {
			return w.roles.Add(ctx, c, static.ID, role.Member{Kind: role.User, ID: id})
		}},
		"out of a role": {"role.leave", "(roles)", func(ctx context.Context, c *call.Call, w *world, id, _ string) error {
			return w.roles.Remove(ctx, c, static.ID, role.Member{Kind: role.User, ID: id})
		}},
		"a role's name": {"role.update", "(roles)", func(ctx context.Context, c *call.Call, w *world, _, _ string) error {
			return w.roles.Rename(ctx, c, static.ID, "Other", "")
		}},
		"a role goes": {"role.dropMembers role.dropNested role.remove", "(roles)", func(ctx context.Context, c *call.Call, w *world, _, _ string) error {
			return w.roles.Delete(ctx, c, static.ID)
		}},
	}
}

// noted are the names that were noted in the tenant, once each.
func (w *world) noted() (names []string) {
	w.t.Helper()
	rows, err := w.db.SQL().Query(`SELECT what FROM role_script_person WHERE tenant = '` + w.tenant + `' AND due <> 0`)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var what string
		if err := rows.Scan(&what); err != nil {
			w.t.Fatal(err)
		}
		names = append(names, strings.Split(what, ",")...)
	}
	return names
}

// TestEveryChangeIsNoted makes each change, and wants nothing readable to be left out.
func TestEveryChangeIsNoted(t *testing.T) {
	left := map[string]bool{}
	for _, name := range dynamic.Readable {
		left[name] = true
	}
	each(t, func(t *testing.T, w *world) {
		for name, ch := range w.changes(role.Role{}) {
			w := build(t, w.db)
			w.t = t
			var static role.Role
			ids := w.many(2)
			w.set("Any", having("department_", "Sales"))
			before := "before"
			w.write(func(ctx context.Context, c *call.Call) (err error) {
				if static, err = w.roles.Create(ctx, c, role.New{Name: "Static"}); err == nil && name != "into a role" {
					err = w.roles.Add(ctx, c, static.ID, role.Member{Kind: role.User, ID: ids[0]})
				}
				if err == nil {
					_, err = w.people.Change(ctx, c, ids[0], user.Change{Org: &before})
				}
				return err
			})
			w.put(ids[0], "department_", "Law")
			w.settle()
			if _, err := w.db.SQL().Exec(`UPDATE role_script_person SET due = 0 WHERE tenant = '` + w.tenant + `'`); err != nil {
				t.Fatal(err) // the second pass on PostgreSQL
			}
			time.Sleep(2 * time.Millisecond) // so that times differ
			w.write(func(ctx context.Context, c *call.Call) error {
				return w.changes(static)[name].do(ctx, c, w, ids[0], ids[1])
			})
			got := w.noted()
			for want := range strings.FieldsSeq(ch.notes) {
				if delete(left, want); !slices.Contains(got, want) {
					t.Errorf("%s: %s is not among %v", name, want, got)
				}
			}
		}
	})
	for name := range left {
		if name != "(constant)" && name != "(property)" {
			t.Errorf("no change of %s is tried", name)
		}
	}
}

// TestEveryStatementIsTried finds the statements that write what scripts read, and wants each to belong to a change above.
func TestEveryStatementIsTried(t *testing.T) {
	tried := map[string]bool{
		// What is no change to scripts, each with its reason.
		"attribute.drop":     true, // with the person
		"role.leaveAll":      true, // with the person
		"role.called":        true, // keys that lists are sorted by
		"role.insert":        true, // a role without members
		"role.bump":          true, // a count of changes
		"role.setOrg":        true, // where a role's rights reach
		"role.sweep_members": true, // those whose time has ended are none before
	}
	w := &world{suffix: "x"}
	for _, ch := range w.changes(role.Role{}) {
		for name := range strings.FieldsSeq(ch.statements) {
			tried[name] = true
		}
	}
	written := regexp.MustCompile(`(?i)\b(?:INSERT INTO|UPDATE|DELETE FROM)\s+(users|user_attribute|attribute_column|role|role_member)\b`)
	n := 0
	for _, s := range dbx.Statements() {
		if written.MatchString(s.Text) && !strings.HasSuffix(s.Package, "_test") {
			if n++; !tried[s.Name] {
				t.Errorf("%s writes what scripts read, and no test says that it is noted", s.Name)
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d statements were found", n)
	}
}

// TestPropertiesAreReadable wants the table to have each property of everybody, and no other.
func TestPropertiesAreReadable(t *testing.T) {
	for name := range dynamic.Properties() {
		if _, ok := dynamic.Readable["User.Properties."+name]; !ok {
			t.Errorf("User.Properties.%s has no entry", name)
		}
	}
	for path := range dynamic.Readable {
		if name, ok := strings.CutPrefix(path, "User.Properties."); ok {
			if _, ok := dynamic.Properties()[name]; !ok {
				t.Errorf("%s is in the table only", path)
			}
		}
	}
}
