// Package breakglass is accounts for an emergency: system administrators whom no policy, setting, profile, network or demand of an
// organization keeps out, and whom strangers cannot lock by guessing. They show more than others do, and each use of them is an alarm.
package breakglass

import (
	"context"
	"slices"
	"time"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/factor"
	"limen/internal/core/login"
	"limen/internal/core/throttle"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Faults of accounts.
var (
	ErrAdministrator = fault.New(fault.Invalid, "breakglass.administrator", "Only a system administrator's account can be one for an emergency: others could undo nothing.")
	ErrWeak          = fault.New(fault.Conflict, "breakglass.weak",
		"The account needs a password, and a passkey, a security key or recovery codes that are its own, before it can be one for an emergency.")
	ErrMany = fault.New(fault.Conflict, "breakglass.many", "There may be ten accounts for an emergency.")
)

const (
	// Most is how many accounts a tenant may have.
	Most = 10
	// Tested is how often each is to be used, so that it is known to work.
	Tested = 90 * 24 * time.Hour
	// LeastPassword is how many characters its password has at least.
	LeastPassword = 20
)

// Account is one that is marked. Times are milliseconds since 1970 UTC.
type Account struct {
	User   string `db:"user_id"`
	Marked int64  `db:"marked"`
	Used   int64  `db:"used"` // when somebody last signed in by it; 0: nobody since it was marked
}

// Due says whether the account is to be tried out again.
func (a Account) Due(now time.Time) bool {
	return now.Sub(time.UnixMilli(max(a.Marked, a.Used))) >= Tested
}

// Topic is what changes are told under, with the tenant as their item.
const Topic = "breakglass"

// Accounts are those of the call's tenant. The exported fields are set before Start.
type Accounts struct {
	DB      *dbx.DB
	Changes *change.Log

	cache change.Cache[[]string] // their people
}

var (
	listRow = dbx.Q[Account]("breakglass.list", `SELECT user_id, marked, used FROM break_glass WHERE tenant = ? ORDER BY marked, user_id LIMIT 100`)
	addRow  = dbx.E("breakglass.add", `INSERT INTO break_glass (tenant, user_id, marked, used) VALUES (?, ?, ?, 0) ON CONFLICT (tenant, user_id) DO NOTHING`)
	useRow  = dbx.E("breakglass.use", `UPDATE break_glass SET used = ? WHERE tenant = ? AND user_id = ?`)
	dropRow = dbx.E("breakglass.drop", `DELETE FROM break_glass WHERE tenant = ? AND user_id = ?`)
)

// Start watches for changes.
func (a *Accounts) Start() {
	a.cache = change.Cache[[]string]{DB: a.DB, Log: a.Changes, Read: people}
	a.cache.Start(Topic)
}

func people(ctx context.Context, tx *dbx.Tx, tenant string) ([]string, error) {
	rows, err := listRow.All(ctx, tx, tenant)
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = r.User
	}
	return out, err
}

// People are whose accounts they are. The list is shared: read only.
func (a *Accounts) People(ctx context.Context, c *call.Call) ([]string, error) {
	return a.cache.Get(ctx, c)
}

// Is says whether an account is one for an emergency.
func (a *Accounts) Is(ctx context.Context, c *call.Call, userID string) (bool, error) {
	if userID == "" {
		return false, nil
	}
	all, err := a.People(ctx, c)
	return slices.Contains(all, userID), err
}

// List gives all of them, the one that was marked first before the others.
func (a *Accounts) List(ctx context.Context, c *call.Call) ([]Account, error) {
	return listRow.All(ctx, c.Tx, c.Tenant.ID)
}

// Mark makes an account one for an emergency; one that is stays as it is. Fault: ErrMany.
func (a *Accounts) Mark(ctx context.Context, c *call.Call, userID string) error {
	all, err := people(ctx, c.Tx, c.Tenant.ID)
	switch {
	case err != nil || slices.Contains(all, userID):
		return err
	case len(all) >= Most:
		return ErrMany
	}
	if _, err := addRow.Do(ctx, c.Tx, c.Tenant.ID, userID, c.Now.UnixMilli()); err != nil {
		return err
	}
	return a.Changes.Put(ctx, c, Topic, c.Tenant.ID)
}

// Saw notes a sign-in, and says whether it was by such an account.
func (a *Accounts) Saw(ctx context.Context, c *call.Call, userID string) (bool, error) {
	if is, err := a.Is(ctx, c, userID); err != nil || !is {
		return false, err
	}
	n, err := useRow.Do(ctx, c.Tx, c.Now.UnixMilli(), c.Tenant.ID, userID)
	return n > 0, err
}

// Drop makes an account one like others; for the directory when it deletes a person, too.
func (a *Accounts) Drop(ctx context.Context, c *call.Call, userID string) error {
	n, err := dropRow.Do(ctx, c.Tx, c.Tenant.ID, userID)
	if err != nil || n == 0 {
		return err
	}
	return a.Changes.Put(ctx, c, Topic, c.Tenant.ID)
}

// Strong are the mechanisms of which one goes with the password.
var Strong = []string{factor.Passkey, factor.OnDevice, factor.SecurityKey, factor.Recovery}

// Profile is how somebody signs in by such an account who would by base: by a passkey, or by the password and a key or a recovery code. Nothing
// stands in for these, nothing replaces the password but what administrators do, and nothing refuses them.
func Profile(base login.Profile) login.Profile {
	return login.Profile{
		Challenges: [][]string{{factor.Password}, Strong}, Single: []string{factor.Passkey}, RequireSecond: true,
		Idle: base.Idle, Life: base.Life,
	}
}

// Limits are those of guesses at such an account: only networks are held back, since strangers must not keep its owner out. What they guess
// at is a long password and a key, or a code of 80 bits.
func Limits(base throttle.Limits) throttle.Limits {
	base.Free, base.Lock = never, never
	return base
}

const never = 1 << 30
