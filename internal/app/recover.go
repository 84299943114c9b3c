package app

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"limen/internal/call"
	"limen/internal/config"
	"limen/internal/core/audit"
	"limen/internal/core/message"
	"limen/internal/core/network"
	"limen/internal/core/post"
	"limen/internal/core/tenant"
	"limen/internal/core/user"
	"limen/internal/fault"
)

// Faults of the commands that undo a lock-out.
var (
	ErrAdministrator = fault.New(fault.Denied, "recovery.administrator", "Only a system administrator can be let in so. Everybody else is helped by one.")
	ErrBarred        = fault.New(fault.Denied, "recovery.barred", "The account is locked, disabled or expired. Another administrator must change that.")
	ErrAddress       = fault.New(fault.Invalid, "recovery.address", "That is no address, such as 192.0.2.7.")
)

// Recovery lets a system administrator in with the password alone for a while; 0 ends that.
type Recovery struct {
	Tenant, User string
	Lasts        time.Duration
}

// recoverSignIn is "limen admin recover-sign-in".
func (c *Commands) recoverSignIn(ctx context.Context, s config.Settings, r Recovery) error {
	a, err := quiet(ctx, s)
	if err != nil {
		return err
	}
	defer a.Close()
	id, err := a.tenantOf(ctx, tenant.Hint{Tenant: r.Tenant, Login: r.User})
	if err != nil {
		return err
	}
	until, err := a.RecoverSignIn(ctx, id, r.User, r.Lasts)
	if err != nil {
		return err
	}
	if until.IsZero() {
		_, err = fmt.Fprintf(c.Out, "%s signs in as everybody does again.\n", r.User)
		return err
	}
	_, err = fmt.Fprintf(c.Out, "%s signs in with the password alone until %s. The administrators are told by mail.\n", r.User, until.Format(time.RFC3339))
	return err
}

// RecoverSignIn lets a system administrator in with the password alone for a while, past all policy sets, profiles and
// settings. It leaves an event, and every administrator with a mail address is told.
func (a *App) RecoverSignIn(ctx context.Context, tenantID, name string, lasts time.Duration) (until time.Time, err error) {
	c := a.Shell(tenantID)
	err = a.Write(ctx, c, audit.SignInRecover, func(ctx context.Context) error {
		u, err := a.People.ByIDOrName(ctx, c, name)
		if errors.Is(err, user.ErrNotFound) {
			return ErrNobody
		}
		if err != nil {
			return err
		}
		is, err := a.Roles.IsSystem(ctx, c, u.ID)
		switch {
		case err != nil:
			return err
		case !is:
			return ErrAdministrator
		case u.Barred(c.Now):
			return ErrBarred
		}
		c.Event.Target, c.Event.Kind, c.Event.Name, c.Event.User, c.Event.Login = u.ID, "User", u.Name, u.ID, u.Name
		if until, err = a.Policies.Recover(ctx, c, u.ID, lasts); err != nil || until.IsZero() {
			return err
		}
		c.Event.Set("Until", until.Format(time.RFC3339))
		return a.tellAdministrators(ctx, c, message.SignInRecovered, message.Data{By: u.Name, At: c.Now, Until: until})
	})
	return until, err
}

// tellAdministrators writes to those who have a mail address.
func (a *App) tellAdministrators(ctx context.Context, c *call.Call, kind message.Kind, data message.Data) error {
	ids, err := a.Roles.Administrators(ctx, c)
	if err != nil {
		return err
	}
	for _, id := range ids {
		u, err := a.People.ByID(ctx, c, id)
		if err != nil {
			return err
		}
		if u.Mail == "" || u.MailUnproved {
			continue
		}
		to := post.Reader{Mail: u.Mail, Culture: u.Culture, Name: u.Display, Account: u.Name}
		if err := a.Post.Mail(ctx, c, string(kind)+"/"+c.NewID(), to, kind, data, c.Now.Add(keepNotice)); err != nil {
			return err
		}
	}
	return nil
}

// Unblocking names an address that shall reach a tenant.
type Unblocking struct{ Tenant, Address string }

// unblock is "limen admin unblock": it switches off every blocked range that has an address.
func (c *Commands) unblock(ctx context.Context, s config.Settings, u Unblocking) error {
	ip, err := netip.ParseAddr(u.Address)
	if err != nil {
		return ErrAddress
	}
	a, err := quiet(ctx, s)
	if err != nil {
		return err
	}
	defer a.Close()
	id, err := a.tenantOf(ctx, tenant.Hint{Tenant: u.Tenant})
	if err != nil {
		return err
	}
	n, err := a.Unblock(ctx, id, ip)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.Out, "%d blocked ranges with %s are switched off.\n", n, ip)
	return err
}

// Unblock switches off the blocked ranges of a tenant that have an address, and says how many these are.
func (a *App) Unblock(ctx context.Context, tenantID string, ip netip.Addr) (int, error) {
	c := a.Shell(tenantID)
	var ids []string
	err := c.Snapshot(ctx, func() (err error) { ids, err = a.Networks.Holding(ctx, c, ip); return err })
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	return len(ids), a.Write(ctx, c, audit.RangeChange, func(ctx context.Context) error {
		return a.Networks.SetActive(ctx, c, network.Blocked, ids, false, true)
	})
}
