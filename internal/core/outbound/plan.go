package outbound

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/user"
	"limen/internal/dbx"
)

const (
	planLease = "outbound"
	planTime  = 30 * time.Second
	planPage  = 50              // people of one transaction
	debounce  = 2 * time.Second // of groups, which many people join at once
	retention = 30 * 24 * time.Hour
)

// How long nobody looks for work that no node told of, or whose time has come: where there are targets, and where there are none.
const (
	look = time.Second
	rest = 5 * time.Second
)

type passRow struct {
	Tenant string `db:"tenant"`
	App    string `db:"app"`
}

type accountRef struct {
	ID     string `db:"id"`
	Object string `db:"object"`
}

var (
	// touch has an account looked at, unless it is there no more. Whoever is at it does so again.
	touch = dbx.E("outbound.touch", `UPDATE outbound_account SET token = ?, due = ? WHERE tenant = ? AND app = ? AND kind = ? AND object = ?`)
	add   = dbx.E("outbound.add", `INSERT INTO outbound_account (tenant, id, app, kind, object, name, org, remote, etag, sent, there, version, state, class, error, tries, tried,
		acked, token, due, holder, held, created, changed) VALUES (?, ?, ?, ?, ?, ?, ?, '', '', '', '', 0, 'waiting', '', '', 0, 0, 0, ?, ?, '', 0, ?, ?)
		ON CONFLICT (tenant, app, kind, object) DO UPDATE SET token = excluded.token, due = excluded.due, name = excluded.name, org = excluded.org`)
	accountsAt = dbx.Q[accountRef]("outbound.accounts_at", `SELECT id, object FROM outbound_account WHERE tenant = ? AND app = ? AND id > ? ORDER BY id LIMIT ?`)
	touchID    = dbx.E("outbound.touch_id", `UPDATE outbound_account SET token = ?, due = ? WHERE tenant = ? AND id = ?`)
	peopleAt   = dbx.Q[string]("outbound.people_at", `SELECT id FROM users WHERE tenant = ? AND id > ? ORDER BY id LIMIT ?`)

	passes = dbx.Q[passRow]("outbound.passes", `SELECT tenant, app FROM outbound_target WHERE wanted <> done OR due > 0 AND due <= ?`)
	// What begins a look says of when it is: what changes while it is under way has another one follow.
	begun   = dbx.E("outbound.begun", `UPDATE outbound_target SET pass = ?, digest = ?, due = ?, wanted = ? WHERE tenant = ? AND app = ?`)
	further = dbx.E("outbound.further", `UPDATE outbound_target SET at = ? WHERE tenant = ? AND app = ?`)
	passed  = dbx.E("outbound.passed", `UPDATE outbound_target SET done = pass, pass = 0, at = '' WHERE tenant = ? AND app = ?`)
	wantAll = dbx.E("outbound.want_all", `UPDATE outbound_target SET wanted = wanted + 1 WHERE (tenant, app) IN
		(SELECT tenant, app FROM outbound_target WHERE wanted = done LIMIT ?)`)
	oldRemoved = dbx.S("outbound.old_removed", "outbound_account", "tenant, id", "there = 'removed' AND due = 0 AND changed < ?")
)

func (o *Outbound) prepare() {
	o.once.Do(func() {
		o.marks, o.due, o.busy = make(chan struct{}, 1), make(chan struct{}, 1), map[[2]string]bool{}
		o.tokens = map[[3]string]token{}
		o.holder = o.Node + "/" + call.NewID(time.Now(), rand.Reader)
	})
}

// Run provisions until ctx ends. Accounts that this node is at are waited for, and end early.
func (o *Outbound) Run(ctx context.Context) error {
	o.prepare()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = o.Leases.Hold(ctx, planLease, planTime, o.plan) // plan gives no error
	}()
	o.work(ctx)
	<-done
	return nil
}

func (o *Outbound) pace() time.Duration {
	if o.some.Load() {
		return look
	}
	return rest
}

// plan finds the accounts that changes concern.
func (o *Outbound) plan(ctx context.Context) error {
	failing := false
	for ctx.Err() == nil {
		more, err := o.planned(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			o.log().Warn("changes of people cannot be planned to be provisioned", slog.String("error", err.Error()))
		}
		failing = err != nil
		if !more || failing {
			sleep(ctx, o.marks, o.pace())
		}
	}
	return nil
}

func sleep(ctx context.Context, bell chan struct{}, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-bell:
	case <-t.C:
	}
}

// planned does one batch of marks, and one of each pass.
func (o *Outbound) planned(ctx context.Context) (more bool, err error) {
	var rows []markRow
	var ps []passRow
	err = o.DB.Read(ctx, func(tx *dbx.Tx) (err error) {
		if rows, err = marked.All(ctx, tx, o.now().UnixMilli(), planPage); err != nil {
			return err
		}
		ps, err = passes.All(ctx, tx, o.now().UnixMilli())
		return err
	})
	if err != nil {
		return false, err
	}
	of := map[string][]markRow{}
	for _, r := range rows {
		of[r.Tenant] = append(of[r.Tenant], r)
	}
	for tenant, rows := range of {
		if err := o.quietly(ctx, tenant, func(ctx context.Context, c *call.Call) error { return o.found(ctx, c, rows) }); err != nil {
			return false, err
		}
	}
	for _, p := range ps {
		if err := o.quietly(ctx, p.Tenant, func(ctx context.Context, c *call.Call) error { return o.pass(ctx, c, p.App) }); err != nil {
			return false, err
		}
	}
	if len(rows)+len(ps) > 0 {
		poke(o.due)
	}
	return len(rows) == planPage || len(ps) > 0, nil
}

// quietly runs f in a transaction of a tenant that leaves no events.
func (o *Outbound) quietly(ctx context.Context, tenant string, f func(ctx context.Context, c *call.Call) error) error {
	return o.DB.Write(ctx, func(tx *dbx.Tx) error {
		c := o.Call(tenant)
		c.Tx, c.Now = tx, o.now()
		return f(ctx, c)
	})
}

// found has the accounts of people looked at who are marked.
func (o *Outbound) found(ctx context.Context, c *call.Call, rows []markRow) error {
	ts, err := all(ctx, c)
	if err != nil {
		return err
	}
	as := make([]audience, len(ts))
	for i := range ts {
		if as[i], err = o.audience(ctx, c, ts[i].App); err != nil {
			return err
		}
	}
	for _, r := range rows {
		if r.User == everybody {
			err = o.foundAll(ctx, c, ts, as, r.What)
		} else {
			err = o.foundOne(ctx, c, ts, as, r.User)
		}
		if err == nil {
			_, err = forget.Do(ctx, c.Tx, c.Tenant.ID, r.User, r.Token)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// foundAll wishes for looks at everybody, where something has changed for many.
func (o *Outbound) foundAll(ctx context.Context, c *call.Call, ts []Target, as []audience, what string) error {
	for i := range ts {
		if what == entries && ts[i].digest == as[i].digest {
			continue
		}
		if _, err := want.Do(ctx, c.Tx, c.Tenant.ID, ts[i].App); err != nil {
			return err
		}
	}
	return nil
}

func (o *Outbound) foundOne(ctx context.Context, c *call.Call, ts []Target, as []audience, userID string) error {
	p, err := o.look(ctx, c, userID)
	if err != nil {
		return err
	}
	for i := range ts {
		if err := o.touched(ctx, c, &ts[i], &as[i], &p, userID); err != nil {
			return err
		}
	}
	return o.later(ctx, c, &p)
}

// later has somebody looked at when they become others by themselves.
func (o *Outbound) later(ctx context.Context, c *call.Call, p *who) error {
	if p.until == 0 {
		return nil
	}
	_, err := await.Do(ctx, c.Tx, c.Tenant.ID, p.ID, c.NewID(), p.until)
	return err
}

// touched has the account of somebody at a target looked at. Who is to be there gets one.
func (o *Outbound) touched(ctx context.Context, c *call.Call, t *Target, a *audience, p *who, userID string) error {
	w, err := t.decide(ctx, c, a, p)
	if err != nil {
		return err
	}
	now := c.Now.UnixMilli()
	if w == wantActive {
		_, err = add.Do(ctx, c.Tx, c.Tenant.ID, c.NewID(), t.App, KindUser, p.ID, p.Name, p.Org, c.NewID(), now, now, now)
	} else {
		_, err = touch.Do(ctx, c.Tx, c.NewID(), now, c.Tenant.ID, t.App, KindUser, userID)
	}
	return err
}

// pass does a batch of a look at everybody: first those who have accounts, then those who may be to get one, then groups.
func (o *Outbound) pass(ctx context.Context, c *call.Call, appID string) error {
	r, err := lockTarget.One(ctx, c.Tx, c.Tenant.ID, appID)
	if errors.Is(err, dbx.ErrNoRow) {
		return nil
	}
	if err != nil {
		return err
	}
	t, err := r.target()
	if err != nil {
		return err
	}
	a, err := o.audience(ctx, c, appID)
	if err != nil {
		return err
	}
	if t.pass == 0 {
		if t.wanted == t.done { // by the clock
			t.wanted++
		}
		if _, err := begun.Do(ctx, c.Tx, t.wanted, a.digest, a.next, t.wanted, c.Tenant.ID, appID); err != nil {
			return err
		}
	}
	at, err := o.batch(ctx, c, &t, &a)
	if err != nil {
		return err
	}
	if _, err := further.Do(ctx, c.Tx, at, c.Tenant.ID, appID); err != nil || at != "" {
		return err
	}
	_, err = passed.Do(ctx, c.Tx, c.Tenant.ID, appID)
	return err
}

// Parts of a look at everybody: where it is begins with one of them.
const (
	atAccounts = "accounts/"
	atPeople   = "people/"
)

// batch does one, and says where the next begins; empty: nowhere.
func (o *Outbound) batch(ctx context.Context, c *call.Call, t *Target, a *audience) (at string, err error) {
	if after, ok := strings.CutPrefix(t.at, atPeople); ok {
		ids, err := peopleAt.All(ctx, c.Tx, c.Tenant.ID, after, planPage*4)
		if err != nil {
			return "", err
		}
		if len(ids) == 0 {
			return "", o.groups(ctx, c, t)
		}
		return atPeople + ids[len(ids)-1], o.assigned(ctx, c, t, a, ids)
	}
	rows, err := accountsAt.All(ctx, c.Tx, c.Tenant.ID, t.App, strings.TrimPrefix(t.at, atAccounts), planPage*4)
	if err != nil {
		return "", err
	}
	for _, r := range rows {
		if _, err := touchID.Do(ctx, c.Tx, c.NewID(), c.Now.UnixMilli(), c.Tenant.ID, r.ID); err != nil {
			return "", err
		}
	}
	if len(rows) == 0 {
		return atPeople, nil
	}
	return atAccounts + rows[len(rows)-1].ID, nil
}

// assigned gives accounts to those of some people who are to have one.
func (o *Outbound) assigned(ctx context.Context, c *call.Call, t *Target, a *audience, ids []string) error {
	us, err := user.ByIDs(ctx, c, ids...)
	for i := 0; err == nil && i < len(us); i++ {
		var p who
		if p, err = o.joined(ctx, c, us[i]); err != nil {
			return err
		}
		var w wanted
		if w, err = t.decide(ctx, c, a, &p); err != nil {
			return err
		}
		if w == wantActive {
			now := c.Now.UnixMilli()
			_, err = add.Do(ctx, c.Tx, c.Tenant.ID, c.NewID(), t.App, KindUser, p.ID, p.Name, p.Org, c.NewID(), now, now, now)
		}
		if err == nil {
			err = o.later(ctx, c, &p)
		}
	}
	return err
}

// groups has an account for each role that is to be a group.
func (o *Outbound) groups(ctx context.Context, c *call.Call, t *Target) error {
	now := c.Now.UnixMilli()
	for _, g := range t.Settings.Groups {
		if _, err := add.Do(ctx, c.Tx, c.Tenant.ID, c.NewID(), t.App, KindGroup, g.Role, g.Name, "", c.NewID(), now, now, now); err != nil {
			return err
		}
	}
	return nil
}

// Tick has everybody looked at again, once a day, and forgets the receipts of accounts that were removed long ago, and what
// old runs found. Nothing should
// be found; that nothing is lost does not depend on it.
func (o *Outbound) Tick(ctx context.Context) error {
	now := o.now()
	for _, s := range []dbx.Sweep{oldRemoved, oldFindings} {
		if err := s.Run(ctx, o.DB, now.Add(-retention).UnixMilli()); err != nil {
			return err
		}
	}
	return o.DB.Batches(ctx, func(tx *dbx.Tx, most int) (int64, error) {
		return wantAll.Do(ctx, tx, most)
	})
}
