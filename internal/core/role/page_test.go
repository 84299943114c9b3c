package role_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

// page reads a page of a role's members as their names' beginnings; those who come by nesting are in parentheses.
func (w *world) page(g grant.Grant, roleID string, q role.Query, n int) (out string, all int64) {
	w.t.Helper()
	err := w.db.Read(w.t.Context(), func(tx *dbx.Tx) error {
		c := w.call(tx)
		is, err := w.roles.Get(w.t.Context(), c, roleID)
		if err != nil {
			return err
		}
		rows, n, err := w.roles.Page(w.t.Context(), c, g, is, q, n)
		out, all = "", n
		for _, m := range rows {
			name, _, _ := strings.Cut(m.Name, "@")
			if m.Through != "" {
				name = "(" + name + ")"
			}
			out += name + " "
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.TrimSpace(out), all
}

func TestPages(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		dbxtest.Orgs(t, w.db, w.id, "o1")
		ids := map[string]string{}
		var roles []string
		for _, name := range []string{"M-outer", "h-inner", "k-deep"} {
			w.now = w.now.Add(time.Millisecond)
			roles = append(roles, w.role(name))
		}
		outer, inner, deep := roles[0], roles[1], roles[2]
		for i, name := range []string{"e", "B", "g", "a", "F", "c", "d"} {
			w.now = w.now.Add(time.Millisecond)
			ids[name] = w.user(name, func(n *user.New) { n.Org = []string{"o1", ""}[i%2] })
		}
		for _, m := range []string{"e", "B", "g", "a"} {
			w.add(nil, outer, person(ids[m]))
		}
		for _, m := range []string{"a", "F", "c"} {
			w.add(nil, inner, person(ids[m]))
		}
		end := w.now.Add(time.Hour)
		w.add(nil, deep, role.Member{Kind: role.User, ID: ids["d"], Until: end.Add(time.Hour)}, person(ids["c"]))
		all := grant.All()
		for _, x := range []struct {
			g    grant.Grant
			q    role.Query
			n    int
			want string
			full int64
		}{
			{all, role.Query{Size: 2}, 1, "a B", 4},
			{all, role.Query{Size: 2}, 2, "e g", 4},
			{all, role.Query{Size: 3}, 2, "g", 4},
			{all, role.Query{Size: 1}, 4, "g", 4},
			{all, role.Query{Size: 2}, 3, "", 4},
			{all, role.Query{Size: 3, Desc: true}, 1, "g e B", 4},
			{all, role.Query{Size: 3, Desc: true}, 2, "a", 4},
			{all, role.Query{Size: 9, Filter: "b@"}, 1, "B", 1},
			{all, role.Query{Size: 9, Filter: "role", InKind: true}, 1, "", 0},
			{all, role.Query{Size: 9, Filter: ids["g"], InID: true}, 1, "g", 1},
			{grant.Orgs(nil, "o1"), role.Query{Size: 1}, 2, "g", 2},
			{grant.Rows(ids["a"]), role.Query{Size: 9}, 1, "a", 1},
			{grant.Grant{}, role.Query{Size: 9}, 1, "", 0},
		} {
			if got, full := w.page(x.g, outer, x.q, x.n); got != x.want || full != x.full {
				t.Errorf("%+v page %d of %+v: %s of %d, want %s of %d", x.g, x.n, x.q, got, full, x.want, x.full)
			}
		}
		w.add(nil, outer, sub(inner))
		w.add(nil, inner, role.Member{Kind: role.Sub, ID: deep, Until: end})
		for _, x := range []struct {
			q    role.Query
			n    int
			want string
			full int64
		}{
			{role.Query{Size: 99}, 1, "a B (c) (d) e (F) g h-inner (k-deep)", 9},
			{role.Query{Size: 4}, 2, "e (F) g h-inner", 9},
			{role.Query{Size: 4, Desc: true}, 2, "e (d) (c) B", 9},
			{role.Query{Size: 4}, 3, "(k-deep)", 9},
			{role.Query{Size: 99, Direct: true}, 1, "a B e g h-inner", 5},
			{role.Query{Size: 3, Sort: role.ByKind}, 1, "h-inner (k-deep) e", 9}, // as they were made, which their ids keep
		} {
			if got, full := w.page(all, outer, x.q, x.n); got != x.want || full != x.full {
				t.Errorf("page %d of %+v: %s of %d, want %s of %d", x.n, x.q, got, full, x.want, x.full)
			}
		}
		if got, _ := w.page(all, role.Everybody, role.Query{Size: 3}, 2); got != "d e F" {
			t.Error("Everybody:", got)
		}
		w.now = end // the deep role is none of the inner one's from now on
		if got, full := w.page(all, outer, role.Query{Size: 99}, 1); got != "a B (c) e (F) g h-inner" || full != 7 {
			t.Error(got, full)
		}
		w.now = end.Add(time.Hour)
		if got, full := w.page(all, deep, role.Query{Size: 99}, 1); got != "c" || full != 1 {
			t.Error("who has left is listed:", got, full)
		}
	})
}

// Members are listed by the names that they have now.
func TestPagesFollowNames(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a, r, s := w.user("a"), w.role("r"), w.role("s")
		w.add(nil, r, person(a), person(w.user("b")), sub(s))
		name := "c@" + strings.ToLower(w.id)
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			_, err := w.users.Change(ctx, c, a, user.Change{Name: &name})
			return errors.Join(err, w.roles.Rename(ctx, c, s, "A role", ""))
		})
		if got, _ := w.page(grant.All(), r, role.Query{Size: 9}, 1); got != "A role b c" {
			t.Error(got)
		}
	})
}

// More members than are read at once, in roles in roles.
func TestManyMembers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		outer, inner := w.role("outer"), w.role("inner")
		var want []string
		for from := 0; from < 1203; from += 200 { // a transaction has a few seconds
			w.write(nil, func(ctx context.Context, c *call.Call) error {
				for i := from; i < min(from+200, 1203); i++ {
					u, err := w.users.Create(ctx, c, user.New{Name: fmt.Sprintf("u%04d@%s", i, strings.ToLower(w.id))})
					if err != nil {
						return err
					}
					to := []string{outer, inner}[i%2]
					if i%10 == 0 {
						err = w.roles.Add(ctx, c, inner, person(u.ID))
					}
					if err = errors.Join(err, w.roles.Add(ctx, c, to, person(u.ID))); err != nil {
						return err
					}
				}
				return nil
			})
		}
		w.add(nil, outer, sub(inner))
		for i := range 1203 {
			name := fmt.Sprintf("u%04d", i)
			if i%2 == 1 {
				name = "(" + name + ")"
			}
			want = append(want, name)
		}
		want = append([]string{"inner"}, want...)
		for n, part := range slices.Collect(slices.Chunk(want, 700)) {
			if got, full := w.page(grant.All(), outer, role.Query{Size: 700}, n+1); got != strings.Join(part, " ") || full != 1204 {
				t.Errorf("page %d of %d: %.100s", n+1, full, got)
			}
		}
	})
}

func TestSweep(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.role("r")
		w.add(nil, r, role.Member{Kind: role.User, ID: w.user("a"), Until: w.now.Add(time.Hour)}, person(w.user("b")))
		w.assign(nil, r, role.Given{Path: userman, Until: w.now.Add(time.Hour)}, role.Given{Path: roleman})
		count := func() (members, rights int) {
			err := w.db.Read(t.Context(), func(tx *dbx.Tx) error {
				c := w.call(tx)
				c.Now = w.now.Add(-1000 * time.Hour) // when all of them were members
				ms, err := w.roles.Members(t.Context(), c, grant.All(), r, role.After{}, 9)
				rs, err2 := w.roles.RightsOf(t.Context(), c, r)
				members, rights = len(ms), len(rs)
				return errors.Join(err, err2)
			})
			if err != nil {
				t.Fatal(err)
			}
			return members, rights
		}
		for _, x := range []struct {
			after time.Duration
			left  int
		}{{2 * time.Hour, 2}, {26 * time.Hour, 1}} {
			err := w.roles.Sweep(t.Context(), w.db, w.now.Add(x.after))
			if ms, rs := count(); err != nil || ms != x.left || rs != x.left {
				t.Error(x, ms, rs, err)
			}
		}
	})
}
