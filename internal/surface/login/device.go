package login

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/oauth"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/web/login"
)

// ErrStronger is for those whose sign-in does not suffice for what a device asks.
var ErrStronger = fault.New(fault.Denied, "login.device_stronger", "The application wants a stronger sign-in. Sign out, sign in again with a second factor, and enter the code again.")

// devices declares the page to which people bring the code that a device shows (RFC 8628 section 3.3).
func (s SignIn) devices() []op.Op {
	return []op.Op{
		op.New(op.Spec{Method: http.MethodGet, Path: oauth.DevicePath, Allow: op.Anonymous, Effect: op.Read}, s.EnterCode),
		op.Prepared(op.Spec{
			Path: oauth.DevicePath, Allow: op.Anonymous, Effect: op.Write, Audit: audit.OAuthAuthorize, Rate: op.Guess, MaxBody: maxForm,
			Faults: []*fault.Error{ErrElsewhere, ErrStronger, oauth.ErrDecided, oauth.ErrWait, oauth.ErrDenied},
		}, s.foreseeDevice, s.ConnectDevice),
	}
}

// CodeForm is the code that a device shows.
type CodeForm struct {
	// UserCode is as the person types it, or as the device's link has it.
	UserCode string `json:"user_code"`
	// Do is empty to see what the device asks for, agree or refuse.
	Do string `json:"do"`
}

// to is the page with the code, for who has to sign in first.
func (f CodeForm) to() string {
	if f.UserCode == "" {
		return oauth.DevicePath
	}
	return oauth.DevicePath + "?" + url.Values{"user_code": {f.UserCode}}.Encode()
}

// EnterCode asks for the code that a device shows. A code in the link is filled in, and has to be sent by the person all the same, so that
// they compare it with what their device shows (RFC 8628 section 5.4). Who is not signed in is led to the page for that first.
func (s SignIn) EnterCode(_ context.Context, c *op.Call, in CodeForm) (any, error) {
	if len(in.UserCode) > 100 {
		in.UserCode = ""
	}
	if !signedIn(c) {
		return op.Redirect{URL: stepURL(in.to(), "", "")}, nil
	}
	return login.Device{User: in.UserCode}, nil
}

// foreseeDevice has the PolicyScript of the device's application decide, where it has one.
func (s SignIn) foreseeDevice(ctx context.Context, c *op.Call, in CodeForm) (op.None, error) {
	if !signedIn(c) || in.Do == "" || in.UserCode == "" {
		return op.None{}, nil
	}
	return op.None{}, s.OAuth.ForeseePending(ctx, c, in.UserCode, "")
}

// ConnectDevice shows what the device of a code asks for, and notes what the person decides. Codes that are none count as guesses.
func (s SignIn) ConnectDevice(ctx context.Context, c *op.Call, in CodeForm, _ op.None) (any, error) {
	if in.Do == "" {
		c.Event.Type = "" // nothing is decided yet
	}
	if !signedIn(c) {
		c.Event.Type = ""
		return next(in.to(), ""), nil
	}
	if in.Do == "" {
		p, err := s.OAuth.LookDevice(ctx, c, in.UserCode)
		if err != nil {
			return entered(in, err)
		}
		return login.Connect{Account: c.Caller.Name, App: p.App.Name, User: strings.ToUpper(strings.TrimSpace(in.UserCode)), Wants: wants(p.App, p.Scope)}, nil
	}
	p, then, err := s.OAuth.DecideDevice(ctx, c, in.UserCode, in.Do == "agree")
	switch {
	case err != nil:
		return entered(in, err)
	case then == oauth.SignIn:
		c.Event.Type = ""
		return next(in.to(), ""), nil
	case then != oauth.Answer:
		return entered(in, ErrStronger)
	}
	return login.Connected{App: p.App.Name, Agreed: in.Do == "agree"}, nil
}

// entered shows the form again with what is wrong. A wrong code is committed, with what it counts.
func entered(in CodeForm, err error) (any, error) {
	f := fault.Of(err)
	if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		return nil, err
	}
	out := shown{view: login.Device{User: in.UserCode, Code: f.Code, Reason: f.Public}}
	if _, counted := errors.AsType[*oauth.ReplayError](err); counted {
		return out, op.Refused(f)
	}
	return out, f
}
