package app

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/job"
	"limen/internal/core/number"
	"limen/internal/core/oauth"
	"limen/internal/core/outbox"
	"limen/internal/core/provision"
	"limen/internal/core/safe"
	"limen/internal/core/sshkey"
	"limen/internal/core/vault"
	"limen/internal/dbx"
)

// Retention of what grows.
const (
	keepEvents   = 400 * 24 * time.Hour
	keepSessions = 30 * 24 * time.Hour // after their end
)

// wireSweeps says what one node at a time tidies.
func (a *App) wireSweeps() {
	a.Outbox.Died = a.deliveryDied
	for _, s := range append(slices.Concat(a.loginSweeps(), a.listSweeps(), a.oauthSweeps(), a.domainSweeps()), []job.Sweep{
		{Name: "outbox", Every: 10 * time.Minute, Run: a.Outbox.Tidy},
		{Name: "sessions", Every: 10 * time.Minute, Run: func(ctx context.Context) error {
			return a.Sessions.Sweep(ctx, time.Now().Add(-keepSessions))
		}},
		{Name: "memberships", Every: time.Hour, Run: func(ctx context.Context) error {
			return errors.Join(a.Roles.Sweep(ctx, a.DB, time.Now()), a.Orgs.Sweep(ctx, a.DB, time.Now()))
		}},
		{Name: "provisioning tokens", Every: time.Hour, Run: func(ctx context.Context) error {
			return provision.SweepTokens(ctx, a.DB, time.Now().Add(-keepSessions))
		}},
		{Name: "members of safes", Every: time.Hour, Run: func(ctx context.Context) error {
			return safe.Sweep(ctx, a.DB, time.Now())
		}},
		{Name: "vault sessions", Every: time.Hour, Run: func(ctx context.Context) error {
			return vault.Sweep(ctx, a.DB, time.Now().Add(-keepSessions))
		}},
		{Name: "use of RADIUS clients", Every: time.Hour, Run: func(ctx context.Context) error { return a.Radius.SweepUse(ctx, time.Now()) }},
		{Name: "ssh keys", Every: time.Hour, Run: func(ctx context.Context) error { return sshkey.Sweep(ctx, a.DB, time.Now()) }},
		{Name: "member counts", Every: 24 * time.Hour, Run: a.mendCounts},
		{Name: "numbers", Every: 24 * time.Hour, Run: a.mendNumbers},
		{Name: "statistics", Every: 6 * time.Hour, Run: a.DB.Optimize},
		{Name: "events", Every: time.Hour, Run: a.pruneEvents},
	}...) {
		a.Jobs.Sweep(s)
	}
}

// mendCounts corrects the counts of roles whose members a node of an older version changed.
func (a *App) mendCounts(ctx context.Context) error {
	n, err := a.Roles.Mend(ctx, a.DB)
	if n > 0 {
		a.Log.Warn("the counts of some roles' members were wrong and are corrected", "roles", n)
	}
	return err
}

// mendNumbers numbers whom and what a node of an older version has made.
func (a *App) mendNumbers(ctx context.Context) error {
	n, err := number.Mend(ctx, a.DB)
	if n > 0 {
		a.Log.Warn("what a node of an older version had made has numbers now", "numbers", n)
	}
	return err
}

// deliveryDied notes in the audit trail that a message was given up.
func (a *App) deliveryDied(ctx context.Context, tx *dbx.Tx, d outbox.Delivery, reason string) error {
	c := &call.Call{Now: time.Now(), Rand: rand.Reader, Tenant: call.Tenant{ID: d.Tenant}, Tx: tx}
	c.ID = c.NewID()
	c.Event = &call.Event{ID: c.NewID(), Type: audit.DeliveryFail, Outcome: "failed", Target: d.ID, Kind: "Delivery", Name: d.Topic}
	c.Event.Set("Exception", reason)
	if d.Topic == oauth.TopicLogout {
		if err := a.OAuth.GaveUp(ctx, tx, d); err != nil {
			return err
		}
	}
	return a.Audit.Record(ctx, c)
}

func (a *App) pruneEvents(ctx context.Context) error {
	ids, err := a.Index.All(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if _, err := a.Audit.Prune(ctx, id, time.Now().Add(-keepEvents)); err != nil {
			return err
		}
	}
	return nil
}
