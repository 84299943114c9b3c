package users

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strings"

	"limen/internal/core/captcha"
	"limen/internal/core/consent"
	"limen/internal/core/factor"
	"limen/internal/core/proofing"
	"limen/internal/core/setting"
	core "limen/internal/core/signup"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// SignupUser is somebody who registers.
type SignupUser struct {
	// Name is the login name; the default suffix is added when it has none. Absent: PrimaryIdentifier, or taken from Mail.
	Name string `json:"Name"`
	// PrimaryIdentifier is what identifies the user: the login name where Name is absent.
	PrimaryIdentifier string `json:"PrimaryIdentifier"`
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
	// VerifyEmail sends a link to Mail by which the user shows that it is theirs; true when absent. Until then no code goes there. What a stranger
	// enters is to be shown also when it is false.
	VerifyEmail op.Opt[bool] `json:"VerifyEmail"`
	// ReCaptchaToken shows that a caller without a bearer token is no cheap program: the solution of a challenge of /Captcha/Challenge, or what
	// the service gave that the setting Captcha.Service names.
	ReCaptchaToken string `json:"ReCaptchaToken"`
	// ConsentVersion is the version of the terms to which a stranger agrees, as /ConsentManagement/GetConsentDocument tells it; required of strangers
	// where people must agree to something.
	ConsentVersion string `json:"ConsentVersion"`
	// ConsentLanguage is the language in which they were shown, a BCP 47 tag.
	ConsentLanguage string `json:"ConsentLanguage"`
	// TenantID names the tenant where neither the host nor the login suffix does.
	TenantID string `json:"TenantId"`
	// Values are additional attributes of the table users, each a member of its own beside the others; strangers set those that are UserEditable.
	// Members whose name has no underscore are taken, and have no effect.
	Values map[string]any `json:"*" rpc:"rest"`
}

// attributes are the additional ones: their names have an underscore, and those of CreateUser, which clients send here as well, have none.
func (s *SignupUser) attributes() map[string]any {
	out := map[string]any{}
	for name, v := range s.Values {
		if strings.Contains(name, "_") {
			out[name] = v
		}
	}
	return out
}

// Check wants a password and something to make a name of.
func (s *SignupUser) Check() error {
	if s.Name == "" {
		s.Name = s.PrimaryIdentifier
	}
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
	// SignUpStatus is Pending where somebody must approve the user before they can sign in; absent otherwise.
	SignUpStatus string `json:"SignUpStatus,omitempty"`
	// Added are what the script of the identity verification adds by addAttributeInResponse: additional attributes, each a member of its own beside
	// the others.
	Added map[string]any `json:"*"`
}

// MarshalJSON writes the members that were added beside the others.
func (s SignedUp) MarshalJSON() ([]byte, error) {
	out := maps.Clone(s.Added)
	if out == nil {
		out = map[string]any{}
	}
	out["UserId"] = s.UserID
	if s.SignUpStatus != "" {
		out["SignUpStatus"] = s.SignUpStatus
	}
	return json.Marshal(out)
}

// signup is who registers, as far as that was prepared.
type signup struct {
	quick
	proof    captcha.Proof
	stranger bool
	verdict  proofing.Verdict
}

func (u Users) hashSignup(ctx context.Context, c *op.Call, in SignupUser) (signup, error) {
	out := signup{stranger: c.Caller == nil || !manage.Decide(c, op.Target{}).Everything()}
	var err error
	if out.stranger {
		if out.proof, err = u.admit(ctx, c, in.ReCaptchaToken); err != nil {
			return signup{}, err
		}
	}
	name, err := u.complete(ctx, c, in.Name, in.Mail)
	if err != nil {
		return signup{}, err
	}
	out.full = NewUser{
		Name: name, Mail: in.Mail, Password: in.Password, DisplayName: in.DisplayName, Description: in.Description,
		MobileNumber: in.MobileNumber, OfficeNumber: in.OfficeNumber, HomeNumber: in.HomeNumber,
		VerifyEmail: in.Mail != "" && in.VerifyEmail.Or(true),
	}
	n, err := out.full.user()
	if err != nil {
		return signup{}, err
	}
	if err := n.Offer(); err != nil {
		return signup{}, err
	}
	if out.hash, err = u.hashNew(ctx, c, out.full); err != nil {
		return signup{}, err
	}
	out.verdict, err = u.Signups.Judge(ctx, c, proofing.Applicant{
		Name: n.Name, Mail: n.Mail, Mobile: n.Mobile, Display: n.Display, Description: n.Description, Office: n.Office, Home: n.Home, Attributes: in.attributes(),
	})
	if err == nil {
		err = out.verdict.Denied()
	}
	return out, err
}

// admit says whether strangers may register.
func (u Users) admit(ctx context.Context, c *op.Call, answer string) (captcha.Proof, error) {
	var v *setting.Values
	err := c.Snapshot(ctx, func() (err error) {
		v, err = u.Settings.Get(ctx, c)
		return err
	})
	switch {
	case err != nil:
		return captcha.Proof{}, err
	case !v.Signup.Allowed:
		return captcha.Proof{}, ErrSignup
	case !v.Signup.Captcha:
		return captcha.Proof{}, nil
	case answer == "":
		return captcha.Proof{}, ErrCaptcha
	}
	return u.Captchas.Check(ctx, c, answer)
}

// describe keeps what somebody who registers says of themselves, and what a stranger agrees to.
func (u Users) describe(ctx context.Context, c *op.Call, made user.User, in SignupUser, stranger bool) error {
	if values := in.attributes(); len(values) > 0 {
		if err := u.Attributes.Set(ctx, c, made.ID, values, stranger); err != nil {
			return err
		}
	}
	if s, err := u.Consents.Get(ctx, c); err != nil || !s.Enabled || !stranger {
		return err
	}
	return u.Consents.Give(ctx, c, made, consent.SignUp, factor.Terms{Version: in.ConsentVersion, Language: in.ConsentLanguage})
}

// Signup registers a user of the built-in directory, who joins Everybody.
//
// Strangers may call it when the setting Signup.Allowed is true; they show by a CAPTCHA that they are no cheap programs unless
// Signup.RequireCaptcha is false, and the mail address that they enter counts as nobody's until the link which is sent there was opened. Where people must
// agree to something, strangers do so here, by the version that they were shown; what callers with a bearer token register is asked at its first
// sign-in. Callers with a bearer token need the right User Management instead.
//
// Where the identity verification is switched on it says of everybody who registers, whoever sends it, whether they are let in, are refused, or wait
// for somebody's approval: then SignUpStatus is Pending, and the user can sign in once it was given. lifecycle.yaml n 562.
func (u Users) Signup(ctx context.Context, c *op.Call, in SignupUser, q signup) (SignedUp, error) {
	if err := u.Captchas.Use(ctx, c, q.proof); err != nil {
		return SignedUp{}, err
	}
	n, err := q.full.user()
	if err != nil {
		return SignedUp{}, err
	}
	n.MailUnproved = n.MailUnproved || q.stranger
	made, waits, err := u.Signups.Enter(ctx, c, core.Entry{New: n, Verdict: q.verdict, Stranger: q.stranger, Verify: q.full.VerifyEmail})
	if errors.Is(err, user.ErrNameTaken) {
		return SignedUp{}, user.ErrNameTaken.At("Name").Say("User name %s is already in use.", n.Name)
	}
	if err != nil {
		return SignedUp{}, err
	}
	c.Event.Set("Signup", true)
	if err := u.Passwords.Put(ctx, c, made.ID, q.hash.New, false); err != nil {
		return SignedUp{}, err
	}
	out := SignedUp{UserID: made.ID, Added: q.verdict.Added}
	if waits {
		out.SignUpStatus = string(user.SignupPending)
	}
	return out, u.describe(ctx, c, made, in, q.stranger)
}
