// Package factortest is the suite that every mechanism of sign-in passes, and the small world that its tests live in.
package factortest

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/key"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

// World is a store with keys and a clock that stands still.
type World struct {
	T      *testing.T
	DB     *dbx.DB
	Ring   *crypt.Ring
	Hasher *crypt.Hasher
	Tenant string
	Now    time.Time
}

var tenants atomic.Int64

// Each runs f in a world per engine.
func Each(t *testing.T, f func(t *testing.T, w *World)) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) { f(t, New(t, db)) })
}

// New makes a world on a store.
func New(t *testing.T, db *dbx.DB) *World {
	t.Helper()
	keys := key.Keys{DB: db}
	master, err := crypt.NewMaster(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	w := &World{
		T: t, DB: db, Tenant: fmt.Sprintf("FAC%04d", tenants.Add(1)), Now: time.Now(),
		Ring:   &crypt.Ring{Master: master, Load: keys.Seals, Store: keys.AddSeal, Now: time.Now},
		Hasher: &crypt.Hasher{Memory: 64, Random: rand.Reader},
	}
	w.ensure(w.Tenant)
	return w
}

func (w *World) ensure(tenant string) {
	w.T.Helper()
	if err := w.Ring.Ensure(w.T.Context(), tenant, factor.Purposes...); err != nil {
		w.T.Fatal(err)
	}
}

// Call makes a call of the world's tenant at its time.
func (w *World) Call() *call.Call {
	c := &call.Call{Tenant: call.Tenant{ID: w.Tenant, Host: "id.acme.test"}, Now: w.Now, Rand: rand.Reader}
	c.Snapshot = func(ctx context.Context, f func() error) error {
		return w.DB.Read(ctx, func(tx *dbx.Tx) error {
			c.Tx = tx
			defer func() { c.Tx = nil }()
			return f()
		})
	}
	return c
}

// Write runs f in a transaction that must succeed.
func (w *World) Write(f func(ctx context.Context, c *call.Call) error) {
	w.T.Helper()
	c := w.Call()
	err := w.DB.Write(w.T.Context(), func(tx *dbx.Tx) error {
		c.Tx = tx
		defer func() { c.Tx = nil }()
		return f(w.T.Context(), c)
	})
	if err != nil {
		w.T.Fatal(err)
	}
}
