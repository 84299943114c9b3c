package pvwa

import (
	"context"
	"net/http"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/password"
	"limen/internal/core/vault"
	"limen/internal/op"
	wire "limen/internal/wire/pvwa"
)

func (p PVWA) older() []op.Op {
	const named = older + "/Users/{userName}"
	return []op.Op{
		op.Prepared(writes(http.MethodPost, older+"/Users", manage, audit.UserCreate, unread, making), p.prepareOlder, p.CreateOlderUser),
		op.New(reads(named, view, unknown...), p.GetOlderUser),
		op.Prepared(writes(http.MethodPut, named, manage, audit.UserChange, unread, making, guarding, setting), p.prepareOlderChange, p.ChangeOlderUser),
		op.New(writes(http.MethodDelete, named, manage, audit.UserDelete, guarding), p.DeleteOlderUser),
	}
}

// OlderBody is what a user is to be, as the first generation's calls say it.
type OlderBody struct {
	// Email is the mail address.
	Email *string `json:"Email"`
	// FirstName is at most 29 characters.
	FirstName *string `json:"FirstName"`
	// LastName is at most 29 characters.
	LastName *string `json:"LastName"`
	// ChangePasswordOnTheNextLogon asks for another password; true when absent from a new user.
	ChangePasswordOnTheNextLogon *wire.Bool `json:"ChangePasswordOnTheNextLogon"`
	// ExpiryDate is the day, as 12/31/2030, at whose beginning (UTC) the account ends; empty: it does not.
	ExpiryDate *string `json:"ExpiryDate"`
	// UserTypeName is one of GET /UserTypes; EPVUser when absent from a new user.
	UserTypeName *string `json:"UserTypeName"`
	// Disabled is true for somebody who may not sign in.
	Disabled *wire.Bool `json:"Disabled"`
	// Location is a path of organizations.
	Location *string `json:"Location"`
}

// over puts what is said over what a user is.
func (b OlderBody) over(in *wire.NewUser) error {
	set(&in.Internet.BusinessEmail, b.Email)
	set(&in.PersonalDetails.FirstName, b.FirstName)
	set(&in.PersonalDetails.LastName, b.LastName)
	set(&in.UserType, b.UserTypeName)
	set(&in.Location, b.Location)
	if b.ChangePasswordOnTheNextLogon != nil {
		in.ChangePassOnNextLogon = b.ChangePasswordOnTheNextLogon
	}
	if b.Disabled != nil {
		in.EnableUser = new(!*b.Disabled)
	}
	if b.ExpiryDate == nil {
		return nil
	}
	ms, err := wire.ParseOlderDate("ExpiryDate", *b.ExpiryDate)
	in.ExpiryDate = wire.Int(wire.Seconds(ms))
	return asFault(err)
}

func set(to, from *string) {
	if from != nil {
		*to = *from
	}
}

// NewOlderUser is a user to be made.
type NewOlderUser struct {
	OlderBody
	// UserName is the user's name, required.
	UserName string `json:"UserName"`
	// InitialPassword is required, at most 39 characters.
	InitialPassword string `json:"InitialPassword"`
	made            NewUser
}

func (n *NewOlderUser) take(r *op.Request) error { return wire.Read(r.Body, n) }

// Check reads what is wanted.
func (n *NewOlderUser) Check() error {
	n.made.Username, n.made.InitialPassword = n.UserName, n.InitialPassword
	if err := n.over(&n.made.NewUser); err != nil {
		return err
	}
	return n.made.Check()
}

func (p PVWA) prepareOlder(ctx context.Context, c *op.Call, in NewOlderUser) (password.New, error) {
	return p.Vault.HashNew(ctx, c, in.made.wish)
}

// MadeOlderUser is a user who was made.
type MadeOlderUser struct{ wire.OlderUser }

// Status is that of something new.
func (MadeOlderUser) Status() int { return http.StatusCreated }

// CreateOlderUser is CreateUser as the first generation has it. pvwa.yaml, POST /PasswordVault/WebServices/PIMServices.svc/Users.
func (p PVWA) CreateOlderUser(ctx context.Context, c *op.Call, in NewOlderUser, hash password.New) (MadeOlderUser, error) {
	made, err := p.Vault.Create(ctx, c, in.made.wish, hash)
	if err != nil {
		return MadeOlderUser{}, err
	}
	u, err := p.again(ctx, c, made.ID)
	return MadeOlderUser{u}, err
}

func (p PVWA) again(ctx context.Context, c *op.Call, n int64) (wire.OlderUser, error) {
	u, err := vault.Find(ctx, c, n)
	if err != nil {
		return wire.OlderUser{}, err
	}
	return p.Vault.Older(ctx, c, u)
}

// OlderRef names a user by name.
type OlderRef struct {
	// Name is the user's name, in the path.
	Name string `json:"userName"`
	about
}

func (u *OlderRef) take(r *op.Request) error {
	u.Name = strings.TrimSpace(r.Path["userName"])
	return nil
}

// Resolve finds the user.
func (u *OlderRef) Resolve(ctx context.Context, c *op.Call) (err error) {
	u.found, err = vault.Named(ctx, c, u.Name)
	return err
}

// GetOlderUser tells of a user by name. Callers may ask for themselves. pvwa.yaml, GET
// /PasswordVault/WebServices/PIMServices.svc/Users/{userName}.
func (p PVWA) GetOlderUser(ctx context.Context, c *op.Call, in OlderRef) (wire.OlderUser, error) {
	return p.Vault.Older(ctx, c, in.found)
}

// OlderChange is how a user is to change: what is absent stays.
type OlderChange struct {
	OlderRef
	OlderBody
	// NewPassword is another password, at most 39 characters.
	NewPassword string `json:"NewPassword"`
	// Suspended lifts a suspension when it is false. It cannot be set.
	Suspended *wire.Bool `json:"Suspended"`
}

func (u *OlderChange) take(r *op.Request) error {
	if err := wire.Read(r.Body, u); err != nil {
		return err
	}
	return u.OlderRef.take(r)
}

// Check wants a password that is not too long.
func (u *OlderChange) Check() error { return vault.PasswordFits("NewPassword", u.NewPassword) }

// hashed is a password that was hashed; set is false where none was given.
type hashed struct {
	password.New
	set bool
}

func (p PVWA) prepareOlderChange(ctx context.Context, c *op.Call, in OlderChange) (out hashed, err error) {
	if in.NewPassword == "" {
		return out, nil
	}
	out.set = true
	out.New, err = p.Vault.Hash(ctx, c, in.found, in.NewPassword, in.forces())
	return out, err
}

func (u OlderChange) forces() bool {
	if u.ChangePasswordOnTheNextLogon == nil {
		return u.found.ForceChange
	}
	return bool(*u.ChangePasswordOnTheNextLogon)
}

// ChangeOlderUser changes a user, or sets the user's password; all that is not said stays. pvwa.yaml, PUT
// /PasswordVault/WebServices/PIMServices.svc/Users/{userName}.
func (p PVWA) ChangeOlderUser(ctx context.Context, c *op.Call, in OlderChange, hash hashed) (wire.OlderUser, error) {
	was, err := p.Vault.Of(ctx, c, in.found)
	if err != nil {
		return wire.OlderUser{}, err
	}
	now := was.Again()
	now.Suspended = in.Suspended
	if err := in.over(&now); err != nil {
		return wire.OlderUser{}, err
	}
	wish, err := vault.Check(now)
	if err != nil {
		return wire.OlderUser{}, err
	}
	if _, err := p.Vault.Change(ctx, c, in.found.ID, wish); err != nil {
		return wire.OlderUser{}, err
	}
	if hash.set {
		if err := p.Vault.SetPassword(ctx, c, in.found.ID, hash.New, in.forces()); err != nil {
			return wire.OlderUser{}, err
		}
	}
	return p.again(ctx, c, was.ID)
}

// DeleteOlderUser removes a user by name. pvwa.yaml, DELETE /PasswordVault/WebServices/PIMServices.svc/Users/{userName}.
func (p PVWA) DeleteOlderUser(ctx context.Context, c *op.Call, in OlderRef) (op.None, error) {
	return op.None{}, p.Vault.Delete(ctx, c, in.found.ID)
}
