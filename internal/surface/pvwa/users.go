package pvwa

import (
	"context"
	"net/http"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/detail"
	"limen/internal/core/lockout"
	"limen/internal/core/password"
	"limen/internal/core/regain"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/core/vault"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/pvwa"
)

// What calls on users can give.
var (
	unread   = []*fault.Error{vault.ErrValue, vault.ErrNumber}
	unknown  = []*fault.Error{vault.ErrUser, vault.ErrNumber}
	guarding = []*fault.Error{vault.ErrUser, vault.ErrNumber, vault.ErrSelf, vault.ErrSystem, user.ErrStronger, regain.ErrTwo, user.ErrStale, role.ErrLast, lockout.ErrLastWay}
	making   = []*fault.Error{
		vault.ErrValue, vault.ErrLocation, vault.ErrAbove, vault.ErrNotGiven, user.ErrNameTaken, user.ErrSuffix, role.ErrNotHeld, role.ErrTooMany, detail.ErrLong,
		detail.ErrMany, detail.ErrText, fault.ErrInvalid, fault.ErrBlank, password.ErrPolicy, password.ErrWeak, password.ErrCommon,
	}
	setting = []*fault.Error{password.ErrPolicy, password.ErrWeak, password.ErrCommon, password.ErrUsed, password.ErrChanged}
)

const one = base + "/Users/{userId}"

func (p PVWA) users() []op.Op {
	state := func(path string, rule op.Rule) op.Spec {
		return writes(http.MethodPost, one+path, rule, audit.UserState, guarding)
	}
	return []op.Op{
		op.New(reads(base+"/Users", audits, append(unread, vault.ErrMany)...), p.ListUsers),
		op.Prepared(writes(http.MethodPost, base+"/Users", manage, audit.UserCreate, unread, making), p.prepareUser, p.CreateUser),
		op.New(reads(one, view, unknown...), p.GetUser),
		op.New(writes(http.MethodPut, one, manage, audit.UserChange, unread, making, guarding), p.ReplaceUser),
		op.New(writes(http.MethodDelete, one, manage, audit.UserDelete, guarding), p.DeleteUser),
		op.New(state("/Activate", lifts), p.ActivateUser),
		op.New(state("/enable", manage), p.EnableUser),
		op.New(state("/disable", manage), p.DisableUser),
		op.Prepared(writes(http.MethodPost, one+"/ResetPassword", resets, audit.PasswordSet, unread, guarding, setting), p.prepareReset, p.ResetPassword),
	}
}

// UserQuery asks for users.
type UserQuery struct {
	// Filter is conditions on userType, componentUser and userName, as userType eq EPVUser AND componentUser eq false.
	Filter string `json:"filter"`
	// UserType is the same condition by itself.
	UserType string `json:"userType"`
	// ComponentUser is true or false; absent: both.
	ComponentUser string `json:"componentUser"`
	// UserName is a user's name.
	UserName string `json:"userName"`
	// UserStatus is Active, Disabled or Suspended.
	UserStatus string `json:"userStatus"`
	// Source is CyberArk or LDAP.
	Source string `json:"source"`
	// Search is words, each of which is in the user name, the first or the last name.
	Search string `json:"search"`
	// Sort is up to three of username, source, userType, location, lastname, firstname, middlename, each with asc or desc.
	Sort string `json:"sort"`
	// ExtendedDetails adds groups, states, organizations and departments.
	ExtendedDetails bool `json:"ExtendedDetails"`
	// PageOffset is how many users are left out before the page.
	PageOffset int64 `json:"pageOffset"`
	// PageSize is the most users of the page; absent: all there are, up to 100,000.
	PageSize int64 `json:"pageSize"`

	read vault.Query
}

func (q *UserQuery) take(r *op.Request) (err error) {
	in, err := wire.ReadQuery(r.HTTP.URL.RawQuery)
	if err != nil {
		return err
	}
	q.read = vault.Query{Type: in.Text("userType"), Name: in.Text("userName"), Status: in.Text("userStatus"), Source: in.Text("source"), Search: in.Text("search")}
	terms, err := wire.ReadFilter(in.Text("filter"), vault.FilterFields...)
	if err != nil {
		return err
	}
	component := in.Text("componentUser")
	for _, t := range terms {
		switch t.Name {
		case "userType":
			q.read.Type = t.Value
		case "userName":
			q.read.Name = t.Value
		case "componentUser":
			component = t.Value
		}
	}
	if component != "" {
		is, err := wire.ParseBool("componentUser", component)
		if err != nil {
			return err
		}
		q.read.Component = &is
	}
	return q.page(in)
}

// maxSearch bounds what is searched for, in bytes.
const maxSearch = 500

func (q *UserQuery) page(in wire.Query) (err error) {
	if len(q.read.Search) > maxSearch {
		return &wire.Error{Field: "search", Text: "is too long"}
	}
	if q.read.Sort, err = wire.ReadSort(in.Text("sort"), vault.SortFields...); err != nil {
		return err
	}
	if q.read.Extended, err = in.Bool("ExtendedDetails"); err != nil {
		return err
	}
	if q.read.Offset, err = in.Int("pageOffset", 0, 0); err != nil {
		return err
	}
	size, err := in.Int("pageSize", 0, 0)
	if size > vault.MaxUsers {
		return &wire.Error{Field: "pageSize", Text: "is too large"}
	}
	q.read.Size = int(size)
	return err
}

// ListUsers lists the users that the caller may see: those of the organizations whose people the caller administers or audits, and those
// below. Without paging all come in one answer. Orders by username go by the whole login name. pvwa.yaml, GET /PasswordVault/API/Users.
func (p PVWA) ListUsers(ctx context.Context, c *op.Call, in UserQuery) (wire.Users, error) {
	return p.Vault.Users(ctx, c, c.Grant, in.read)
}

// NewUser is a user to be made.
type NewUser struct {
	wire.NewUser
	wish vault.Wish
}

func (n *NewUser) take(r *op.Request) error { return wire.Read(r.Body, &n.NewUser) }

// Check reads what is wanted.
func (n *NewUser) Check() (err error) {
	switch {
	case strings.TrimSpace(n.Username) == "":
		return vault.ErrValue.At("username").Say("username is required.")
	case n.InitialPassword == "":
		return vault.ErrValue.At("initialPassword").Say("initialPassword is required.")
	}
	if err := vault.PasswordFits("initialPassword", n.InitialPassword); err != nil {
		return err
	}
	n.wish, err = vault.Check(n.NewUser)
	return err
}

func (p PVWA) prepareUser(ctx context.Context, c *op.Call, in NewUser) (password.New, error) {
	return p.Vault.HashNew(ctx, c, in.wish)
}

// MadeUser is a user who was made.
type MadeUser struct{ wire.User }

// Status is that of something new.
func (MadeUser) Status() int { return http.StatusCreated }

// CreateUser makes a user, who is a person of the tenant in every dialect; of component types a service user. Location is the organization.
// Each authorization must be one that the caller has. Unknown members are left out. pvwa.yaml, POST /PasswordVault/API/Users.
func (p PVWA) CreateUser(ctx context.Context, c *op.Call, in NewUser, hash password.New) (MadeUser, error) {
	u, err := p.Vault.Create(ctx, c, in.wish, hash)
	return MadeUser{u}, err
}

// UserRef names a user.
type UserRef struct {
	// ID is the user's number, in the path.
	ID int64 `json:"userId"`
	about
}

func (u *UserRef) take(r *op.Request) (err error) {
	u.ID, err = wire.ParseInt("userId", r.Path["userId"])
	return err
}

// Resolve finds the user.
func (u *UserRef) Resolve(ctx context.Context, c *op.Call) (err error) {
	u.found, err = vault.Find(ctx, c, u.ID)
	return err
}

// GetUser tells of a user in full. Callers may ask for themselves. pvwa.yaml, GET /PasswordVault/API/Users/{userId}.
func (p PVWA) GetUser(ctx context.Context, c *op.Call, in UserRef) (wire.User, error) {
	return p.Vault.Of(ctx, c, in.found)
}

// UserBody is what a user is to be.
type UserBody struct {
	UserRef
	wire.NewUser
	wish vault.Wish
}

func (u *UserBody) take(r *op.Request) error {
	if err := wire.Read(r.Body, &u.NewUser); err != nil {
		return err
	}
	return u.UserRef.take(r)
}

// Check reads what is wanted.
func (u *UserBody) Check() (err error) {
	u.wish, err = vault.Check(u.NewUser)
	return err
}

// ReplaceUser makes a user what is sent. What is left out is what it says where a new user is made, but for the name and the password, which
// stay. suspended false lifts a suspension. pvwa.yaml, PUT /PasswordVault/API/Users/{userId}.
func (p PVWA) ReplaceUser(ctx context.Context, c *op.Call, in UserBody) (wire.User, error) {
	return p.Vault.Change(ctx, c, in.found.ID, in.wish)
}

// DeleteUser removes a user with memberships, sessions and secrets. Callers cannot remove themselves, nor the last system administrator.
// pvwa.yaml, DELETE /PasswordVault/API/Users/{userId}.
func (p PVWA) DeleteUser(ctx context.Context, c *op.Call, in UserRef) (op.None, error) {
	return op.None{}, p.Vault.Delete(ctx, c, in.found.ID)
}

// ActivateUser lets a user in again who is suspended after wrong passwords. Who is disabled stays so. pvwa.yaml, POST
// /PasswordVault/API/Users/{userId}/Activate.
func (p PVWA) ActivateUser(ctx context.Context, c *op.Call, in UserRef) (Done, error) {
	return Done{}, p.Vault.Activate(ctx, c, in.found.ID)
}

// EnableUser lets a user in whom an administrator kept out, in whatever dialect. pvwa.yaml, POST
// /PasswordVault/API/Users/{userId}/enable.
func (p PVWA) EnableUser(ctx context.Context, c *op.Call, in UserRef) (Done, error) {
	return Done{}, p.Vault.Enable(ctx, c, in.found.ID, true)
}

// DisableUser keeps a user out and ends the user's sessions. Callers cannot disable themselves. pvwa.yaml, POST
// /PasswordVault/API/Users/{userId}/disable.
func (p PVWA) DisableUser(ctx context.Context, c *op.Call, in UserRef) (Done, error) {
	return Done{}, p.Vault.Enable(ctx, c, in.found.ID, false)
}

// Reset is a new password for a user.
type Reset struct {
	UserRef
	// UserID is the user's number again; absent: as in the path.
	UserID *wire.Int `json:"id"`
	// NewPassword is the password, required, at most 39 characters.
	NewPassword string `json:"newPassword"`
}

func (r *Reset) take(q *op.Request) error {
	if err := wire.Read(q.Body, r); err != nil {
		return err
	}
	return r.UserRef.take(q)
}

// Check wants a password.
func (r *Reset) Check() error {
	switch {
	case r.NewPassword == "":
		return vault.ErrValue.At("newPassword").Say("newPassword is required.")
	case r.UserID != nil && int64(*r.UserID) != r.ID:
		return vault.ErrValue.At("id").Say("id must be the number in the path.")
	}
	return vault.PasswordFits("newPassword", r.NewPassword)
}

func (p PVWA) prepareReset(ctx context.Context, c *op.Call, in Reset) (password.New, error) {
	return p.Vault.Hash(ctx, c, in.found, in.NewPassword, false)
}

// ResetPassword gives a user another password and ends the user's sessions. Who is suspended stays so. Callers change their own password when
// they log on. pvwa.yaml, POST /PasswordVault/API/Users/{userId}/ResetPassword.
func (p PVWA) ResetPassword(ctx context.Context, c *op.Call, in Reset, hash password.New) (Done, error) {
	return Done{}, p.Vault.SetPassword(ctx, c, in.found.ID, hash, in.found.ForceChange)
}
