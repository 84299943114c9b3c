// Package account is the caller's own account (synerise.yaml: user account management).
package account

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"limen/internal/call"
	"limen/internal/core/address"
	"limen/internal/core/audit"
	"limen/internal/core/detail"
	"limen/internal/core/factor/oath"
	"limen/internal/core/login"
	"limen/internal/core/number"
	"limen/internal/core/password"
	"limen/internal/core/preference"
	"limen/internal/core/role"
	"limen/internal/core/session"
	"limen/internal/core/setting"
	"limen/internal/core/user"
	"limen/internal/core/workspace"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/synerise"
)

// Account are the operations.
type Account struct {
	People      *user.Directory
	Sessions    *session.Sessions
	Settings    *setting.Store
	Workspaces  *workspace.Workspaces
	Logins      *login.Logins
	Factors     oath.Profiles
	Preferences preference.Preferences
	Addresses   *address.Addresses
	// Managed says whether a member of a workspace is managed by it.
	Managed func(ctx context.Context, c *call.Call, workspace string, u user.User) (bool, error)
	// Required says whether a workspace of a person's wants a second factor.
	Required func(ctx context.Context, c *call.Call, userID string) (bool, error)
	// Keep makes a change to what somebody signs in with: lockout.ErrLastWay when no system administrator could sign in then.
	Keep func(ctx context.Context, c *call.Call, userID string, change func() error) error
	// Perform runs another operation for the call's caller, with a body as a client would send it; as a call of its own.
	Perform func(ctx context.Context, c *call.Call, path string, body []byte) error
}

// Faults of this area.
var (
	ErrManaged = fault.New(fault.Denied, "account.managed", "Your account is managed by your organization. Only its administrators can delete it.")
	ErrAlone   = fault.New(fault.Invalid, "account.last_administrator", "You are the last administrator of a workspace. Let somebody else administer it first.")
	ErrMachine = fault.New(fault.Denied, "account.machine", "An API key has no account of its own to change.")
)

const path = "/uauth/users/my-account"

// Ops declares them.
func (a Account) Ops() []op.Op {
	own := func(method, path, event string, faults ...*fault.Error) op.Spec {
		return op.Spec{
			Method: method, Path: path, Allow: op.Authenticated, Effect: op.Write, Audit: event,
			Faults: append(faults, ErrMachine, user.ErrNotFound, session.ErrStale, login.ErrForbidden, login.ErrDue, fault.ErrInvalid),
		}
	}
	change := own(http.MethodPost, path, audit.UserChange, user.ErrPicture)
	change.MaxBody = 1 << 20
	pass := own(http.MethodPost, "/uauth/change-password", audit.UserAction, password.ErrWrong, password.ErrPolicy, password.ErrWeak, password.ErrCommon,
		password.ErrUsed, password.ErrTooYoung, password.ErrChanged, fault.ErrMissing)
	pass.Effect, pass.Rate = op.Outside, op.Guess
	return append([]op.Op{
		op.New(op.Spec{Method: http.MethodGet, Path: path, Allow: op.Authenticated, Effect: op.Read, Faults: []*fault.Error{user.ErrNotFound}}, a.GetAccount),
		op.Prepared(change, a.redraw, a.ChangeAccount),
		op.New(own(http.MethodDelete, path, audit.UserDelete, ErrManaged, ErrAlone, role.ErrLast), a.DeleteAccount),
		op.New(pass, a.ChangePassword),
	}, a.factorOps(own)...)
}

// Mine is the caller's account.
type Mine struct {
	// ID is the person's number.
	ID int64 `json:"id"`
	// Email is the mail address; the login name where there is none.
	Email string `json:"email"`
	// FirstName is the given name; without one on record the display name without its last word.
	FirstName string `json:"firstName"`
	// LastName is the family name; without one on record the last word of the display name.
	LastName string `json:"lastName"`
	// Phone is the mobile number; null: none.
	Phone *string `json:"phone"`
	// Language is the person's language, or the tenant's.
	Language string `json:"language"`
	// TimeZone is what the person chose, as Europe/Berlin; UTC where they chose none.
	TimeZone string `json:"timeZone"`
	// Avatar is the person's picture, a PNG or JPEG as a data URL; null: there is none.
	Avatar *string `json:"avatar"`
	// MfaMethods are the second factors that are set up: TOTP_AUTHENTICATOR, and EMAIL where the mail address is known to be the person's.
	MfaMethods []string `json:"mfaMethods"`
	// Managed says whether the account belongs to the organization of the token's workspace, or of the person, by a mail domain that this
	// has proved.
	Managed bool `json:"managed"`
	// ExternalIdentityProvider is null: accounts of other providers do not sign in here.
	ExternalIdentityProvider *string `json:"externalIdentityProvider"`
}

const timeZone = "TimeZone"

// GetAccount answers the caller's own account. synerise.yaml, GET /uauth/users/my-account.
func (a Account) GetAccount(ctx context.Context, c *op.Call, _ op.None) (Mine, error) {
	u, err := a.People.ByID(ctx, c, c.User())
	if err != nil {
		return Mine{}, err
	}
	out := Mine{Email: u.Mail, Language: u.Culture, MfaMethods: []string{}}
	known, err := detail.Of(ctx, c, u.ID)
	if err != nil {
		return Mine{}, err
	}
	out.FirstName, out.LastName = detail.Named(known[u.ID], u.Display)
	if u.Mail == "" {
		out.Email = u.Name
	}
	if u.Mobile != "" {
		out.Phone = &u.Mobile
	}
	if out.ID, err = number.Of(ctx, c, number.User, u.ID); err != nil {
		return Mine{}, err
	}
	if out.Managed, err = a.managed(ctx, c, u); err != nil {
		return Mine{}, err
	}
	if err := a.factors(ctx, c, u, &out); err != nil {
		return Mine{}, err
	}
	if out.Avatar, err = a.avatar(ctx, c, u); err != nil {
		return Mine{}, err
	}
	return out, a.tastes(ctx, c, &out)
}

func (a Account) factors(ctx context.Context, c *op.Call, u user.User, out *Mine) error {
	all, err := a.Factors.List(ctx, c, u.ID)
	if err != nil {
		return err
	}
	for _, p := range all {
		if p.Confirmed {
			out.MfaMethods = append(out.MfaMethods, totp)
			break
		}
	}
	if u.Mail != "" && !u.MailUnproved {
		out.MfaMethods = append(out.MfaMethods, "EMAIL")
	}
	return nil
}

// tastes completes the language and the time zone.
func (a Account) tastes(ctx context.Context, c *op.Call, out *Mine) error {
	if out.Language == "" {
		v, err := a.Settings.Get(ctx, c)
		if err != nil {
			return err
		}
		out.Language = v.Language
	}
	chosen, err := a.Preferences.Get(ctx, c, c.User())
	out.TimeZone = "UTC"
	if zone, ok := chosen[timeZone].(string); ok && zone != "" {
		out.TimeZone = zone
	}
	return err
}

// managed says whether the caller's account is managed by where they belong, or by the workspace of the token.
func (a Account) managed(ctx context.Context, c *op.Call, u user.User) (bool, error) {
	for _, at := range []string{u.Org, c.Caller.Workspace} {
		if at == "" {
			continue
		}
		if is, err := a.Managed(ctx, c, at, u); err != nil || is {
			return is, err
		}
	}
	return false, nil
}

// Change is a partial change of the caller's account: what is absent stays.
type Change struct {
	// FirstName is the given name, with which the display name changes.
	FirstName op.Opt[string] `json:"firstName"`
	// LastName is the family name, with which the display name changes.
	LastName op.Opt[string] `json:"lastName"`
	// Phone is the mobile number; null or empty: none. It is changed within Session.ProofMinutes of signing in: codes go there.
	Phone op.Opt[string] `json:"phone"`
	// Language is a language tag; null or empty: the tenant's.
	Language op.Opt[string] `json:"language"`
	// TimeZone is a time zone, as Europe/Berlin; null or empty: UTC.
	TimeZone op.Opt[string] `json:"timeZone"`
	// Avatar is a picture as a data URL, data:image/png;base64,...: a PNG, JPEG or GIF of at most 512 KB, which is drawn anew; null or
	// empty: none.
	Avatar op.Opt[string] `json:"avatar"`
}

// maxZone is the length of a name of a time zone.
const maxZone = 64

// Check wants a time zone.
func (n *Change) Check() error {
	if zone := n.TimeZone.Or(""); len(zone) > maxZone || strings.ContainsFunc(zone, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return fault.Bad("timeZone", "must be a time zone, as Europe/Berlin")
	}
	return nil
}

func (n *Change) of() (ch user.Change) {
	for to, from := range map[**string]op.Opt[string]{&ch.Mobile: n.Phone, &ch.Culture: n.Language} {
		if from.Given() {
			text := from.Or("")
			*to = &text
		}
	}
	return ch
}

// ChangeAccount changes the caller's own data, as far as their policies let them. synerise.yaml, POST /uauth/users/my-account.
func (a Account) ChangeAccount(ctx context.Context, c *op.Call, in Change, to picture) (Mine, error) {
	u, err := a.own(ctx, c)
	if err == nil {
		err = a.Logins.Own(ctx, c, u.ID, login.OwnProfile)
	}
	if err != nil {
		return Mine{}, err
	}
	ch := in.of()
	if ch.Mobile != nil && strings.TrimSpace(*ch.Mobile) != u.Mobile {
		if err := a.Sessions.Recent(ctx, c, u.ID); err != nil {
			return Mine{}, err
		}
	}
	err = a.Keep(ctx, c, u.ID, func() error {
		return synerise.Rename(ctx, c, a.People, u, ch, in.FirstName, in.LastName)
	})
	if err == nil && in.TimeZone.Given() {
		err = a.Preferences.Merge(ctx, c, u.ID, map[string]any{timeZone: in.TimeZone.Or("")})
	}
	if err == nil {
		err = a.setAvatar(ctx, c, u, to)
	}
	if err != nil {
		return Mine{}, err
	}
	return a.GetAccount(ctx, c, op.None{})
}

// own is the caller, who is a person.
func (a Account) own(ctx context.Context, c *op.Call) (user.User, error) {
	if c.Caller.Machine || c.Caller.Key != "" {
		return user.User{}, ErrMachine
	}
	return a.People.ByID(ctx, c, c.User())
}

// DeleteAccount deletes the caller's own account with all that it has, and ends its sessions. Accounts that an organization manages are
// their administrators' to delete, and nobody goes who is the last administrator of a workspace or of the tenant. It is done within
// Session.ProofMinutes of signing in. synerise.yaml, DELETE /uauth/users/my-account.
func (a Account) DeleteAccount(ctx context.Context, c *op.Call, _ op.None) (op.None, error) {
	u, err := a.own(ctx, c)
	if err == nil {
		err = a.Sessions.Recent(ctx, c, u.ID)
	}
	if err != nil {
		return op.None{}, err
	}
	managed, err := a.managed(ctx, c, u)
	if err == nil && managed {
		err = ErrManaged
	}
	if err != nil {
		return op.None{}, err
	}
	alone, err := a.Workspaces.Alone(ctx, c)
	if err == nil && alone {
		err = ErrAlone
	}
	if err != nil {
		return op.None{}, err
	}
	return op.None{}, a.People.Delete(ctx, c, u.ID)
}

// Passwords are the caller's password and the one in its place.
type Passwords struct {
	// OldPassword is the caller's password so far, required.
	OldPassword string `json:"oldPassword"`
	// NewPassword is required.
	NewPassword string `json:"newPassword"`
}

// Check wants both.
func (p *Passwords) Check() error {
	switch {
	case p.OldPassword == "":
		return fault.Missing("oldPassword")
	case p.NewPassword == "":
		return fault.Missing("newPassword")
	}
	return nil
}

// ChangePassword changes the caller's own password, as /UserMgmt/ChangeUserPassword does: a wrong old one counts as a failed sign-in, the
// other sessions end, and a mail tells of it. synerise.yaml, POST /uauth/change-password.
func (a Account) ChangePassword(ctx context.Context, c *op.Call, in Passwords) (op.None, error) {
	if c.Caller.Machine || c.Caller.Key != "" {
		return op.None{}, ErrMachine
	}
	body, err := json.Marshal(in)
	if err != nil {
		return op.None{}, err
	}
	err = a.Perform(ctx, c, "/UserMgmt/ChangeUserPassword", body)
	if errors.Is(err, fault.ErrNoPath) {
		err = fault.ErrInternal.Because(err)
	}
	return op.None{}, err
}
