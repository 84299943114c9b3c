package demand_test

import (
	"slices"
	"testing"

	"limen/internal/call"
	"limen/internal/core/demand"
	"limen/internal/core/right"
	"limen/internal/dbx"
)

// Roles see everything until one is limited; then each sees what it was told, new ones nothing, and who reads people everywhere all.
func TestSights(t *testing.T) {
	each(t, func(w *world) {
		sees := func(what string, as func(c *call.Caller), want demand.Sight) {
			w.Helper()
			if err := w.DB.Read(w.Context(), func(tx *dbx.Tx) error {
				c := w.call(tx)
				as(c.Caller)
				got, err := w.Sees(w.Context(), c, "A")
				if got.All != want.All || !slices.Equal(got.Fields, want.Fields) {
					w.Errorf("%s sees %+v, want %+v", what, got, want)
				}
				return err
			}); err != nil {
				w.Fatal(err)
			}
		}
		in := func(roles ...string) func(c *call.Caller) { return func(c *call.Caller) { c.Roles = roles } }
		show := func(want error, role string, as func(c *call.Caller), to demand.Sight) {
			w.Helper()
			w.write(want, func(c *call.Call) error {
				as(c.Caller)
				return w.Show(w.Context(), c, "A", role, []string{"one", "two", "three"}, to)
			})
		}
		all := demand.Sight{All: true}
		sees("somebody", in("one"), all)
		show(nil, "one", in("two"), demand.Sight{Fields: []string{"phone", "email", "phone"}})
		sees("one", in("one"), demand.Sight{Fields: []string{"email", "phone"}})
		sees("two", in("two"), all)
		sees("both", in("one", "two"), all)
		sees("a new role", in("four"), demand.Sight{})
		show(nil, "three", in("two"), demand.Sight{Fields: []string{"firstName", "email"}})
		sees("one and three", in("one", "three"), demand.Sight{Fields: []string{"email", "firstName", "phone"}})
		for _, r := range []right.Right{right.ReadUsers, right.UserManagement} {
			sees("who reads everywhere", func(c *call.Caller) { c.Held.Tenant = right.Of(r) }, all)
		}
		sees("who holds something else", func(c *call.Caller) { c.Held.Tenant = right.Of(right.RoleManagement) }, demand.Sight{})
		show(demand.ErrSight, "one", in("one"), all)
		show(demand.ErrSight, "three", in("one"), demand.Sight{})
		show(demand.ErrSight, "two", in("one", "three"), demand.Sight{})
		show(nil, "one", in("one", "three"), demand.Sight{Fields: []string{"firstName"}})
		for role, want := range map[string]bool{"one": false, "two": true, "three": true, "four": false} {
			if err := w.DB.Read(w.Context(), func(tx *dbx.Tx) error {
				c := w.call(tx)
				c.Caller.Roles = []string{"one"}
				beyond, err := w.Beyond(w.Context(), c, "A", role)
				if beyond != want {
					w.Errorf("%s is beyond one: %v", role, beyond)
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
	})
}
