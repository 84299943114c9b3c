package pvwa

import (
	"context"
	"net/http"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/vault"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/pvwa"
)

func (p PVWA) methods() []op.Op {
	const path = "/PasswordVault/API/Configuration/AuthenticationMethods"
	faults := []*fault.Error{vault.ErrValue, vault.ErrNoMethod}
	return []op.Op{
		op.New(reads(path, op.System), p.ListMethods),
		op.New(reads(path+"/{id}", op.System, vault.ErrNoMethod), p.GetMethod),
		op.New(writes(http.MethodPost, path, op.System, audit.SettingChange, []*fault.Error{vault.ErrValue, vault.ErrMethodHas, vault.ErrMethods}), p.AddMethod),
		op.New(writes(http.MethodPut, path+"/{id}", op.System, audit.SettingChange, faults), p.ChangeMethod),
		op.New(writes(http.MethodDelete, path+"/{id}", op.System, audit.SettingChange, []*fault.Error{vault.ErrNoMethod, vault.ErrMethodMain}), p.RemoveMethod),
	}
}

// LogonMethod is a way to log on, as administrators set it up.
type LogonMethod struct {
	// ID is its id, as cyberark.
	ID string `json:"id"`
	// DisplayName is what clients call it.
	DisplayName string `json:"displayName"`
	// Enabled says whether people may log on so.
	Enabled bool `json:"enabled"`
	// MobileEnabled says whether clients for mobile devices offer it; nothing here looks at it.
	MobileEnabled bool `json:"mobileEnabled"`
	// LogoffURL is where clients go when their user logs off; nothing here looks at it.
	LogoffURL string `json:"logoffUrl"`
	// SecondFactorAuth is empty: policies say who is asked for a second factor.
	SecondFactorAuth string `json:"secondFactorAuth"`
	// SignInLabel is the text that clients show above their fields.
	SignInLabel string `json:"signInLabel"`
	// UsernameFieldLabel is the text that clients show beside the field of the name.
	UsernameFieldLabel string `json:"usernameFieldLabel"`
	// PasswordFieldLabel is the text that clients show beside the field of the password.
	PasswordFieldLabel string `json:"passwordFieldLabel"`
}

func logonMethod(m vault.Method) LogonMethod {
	return LogonMethod{
		ID: m.ID, DisplayName: m.Name, Enabled: m.Enabled, MobileEnabled: m.Mobile, LogoffURL: m.Logoff, SignInLabel: m.SignInLabel,
		UsernameFieldLabel: m.UserLabel, PasswordFieldLabel: m.PasswordLabel,
	}
}

// LogonMethods are the ways to log on.
type LogonMethods struct {
	// Methods are all of them, by their ids.
	Methods []LogonMethod `json:"Methods"`
}

// ListMethods lists the ways to log on. At first these are cyberark and radius. pvwa.yaml, GET
// /PasswordVault/api/Configuration/AuthenticationMethods.
func (p PVWA) ListMethods(ctx context.Context, c *op.Call, _ op.None) (LogonMethods, error) {
	all, err := vault.Methods(ctx, c)
	out := LogonMethods{[]LogonMethod{}}
	for _, m := range all {
		out.Methods = append(out.Methods, logonMethod(m))
	}
	return out, err
}

// MethodRef names a way to log on.
type MethodRef struct {
	// ID is its id, in the path, whatever the case.
	ID string `json:"id"`
}

func (m *MethodRef) take(r *op.Request) error {
	m.ID = strings.TrimSpace(r.Path["id"])
	return nil
}

// GetMethod tells of a way to log on. pvwa.yaml, GET /PasswordVault/api/Configuration/AuthenticationMethods/{id}.
func (p PVWA) GetMethod(ctx context.Context, c *op.Call, in MethodRef) (LogonMethod, error) {
	m, err := vault.MethodOf(ctx, c, in.ID)
	return logonMethod(m), err
}

// MethodBody is what a way to log on is to be. What is absent stays, and is empty or false of a new one.
type MethodBody struct {
	// DisplayName is what clients call it, at most 50 characters.
	DisplayName *string `json:"displayName"`
	// Enabled says whether people may log on so. Only cyberark, radius, pki and pkipn can be enabled: this service speaks no other way yet.
	Enabled *wire.Bool `json:"enabled"`
	// MobileEnabled says whether clients for mobile devices offer it; kept and told.
	MobileEnabled *wire.Bool `json:"mobileEnabled"`
	// LogoffURL is where clients go when their user logs off, an address with https; kept and told.
	LogoffURL *string `json:"logoffUrl"`
	// SecondFactorAuth must be empty: policies say who is asked for a second factor, and radius asks for it.
	SecondFactorAuth *string `json:"secondFactorAuth"`
	// SignInLabel is at most 100 characters; kept and told.
	SignInLabel *string `json:"signInLabel"`
	// UsernameFieldLabel is at most 50 characters; kept and told.
	UsernameFieldLabel *string `json:"usernameFieldLabel"`
	// PasswordFieldLabel is at most 50 characters; kept and told.
	PasswordFieldLabel *string `json:"passwordFieldLabel"`
}

func (b MethodBody) wish() vault.MethodWish {
	return vault.MethodWish{
		Name: b.DisplayName, Logoff: b.LogoffURL, SecondFactor: b.SecondFactorAuth, SignInLabel: b.SignInLabel, UserLabel: b.UsernameFieldLabel,
		PasswordLabel: b.PasswordFieldLabel, Enabled: (*bool)(b.Enabled), Mobile: (*bool)(b.MobileEnabled),
	}
}

// NewMethod is a way to log on to be added.
type NewMethod struct {
	MethodBody
	// ID is its id, required: 1 to 50 letters, digits, dots, hyphens and underscores.
	ID string `json:"id"`
}

func (n *NewMethod) take(r *op.Request) error { return wire.Read(r.Body, n) }

// AddedMethod is a way to log on that was added.
type AddedMethod struct{ LogonMethod }

// Status is that of something new.
func (AddedMethod) Status() int { return http.StatusCreated }

// AddMethod adds a way to log on, up to 50. pvwa.yaml, POST /PasswordVault/api/Configuration/AuthenticationMethods.
func (p PVWA) AddMethod(ctx context.Context, c *op.Call, in NewMethod) (AddedMethod, error) {
	m, err := p.Vault.AddMethod(ctx, c, in.ID, in.wish())
	return AddedMethod{logonMethod(m)}, err
}

// MethodChange is how a way to log on is to change.
type MethodChange struct {
	MethodRef
	MethodBody
}

func (m *MethodChange) take(r *op.Request) error {
	if err := wire.Read(r.Body, &m.MethodBody); err != nil {
		return err
	}
	return m.MethodRef.take(r)
}

// ChangeMethod changes a way to log on. Nobody logs on any more in one that is disabled; sessions go on. pvwa.yaml, PUT
// /PasswordVault/api/Configuration/AuthenticationMethods/{id}.
func (p PVWA) ChangeMethod(ctx context.Context, c *op.Call, in MethodChange) (LogonMethod, error) {
	m, err := p.Vault.ChangeMethod(ctx, c, in.ID, in.wish())
	return logonMethod(m), err
}

// RemoveMethod removes a way to log on; cyberark can be disabled, and not removed. pvwa.yaml, DELETE
// /PasswordVault/api/Configuration/AuthenticationMethods/{id}.
func (p PVWA) RemoveMethod(ctx context.Context, c *op.Call, in MethodRef) (op.None, error) {
	return op.None{}, p.Vault.RemoveMethod(ctx, c, in.ID)
}
