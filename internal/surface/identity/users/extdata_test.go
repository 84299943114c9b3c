package users_test

import (
	"context"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/attribute"
	"limen/internal/core/audit"
	"limen/internal/core/right"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/op"
	"limen/internal/surface/identity/users"
)

var countAttributes = dbx.Q[int64]("userstest.attributes", `SELECT count(*) FROM user_attribute WHERE tenant = ? AND user_id = ?`)

func TestAttributesUnderDelegatedAdministration(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		site.Do(t, audit.AttributesSchema, func(ctx context.Context, c *call.Call) error {
			return attribute.Attributes{}.Replace(ctx, c, []attribute.Column{{Name: "a_b", Type: attribute.Int}, {Name: "c_d", Type: attribute.Text, Editable: true}})
		})
		person := func(name, org string) (u user.User) {
			site.Do(t, audit.UserCreate, func(ctx context.Context, c *call.Call) (err error) {
				u, err = s.App.People.Create(ctx, c, user.New{Name: name + "@" + site.Suffix, Mail: name + "@example.com", Org: org})
				return err
			})
			return u
		}
		o1, o2 := unit(t, site, "One"), unit(t, site, "Two")
		in, out := person("in", o1), person("out", o2)
		d := delegate{t, site, right.Held{Orgs: map[string]right.Set{o1: right.Of(right.UserManagement)}}}
		row := func(id string) users.Row { return users.Row{Table: "users", ID: id} }
		set := func(id, name string) *users.RowChange {
			return &users.RowChange{Row: row(id), Columns: map[string]any{name: "1"}}
		}
		d.run(nil, "/ExtData/SetColumns", set(in.ID, "a_b"))
		d.run(op.ErrDenied, "/ExtData/SetColumns", set(out.ID, "a_b"))
		d.run(op.ErrDenied, "/ExtData/GetColumns", &users.RowRead{Row: row(out.ID)})
		d.run(op.ErrDenied, "/User/UpdateProfile", &users.Profile{UserChange: users.UserChange{ID: out.ID}, Columns: map[string]any{"a_b": "1"}})
		// Themselves they change as anybody does.
		d.run(nil, "/ExtData/SetColumns", set(site.Plain.ID, "c_d"))
		d.run(attribute.ErrReadOnly, "/ExtData/SetColumns", set(site.Plain.ID, "a_b"))
		got := d.run(nil, "/ExtData/GetColumns", &users.RowRead{Row: row(in.ID)}).(map[string]any)
		if len(got) != 1 || got["a_b"] != int64(1) {
			t.Error(got)
		}

		// Values go with the person.
		d.run(nil, "/UserMgmt/RemoveUsers", &users.Removal{Users: []string{in.ID}})
		c := site.App.Shell(site.ID)
		if err := c.Snapshot(t.Context(), func() error {
			n, err := countAttributes.One(t.Context(), c.Tx, site.ID, in.ID)
			if n != 0 {
				t.Error(n, "values of a deleted user are left")
			}
			return err
		}); err != nil {
			t.Error(err)
		}
	})
}
