package signin

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/login"
	"limen/internal/core/number"
	"limen/internal/core/user"
	"limen/internal/core/workspace"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/synerise"
)

// maxLogin is the length of a name that is looked at.
const maxLogin = 400

// methods are the mechanisms that can be answered here, as the dialect calls them.
var methods = []struct{ name, mechanism string }{{"TOTP_AUTHENTICATOR", factor.OATH}, {"EMAIL", factor.Email}}

// Choice says which workspace a token shall be for. When neither is sent it is the only one of the person's; who has several gets a
// token that names none.
type Choice struct {
	// BusinessProfileID is the workspace's number.
	BusinessProfileID int64 `json:"businessProfileId"`
	// BusinessProfileGUID is the workspace's guid, in place of its number.
	BusinessProfileGUID string `json:"businessProfileGuid"`
}

// LoginRequest signs in by name and password.
type LoginRequest struct {
	// Username is the login name, or the mail address where one person alone has it; required.
	Username string `json:"username"`
	// Password is the password, required.
	Password string `json:"password"`
	// DeviceID names the client's device by a text of 16 to 256 characters that nobody else knows: who passed the second factor on it is not
	// asked again for eight hours.
	DeviceID string `json:"deviceId"`
	// ExternalProviderToken is the token of another provider; it is refused.
	ExternalProviderToken string `json:"externalProviderToken"`
	// ExternalProviderType is the provider; it is refused.
	ExternalProviderType string `json:"externalProviderType"`
	Choice
}

// Check wants a name and a password.
func (r *LoginRequest) Check() error {
	switch {
	case r.ExternalProviderToken != "" || r.ExternalProviderType != "":
		return ErrProvider.At("externalProviderToken")
	case strings.TrimSpace(r.Username) == "":
		return fault.Missing("username")
	case r.Password == "":
		return fault.Missing("password")
	case len(r.Username) > maxLogin:
		return fault.Bad("username", "may have %d bytes", maxLogin)
	case len(r.DeviceID) > workspace.MaxDevice:
		return fault.Bad("deviceId", "may have %d bytes", workspace.MaxDevice)
	}
	return nil
}

// TenantHint names the tenant by the login suffix.
func (r *LoginRequest) TenantHint() op.Hint { return op.Hint{Login: r.Username} }

// Consumer is who a token is for.
type Consumer struct {
	// Type is USER.
	Type string `json:"type"`
	// ID is the person's number.
	ID int64 `json:"id"`
	// Name is the person's name.
	Name string `json:"name"`
	// BusinessProfileID is the number of the workspace that the token is for; null: none has been chosen.
	BusinessProfileID *int64 `json:"businessProfileId"`
	// Authorities are what the person may do in the workspace, each as permission:level.
	Authorities []string `json:"authorities"`
	// Roles are the numbers of the person's roles of the workspace, joined by commas.
	Roles string `json:"roles"`
}

// SignedIn is the answer to both steps.
type SignedIn struct {
	// Token is the JWT. While mfaMethods is not empty it is good for the second step alone.
	Token string `json:"token"`
	// Consumer is who signed in; null while mfaMethods is not empty.
	Consumer *Consumer `json:"consumer"`
	// MfaMethods are the ways of which one is needed for the second step: TOTP_AUTHENTICATOR, EMAIL. A code is mailed at once where EMAIL is
	// the only one.
	MfaMethods []string `json:"mfaMethods"`

	unsigned workspace.Unsigned
}

// Finish signs the token.
func (s SignedIn) Finish(ctx context.Context, _ *op.Call) (any, error) {
	var err error
	s.Token, err = s.unsigned.Sign(ctx)
	return s, err
}

// check finds whose name it is, and hashes the password.
func (s SignIn) check(ctx context.Context, c *op.Call, in LoginRequest) (login.Directly, error) {
	if err := s.Tokens.Ensure(ctx, c.Tenant.ID); err != nil {
		return login.Directly{}, err
	}
	name := in.Username
	err := c.Snapshot(ctx, func() (err error) {
		name, err = s.named(ctx, c, in.Username)
		return err
	})
	if err != nil {
		return login.Directly{}, err
	}
	device := in.DeviceID
	if len(device) < workspace.MinDevice {
		device = ""
	}
	return s.Logins.PrepareOn(ctx, c, device, name, in.Password)
}

// named finds the login name of a mail address that is one person's alone, and known to be theirs.
func (s SignIn) named(ctx context.Context, c *op.Call, text string) (string, error) {
	with, err := s.People.ByMail(ctx, c, strings.TrimSpace(text), 2)
	if err != nil {
		return text, err
	}
	_, err = s.People.ByName(ctx, c, text)
	if !errors.Is(err, user.ErrNotFound) {
		return text, err
	}
	if len(with) == 1 && !with[0].MailUnproved {
		return with[0].Name, nil
	}
	return text, nil
}

// LoginUser signs in as a user by name and password, the same sign-in as everywhere: its policies, delays and events.
//
// Where more than the password is asked for, mfaMethods says what, and the token is good for the second step alone. The JWT lives as long
// as the setting Workspace.TokenMinutes says, and no longer than its session: signing out, a lock, a lost role or an end of access are
// felt at the next call. A right password that must be replaced first is answered by 403. synerise.yaml, POST /uauth/auth/login/user.
func (s SignIn) LoginUser(ctx context.Context, c *op.Call, in LoginRequest, d login.Directly) (SignedIn, error) {
	r, err := s.Logins.First(ctx, c, d, s.stands(in.DeviceID))
	if errors.Is(err, login.ErrFailed) {
		return SignedIn{}, op.Refused(ErrWrong)
	}
	if errors.Is(err, login.ErrTerms) {
		return SignedIn{}, op.Refused(login.ErrTerms)
	}
	if errors.Is(err, login.ErrReplace) {
		return SignedIn{}, op.Refused(login.ErrReplace)
	}
	if err != nil {
		return SignedIn{}, err
	}
	if r.Success == nil {
		return s.step(ctx, c, *r.Package, in.Choice)
	}
	return s.enter(ctx, c, r.Success, in.Choice)
}

// stands looks whether the device was named by somebody who passed the second factor on it.
func (s SignIn) stands(device string) login.Stands {
	return func(ctx context.Context, c *call.Call, userID string, after time.Time) (bool, error) {
		v, err := s.Settings.Get(ctx, c)
		if err != nil || !v.Workspace.Device {
			return false, err
		}
		return workspace.KnownDevice(ctx, c, userID, device, after)
	}
}

// step answers with what the second step needs.
func (s SignIn) step(ctx context.Context, c *op.Call, p login.Package, want Choice) (SignedIn, error) {
	out := SignedIn{MfaMethods: offered(p)}
	if len(out.MfaMethods) == 0 {
		return SignedIn{}, op.Refused(ErrFactors)
	}
	var err error
	out.unsigned, err = s.Tokens.Make(ctx, c, workspace.TypeStep, workspace.Claims{
		Step: p.Session, Wanted: want.BusinessProfileID, Guid: want.BusinessProfileGUID,
	}, 0)
	return out, err
}

// offered are the methods of which one answers the challenge that is due.
func offered(p login.Package) (out []string) {
	for _, m := range methods {
		if _, ok := find(p, m.mechanism); ok {
			out = append(out, m.name)
		}
	}
	return out
}

// find finds the id of a mechanism of the challenge that is due.
func find(p login.Package, mechanism string) (id string, ok bool) {
	if len(p.Challenges) == 0 {
		return "", false
	}
	for _, ch := range p.Challenges[0] {
		if ch.Name == mechanism {
			return ch.ID, true
		}
	}
	return "", false
}

// enter makes the token of a person who signed in.
func (s SignIn) enter(ctx context.Context, c *op.Call, done *login.Success, want Choice) (SignedIn, error) {
	by, err := s.Caller(ctx, c, done.Person.ID)
	if err != nil {
		return SignedIn{}, err
	}
	by.Session, by.Means, by.Level = done.Session.ID, call.ByPlatform, done.Session.Level
	before := c.Caller
	defer func() { c.Caller = before }()
	c.Caller = &by
	at, err := s.Workspaces.Choose(ctx, c, want.BusinessProfileID, want.BusinessProfileGUID)
	if errors.Is(err, workspace.ErrMFA) { // they set it up with a token that is for no workspace
		at, err = "", nil
	}
	if err != nil {
		return SignedIn{}, err
	}
	return s.signed(ctx, c, at, done.Person.Display, done.Session.Expires)
}

// signed makes the caller's token for a workspace, or for none.
func (s SignIn) signed(ctx context.Context, c *op.Call, at, display string, ends int64) (SignedIn, error) {
	who, err := s.consumer(ctx, c, at, display)
	if err != nil {
		return SignedIn{}, err
	}
	claims := workspace.Claims{Subject: c.Caller.User, Session: c.Caller.Session, Workspace: at, Authorities: who.Authorities}
	if who.BusinessProfileID != nil {
		claims.Number = *who.BusinessProfileID
	}
	out := SignedIn{Consumer: who, MfaMethods: []string{}}
	out.unsigned, err = s.Tokens.Make(ctx, c, workspace.TypeUser, claims, ends)
	return out, err
}

func (s SignIn) consumer(ctx context.Context, c *op.Call, at, display string) (*Consumer, error) {
	out := &Consumer{Type: "USER", Name: display, Authorities: []string{}}
	var err error
	if out.ID, err = number.Of(ctx, c, number.User, c.Caller.User); err != nil || at == "" {
		return out, err
	}
	n, err := number.Of(ctx, c, number.Organization, at)
	if err != nil {
		return out, err
	}
	out.BusinessProfileID, out.Authorities = &n, workspace.Authorities(c.Caller.Held, at)
	out.Roles, err = s.roles(ctx, c, at)
	return out, err
}

// See notes the token of the first step.
func (v *Verification) See(r *http.Request) { v.token = synerise.Bearer(r) }
