package sshkey_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/grant"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/sshkey"
	"limen/internal/core/tenant"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
	wire "limen/internal/wire/sshkey"
)

// world is a person of a tenant of their own.
type world struct {
	t      *testing.T
	db     *dbx.DB
	keys   *sshkey.Keys
	tenant string
	now    time.Time
	user   string
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		changes := &change.Log{DB: db}
		index := &tenant.Index{DB: db, Changes: changes}
		if err := errors.Join(index.Start(t.Context()), changes.Poll(t.Context())); err != nil {
			t.Fatal(err)
		}
		roles := &role.Roles{Changes: changes}
		people := &user.Directory{DB: db, Changes: changes, Tenants: index, Roles: roles}
		people.Gone = append(people.Gone, sshkey.Drop)
		w := &world{t: t, db: db, keys: &sshkey.Keys{People: people}, now: time.Now()}
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			made, err := (&tenant.Tenants{Index: index, Changes: changes, Roles: roles, Move: people.Move}).Create(ctx, c, tenant.New{Name: "Test"})
			w.tenant = made.ID
			return err
		})
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			u, err := people.Create(ctx, c, user.New{Name: "anna@" + w.tenant})
			w.user = u.ID
			return err
		})
		f(t, w)
	})
}

func (w *world) write(want error, f func(ctx context.Context, c *call.Call) error) {
	w.t.Helper()
	err := w.db.Write(w.t.Context(), func(tx *dbx.Tx) error {
		return f(w.t.Context(), &call.Call{
			Tenant: call.Tenant{ID: w.tenant}, Now: w.now, Rand: rand.Reader, Tx: tx, Event: &call.Event{},
			Caller: &call.Caller{User: "root", Means: call.ByShell, Held: right.Held{Tenant: right.Of(right.System)}},
		})
	})
	if !errors.Is(err, want) {
		w.t.Fatalf("got %v, want %v", err, want)
	}
}

func (w *world) add(want error, p wire.Public) {
	w.t.Helper()
	w.write(want, func(ctx context.Context, c *call.Call) error { _, err := w.keys.Add(ctx, c, w.user, p); return err })
}

// has wants the person to have a number of keys.
func (w *world) has(n int) (out []sshkey.Key) {
	w.t.Helper()
	w.write(nil, func(ctx context.Context, c *call.Call) (err error) { out, err = sshkey.Of(ctx, c, w.user); return err })
	if len(out) != n {
		w.t.Fatalf("%d keys, want %d", len(out), n)
	}
	return out
}

func fresh(t *testing.T) wire.Public {
	t.Helper()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	k, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	p, err := sshkey.Parse("key", k.Type()+" "+base64.StdEncoding.EncodeToString(k.Marshal()))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A person has so many keys at most, each once.
func TestAdd(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first := fresh(t)
		w.add(nil, first)
		w.add(sshkey.ErrHas, first)
		for range sshkey.MaxKeys - 1 {
			w.add(nil, fresh(t))
		}
		w.add(sshkey.ErrMany, fresh(t))
		w.has(sshkey.MaxKeys)
		remove := func(ctx context.Context, c *call.Call) error { return w.keys.Remove(ctx, c, w.user, first.ID()) }
		w.write(nil, remove)
		w.write(sshkey.ErrNone, remove)
		w.add(nil, fresh(t))
	})
}

// Whoever is removed leaves no keys.
func TestDrop(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add(nil, fresh(t))
		w.write(nil, func(ctx context.Context, c *call.Call) error { return w.keys.People.Delete(ctx, c, w.user) })
		w.has(0)
	})
}

// A key that was made lasts for as long as the setting says and takes the place of the one before; what somebody entered stays.
func TestLend(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		life := time.Hour
		w.keys.Life = func(context.Context, *call.Call) (time.Duration, error) { return life, nil }
		lend := func(want error) {
			t.Helper()
			w.write(want, func(ctx context.Context, c *call.Call) error {
				u, err := w.keys.People.ByID(ctx, c, w.user)
				if err != nil {
					return err
				}
				_, err = w.keys.Lend(ctx, c, u, sshkey.Made{Public: fresh(t)})
				return err
			})
		}
		w.add(nil, fresh(t))
		lend(nil)
		lend(nil)
		if k := w.has(2); max(k[0].Expires, k[1].Expires) != w.now.Add(life).UnixMilli() || min(k[0].Expires, k[1].Expires) != 0 {
			t.Error(k)
		}
		w.now = w.now.Add(life)
		w.has(1)
		lend(nil)
		w.write(nil, func(ctx context.Context, c *call.Call) error { return sshkey.Recall(ctx, c, w.user) })
		w.has(1)
		lend(nil)
		if err := sshkey.Sweep(t.Context(), w.db, w.now.Add(life/2)); err != nil {
			t.Fatal(err)
		}
		w.has(2)
		if err := sshkey.Sweep(t.Context(), w.db, w.now.Add(2*life)); err != nil {
			t.Fatal(err)
		}
		w.has(1)
		life = 0
		lend(sshkey.ErrOff)
		w.write(sshkey.ErrOff, func(ctx context.Context, c *call.Call) error { _, err := w.keys.Make(ctx, c, "", ""); return err })
	})
}

// Whoever ends all keys that were made ends those of the people whom they administer.
func TestRecallAll(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.keys.Life = func(context.Context, *call.Call) (time.Duration, error) { return time.Hour, nil }
		w.add(nil, fresh(t))
		for _, x := range []struct {
			g grant.Grant
			n int64
		}{{grant.Rows("somebody"), 0}, {grant.Rows(w.user), 1}, {grant.All(), 1}} {
			w.write(nil, func(ctx context.Context, c *call.Call) error {
				u, err := w.keys.People.ByID(ctx, c, w.user)
				if err == nil {
					_, err = w.keys.Lend(ctx, c, u, sshkey.Made{Public: fresh(t)})
				}
				return err
			})
			w.write(nil, func(ctx context.Context, c *call.Call) error {
				n, err := sshkey.RecallAll(ctx, c, x.g)
				if n != x.n {
					t.Errorf("%d keys, want %d", n, x.n)
				}
				return err
			})
			w.has(2 - int(x.n))
		}
	})
}
