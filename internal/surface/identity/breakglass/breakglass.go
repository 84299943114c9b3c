// Package breakglass is the RPC dialect's operations on accounts for an emergency, which are this program's own.
package breakglass

import (
	"context"
	"errors"
	"strings"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/breakglass"
	"limen/internal/core/login"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// BreakGlass is the operations.
type BreakGlass struct {
	Accounts *breakglass.Accounts
	People   *user.Directory
	Roles    *role.Roles
	Logins   *login.Logins
	// Backed says whether somebody has what such an account shows at a sign-in.
	Backed func(ctx context.Context, c *call.Call, u user.User) (bool, error)
}

// Ops declares them.
func (b BreakGlass) Ops() []op.Op {
	return []op.Op{
		op.New(op.Spec{
			Path: "/BreakGlass/SetAccount", Allow: op.System, Effect: op.Serial, Audit: audit.BreakGlassChange,
			Invar: "a tenant has at most ten accounts for an emergency",
			Faults: []*fault.Error{
				user.ErrNotFound, user.ErrStronger, breakglass.ErrAdministrator, breakglass.ErrWeak, breakglass.ErrMany, fault.ErrMissing, fault.ErrInvalid,
			},
		}, b.SetAccount),
		op.New(op.Spec{Path: "/BreakGlass/GetAccounts", Allow: op.System, Effect: op.Read}, b.GetAccounts),
	}
}

// Mark says whether an account is one for an emergency.
type Mark struct {
	// ID is the user's UUID or login name, required.
	ID string `json:"ID" also:"Uuid,UserUuid"`
	// Enabled is true to mark the account, false to make it one like others; required.
	Enabled op.Opt[bool] `json:"Enabled"`

	found user.User
}

// Check wants both.
func (m *Mark) Check() error {
	if strings.TrimSpace(m.ID) == "" {
		return fault.Missing("ID")
	}
	if _, ok := m.Enabled.Get(); !ok {
		return fault.Missing("Enabled")
	}
	return nil
}

// Resolve finds the user.
func (m *Mark) Resolve(ctx context.Context, c *op.Call) (err error) {
	m.found, err = user.Find(ctx, c, m.ID)
	return err
}

// Target is who the call is about.
func (m *Mark) Target() op.Target { return op.Target{ID: m.found.ID, Org: m.found.Org} }

// SetAccount marks a system administrator's account as one for an emergency, or ends that. Such an account signs in by a passkey, or by its
// password and a passkey, security key or recovery code, whatever policies, settings and networks say; only addresses are held back that guess.
// It must have one of these, and a password, which is replaced by one of at least 20 characters at the next sign-in. Each of its sign-ins is an
// alarm: an event of its own (Cloud.Core.BreakGlass.Use), mail to all system administrators and to the addresses of the setting
// BreakGlass.AlarmAddresses, a warning in the log, and the metric limen_break_glass_sign_ins_total.
func (b BreakGlass) SetAccount(ctx context.Context, c *op.Call, in Mark) (op.None, error) {
	u, e := in.found, c.Event
	e.Target, e.Kind, e.Name, e.User, e.Login = u.ID, "User", u.Name, u.ID, u.Name
	if err := b.Roles.Guard(ctx, c, u.ID, user.ErrStronger, user.ErrStronger); err != nil {
		return op.None{}, err
	}
	was, err := b.Accounts.Is(ctx, c, u.ID)
	if err != nil {
		return op.None{}, err
	}
	on := in.Enabled.Or(false)
	call.Changed(e, "BreakGlass", was, on)
	if !on {
		return op.None{}, b.Accounts.Drop(ctx, c, u.ID)
	}
	if was {
		return op.None{}, nil
	}
	return op.None{}, b.mark(ctx, c, u)
}

func (b BreakGlass) mark(ctx context.Context, c *op.Call, u user.User) error {
	is, err := b.Roles.IsSystem(ctx, c, u.ID)
	if err == nil && (!is || u.Service || u.OAuthClient) {
		err = breakglass.ErrAdministrator
	}
	if err == nil {
		err = b.Accounts.Mark(ctx, c, u.ID) // first: codes are something to administrators where their account is one
	}
	if err != nil {
		return err
	}
	backed, err := b.Backed(ctx, c, u)
	if err == nil && !backed {
		err = breakglass.ErrWeak
	}
	if err != nil {
		return err
	}
	force := true // the one they have may be short
	_, err = b.People.Change(ctx, c, u.ID, user.Change{ForceChange: &force})
	return err
}

// Account is one for an emergency. Times are in ms since 1970 UTC; 0 is never.
type Account struct {
	// ID is the user's UUID.
	ID string `json:"ID"`
	// Name is the login name.
	Name string `json:"Name"`
	// Marked is since when it is one.
	Marked int64 `json:"Marked"`
	// LastUsed is when somebody last signed in by it.
	LastUsed int64 `json:"LastUsed"`
	// TestDue says that nobody has signed in by it for 90 days: whether it works is not known.
	TestDue bool `json:"TestDue"`
	// Usable says that the person is a system administrator who may sign in, and has all that the account shows.
	Usable bool `json:"Usable"`
	// PasswordDue says that the password is replaced by a long one at the next sign-in by it.
	PasswordDue bool `json:"PasswordDue"`
	// CodesLeft is how many recovery codes are not used.
	CodesLeft int `json:"CodesLeft"`
}

// GetAccounts lists the accounts for an emergency, and says of each when it was last used and whether it would work.
func (b BreakGlass) GetAccounts(ctx context.Context, c *op.Call, _ op.None) ([]Account, error) {
	all, err := b.Accounts.List(ctx, c)
	out := make([]Account, 0, len(all))
	for _, a := range all {
		u, err := b.People.ByID(ctx, c, a.User)
		if errors.Is(err, user.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		one, err := b.account(ctx, c, u, a)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, err
}

func (b BreakGlass) account(ctx context.Context, c *op.Call, u user.User, a breakglass.Account) (Account, error) {
	out := Account{ID: u.ID, Name: u.Name, Marked: a.Marked, LastUsed: a.Used, TestDue: a.Due(c.Now), PasswordDue: u.ForceChange}
	codes, err := b.Logins.Codes.Of(ctx, c, u.ID)
	if err != nil {
		return out, err
	}
	out.CodesLeft = codes.Left
	is, err := b.Roles.IsSystem(ctx, c, u.ID)
	if err != nil {
		return out, err
	}
	backed, err := b.Backed(ctx, c, u)
	out.Usable = is && backed && !u.Barred(c.Now)
	return out, err
}
