package dynamic_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"limen/internal/call"
	"limen/internal/core/attribute"
	"limen/internal/core/dynamic"
	"limen/internal/core/role"
	"limen/internal/fault"
)

const manage = "/lib/rights/dsman.json"

// rated is a world whose department_ people edit themselves.
func rated(t *testing.T, f func(t *testing.T, w *world, ids []string)) {
	each(t, func(t *testing.T, w *world) {
		ids := w.many(2)
		w.columns(true)
		f(t, w, ids)
	})
}

func (w *world) columns(editable bool) {
	w.t.Helper()
	w.write(func(ctx context.Context, c *call.Call) error {
		return w.attributes.Replace(ctx, c, []attribute.Column{{Name: "department_", Type: attribute.Text, Editable: editable}, {Name: "floor_", Type: attribute.Text}})
	})
}

func (w *world) assign(r role.Role) (err error) {
	return w.in(w.tenant, func(ctx context.Context, c *call.Call) error {
		return w.roles.Assign(ctx, c, r.ID, role.Given{Path: manage})
	})
}

// TestNobodyChoosesRights has somebody edit what makes them a member of a role with rights: they become none, and administrators
// are told why. What only administrators edit makes members.
func TestNobodyChoosesRights(t *testing.T) {
	rated(t, func(t *testing.T, w *world, ids []string) {
		chosen, given := w.set("Chosen", having("department_", "Sales")), w.set("Given", having("floor_", "3"))
		for _, r := range []role.Role{chosen, given} {
			if err := w.assign(r); err != nil { // nobody knows yet what the scripts read
				t.Fatal(err)
			}
		}
		w.put(ids[0], "department_", "Sales")
		w.put(ids[0], "floor_", "3")
		w.settle()
		w.want(chosen)
		w.want(given, ids[0])
		if is := w.of(chosen); !strings.Contains(is.Error, "department_") || len(w.told) != 1 {
			t.Errorf("%q, told %q", is.Error, w.told)
		}
		w.columns(false) // it is for administrators now
		w.settle()
		w.want(chosen, ids[0])
		w.columns(true)
		w.settle()
		w.want(chosen)
		w.scripts.Free = func(context.Context, *call.Call) (bool, error) { return true, nil }
		w.scripts.Reconsider(w.tenant)
		w.settle()
		w.want(chosen, ids[0])
		w.scripts.Free = nil
		w.scripts.Reconsider(w.tenant)
		w.settle()
		w.want(chosen)
	})
}

// TestChosenRolesGetNoRights refuses rights, and roles that have some, to roles that people can choose to be in, at once; and a
// role that comes by them otherwise loses such members.
func TestChosenRolesGetNoRights(t *testing.T) {
	rated(t, func(t *testing.T, w *world, ids []string) {
		w.roles.Rated, w.roles.Chosen = w.scripts.Rated, w.scripts.Refused
		chosen := w.set("Chosen", having("department_", "Sales"))
		w.put(ids[0], "department_", "Sales")
		w.settle()
		w.want(chosen, ids[0])
		if err := w.assign(chosen); !errors.Is(err, role.ErrChosen) || !strings.Contains(fault.Of(err).Public, "department_") {
			t.Error("a right:", err)
		}
		var strong role.Role
		w.write(func(ctx context.Context, c *call.Call) (err error) {
			strong, err = w.roles.Create(ctx, c, role.New{Name: "Strong"})
			return err
		})
		if err := w.assign(strong); err != nil {
			t.Fatal(err)
		}
		nest := func() error {
			return w.in(w.tenant, func(ctx context.Context, c *call.Call) error {
				return w.roles.Add(ctx, c, strong.ID, role.Member{Kind: role.Sub, ID: chosen.ID})
			})
		}
		if err := nest(); !errors.Is(err, role.ErrChosen) {
			t.Error("a role with rights:", err)
		}
		w.roles.Chosen = nil // as when rights come another way
		if err := nest(); err != nil {
			t.Fatal(err)
		}
		w.settle()
		w.want(chosen)
	})
}

// TestWarning sets scripts and looks at their events: these name what people change themselves of what the text names, and the
// rights that hang on it; and nothing where there are no rights, or where the text names nothing of the kind.
func TestWarning(t *testing.T) {
	rated(t, func(t *testing.T, w *world, _ []string) {
		rated, plain := w.set("Rated", having("floor_", "3")), w.set("Plain", having("floor_", "3"))
		if err := w.assign(rated); err != nil {
			t.Fatal(err)
		}
		for _, x := range []struct {
			r     role.Role
			text  string
			named []string // none: no warning
		}{
			{rated, `return User.Get('DEPARTMENT_') == 'Sales' || User.Mail`, []string{"Mail", "department_"}},
			{rated, `return User.Get('floor_') == '3'`, nil},
			{plain, `return User.Get('department_') == 'Sales'`, nil},
		} {
			e := call.Event{}
			w.write(func(ctx context.Context, c *call.Call) error {
				c.Event = &e
				return w.scripts.Set(ctx, c, x.r, x.text)
			})
			named, _ := e.Fields["SelfEditable"].([]string)
			carries, _ := e.Fields["Rights"].([]string)
			if !slices.Equal(named, x.named) || (len(carries) > 0) != (x.named != nil) {
				t.Errorf("%s of %s: %q, rights %q", x.text, x.r.Name, named, carries)
			}
		}
	})
}

// TestChosenIsShown says what of oneself decides.
func TestChosenIsShown(t *testing.T) {
	rated(t, func(t *testing.T, w *world, _ []string) {
		r := w.set("Chosen", func(dynamic.Person) (bool, []string, error) {
			return false, []string{"DEPARTMENT_", "floor_", "mail"}, nil
		})
		w.settle()
		w.write(func(ctx context.Context, c *call.Call) error {
			by, err := w.scripts.Chosen(ctx, c, r.ID)
			if slices.Sort(by); !slices.Equal(by, []string{"Mail", "department_"}) {
				t.Error(by)
			}
			return err
		})
	})
}
