package app

import (
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/app"
	"limen/internal/core/audit"
	"limen/internal/core/captcha"
	"limen/internal/core/factor/passkey"
	"limen/internal/core/outbound"
	"limen/internal/core/password"
	"limen/internal/core/portal"
	"limen/internal/core/remind"
	"limen/internal/core/right"
	"limen/internal/core/safe"
	"limen/internal/core/tenant"
	"limen/internal/core/user"
	"limen/internal/crypt"
	"limen/internal/dbx"
)

// Purposes of a tenant's sealing keys.
const (
	purposeOutbox  = "outbox"
	purposeJob     = "job"
	purposeSetting = "setting"
	purposeLogin   = "login"
	purposeFactor  = "factor"
	purposeAudit   = "audit"
)

// Shell is the call of someone at the server's own command line: they own the machine, so they may everything.
func (a *App) Shell(tenantID string) *call.Call {
	now := time.Now()
	c := &call.Call{
		Now: now, Rand: rand.Reader, Tenant: call.Tenant{ID: tenantID},
		Caller: &call.Caller{Name: "command line", Means: call.ByShell, Proved: now, Held: right.Held{Tenant: right.Of(right.System)}},
	}
	c.ID = c.NewID()
	a.Kernel.Bind(c)
	return c
}

// Write runs f in a transaction of c with an event of the given type.
func (a *App) Write(ctx context.Context, c *call.Call, kind string, f func(ctx context.Context) error) error {
	id := c.NewID()
	inside := context.WithoutCancel(ctx)
	return a.DB.Write(ctx, func(tx *dbx.Tx) error {
		c.Tx, c.Also = tx, nil
		defer func() { c.Tx = nil }()
		c.Event = &call.Event{ID: id, Type: kind, Outcome: "success"}
		if err := f(inside); err != nil {
			return err
		}
		return a.Audit.Record(inside, c)
	}, func(ctx context.Context, tx *dbx.Tx) (bool, error) { return a.Audit.Happened(ctx, tx, c.Tenant.ID, id) })
}

// act makes a change of a tenant as the server itself.
func (a *App) act(ctx context.Context, tenantID, kind string, f func(ctx context.Context, c *call.Call) error) error {
	c := a.Shell(tenantID)
	return a.Write(ctx, c, kind, func(ctx context.Context) error { return f(ctx, c) })
}

// Admin is the first administrator of a tenant.
type Admin struct {
	Name     string // login name with the tenant's suffix
	Mail     string // may be empty
	Password string // drawn when empty
}

// AddTenant makes a tenant with its keys and its first administrator, and gives back what was drawn.
func (a *App) AddTenant(ctx context.Context, n tenant.New, admin Admin) (tenant.Tenant, user.User, Admin, error) {
	var t tenant.Tenant
	c := a.Shell("")
	err := a.DB.Write(ctx, func(tx *dbx.Tx) (err error) {
		c.Tx, c.Also = tx, nil
		defer func() { c.Tx = nil }()
		c.Tenant = call.Tenant{}
		c.Event = &call.Event{ID: c.NewID(), Type: audit.TenantCreate, Outcome: "success"}
		inside := context.WithoutCancel(ctx)
		if t, err = a.Tenants.Create(inside, c, n); err != nil {
			return err
		}
		c.Tenant.ID = t.ID
		return a.Audit.Record(inside, c)
	})
	if err != nil {
		return t, user.User{}, admin, err
	}
	if err := a.ensureKeys(ctx, t.ID); err != nil {
		return t, user.User{}, admin, err
	}
	u, admin, err := a.addAdmin(ctx, t.ID, admin)
	return t, u, admin, err
}

// purposes are what every tenant has a sealing key for.
var purposes = append([]string{purposeOutbox, purposeJob, purposeSetting, purposeLogin, purposeFactor, purposeAudit, portal.Purpose, outbound.Purpose, safe.Purpose, remind.Purpose, captcha.Purpose, passkey.Purpose}, app.Purposes...)

// equip makes the keys of tenants that lack some, as those do that were made before a purpose was known.
func (a *App) equip(ctx context.Context, ids []string) error {
	have, err := a.Keys.Equipped(ctx, crypt.ES256, purposes...)
	for _, id := range ids {
		if !have[id] {
			err = errors.Join(err, a.ensureKeys(ctx, id))
		}
	}
	return err
}

// ensureKeys makes a tenant's keys where they are missing: never within a write transaction, which cannot wait for
// another one.
func (a *App) ensureKeys(ctx context.Context, tenantID string) error {
	err := a.Ring.Ensure(ctx, tenantID, purposes...)
	if err != nil {
		return err
	}
	return a.Signers.Ensure(ctx, tenantID, crypt.ES256)
}

func (a *App) addAdmin(ctx context.Context, tenantID string, admin Admin) (user.User, Admin, error) {
	c := a.Shell(tenantID)
	if admin.Password == "" {
		plain, err := password.Default.Generate(rand.Reader, 20)
		if err != nil {
			return user.User{}, admin, err
		}
		admin.Password = plain
	}
	hash, err := a.Passwords.Prepare(ctx, c, password.Change{Names: password.Names{Login: admin.Name, Mail: admin.Mail}, Plain: admin.Password, Reset: true})
	if err != nil {
		return user.User{}, admin, err
	}
	var u user.User
	err = a.Write(ctx, c, audit.UserCreate, func(ctx context.Context) (err error) {
		u, err = a.People.Create(ctx, c, user.New{Name: admin.Name, Mail: admin.Mail, Display: "Administrator", Everybody: true, System: true})
		if err != nil {
			return err
		}
		return a.Passwords.Put(ctx, c, u.ID, hash, false)
	})
	return u, admin, err
}

// FirstStart makes the first tenant and its administrator in an empty store; admin is nil when there is one already.
func (a *App) FirstStart(ctx context.Context) (*Admin, error) {
	ids, err := a.Index.All(ctx)
	if err != nil {
		return nil, err
	}
	if len(ids) > 0 {
		return nil, a.equip(ctx, ids)
	}
	name, suffix := a.firstName()
	hosts := a.Settings.Hosts
	if len(hosts) == 0 {
		hosts = []string{"localhost"}
	}
	_, _, admin, err := a.AddTenant(ctx, tenant.New{Name: "Limen", Suffix: suffix, Hosts: hosts}, Admin{Name: name, Password: a.Settings.AdminPassword})
	if err != nil {
		return nil, err
	}
	if a.Settings.AdminPassword != "" {
		admin.Password = "" // it is not ours to print
	}
	return &admin, nil
}

// domain is under what tenants register host names: the first of the installation's own, where that is no address.
func (a *App) domain() string {
	host := "localhost"
	if len(a.Settings.Hosts) > 0 {
		host = a.Settings.Hosts[0]
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return ""
	}
	return strings.ToLower(host)
}

// firstName gives the first administrator's login name and the suffix in it.
func (a *App) firstName() (name, suffix string) {
	name = a.Settings.AdminUser
	if name == "" {
		name = "admin@limen"
	}
	for i := len(name) - 1; i >= 0; i-- {
		if name[i] == '@' {
			return name, name[i+1:]
		}
	}
	return name + "@limen", "limen"
}
