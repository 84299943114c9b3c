package widget_test

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"limen/internal/call"
	"limen/internal/core/widget"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
	"limen/internal/fault"
)

// Widgets are made, changed, listed and removed; names are theirs alone whatever the case, and no tenant has another's.
func TestWidgets(t *testing.T) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		tenant, other := uuid.NewString(), uuid.NewString()
		var w widget.Widgets
		do := func(tenant string, f func(ctx context.Context, c *call.Call) error) error {
			return db.Write(t.Context(), func(tx *dbx.Tx) error {
				return f(t.Context(), &call.Call{Tenant: call.Tenant{ID: tenant}, Tx: tx, Now: time.UnixMilli(1), Rand: rand.Reader, Event: &call.Event{}})
			})
		}
		save := func(tenant string, in widget.Widget) (out widget.Widget, err error) {
			err = do(tenant, func(ctx context.Context, c *call.Call) (err error) {
				out, err = w.Save(ctx, c, in)
				return err
			})
			return out, err
		}
		shop, err := save(tenant, widget.Widget{Name: " Shop ", App: "a1", Active: true})
		if err != nil || shop.Name != "Shop" || shop.ID == "" {
			t.Fatalf("%+v %v", shop, err)
		}
		desk, err := save(tenant, widget.Widget{Name: "Desk"})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range []struct {
			tenant string
			in     widget.Widget
			want   error
		}{
			{tenant, widget.Widget{Name: "SHOP"}, widget.ErrTaken},
			{tenant, widget.Widget{ID: desk.ID, Name: "shop"}, widget.ErrTaken},
			{tenant, widget.Widget{Name: "  "}, fault.ErrInvalid},
			{tenant, widget.Widget{Name: strings.Repeat("x", 201)}, fault.ErrInvalid},
			{tenant, widget.Widget{ID: uuid.NewString(), Name: "None"}, widget.ErrNotFound},
			{other, widget.Widget{ID: shop.ID, Name: "Stolen"}, widget.ErrNotFound},
			{other, widget.Widget{Name: "Shop"}, nil},
			{tenant, widget.Widget{ID: strings.ToUpper(shop.ID), Name: "SHOP", App: "a2", Active: true}, nil},
		} {
			if _, err := save(x.tenant, x.in); !errors.Is(err, x.want) {
				t.Errorf("%+v: %v, want %v", x.in, err, x.want)
			}
		}
		err = do(tenant, func(ctx context.Context, c *call.Call) error {
			all, err := w.List(ctx, c)
			if err != nil || len(all) != 2 || all[0] != desk || all[1] != (widget.Widget{ID: shop.ID, Name: "SHOP", App: "a2", Active: true}) {
				t.Errorf("%+v %v", all, err)
			}
			if one, err := w.Open(ctx, c, shop.ID); err != nil || one != all[1] {
				t.Errorf("%+v %v", one, err)
			}
			if _, err := w.Open(ctx, c, desk.ID); !errors.Is(err, widget.ErrOff) {
				t.Error("one that is off is opened:", err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		drop := func(tenant, id string) error {
			return do(tenant, func(ctx context.Context, c *call.Call) error { return w.Delete(ctx, c, id) })
		}
		if err := drop(other, shop.ID); !errors.Is(err, widget.ErrNotFound) {
			t.Error("another tenant's is removed:", err)
		}
		if err := errors.Join(drop(tenant, shop.ID)); err != nil {
			t.Error(err)
		}
		if err := drop(tenant, shop.ID); !errors.Is(err, widget.ErrNotFound) {
			t.Error(err)
		}
	})
}
