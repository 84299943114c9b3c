package network

import (
	"context"
	"errors"
	"strings"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Save makes a range (without ID), which is active, or changes label and value of one, and gives what is stored. force makes
// the change although it shuts the caller out. Faults: ErrNotFound, ErrTaken, ErrMany, ErrValue, ErrOwn, ErrLockout, and that
// of the label.
func (n *Networks) Save(ctx context.Context, c *call.Call, r Range, force bool) (Range, error) {
	var err error
	if r.Label, err = checkLabel(r.Label); err != nil {
		return Range{}, err
	}
	r.Value = strings.TrimSpace(r.Value)
	if _, err = parse(r.Value, r.Kind == Blocked); err != nil {
		return Range{}, fault.Of(err).At("Value")
	}
	was, err := n.put(ctx, c, &r)
	if err != nil {
		return Range{}, err
	}
	return r, n.changed(ctx, c, force, was, r)
}

// put writes a range, and gives what was there.
func (n *Networks) put(ctx context.Context, c *call.Call, r *Range) (was Range, err error) {
	now := c.Now.UnixMilli()
	if r.ID == "" {
		have, err := count.One(ctx, c.Tx, c.Tenant.ID, string(r.Kind))
		if err != nil {
			return was, err
		}
		if have >= maxRanges {
			return was, ErrMany
		}
		r.ID, r.Active = c.NewID(), true
		done, err := insert.Do(ctx, c.Tx, c.Tenant.ID, r.ID, string(r.Kind), r.Label, keyOf(r.Label), r.Value, r.Active, now, now)
		if err == nil && done == 0 {
			err = taken(r.Label)
		}
		return was, err
	}
	old, err := lock.One(ctx, c.Tx, c.Tenant.ID, strings.ToLower(strings.TrimSpace(r.ID)))
	if errors.Is(err, dbx.ErrNoRow) || err == nil && Kind(old.Kind) != r.Kind {
		return was, ErrNotFound
	}
	if err != nil {
		return was, err
	}
	was = old.made()
	r.ID, r.Active = was.ID, was.Active
	return was, write(ctx, c, *r)
}

func write(ctx context.Context, c *call.Call, r Range) error {
	_, err := update.Do(ctx, c.Tx, r.Label, keyOf(r.Label), r.Value, r.Active, c.Now.UnixMilli(), c.Tenant.ID, r.ID)
	if errors.Is(err, dbx.ErrExists) {
		return taken(r.Label)
	}
	return err
}

func taken(label string) error {
	return ErrTaken.At("Label").Say("A range named %s already exists.", label)
}

// SetActive has ranges act, or not. All of them are changed, or none. Faults: ErrNotFound, ErrOwn, ErrLockout.
func (n *Networks) SetActive(ctx context.Context, c *call.Call, of Kind, ids []string, active, force bool) error {
	for i, id := range ids {
		was, err := n.Find(ctx, c, of, id)
		if err != nil {
			return err
		}
		now := was
		now.Active = active
		if err := write(ctx, c, now); err != nil {
			return err
		}
		if i == 0 {
			noted(c.Event, was, now)
		} else if c.Event != nil {
			noted(c.Record(c.Event.Type), was, now)
		}
		if err := n.own(c, now, force); err != nil {
			return err
		}
	}
	return n.told(ctx, c, of, force)
}

// Delete removes a range, which is named by its id or its value. Faults: ErrNotFound, ErrSeveral, ErrInUse with what names it,
// ErrLockout.
func (n *Networks) Delete(ctx context.Context, c *call.Call, of Kind, ref string, force bool) error {
	was, err := n.Find(ctx, c, of, ref)
	if err != nil {
		return err
	}
	if of == Corporate && n.Holders != nil {
		by, err := n.Holders(ctx, c, was.ID)
		if err != nil {
			return err
		}
		if len(by) > 0 {
			return inUse(was.Label, by)
		}
	}
	if _, err := remove.Do(ctx, c.Tx, c.Tenant.ID, was.ID); err != nil {
		return err
	}
	return n.changed(ctx, c, force, was, Range{Kind: of})
}

func inUse(label string, by []string) error {
	text := strings.Join(by[:min(len(by), maxTold)], ", ")
	if len(by) > maxTold {
		text += ", ..."
	}
	return ErrInUse.Say("The range %s is named by %s.", label, text)
}

// changed ends a change: it notes and tells it, and looks whom it shuts out.
func (n *Networks) changed(ctx context.Context, c *call.Call, force bool, was, now Range) error {
	noted(c.Event, was, now)
	if err := n.own(c, now, force); err != nil {
		return err
	}
	return n.told(ctx, c, now.Kind, force)
}

// told tells the change before it looks: what a transaction has told, it sees.
func (n *Networks) told(ctx context.Context, c *call.Call, of Kind, force bool) error {
	if err := n.Changes.Put(ctx, c, Topic, c.Tenant.ID); err != nil || force || of != Corporate || n.Lockout == nil {
		return err
	}
	return n.Lockout(ctx, c, ErrLockout)
}

// own keeps administrators from blocking the address that they are at.
func (n *Networks) own(c *call.Call, r Range, force bool) error {
	if r.Kind != Blocked || !r.Active || force {
		return nil
	}
	set, err := Parse(r.Value)
	if err == nil && set.Contains(c.Client.IP) {
		return ErrOwn
	}
	return err
}

// noted keeps a change in an event; the Range without an id stands for none.
func noted(e *call.Event, was, now Range) {
	if e == nil {
		return
	}
	e.Kind, e.Target, e.Name = string(now.Kind)+"IpRange", now.ID, now.Label
	if now.ID == "" {
		e.Target, e.Name = was.ID, was.Label
	}
	call.Changed(e, "Label", was.Label, now.Label)
	call.Changed(e, "Value", was.Value, now.Value)
	call.Changed(e, "Active", was.Active, now.Active)
}
