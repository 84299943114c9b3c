package detail_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/detail"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

// world is a tenant with people who have details, and one beside it.
type world struct {
	t  *testing.T
	db *dbx.DB
}

func (w world) as(tenant, client string, f func(ctx context.Context, c *call.Call) error) error {
	return w.db.Write(w.t.Context(), func(tx *dbx.Tx) error {
		c := &call.Call{Tenant: call.Tenant{ID: tenant}, Now: time.Now(), Tx: tx, Caller: &call.Caller{User: client}, Event: &call.Event{}}
		return f(w.t.Context(), c)
	})
}

func (w world) of(tenant, user string) (out []detail.Item) {
	w.t.Helper()
	if err := w.as(tenant, "c", func(ctx context.Context, c *call.Call) error {
		all, err := detail.Of(ctx, c, user)
		out = all[user]
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return out
}

func each(t *testing.T, f func(t *testing.T, w world, tenant string)) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) { f(t, world{t, db}, rand.Text()) })
}

func TestSet(t *testing.T) {
	each(t, func(t *testing.T, w world, tenant string) {
		long, other := strings.Repeat("x", detail.MaxText+1), rand.Text()
		for _, x := range []struct {
			what  string
			now   []detail.Item
			want  error
			holds bool // it is as before
		}{
			{"some", []detail.Item{{Kind: detail.Given, Value: "Ada"}, {Kind: detail.IM, Value: "a", Type: "xmpp"}, {Kind: detail.IM, Value: "b", Main: true}}, nil, false},
			{"the same", []detail.Item{{Kind: detail.Given, Value: "Ada"}, {Kind: detail.IM, Value: "a", Type: "xmpp"}, {Kind: detail.IM, Value: "b", Main: true}}, nil, true},
			{"too long", []detail.Item{{Kind: detail.Title, Value: long}}, detail.ErrLong, true},
			{"long where it may be", []detail.Item{{Kind: detail.Photo, Value: long}}, nil, false},
			{"not text", []detail.Item{{Kind: detail.Title, Value: "\xff"}}, detail.ErrText, true},
			{"a zero", []detail.Item{{Kind: detail.Title, Value: "a\x00"}}, detail.ErrText, true},
			{"too many", slices.Repeat([]detail.Item{{Kind: detail.IM, Value: "a"}}, 101), detail.ErrMany, true},
			{"too much", slices.Repeat([]detail.Item{{Kind: detail.Photo, Value: strings.Repeat("x", detail.MaxLong)}}, 9), detail.ErrLong, true},
			{"fewer", []detail.Item{{Kind: detail.IM, Value: "b", Main: true}}, nil, false},
			{"none", nil, nil, false},
		} {
			was := w.of(tenant, "u")
			changed := false
			err := w.as(tenant, "c", func(ctx context.Context, c *call.Call) (err error) {
				changed, err = detail.Set(ctx, c, "u", was, x.now)
				return err
			})
			if !errors.Is(err, x.want) || err == nil && changed == x.holds {
				t.Errorf("%s: changed %v, %v", x.what, changed, err)
			}
			if now := w.of(tenant, "u"); x.holds && !slices.Equal(now, was) || !x.holds && !detail.Same(now, x.now) {
				t.Errorf("%s: %v", x.what, now)
			}
		}
		if got := w.of(other, "u"); got != nil {
			t.Error("another tenant's:", got)
		}
	})
}

// A page of people has as many as its client wants.
func TestOfMany(t *testing.T) {
	each(t, func(t *testing.T, w world, tenant string) {
		ids := make([]string, 700)
		for i := range ids {
			ids[i] = fmt.Sprint("p", i)
		}
		err := w.as(tenant, "", func(ctx context.Context, c *call.Call) error {
			for _, id := range []string{ids[0], ids[99], ids[699]} {
				if _, err := detail.Set(ctx, c, id, nil, []detail.Item{{Kind: detail.Given, Value: id}, {Kind: detail.Title, Value: "T"}}); err != nil {
					return err
				}
			}
			all, err := detail.Of(ctx, c, ids...)
			if len(all) != 3 || len(all["p699"]) != 2 || all["p99"][0].Value != "p99" {
				t.Errorf("%v", all)
			}
			n := 0
			return errors.Join(err, detail.Each(ctx, c, ids, []detail.Kind{detail.Given, detail.Family}, func(string, detail.Kind, string) {
				if n++; n > 3 {
					t.Error("too many")
				}
			}))
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestSort(t *testing.T) {
	each(t, func(t *testing.T, w world, tenant string) {
		if err := w.as(tenant, "c", func(ctx context.Context, c *call.Call) (err error) {
			for i, title := range []string{"b", "A", "", "c", "B", "a"} {
				items := []detail.Item{{Kind: detail.Nick, Value: "x"}}
				if title != "" {
					items = append(items, detail.Item{Kind: detail.Title, Value: title})
				}
				if _, e := detail.Set(ctx, c, "u"+strconv.Itoa(i), nil, items); e != nil {
					err = e
				}
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		for _, desc := range []bool{false, true} {
			want := []string{"u1", "u5", "u0", "u4", "u3"}
			if desc {
				slices.Reverse(want)
			}
			s := detail.Sort{Kind: detail.Title, Desc: desc}
			if err := w.as(tenant, "c", func(ctx context.Context, c *call.Call) error {
				if n, err := s.Count(ctx, c); err != nil || n != 5 {
					t.Error(n, err)
				}
				var byOffset, byPlace []string
				var at *detail.Place
				for i := range int64(7) {
					page, err := s.Page(ctx, c, nil, i, 1)
					if err != nil {
						return err
					}
					for _, p := range page {
						byOffset = append(byOffset, p.User)
					}
					if page, err = s.Page(ctx, c, at, 0, 2); err != nil {
						return err
					}
					for _, p := range page {
						byPlace, at = append(byPlace, p.User), &p
					}
				}
				if !slices.Equal(byOffset, want) || !slices.Equal(byPlace, want) {
					t.Error(desc, byOffset, byPlace)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestKnown wants each client to know objects by ids of its own.
func TestKnown(t *testing.T) {
	each(t, func(t *testing.T, w world, tenant string) {
		know := func(client, was, is string) error {
			return w.as(tenant, client, func(ctx context.Context, c *call.Call) error {
				_, err := detail.Know(ctx, c, "User", "u", was, is)
				return err
			})
		}
		known := func(client, kind string) (id string) {
			if err := w.as(tenant, client, func(ctx context.Context, c *call.Call) error {
				all, err := detail.Known(ctx, c, kind, "u", "v")
				id = all["u"]
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return id
		}
		if err := errors.Join(know("hr", "", "7"), know("it", "", "x")); err != nil {
			t.Fatal(err)
		}
		if known("hr", "User") != "7" || known("it", "User") != "x" || known("other", "User") != "" || known("hr", "Group") != "" {
			t.Error(known("hr", "User"), known("it", "User"), known("other", "User"), known("hr", "Group"))
		}
		if err := know("hr", "7", strings.Repeat("x", detail.MaxText+1)); !errors.Is(err, detail.ErrLong) {
			t.Error(err)
		}
		if err := know("hr", "7", ""); err != nil || known("hr", "User") != "" || known("it", "User") != "x" {
			t.Error(err, known("hr", "User"), known("it", "User"))
		}
		if err := w.as(tenant, "c", func(ctx context.Context, c *call.Call) error { return detail.Drop(ctx, c, "u") }); err != nil || known("it", "User") != "" {
			t.Error(err, known("it", "User"))
		}
	})
}
