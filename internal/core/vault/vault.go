// Package vault is people and roles as users and groups of the Vault's Users API: what that API alone knows of people, the roles that
// stand for its authorizations, and its logons. What the service knows otherwise, such as names, addresses and passwords, stands where
// all dialects find it.
package vault

import (
	"context"
	"strings"

	"limen/internal/call"
	"limen/internal/core/factor/passkey"
	"limen/internal/core/number"
	"limen/internal/core/org"
	"limen/internal/core/password"
	"limen/internal/core/role"
	"limen/internal/core/session"
	"limen/internal/core/sshkey"
	"limen/internal/core/tenant"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Faults of the Vault's users and groups.
var (
	ErrValue     = fault.New(fault.Invalid, "vault.value", "A value is wrong.")
	ErrNumber    = fault.New(fault.Invalid, "vault.number", "A whole number is expected.")
	ErrUser      = fault.New(fault.NotFound, "vault.user", "There is no such user.")
	ErrGroup     = fault.New(fault.NotFound, "vault.group", "There is no such group.")
	ErrLocation  = fault.New(fault.Invalid, "vault.location", "There is no such location.")
	ErrAbove     = fault.New(fault.Denied, "vault.above", "The location is not one that you administer.")
	ErrNotGiven  = fault.New(fault.Denied, "vault.not_given", "You cannot give or take an authorization that you do not have.")
	ErrSelf      = fault.New(fault.Denied, "vault.self", "You cannot do this to your own user.")
	ErrSystem    = fault.New(fault.Denied, "vault.system", "Only system administrators may change the user of a system administrator.")
	ErrMember    = fault.New(fault.Exists, "vault.member", "The user is already a member of the group.")
	ErrNotMember = fault.New(fault.NotFound, "vault.not_member", "The user is not a member of the group.")
	ErrBuiltIn   = fault.New(fault.Denied, "vault.built_in", "The group is built in.")
	ErrMany      = fault.New(fault.TooLarge, "vault.many", "There are too many values.")
)

// Vault is the API's view of the call's tenant. Its fields are set before use.
type Vault struct {
	People    *user.Directory
	Roles     *role.Roles
	Orgs      *org.Orgs
	Passwords password.Passwords
	Tenants   *tenant.Index
	Throttle  throttle.Throttle
	Sessions  *session.Sessions
	Keys      *sshkey.Keys
	Passkeys  passkey.Keys
	// Keep makes a change to what somebody signs in with: lockout.ErrLastWay when no system administrator could sign in then.
	Keep func(ctx context.Context, c *call.Call, userID string, change func() error) error
}

// Full is the login name that a user name stands for: without a suffix it has the tenant's own.
func (v *Vault) Full(ctx context.Context, c *call.Call, name string) (string, error) {
	name = strings.TrimSpace(name)
	if _, _, ok := user.SplitName(name); ok || name == "" {
		return name, nil
	}
	main, err := v.Tenants.MainSuffix(ctx, c)
	return name + "@" + main.Name, err
}

// complete is Full without what is kept in memory of suffixes.
func complete(ctx context.Context, c *call.Call, name string) (string, error) {
	name = strings.TrimSpace(name)
	if _, _, ok := user.SplitName(name); ok || name == "" {
		return name, nil
	}
	main, err := tenant.Main(ctx, c)
	return name + "@" + main.Name, err
}

// shorter gives what makes user names of login names.
func (v *Vault) shorter(ctx context.Context, c *call.Call) (func(login string) string, error) {
	main, err := v.Tenants.MainSuffix(ctx, c)
	own := fold.Key(main.Name)
	return func(login string) string {
		if local, suffix, ok := user.SplitName(login); ok && (suffix == main.Name || fold.Key(suffix) == own) {
			return local
		}
		return login
	}, err
}

// Find gives the person with a number; ErrUser when there is none.
func Find(ctx context.Context, c *call.Call, n int64) (user.User, error) {
	id, err := number.Find(ctx, c, number.User, n)
	if err == nil {
		var u user.User
		if u, err = user.Find(ctx, c, id); err == nil {
			return u, nil
		}
	}
	return user.User{}, missing(err, ErrUser)
}

// Named gives the person of a user name; ErrUser when there is none. It needs nothing but the transaction, so that inputs can resolve
// whom they name.
func Named(ctx context.Context, c *call.Call, name string) (user.User, error) {
	full, err := complete(ctx, c, name)
	if err != nil {
		return user.User{}, err
	}
	var d *user.Directory
	u, err := d.ByName(ctx, c, full)
	return u, missing(err, ErrUser)
}

// missing says in the API's words that there is nothing.
func missing(err error, as *fault.Error) error {
	if f := fault.Of(err); f != nil && f.Kind == fault.NotFound {
		return as
	}
	return err
}

// root is the location of those who are in no organization.
const root = `\`

// location is the path of an organization as the API writes it.
func location(path string) string {
	if path == "" {
		return root
	}
	return strings.ReplaceAll(path, "/", root)
}

// place finds the organization that a location names, which the caller must administer. An empty one is the only one that they do, or
// none where they administer everything. Faults: ErrLocation, ErrAbove.
func (v *Vault) place(ctx context.Context, c *call.Call, at string) (string, error) {
	at = strings.TrimSpace(at)
	if at == "" && !c.Grant.Everything() {
		id, ok, err := v.Orgs.Only(ctx, c, c.Grant)
		if err == nil && !ok {
			err = ErrAbove.At("location")
		}
		return id, err
	}
	id := ""
	if path := strings.Trim(at, root+"/"); path != "" {
		o, err := v.Orgs.Find(ctx, c, "/"+strings.ReplaceAll(path, root, "/"))
		if err != nil {
			return "", missing(err, ErrLocation.At("location"))
		}
		id = o.ID
	}
	if !c.Grant.Everything() && !c.Grant.Allows("", id) {
		return "", ErrAbove.At("location")
	}
	return id, nil
}

// in finds somebody again in the transaction that changes them: meanwhile they may have moved out of the caller's reach.
func (v *Vault) in(ctx context.Context, c *call.Call, id string) (user.User, error) {
	u, err := v.People.ByID(ctx, c, id)
	if err == nil && !c.Grant.Allows(u.ID, u.Org) {
		err = ErrUser
	}
	return u, missing(err, ErrUser)
}

// guarded is in, and keeps callers from taking over the accounts of those who may do more.
func (v *Vault) guarded(ctx context.Context, c *call.Call, id string) (user.User, error) {
	u, err := v.in(ctx, c, id)
	if err != nil {
		return u, err
	}
	return u, v.Roles.Guard(ctx, c, id, ErrSystem, user.ErrStronger)
}
