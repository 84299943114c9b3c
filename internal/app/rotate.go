package app

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"limen/internal/call"
	"limen/internal/core/key"
	"limen/internal/core/oauth"
	"limen/internal/crypt"
	"limen/internal/dbx"
)

// mostTenants bounds the tenants whose keys are made in one round: an RSA key takes some hundred milliseconds.
const mostTenants = 50

// rotateKeys makes the next keys of tenants whose present ones have signed for as long as they may.
func (a *App) rotateKeys(ctx context.Context) error {
	ids, err := a.Index.All(ctx)
	if err != nil {
		return err
	}
	done := 0
	for _, id := range ids {
		made, failed := a.rotateTenant(ctx, id)
		err = errors.Join(err, failed)
		if made {
			done++
		}
		if done >= mostTenants || ctx.Err() != nil {
			break
		}
	}
	return err
}

func (a *App) rotateTenant(ctx context.Context, id string) (bool, error) {
	c := &call.Call{Tenant: call.Tenant{ID: id}, Now: time.Now(), Rand: rand.Reader}
	c.Snapshot = func(ctx context.Context, f func() error) error {
		return a.DB.Read(ctx, func(tx *dbx.Tx) error {
			c.Tx = tx
			defer func() { c.Tx = nil }()
			return f()
		})
	}
	var age time.Duration
	err := c.Snapshot(ctx, func() error {
		v, err := a.Values.Get(ctx, c)
		if err == nil {
			age = v.KeyRotation
		}
		return err
	})
	if err != nil {
		return false, err
	}
	keys, err := a.OAuth.DueKeys(ctx, c, age)
	if err != nil || len(keys) == 0 {
		return false, err
	}
	return true, a.DB.Write(ctx, func(tx *dbx.Tx) error {
		c.ID, c.Tx = c.NewID(), tx
		c.Event = &call.Event{ID: c.NewID(), Outcome: "success"}
		if err := a.OAuth.PutKeys(ctx, c, keys, false); err != nil {
			return err
		}
		return a.Audit.Record(ctx, c)
	})
}

// storeKeys stores signing keys in a call's transaction.
func (a *App) storeKeys(ctx context.Context, c *call.Call, keys ...crypt.SigningKey) error {
	if err := key.PutSigns(ctx, c.Tx, keys...); err != nil {
		return err
	}
	return a.Changes.Put(ctx, c, oauth.KeysTopic, c.Tenant.ID)
}
