package user_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/role"
	"limen/internal/core/tenant"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
	"limen/internal/fault"
)

func expect(t testing.TB, got, want error) {
	t.Helper()
	if want == nil && got != nil || want != nil && !errors.Is(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func p[T any](v T) *T { return &v }

func TestStatements(t *testing.T) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		if err := db.PrepareAll(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestCreate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		boss := w.add("boss")
		u := w.add("Änna.K", func(n *user.New) {
			n.Display, n.Mobile, n.ReportsTo, n.Culture, n.State = "Anna K", "987-654-3210", boss.Name, "en-US", user.State{Locked: true}
		})
		if got := w.get(u.ID); got != u || got.ReportsTo != boss.ID || got.Mobile != "987-654-3210" || got.Status() != user.Created || !got.Barred(w.now) {
			t.Fatalf("%+v", got)
		}
		if w.event.Target != u.ID || w.event.Kind != "User" || w.event.Login != u.Name {
			t.Fatalf("%+v", w.event)
		}
		w.read(func(ctx context.Context, c *call.Call) error {
			for _, ref := range []string{u.ID, strings.ToUpper(u.ID), "ÄNNA.k@" + strings.ToUpper(w.suffix), " " + u.Name} {
				if got, err := w.users.ByIDOrName(ctx, c, ref); err != nil || got.ID != u.ID {
					t.Error(ref, err)
				}
			}
			_, err := w.users.ByIDOrName(ctx, c, "nobody@"+w.suffix)
			expect(t, err, user.ErrNotFound)
			return nil
		})
	})
}

func TestCreateRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		u := w.add("anna")
		for _, x := range []struct {
			what string
			n    user.New
			want error
		}{
			{"taken whatever the case", user.New{Name: strings.ToUpper(u.Name)}, user.ErrNameTaken},
			{"no name", user.New{}, fault.ErrBlank},
			{"no suffix", user.New{Name: "anna"}, fault.ErrInvalid},
			{"another's suffix", user.New{Name: "anna@elsewhere.test"}, user.ErrSuffix},
			{"a space", user.New{Name: "a b@" + w.suffix}, fault.ErrInvalid},
			{"two at signs", user.New{Name: "a@b@" + w.suffix}, fault.ErrInvalid},
			{"long", user.New{Name: strings.Repeat("x", 129) + "@" + w.suffix}, fault.ErrInvalid},
			{"not UTF-8", user.New{Name: "a\xff@" + w.suffix}, fault.ErrInvalid},
			{"mail", user.New{Name: "b@" + w.suffix, Mail: "nobody"}, fault.ErrInvalid},
			{"mail with a name", user.New{Name: "b@" + w.suffix, Mail: "B <b@example.com>"}, fault.ErrInvalid},
			{"mail with a line", user.New{Name: "b@" + w.suffix, Mail: "b@example.com\r\nBcc: x@y"}, fault.ErrInvalid},
			{"phone", user.New{Name: "b@" + w.suffix, Mobile: "call me"}, fault.ErrInvalid},
			{"culture", user.New{Name: "b@" + w.suffix, Culture: "!!"}, fault.ErrInvalid},
			{"description", user.New{Name: "b@" + w.suffix, Description: "a\x00b"}, fault.ErrInvalid},
			{"manager", user.New{Name: "b@" + w.suffix, ReportsTo: "nobody@" + w.suffix}, user.ErrManager},
			{"factors", user.New{Name: "b@" + w.suffix, MfaUser: "nobody@" + w.suffix}, user.ErrRedirect},
		} {
			err := w.db.Write(t.Context(), func(tx *dbx.Tx) error {
				_, err := w.users.Create(t.Context(), w.call(tx), x.n)
				return err
			})
			if !errors.Is(err, x.want) {
				t.Errorf("%s: %v", x.what, err)
			}
		}
		w.caller = nil
		w.write(role.ErrSystem, func(ctx context.Context, c *call.Call) error {
			_, err := w.users.Create(ctx, c, user.New{Name: "c@" + w.suffix, System: true})
			return err
		})
	})
}

func TestServiceUsersAreNotInEverybody(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if u := w.add("svc", func(n *user.New) { n.Service = true }); u.Everybody || u.Lockable() {
			t.Error(u)
		}
	})
}

func TestChange(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		u, other := w.add("anna"), w.add("bert")
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			got, err := w.users.Change(ctx, c, u.ID, user.Change{Mobile: p("5105555555"), Display: p("Anna"), Version: u.Version})
			if got.Version != 2 || got.Mail != u.Mail {
				t.Errorf("%+v", got)
			}
			return err
		})
		if w.event.Changes["MobileNumber"].New != "5105555555" || len(w.event.Changes) != 2 {
			t.Error(w.event.Changes)
		}
		change := func(want error, ch user.Change) {
			t.Helper()
			w.write(want, func(ctx context.Context, c *call.Call) error {
				_, err := w.users.Change(ctx, c, u.ID, ch)
				return err
			})
		}
		change(user.ErrStale, user.Change{Display: p("x"), Version: 1})
		change(user.ErrNameTaken, user.Change{Name: p(other.Name)})
		change(user.ErrSuffix, user.Change{Name: p("anna@nowhere.test")})
		change(nil, user.Change{Name: p("ANNA@" + w.suffix)})
		change(nil, user.Change{Name: p("carla@" + w.suffix), ReportsTo: &other.ID})
		w.write(user.ErrCycle, func(ctx context.Context, c *call.Call) error {
			_, err := w.users.Change(ctx, c, other.ID, user.Change{ReportsTo: &u.ID})
			return err
		})
		change(user.ErrCycle, user.Change{ReportsTo: &u.ID})
		change(user.ErrRedirect, user.Change{MfaUser: &u.ID})
		change(nil, user.Change{MfaUser: &other.ID, Expires: p(w.now.Add(time.Hour).UnixMilli())})
		if got := w.get(u.ID); got.NameKey != "carla@"+strings.ToLower(w.suffix) || got.MfaUser != other.ID || got.Ended(w.now) || !got.Ended(w.now.Add(2*time.Hour)) {
			t.Errorf("%+v", got)
		}
		w.write(user.ErrNotFound, func(ctx context.Context, c *call.Call) error {
			_, err := w.users.Change(ctx, c, "nobody", user.Change{})
			return err
		})
	})
}

func TestDelete(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		boss := w.add("boss")
		u := w.add("anna", func(n *user.New) { n.ReportsTo, n.MfaUser = boss.ID, boss.ID })
		var gone, shut []string
		w.users.Gone = append(w.users.Gone, func(_ context.Context, _ *call.Call, id string) error { gone = append(gone, id); return nil })
		w.users.Shut = append(w.users.Shut, func(_ context.Context, _ *call.Call, id string) error { shut = append(shut, id); return nil })
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			return w.users.SetState(ctx, c, boss.ID, user.State{Disabled: true})
		})
		w.write(nil, func(ctx context.Context, c *call.Call) error { return w.users.Delete(ctx, c, boss.ID) })
		if len(gone) != 1 || len(shut) != 2 || gone[0] != boss.ID {
			t.Error(gone, shut)
		}
		if got := w.get(u.ID); got.ReportsTo != "" || got.MfaUser != "" {
			t.Errorf("%+v", got)
		}
		w.write(user.ErrNotFound, func(ctx context.Context, c *call.Call) error { return w.users.Delete(ctx, c, boss.ID) })
	})
}

func TestTheLastSystemAdministratorStays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.add("a", system)
		for what, f := range map[string]func(ctx context.Context, c *call.Call) error{
			"delete": func(ctx context.Context, c *call.Call) error { return w.users.Delete(ctx, c, a.ID) },
			"disable": func(ctx context.Context, c *call.Call) error {
				return w.users.SetState(ctx, c, a.ID, user.State{Disabled: true})
			},
			"lock":    func(ctx context.Context, c *call.Call) error { return w.users.SetCloudLock(ctx, c, a.ID, true) },
			"suspend": func(ctx context.Context, c *call.Call) error { return w.users.Suspend(ctx, c, a.ID, true) },
			"demote": func(ctx context.Context, c *call.Call) error {
				_, err := w.users.Change(ctx, c, a.ID, user.Change{System: p(false)})
				return err
			},
			"end": func(ctx context.Context, c *call.Call) error {
				_, err := w.users.Change(ctx, c, a.ID, user.Change{Expires: p(int64(1))})
				return err
			},
		} {
			if err := w.db.Write(t.Context(), func(tx *dbx.Tx) error { return f(t.Context(), w.call(tx)) }); !errors.Is(err, role.ErrLast) {
				t.Error(what, err)
			}
		}
		b := w.add("b", system)
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			return w.users.SetState(ctx, c, b.ID, user.State{Locked: true})
		})
		w.write(role.ErrLast, func(ctx context.Context, c *call.Call) error { return w.users.Delete(ctx, c, a.ID) })
		w.write(nil, func(ctx context.Context, c *call.Call) error { return w.users.SetState(ctx, c, b.ID, user.State{}) })
		w.write(nil, func(ctx context.Context, c *call.Call) error { return w.users.Delete(ctx, c, a.ID) })
	})
}

// Two administrators who remove each other at the same time: one must stay.
func TestTwoAdministratorsRemoveEachOther(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i := range 5 {
			ids := []string{w.add(fmt.Sprintf("a%d", i), system).ID, w.add(fmt.Sprintf("b%d", i), system).ID}
			var wg sync.WaitGroup
			errs := make([]error, 2)
			for k := range ids {
				wg.Go(func() {
					errs[k] = w.db.Write(t.Context(), func(tx *dbx.Tx) error { return w.users.Delete(t.Context(), w.call(tx), ids[k]) })
				})
			}
			wg.Wait()
			if i == 0 && (errs[0] == nil) == (errs[1] == nil) {
				t.Fatal(errs)
			}
			left := 0
			w.read(func(ctx context.Context, c *call.Call) error {
				all, err := w.users.List(ctx, c, grant.All(), user.Query{Limit: 100})
				for _, u := range all {
					if is, _ := w.roles.IsSystem(ctx, c, u.ID); is {
						left++
					}
				}
				return err
			})
			if left == 0 {
				t.Fatal("nobody is left")
			}
		}
	})
}

func TestList(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		dbxtest.Orgs(t, w.db, w.tenant, "o1")
		var all []user.User
		for i := range 7 {
			all = append(all, w.add(fmt.Sprintf("u%d", i), func(n *user.New) {
				n.Display = fmt.Sprintf("D%d", 9-i/2)
				if i%2 == 0 {
					n.Org = "o1"
				}
			}))
		}
		w.users.Saw(w.tenant, all[3].ID, w.now)
		if err := w.users.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		names := func(g grant.Grant, q user.Query) (out string) {
			t.Helper()
			w.read(func(ctx context.Context, c *call.Call) error {
				got, err := w.users.List(ctx, c, g, q)
				for _, u := range got {
					out += u.Name[1:2]
					if (u.LastLogin != 0) != (u.ID == all[3].ID) {
						t.Error("last login of", u.Name)
					}
				}
				return err
			})
			return out
		}
		for _, x := range []struct {
			g    grant.Grant
			q    user.Query
			want string
		}{
			{grant.All(), user.Query{Limit: 3}, "012"},
			{grant.All(), user.Query{Limit: 3, After: all[2]}, "345"},
			{grant.All(), user.Query{Limit: 3, After: all[6]}, ""},
			{grant.All(), user.Query{Limit: 3, Desc: true, After: all[5]}, "432"},
			{grant.All(), user.Query{Limit: 9, Sort: user.ByDisplay}, "6452301"},
			{grant.All(), user.Query{Limit: 2, Sort: user.ByDisplay, After: all[4]}, "52"},
			{grant.All(), user.Query{Limit: 9, Prefix: "U4"}, "4"},
			{grant.Orgs(nil, "o1"), user.Query{Limit: 9}, "0246"},
			{grant.Orgs(nil, "o1").Or(grant.Rows(all[1].ID)), user.Query{Limit: 9}, "01246"},
			{grant.Rows(all[5].ID), user.Query{Limit: 9, Prefix: "u"}, "5"},
			{grant.Grant{}, user.Query{Limit: 9}, ""},
		} {
			if got := names(x.g, x.q); got != x.want {
				t.Errorf("%+v: %s, want %s", x, got, x.want)
			}
		}
		pages := []string{"", "01", "23", "45", "6", ""}
		// First a page whose beginning nobody knows, and again from what is remembered.
		for _, order := range [][]int{{4, 2, 5, 3, 1}, {1, 2, 3, 4, 5}, {1, 2, 3, 4, 5}} {
			for _, n := range order {
				want := pages[n]
				w.read(func(ctx context.Context, c *call.Call) error {
					got, err := w.users.Page(ctx, c, grant.All(), user.Query{Limit: 2}, n)
					out := ""
					for _, u := range got {
						out += u.Name[1:2]
					}
					if out != want {
						t.Errorf("page %d: %s, want %s", n, out, want)
					}
					return err
				})
			}
		}
	})
}

func TestCount(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		dbxtest.Orgs(t, w.db, w.tenant, "o1")
		u := w.add("a", func(n *user.New) { n.Org = "o1" })
		w.add("b")
		count := func(g grant.Grant) (n int64) {
			w.read(func(ctx context.Context, c *call.Call) (err error) {
				n, err = w.users.Count(ctx, c, g, user.Query{})
				return err
			})
			return n
		}
		if count(grant.All()) != 2 || count(grant.Orgs(nil, "o1")) != 1 || count(grant.Rows("x")) != 0 || count(grant.Grant{}) != 0 {
			t.Error("counts")
		}
		w.add("c")
		if n := count(grant.All()); n != 3 {
			t.Error("after a user more:", n)
		}
		w.write(nil, func(ctx context.Context, c *call.Call) error { return w.users.Delete(ctx, c, u.ID) })
		if n := count(grant.All()); n != 2 {
			t.Error("after a user fewer:", n)
		}
	})
}

func TestStates(t *testing.T) {
	for text, want := range map[string]string{
		"None": "None", "": "None", "locked": "Locked", "Locked, expired": "Locked,Expired", "Expired,Disabled,Locked": "Locked,Disabled,Expired",
	} {
		if s, err := user.ParseState("state", text); err != nil || s.String() != want {
			t.Errorf("%q: %v %v", text, s, err)
		}
	}
	if _, err := user.ParseState("state", "Frozen"); !errors.Is(err, fault.ErrInvalid) || fault.Of(err).Field != "state" {
		t.Error(err)
	}
	for _, x := range []struct {
		u    user.User
		want user.Status
	}{
		{user.User{}, user.Created}, {user.User{Invited: 1}, user.Invited}, {user.User{Invited: 1, Active: 2}, user.Active},
		{user.User{Active: 2, Suspended: true}, user.Suspended},
	} {
		if got := x.u.Status(); got != x.want {
			t.Error(got, x.want)
		}
	}
}

func TestProgress(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		u := w.add("anna", func(n *user.New) { n.ForceChange = true })
		w.write(nil, func(ctx context.Context, c *call.Call) error { return w.users.Invited(ctx, c, u.ID) })
		if got := w.get(u.ID).Status(); got != user.Invited {
			t.Error(got)
		}
		w.write(nil, func(ctx context.Context, c *call.Call) error { return w.users.PasswordSet(ctx, c, u.ID, false) })
		w.write(nil, func(ctx context.Context, c *call.Call) error { return w.users.Activate(ctx, c, w.at(ctx, c, u.ID)) })
		got := w.get(u.ID)
		if got.Status() != user.Active || got.ForceChange || got.PasswordChanged == 0 {
			t.Errorf("%+v", got)
		}
		first := got.Active
		w.now = w.now.Add(time.Hour)
		w.write(nil, func(ctx context.Context, c *call.Call) error { return w.users.Activate(ctx, c, got) })
		if w.get(u.ID).Active != first {
			t.Error("the first sign-in is the first only")
		}
		w.users.Saw(w.tenant, u.ID, w.now)
		w.users.Saw(w.tenant, u.ID, w.now.Add(time.Second))
		_ = w.users.Flush(t.Context())
		w.users.Saw(w.tenant, u.ID, w.now) // a late one, from another node
		_ = w.users.Flush(t.Context())
		w.read(func(ctx context.Context, c *call.Call) error {
			at, err := w.users.LastLogin(ctx, c, u.ID)
			if at != w.now.Add(time.Second).UnixMilli() {
				t.Error(at)
			}
			return err
		})
	})
}

func (w *world) at(ctx context.Context, c *call.Call, id string) user.User {
	u, err := w.users.ByID(ctx, c, id)
	expect(w.t, err, nil)
	return u
}

func TestExemptFromLocks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		u := w.add("svc", func(n *user.New) { n.Service = true })
		w.write(user.ErrExempt, func(ctx context.Context, c *call.Call) error { return w.users.SetCloudLock(ctx, c, u.ID, true) })
	})
}

func TestARenamedSuffixTakesItsUsersAlong(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		u, to := w.add("Anna"), "new"+w.tenant+".test"
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			return w.all.RenameSuffix(ctx, c, w.suffix, tenant.Suffix{Name: to, Cds: true})
		})
		if got := w.get(u.ID); got.Name != "Anna@"+to || got.SuffixKey != strings.ToLower(to) {
			t.Errorf("%+v", got)
		}
		w.write(user.ErrSuffix, func(ctx context.Context, c *call.Call) error {
			_, err := w.users.Create(ctx, c, user.New{Name: "bert@" + w.suffix})
			return err
		})
		w.write(tenant.ErrSuffixUsed, func(ctx context.Context, c *call.Call) error { return w.all.DeleteSuffix(ctx, c, to) })
	})
}

func TestPhone(t *testing.T) {
	for _, x := range []struct{ in, region, want string }{
		{"987-654-3210", "us", "+19876543210"}, {"+1-987-654-3210", "DE", "+19876543210"}, {"030 901820", "DE", "+4930901820"}, {"12", "US", ""},
	} {
		if got, ok := user.Phone(x.in, x.region); got != x.want || ok != (x.want != "") {
			t.Errorf("%s: %s", x.in, got)
		}
	}
}

func FuzzCheckName(f *testing.F) {
	for _, s := range []string{"anna@acme", "a.b+c-d_e@x.y", "@", "a@", "@b", "a@b@c", "ä@ö", "a\x00@b", "admin@abc1234"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if user.CheckName("Name", s) != nil {
			return
		}
		local, suffix, ok := user.SplitName(s)
		if !ok || local == "" || suffix == "" || strings.ContainsAny(s, " \t\r\n\x00<>\"'\\/:;") || strings.Count(s, "@") != 1 {
			t.Errorf("%q is accepted", s)
		}
	})
}

// BenchmarkCreate measures one INSERT per user, eight callers at once, as a load of new users gives.
func BenchmarkCreate(b *testing.B) {
	w := build(b, dbxtest.Fresh(b, dbx.SQLite))
	var n sync.Mutex
	i := 0
	b.SetParallelism(64)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			n.Lock()
			i++
			name := fmt.Sprintf("user%d@%s", i, w.suffix)
			n.Unlock()
			err := w.db.Write(b.Context(), func(tx *dbx.Tx) error {
				_, err := w.users.Create(b.Context(), w.call(tx), user.New{Name: name, Mail: "m@example.com", Everybody: true})
				return err
			})
			if err != nil {
				b.Error(err)
				return
			}
		}
	})
}
