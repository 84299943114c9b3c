package regain

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/user"
	"limen/internal/fold"
)

// MaxName is the length of a name in bytes that is looked at.
const MaxName = 254

// Ask puts down that somebody wants to regain the account of a name. What is done is the same whether anybody has the name or not, and so is the
// time that it takes. Fault: ErrWait.
func (r *Regains) Ask(ctx context.Context, c *call.Call, name string) error {
	name = strings.TrimSpace(name)
	if err := r.Throttle.Asked(ctx, c, name, ErrWait); err != nil {
		return err
	}
	u, err := r.Find(ctx, c, name)
	if err != nil && !errors.Is(err, user.ErrNotFound) {
		return err
	}
	sum := sha256.Sum256([]byte("limen regain\x00" + fold.Key(name))) // somebody may have typed a password into the wrong field
	_, err = putStart.Do(ctx, c.Tx, c.Tenant.ID, hex.EncodeToString(sum[:]), u.ID, c.Client.IP.Unmap().String(), c.Now.UnixMilli())
	return err
}

// start begins what was put down, or notes why it does not.
func (r *Regains) start(ctx context.Context, c *call.Call, s startRow) error {
	if n, err := dropStart.Do(ctx, c.Tx, c.Tenant.ID, s.Subject); err != nil || n == 0 || s.User == "" {
		return err
	}
	u, err := r.People.ByID(ctx, c, s.User)
	if errors.Is(err, user.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	t, err := r.Terms(ctx, c, u)
	if err == nil && t.Refused == "" {
		t.Refused, err = r.hindered(ctx, c, u)
	}
	if err != nil {
		return err
	}
	e := record(c, audit.RegainStart, u)
	e.Set("IP", s.IP)
	if t.Refused != "" {
		e.Outcome, e.Reason = "refused", "regain."+t.Refused
		return nil
	}
	now, pause := c.Now.UnixMilli(), t.Wait.Milliseconds()/Steps
	one := Regain{
		ID: c.NewID(), User: u.ID, State: Waiting, Pause: pause, Step: 1, Due: now + pause, Started: now, IP: s.IP, Mail: u.Mail, Mobile: u.Mobile, Hash: []byte{},
	}
	n, err := insertRow.Do(ctx, c.Tx, append([]any{c.Tenant.ID}, one.values()...)...)
	if err != nil || n == 0 {
		return err
	}
	e.Set("Ends", time.UnixMilli(one.Ends()).UTC().Format(time.RFC3339))
	return r.notice(ctx, c, u, one)
}

func (r Regain) values() []any {
	return []any{r.ID, r.User, r.State, r.Pause, r.Step, r.Due, r.Started, r.Ended, r.IP, r.Mail, r.Mobile, r.Hash, r.Code, r.Tries, r.Reason, r.Approver}
}

// hindered says why somebody cannot start now, whatever their policies say; empty: they can.
func (r *Regains) hindered(ctx context.Context, c *call.Call, u user.User) (string, error) {
	if _, err := r.Open(ctx, c, u.ID); !errors.Is(err, ErrNone) {
		return "started", err
	}
	last, err := lastStart.One(ctx, c.Tx, c.Tenant.ID, u.ID)
	if err != nil {
		return "", err
	}
	if last > c.Now.Add(-between).UnixMilli() {
		return "again", nil
	}
	moved, err := movedRows.All(ctx, c.Tx, c.Tenant.ID, u.ID, c.Now.Add(-Hold).UnixMilli())
	if err == nil && len(moved) > 0 {
		return "moved", nil
	}
	return "", err
}

// record gives an event about a person: that of the operation, where it is one of the kind, or a further one.
func record(c *call.Call, kind string, u user.User) *call.Event {
	e := c.Event
	if e == nil || e.Type != kind {
		e = c.Record(kind)
	}
	e.Target, e.Kind, e.Name, e.User, e.Login = u.ID, "User", u.Name, u.ID, u.Name
	return e
}
