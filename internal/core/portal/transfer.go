package portal

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/user"
	"limen/internal/dbx"
)

// Transfer hands what people have of their own, applications and secured items with what they keep in them, to somebody else:
// to is the one for all, or nil for the manager of each. Tags stay behind, and so does what they keep for assigned
// applications. All goes in one transaction, or nothing.
//
// It gives secrets of a person to another one, so a policy about the person must allow it, and nobody hands anything to
// themselves. Faults: ErrTransferOff, ErrManager, ErrOwn, ErrMany.
func (p *Portal) Transfer(ctx context.Context, c *call.Call, from []user.User, to *user.User) error {
	moved, first := 0, c.Event
	defer func() { c.Event = first }()
	for i, u := range from {
		if i > 0 {
			c.Event = c.Record(audit.PortalTransfer)
		}
		heir, err := p.heir(ctx, c, u, to)
		if err != nil {
			return err
		}
		n, err := p.hand(ctx, c, u.ID, heir.ID)
		if err != nil {
			return err
		}
		e := c.Event
		e.Target, e.Kind, e.Name, e.User, e.Login = u.ID, "User", u.Name, u.ID, u.Name
		e.Set("To", heir.Name)
		e.Set("Items", n)
		if moved += n; moved > maxItems {
			return ErrMany.Say("One call may hand over %d items.", maxItems)
		}
	}
	return nil
}

// heir is who gets what a person has.
func (p *Portal) heir(ctx context.Context, c *call.Call, u user.User, to *user.User) (user.User, error) {
	may, err := p.allows(ctx, c, u.ID, keyTransfer, false)
	if err == nil && !may {
		err = ErrTransferOff
	}
	if err != nil {
		return user.User{}, err
	}
	if to == nil {
		if u.ReportsTo == "" {
			return user.User{}, ErrManager.At("TransferToManager").Say("%s has no manager to hand their items to.", u.Name)
		}
		manager, err := p.People.ByID(ctx, c, u.ReportsTo)
		if err != nil {
			return user.User{}, err
		}
		to = &manager
	}
	if to.ID == c.User() || to.ID == u.ID {
		return user.User{}, ErrOwn
	}
	return *to, nil
}

// hand gives everything of one person to another, and says how much it was.
func (p *Portal) hand(ctx context.Context, c *call.Call, from, to string) (int, error) {
	held, err := entriesOf(ctx, c, from)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, kind := range []string{App, Secured} {
		all, err := items.All(ctx, c.Tx, c.Tenant.ID, from, kind)
		if err != nil {
			return 0, err
		}
		for _, it := range all {
			if err := p.give(ctx, c, it.ID, from, to, held[it.ID]); err != nil {
				return 0, err
			}
		}
		n += len(all)
	}
	return n, p.room(ctx, c, to)
}

func (p *Portal) give(ctx context.Context, c *call.Call, id, from, to string, e entry) error {
	moved, err := moveItem.Do(ctx, c.Tx, to, c.Now.UnixMilli(), c.Tenant.ID, id, from)
	if err == nil && moved == 0 {
		err = ErrStale
	}
	if err != nil {
		return err
	}
	s, err := p.open(ctx, c, from, e)
	if err != nil {
		return err
	}
	for _, x := range []dbx.Exec{dropEntry, dropTaggedOne} {
		_, err2 := x.Do(ctx, c.Tx, c.Tenant.ID, from, id)
		err = errors.Join(err, err2)
	}
	if err != nil || s.empty() {
		return err
	}
	next := entry{Target: id, Place: unranked, Matching: e.Matching, Pattern: e.Pattern}
	if next.Secret, err = p.seal(ctx, c, to, id, s); err != nil {
		return err
	}
	return keep(ctx, c, to, next)
}
