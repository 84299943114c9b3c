// Package resets is how forgotten passwords are replaced (synerise.yaml: password reset).
package resets

import (
	"context"
	"errors"
	"net/http"
	"net/mail"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/number"
	"limen/internal/core/password"
	"limen/internal/core/reset"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/core/workspace"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/synerise"
)

// Resets are the operations.
type Resets struct {
	Resets     *reset.Resets
	Workspaces *workspace.Workspaces
	Roles      *role.Roles
	// Managed says whether a member of a workspace is managed by it, so that its administrators may change the account.
	Managed func(ctx context.Context, c *call.Call, workspace string, u user.User) (bool, error)
}

// Faults of this area.
var (
	ErrGuest  = fault.New(fault.Denied, "workspace.guest", "The user is a guest: only roles and the end of the access can be changed here.")
	ErrSystem = fault.New(fault.Denied, "user.system", "Only system administrators may change the account of a system administrator.")
)

// Ops declares them.
func (r Resets) Ops() []op.Op {
	open := func(path, event string, faults ...*fault.Error) op.Spec {
		return op.Spec{
			Method: http.MethodPost, Path: "/uauth/password-reset/" + path, Allow: op.Anonymous, Effect: op.Write, Audit: event, Rate: op.Guess, MaxBody: 16 << 10,
			Faults: append(faults, reset.ErrWait, fault.ErrMissing, fault.ErrInvalid),
		}
	}
	return []op.Op{
		op.New(open("request", audit.ResetStart), r.RequestReset),
		op.Prepared(open("confirmation", audit.ResetFinish, reset.ErrCode, password.ErrPolicy, password.ErrWeak, password.ErrCommon, password.ErrUsed, password.ErrChanged),
			r.choose, r.ConfirmReset),
		op.New(op.Spec{
			Method: http.MethodPost, Path: "/uauth/users/{userId}/password-reset", Allow: synerise.May("settings_users", workspace.Update), Effect: op.Write,
			Audit: audit.ResetStart, Rate: op.Costly,
			Faults: []*fault.Error{
				workspace.ErrMember, workspace.ErrNone, workspace.ErrSelf, workspace.ErrOpen, ErrGuest, ErrSystem, user.ErrStronger, reset.ErrPassword, fault.ErrInvalid,
			},
		}, r.SendReset),
	}
}

// Address is who asks.
type Address struct {
	// Email is the mail address of the account, required.
	Email string `json:"email"`
}

// Check wants an address.
func (a *Address) Check() error {
	if a.Email == "" {
		return fault.Missing("email")
	}
	if at, err := mail.ParseAddress(a.Email); err != nil || at.Address != a.Email || len(a.Email) > 254 {
		return fault.Bad("email", "must be a mail address")
	}
	return nil
}

// TenantHint names the tenant by the address, where that is a login name.
func (a *Address) TenantHint() op.Hint { return op.Hint{Login: a.Email} }

// RequestReset mails a code to whoever has the address, with which they choose a new password. The answer is the same whether there is
// anybody or not, and whether their policies let a mail alone do: others use the sign-in page, which asks for more. Who asks often is held
// back. synerise.yaml, POST /uauth/password-reset/request.
func (r Resets) RequestReset(ctx context.Context, c *op.Call, in Address) (op.None, error) {
	who, err := r.Resets.Ask(ctx, c, in.Email)
	if err != nil {
		return op.None{}, err
	}
	if len(who) > 0 {
		u := who[0]
		e := c.Event
		e.Target, e.Kind, e.Name, e.User, e.Login = u.ID, "User", u.Name, u.ID, u.Name
	}
	if len(who) > 1 {
		c.Event.Set("Accounts", user.Names(who))
	}
	return op.None{}, nil
}

// NewPassword is a password in place of a forgotten one.
type NewPassword struct {
	// Token is the code of the mail, required.
	Token string `json:"token"`
	// Password is the new password, required.
	Password string `json:"password"`
}

// Check wants both.
func (n *NewPassword) Check() error {
	switch {
	case n.Token == "":
		return fault.Missing("token")
	case n.Password == "":
		return fault.Missing("password")
	}
	return nil
}

func (r Resets) choose(ctx context.Context, c *op.Call, in NewPassword) (reset.Choice, error) {
	return r.Resets.Prepare(ctx, c, in.Token, in.Password)
}

// ConfirmReset sets a new password by the code of the mail, which works once. The strongest rule of the person's workspaces counts, and their
// earlier passwords. Their sessions end, and a mail tells of it. Nobody is signed in. synerise.yaml, POST /uauth/password-reset/confirmation.
func (r Resets) ConfirmReset(ctx context.Context, c *op.Call, in NewPassword, ch reset.Choice) (op.None, error) {
	u, err := r.Resets.Finish(ctx, c, in.Token, ch)
	if u.ID != "" {
		e := c.Event
		e.Target, e.Kind, e.Name, e.User, e.Login = u.ID, "User", u.Name, u.ID, u.Name
	}
	if errors.Is(err, reset.ErrCode) { // counted
		return op.None{}, op.Refused(fault.Of(err))
	}
	return op.None{}, err
}

// UserRef names a user of the workspace.
type UserRef struct {
	// UserID is the person's number, in the path.
	UserID int64 `json:"userId"`
	synerise.Here
	id string
}

// Resolve finds the workspace and the user.
func (u *UserRef) Resolve(ctx context.Context, c *op.Call) error {
	if err := u.Find(ctx, c); err != nil {
		return err
	}
	of, err := number.Objects(ctx, c, number.User, u.UserID)
	u.id = of[u.UserID]
	return err
}

// SendReset mails a code to a user whose account the workspace manages, with which they choose a new password. Until they do the old one is
// good. synerise.yaml, POST /uauth/users/{userId}/password-reset.
func (r Resets) SendReset(ctx context.Context, c *op.Call, in UserRef) (op.None, error) {
	at := in.Workspace().ID
	row, err := r.Workspaces.GetPerson(ctx, c, at, in.id)
	if err != nil {
		return op.None{}, err
	}
	e := c.Event
	e.Target, e.Kind, e.Name, e.User, e.Login = row.ID, "User", row.Name, row.ID, row.Name
	switch {
	case row.ID == c.User():
		return op.None{}, workspace.ErrSelf
	case row.State != workspace.Joined:
		return op.None{}, workspace.ErrOpen
	}
	managed, err := r.Managed(ctx, c, at, row.User())
	if err == nil && (!managed || !c.Grant.Allows(row.ID, row.Org)) {
		err = ErrGuest
	}
	if err == nil {
		err = r.Roles.Guard(ctx, c, row.ID, ErrSystem, user.ErrStronger)
	}
	if err != nil {
		return op.None{}, err
	}
	u, err := r.Resets.People.ByID(ctx, c, row.ID)
	if err != nil {
		return op.None{}, err
	}
	return op.None{}, r.Resets.Send(ctx, c, u)
}
