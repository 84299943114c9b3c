package rolegroup_test

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/rolegroup"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

func TestGroups(t *testing.T) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		id := "GRP" + call.NewID(time.Now(), rand.Reader)[24:]
		write := func(want error, f func(c *call.Call) error) (e *call.Event) {
			t.Helper()
			err := db.Write(t.Context(), func(tx *dbx.Tx) error {
				e = &call.Event{}
				return f(&call.Call{Tenant: call.Tenant{ID: id}, Now: time.Now(), Rand: rand.Reader, Tx: tx, Event: e})
			})
			if !errors.Is(err, want) {
				t.Fatalf("got %v, want %v", err, want)
			}
			return e
		}
		create := func(want error, org, name string) (g rolegroup.Group) {
			t.Helper()
			write(want, func(c *call.Call) (err error) {
				g, err = rolegroup.Create(t.Context(), c, org, name)
				return err
			})
			return g
		}
		list := func(org, want string) {
			t.Helper()
			write(nil, func(c *call.Call) error {
				all, err := rolegroup.List(t.Context(), c, org)
				var names []string
				for _, g := range all {
					names = append(names, g.Name)
				}
				if got := strings.Join(names, ","); got != want {
					t.Errorf("%s: %s, want %s", org, got, want)
				}
				return err
			})
		}
		sales := create(nil, "A", " Sales ")
		create(rolegroup.ErrNameTaken, "A", "SALES")
		create(rolegroup.ErrName, "A", "  ")
		create(rolegroup.ErrName, "A", strings.Repeat("ä", 101))
		create(nil, "A", "audit")
		create(nil, "B", "Sales")
		list("A", "audit,Sales")
		write(rolegroup.ErrNotFound, func(c *call.Call) error {
			_, err := rolegroup.Rename(t.Context(), c, "B", sales.ID, "Stolen")
			return err
		})
		write(rolegroup.ErrNameTaken, func(c *call.Call) error {
			_, err := rolegroup.Rename(t.Context(), c, "A", sales.ID, "Audit")
			return err
		})
		if e := write(nil, func(c *call.Call) error {
			_, err := rolegroup.Rename(t.Context(), c, "A", sales.ID, "Vertrieb")
			return err
		}); e.Changes["Name"].Old != "Sales" || e.Changes["Name"].New != "Vertrieb" {
			t.Errorf("%+v", e)
		}
		write(rolegroup.ErrNotFound, func(c *call.Call) error { return rolegroup.Put(t.Context(), c, "B", "role", sales.ID) })
		write(nil, func(c *call.Call) error { return rolegroup.Put(t.Context(), c, "A", "role", sales.ID) })
		write(rolegroup.ErrFull, func(c *call.Call) error { return rolegroup.Delete(t.Context(), c, "A", sales.ID) })
		write(nil, func(c *call.Call) error {
			in, err := rolegroup.Places(t.Context(), c, "A")
			if in["role"] != sales.ID || len(in) != 1 {
				t.Errorf("%v", in)
			}
			return err
		})
		write(nil, func(c *call.Call) error { return rolegroup.RoleGone(t.Context(), c, "role") })
		write(rolegroup.ErrNotFound, func(c *call.Call) error { return rolegroup.Delete(t.Context(), c, "B", sales.ID) })
		write(nil, func(c *call.Call) error { return rolegroup.Delete(t.Context(), c, "A", sales.ID) })
		list("A", "audit")
		write(nil, func(c *call.Call) error { return rolegroup.OrgGone(t.Context(), c, "A") })
		list("A", "")
		list("B", "Sales")
	})
}
