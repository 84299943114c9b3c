package users

import (
	"context"
	"errors"

	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// SignupUser is somebody who registers.
type SignupUser struct {
	// Name is the login name; the default suffix is added when it has none. Absent: taken from Mail.
	Name string `json:"Name"`
	// Mail is a mail address.
	Mail string `json:"Mail"`
	// Password is the first password; the policy applies.
	Password string `json:"Password"`
	// ConfirmPassword must equal Password when it is sent.
	ConfirmPassword op.Opt[string] `json:"ConfirmPassword"`
	// MobileNumber is a mobile number, best in international form; text messages go there.
	MobileNumber string `json:"MobileNumber"`
	// DisplayName is how people see the user.
	DisplayName string `json:"DisplayName"`
	// Description is free text.
	Description string `json:"Description"`
	// OfficeNumber is a telephone number at work.
	OfficeNumber string `json:"OfficeNumber"`
	// HomeNumber is a telephone number at home.
	HomeNumber string `json:"HomeNumber"`
	// ReCaptchaToken proves a person to callers without a bearer token.
	ReCaptchaToken string `json:"ReCaptchaToken"`
	// TenantID names the tenant where neither the host nor the login suffix does.
	TenantID string `json:"TenantId"`
}

// Check wants a password and something to make a name of.
func (s *SignupUser) Check() error {
	if s.Name == "" && s.Mail == "" {
		return fault.Missing("Name")
	}
	if err := required("Password", s.Password); err != nil {
		return err
	}
	if again, ok := s.ConfirmPassword.Get(); ok && again != s.Password {
		return fault.Bad("ConfirmPassword", "must equal Password")
	}
	return nil
}

// TenantHint lets the login suffix choose the tenant.
func (s *SignupUser) TenantHint() op.Hint { return op.Hint{Tenant: s.TenantID, Login: s.Name} }

// SignedUp is the answer to somebody who registered.
type SignedUp struct {
	// UserID is the new user's UUID.
	UserID string `json:"UserId"`
}

func (u Users) hashSignup(ctx context.Context, c *op.Call, in SignupUser) (quick, error) {
	if err := u.admit(ctx, c, in.ReCaptchaToken); err != nil {
		return quick{}, err
	}
	name, err := u.complete(ctx, c, in.Name, in.Mail)
	if err != nil {
		return quick{}, err
	}
	full := NewUser{
		Name: name, Mail: in.Mail, Password: in.Password, DisplayName: in.DisplayName, Description: in.Description,
		MobileNumber: in.MobileNumber, OfficeNumber: in.OfficeNumber, HomeNumber: in.HomeNumber,
	}
	n, err := full.user()
	if err != nil {
		return quick{}, err
	}
	if err := n.Offer(); err != nil {
		return quick{}, err
	}
	h, err := u.hashNew(ctx, c, full)
	return quick{full, h}, err
}

// admit says whether this caller may register people: user administrators, and strangers where that is allowed.
func (u Users) admit(ctx context.Context, c *op.Call, captcha string) error {
	if c.Caller != nil && manage.Decide(c, op.Target{}).Everything() {
		return nil
	}
	v, err := u.Settings.Get(ctx, c)
	switch {
	case err != nil:
		return err
	case !v.Signup.Allowed:
		return ErrSignup
	case !v.Signup.Captcha:
		return nil
	case u.Captcha == nil || captcha == "":
		return ErrCaptcha
	}
	return u.Captcha(ctx, c, captcha)
}

// Signup registers a user of the built-in directory, who joins Everybody.
//
// Strangers may call it when the setting Signup.Allowed is true; they prove by a CAPTCHA that they are people unless
// Signup.RequireCaptcha is false. Callers with a bearer token need the right User Management instead. lifecycle.yaml n 562.
func (u Users) Signup(ctx context.Context, c *op.Call, _ SignupUser, q quick) (SignedUp, error) {
	n, err := q.full.user()
	if err != nil {
		return SignedUp{}, err
	}
	made, err := u.People.Create(ctx, c, n)
	if errors.Is(err, user.ErrNameTaken) {
		return SignedUp{}, user.ErrNameTaken.At("Name").Say("User name %s is already in use.", n.Name)
	}
	if err != nil {
		return SignedUp{}, err
	}
	c.Event.Set("Signup", true)
	return SignedUp{made.ID}, u.Passwords.Put(ctx, c, made.ID, q.hash.New, false)
}
