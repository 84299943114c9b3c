package regain

import (
	"context"
	"errors"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/message"
	"limen/internal/core/user"
	"limen/internal/crypt"
	"limen/internal/dbx"
)

// Tick begins what was asked for in all tenants, and takes the steps that are due at a time.
func (r *Regains) Tick(ctx context.Context, db *dbx.DB, now time.Time) error {
	var starts []startRow
	var due []dueRow
	err := db.Read(ctx, func(tx *dbx.Tx) (err error) {
		if starts, err = startRows.All(ctx, tx, maxDue); err == nil {
			due, err = dueRows.All(ctx, tx, now.UnixMilli(), maxDue)
		}
		return err
	})
	for _, s := range starts {
		err = errors.Join(err, r.work(ctx, s.Tenant, now, func(ctx context.Context, c *call.Call) error { return r.start(ctx, c, s) }))
	}
	for _, d := range due {
		err = errors.Join(err, r.work(ctx, d.Tenant, now, func(ctx context.Context, c *call.Call) error { return r.step(ctx, c, d.ID) }))
	}
	return err
}

// work does something for a tenant. Its key is made before the transaction, which cannot wait for another one.
func (r *Regains) work(ctx context.Context, tenantID string, now time.Time, f func(ctx context.Context, c *call.Call) error) error {
	if err := r.Ring.Ensure(ctx, tenantID, purpose); err != nil {
		return err
	}
	return r.Write(ctx, tenantID, func(ctx context.Context, c *call.Call) error {
		c.Now = now
		return f(ctx, c)
	})
}

// step takes the next step of one that is due, or ends it where it may not go on.
func (r *Regains) step(ctx context.Context, c *call.Call, id string) error {
	one, err := lockID.One(ctx, c.Tx, c.Tenant.ID, id)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && (one.Ended != 0 || one.Due > c.Now.UnixMilli()) {
		return nil
	}
	if err != nil {
		return err
	}
	if one.State == Ready {
		return r.end(ctx, c, one, Expired, "expired")
	}
	u, err := r.People.ByID(ctx, c, one.User)
	if errors.Is(err, user.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if why, err := r.unfit(ctx, c, u, one); err != nil || why != "" {
		return errors.Join(err, r.endFor(ctx, c, why, one))
	}
	if one.Step < Steps {
		one.Step, one.Due = one.Step+1, c.Now.UnixMilli()+one.Pause
		if err := r.store(ctx, c, one); err != nil {
			return err
		}
		return r.notice(ctx, c, u, one)
	}
	return r.offer(ctx, c, u, one)
}

// endFor ends one for a reason; without one it does nothing.
func (r *Regains) endFor(ctx context.Context, c *call.Call, why string, one Regain) error {
	if why == "" {
		return nil
	}
	return r.end(ctx, c, one, Stopped, why)
}

// unfit says why one that was started may not go on: what was true at its start must be true until its end.
func (r *Regains) unfit(ctx context.Context, c *call.Call, u user.User, one Regain) (string, error) {
	if one.Approver != "" { // administrators answer for it
		return r.Barred(ctx, c, u)
	}
	t, err := r.Terms(ctx, c, u)
	switch {
	case err != nil || t.Refused != "":
		return t.Refused, err
	case u.Mail != one.Mail || u.Mobile != one.Mobile:
		return "moved", nil
	}
	return "", nil
}

func (r *Regains) store(ctx context.Context, c *call.Call, one Regain) error {
	_, err := stepRow.Do(ctx, c.Tx, one.State, one.Step, one.Due, one.Hash, one.Code, one.Tries, c.Tenant.ID, one.ID)
	return err
}

// offer sends the link and the code with which the person comes in.
func (r *Regains) offer(ctx context.Context, c *call.Call, u user.User, one Regain) error {
	token, hash := crypt.NewToken(c.Rand)
	one.State, one.Hash, one.Due, one.Tries = Ready, hash, c.Now.Add(linkLasts).UnixMilli(), 0
	code := ""
	if u.Mobile != "" {
		code = crypt.NewCode(c.Rand, digits)
		mac, err := r.Ring.MAC(ctx, c.Tenant.ID, purpose, codeText(one.ID, code))
		if err != nil {
			return err
		}
		one.Code = mac
	}
	if err := r.store(ctx, c, one); err != nil {
		return err
	}
	record(c, audit.RegainReady, u)
	data := message.Data{Link: r.Links.To(c, FinishPath, token), Lasts: linkLasts, At: c.Now}
	if err := r.Mail(ctx, c, u, u.Mail, message.RegainReady, data); err != nil || code == "" {
		return err
	}
	return r.Text(ctx, c, u, u.Mobile, message.RegainCode, message.Data{Code: code, Lasts: linkLasts, At: c.Now})
}

func codeText(id, code string) []byte { return []byte("regain code\x00" + id + "\x00" + code) }
