package user_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
	"limen/internal/fold"
)

// TestPick wants the same pages however they are read: by sorting few, from the beginning, and from the end.
func TestPick(t *testing.T) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		w := build(t, db)
		dbxtest.Orgs(t, w.db, w.tenant, "o1")
		for _, name := range []string{"g", "b", "e", "a", "f", "c", "d"} {
			w.add(name, func(n *user.New) {
				n.Display = string("xyz"[name[0]%3])
				if name > "c" {
					n.Org = "o1"
				}
			})
		}
		for _, few := range []int64{2000, 0} {
			back := user.Few(few)
			for _, g := range []grant.Grant{grant.All(), grant.Orgs(nil, "o1")} {
				for _, by := range [][]string{{"name_key"}, {"display_key", "id"}, {"created", "id"}, {user.Off, "name_key"}} {
					for _, desc := range []bool{false, true} {
						w.pages(t, g, by, desc)
					}
				}
			}
			back()
		}
	})
}

func (w *world) pages(t *testing.T, g grant.Grant, by []string, desc bool) {
	t.Helper()
	var order []dbx.Order
	for _, col := range by {
		order = append(order, dbx.Order{Column: col, Desc: desc})
	}
	pick := func(p user.Pick) (out []string) {
		w.read(func(ctx context.Context, c *call.Call) error {
			us, err := w.users.Pick(ctx, c, g, p)
			for _, u := range us {
				out = append(out, u.ID)
			}
			return err
		})
		return out
	}
	all := pick(user.Pick{Order: order, Limit: 100})
	if total := int64(len(all)); total != 7 && total != 4 {
		t.Fatal(all)
	}
	for limit := 1; limit < 9; limit++ {
		for offset := range int64(10) {
			want := all[min(int(offset), len(all)):min(int(offset)+limit, len(all))]
			got := pick(user.Pick{Order: order, Limit: limit, Offset: offset, Total: int64(len(all))})
			if !slices.Equal(got, want) {
				t.Errorf("%v desc %v, %d behind %d of %d: %v, want %v", by, desc, limit, offset, len(all), got, want)
			}
		}
	}
}

var drop = dbx.E("user_test.drop", `DELETE FROM users WHERE tenant = ? AND name_key = ?`)

// TestCountIsRemembered wants a count that costs nothing while users are the same, and that is never an old one.
func TestCountIsRemembered(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add("a")
		count := func() (n int64) {
			w.read(func(ctx context.Context, c *call.Call) (err error) {
				n, err = w.users.Count(ctx, c, grant.All(), user.Query{})
				return err
			})
			return n
		}
		if n := count(); n != 1 {
			t.Fatal(n)
		}
		w.add("b")
		if n := count(); n != 2 {
			t.Fatal(n)
		}
		// Behind the directory's back, so that only what is remembered can say 2.
		if err := w.db.Write(t.Context(), func(tx *dbx.Tx) error {
			_, err := drop.Do(t.Context(), tx, w.tenant, fold.Key("b@"+w.suffix))
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if n := count(); n != 2 {
			t.Error("the count is not remembered:", n)
		}
		w.add("c")
		if n := count(); n != 2 {
			t.Error("after a change:", n)
		}
		// A snapshot that began before a change counts what was; that is not remembered.
		w.read(func(ctx context.Context, c *call.Call) error {
			if _, err := w.users.Picked(ctx, c, grant.All(), dbx.Clause{}); err != nil { // the snapshot begins
				return err
			}
			w.add("d")
			if n, err := w.users.Count(ctx, c, grant.All(), user.Query{}); err != nil || n != 2 {
				t.Error("in a snapshot:", n, err)
			}
			return nil
		})
		if n := count(); n != 3 {
			t.Error("after a snapshot:", n)
		}
		undo := errors.New("undone")
		w.write(undo, func(ctx context.Context, c *call.Call) error {
			if _, err := w.users.Create(ctx, c, user.New{Name: "e@" + w.suffix, Mail: "m@example.com"}); err != nil {
				return err
			}
			if n, err := w.users.Count(ctx, c, grant.All(), user.Query{}); err != nil || n != 4 {
				t.Error("in the transaction that makes one:", n, err)
			}
			return undo
		})
		if n := count(); n != 3 {
			t.Error("after what was undone:", n)
		}
	})
}
