package domain

import (
	"context"
	"encoding/hex"
	"errors"
	"io"

	"limen/internal/call"
	"limen/internal/core/number"
	"limen/internal/dbx"
)

// Issue gives an organization the code by which it proves a domain: the one that it has while that holds, and a new one
// otherwise. A domain that was verified keeps its state. Faults: those of Normalize, ErrTaken, ErrMany.
func (d *Domains) Issue(ctx context.Context, c *call.Call, org, name string) (Domain, error) {
	name, err := Normalize(name)
	if err != nil {
		return Domain{}, err
	}
	if err := d.free(ctx, c, org, name); err != nil {
		return Domain{}, err
	}
	was, err := lock.One(ctx, c.Tx, c.Tenant.ID, org, name)
	switch {
	case errors.Is(err, dbx.ErrNoRow):
		return d.add(ctx, c, org, name)
	case err != nil:
		return Domain{}, err
	}
	noted(c, was)
	if was.State == Verified || was.CodeUntil > c.Now.UnixMilli() {
		return was, nil
	}
	now := was
	if now.Code, err = draw(c); err != nil {
		return Domain{}, err
	}
	now.CodeUntil = c.Now.Add(CodeLife).UnixMilli()
	return now, put(ctx, c, now)
}

// free fails with ErrTaken when another organization has proved the domain.
func (d *Domains) free(ctx context.Context, c *call.Call, org, name string) error {
	by, err := holder.One(ctx, c.Tx, c.Tenant.ID, name)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && by == org {
		return nil
	}
	if err != nil {
		return err
	}
	return ErrTaken
}

func (d *Domains) add(ctx context.Context, c *call.Call, org, name string) (Domain, error) {
	n, err := count.One(ctx, c.Tx, c.Tenant.ID, org)
	if err != nil {
		return Domain{}, err
	}
	if n >= maxOf {
		return Domain{}, ErrMany.Say("An organization may have %d domains.", maxOf)
	}
	code, err := draw(c)
	if err != nil {
		return Domain{}, err
	}
	out := Domain{ID: c.NewID(), Org: org, Name: name, Code: code, CodeUntil: c.Now.Add(CodeLife).UnixMilli(), State: Pending}
	added, err := insert.Do(ctx, c.Tx, c.Tenant.ID, org, name, out.ID, out.Code, out.CodeUntil, string(out.State), "", 0, 0, 0, c.Now.UnixMilli())
	if err != nil {
		return Domain{}, err
	}
	if added == 0 {
		return Domain{}, ErrChanged
	}
	noted(c, out)
	return out, number.Give(ctx, c, number.Domain, out.ID)
}

// codeBytes are too many to guess. A code is no secret once it is published, but nobody else can have published it before.
const codeBytes = 20

func draw(c *call.Call) (string, error) {
	var b [codeBytes]byte
	_, err := io.ReadFull(c.Rand, b[:])
	return hex.EncodeToString(b[:]), err
}

func put(ctx context.Context, c *call.Call, d Domain) error {
	_, err := update.Do(ctx, c.Tx, d.Code, d.CodeUntil, string(d.State), string(d.Method), d.Verified, d.Checked, d.Failing, c.Tenant.ID, d.Org, d.Name)
	return err
}

// List gives an organization's domains by name, those among them that are still to be proved. They are bounded.
func (d *Domains) List(ctx context.Context, c *call.Call, org string) ([]Domain, error) {
	return list.All(ctx, c.Tx, c.Tenant.ID, org)
}

// Find gives a domain of an organization by its id or name; ErrNotFound.
func (d *Domains) Find(ctx context.Context, c *call.Call, org, ref string) (Domain, error) {
	out, err := byID.One(ctx, c.Tx, c.Tenant.ID, org, ref)
	if errors.Is(err, dbx.ErrNoRow) {
		name, bad := ascii(ref)
		if bad != nil {
			return Domain{}, ErrNotFound
		}
		out, err = find.One(ctx, c.Tx, c.Tenant.ID, org, name)
	}
	if errors.Is(err, dbx.ErrNoRow) {
		return Domain{}, ErrNotFound
	}
	return out, err
}

// Remove takes a domain from an organization: whoever it managed by that is a guest then. ErrNotFound.
func (d *Domains) Remove(ctx context.Context, c *call.Call, org, ref string) error {
	old, err := d.Find(ctx, c, org, ref)
	if err != nil {
		return err
	}
	noted(c, old)
	if c.Event != nil {
		call.Changed(c.Event, "State", old.State, "")
	}
	return drop(ctx, c, old)
}

// drop deletes a domain with its number.
func drop(ctx context.Context, c *call.Call, d Domain) error {
	if _, err := remove.Do(ctx, c.Tx, c.Tenant.ID, d.Org, d.Name); err != nil {
		return err
	}
	return number.Drop(ctx, c, number.Domain, d.ID)
}

// Gone forgets the domains of an organization that is being deleted.
func (d *Domains) Gone(ctx context.Context, c *call.Call, org string) error {
	all, err := d.List(ctx, c, org)
	for _, one := range all {
		err = errors.Join(err, drop(ctx, c, one))
	}
	return err
}

func noted(c *call.Call, d Domain) {
	if c.Event != nil {
		c.Event.Target, c.Event.Kind, c.Event.Name = d.ID, "Domain", d.Name
		c.Event.Set("OrgId", d.Org)
	}
}
