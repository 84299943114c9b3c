// Package scan is what somebody's authenticator does with a QR code of a sign-in that it has read: it learns what the code is about, and says
// what its owner says of it. Nobody is signed in on it; each call is signed with the device's key.
package scan

import (
	"context"
	"errors"
	"strings"

	"limen/internal/call"
	"limen/internal/core/factor/authenticator"
	"limen/internal/core/login"
	"limen/internal/core/user"
	"limen/internal/fault"
)

// ErrCode is a code that is over, or not for the device's owner; nothing tells which.
var ErrCode = fault.New(fault.NotFound, "scan.code", "This code is not valid any more, or is not meant for you. Have a new one shown.")

// Scans are those of the call's tenant. Its fields are set before use.
type Scans struct {
	Devices authenticator.Devices
	Logins  *login.Logins
	People  *user.Directory
}

// Question is a device that wants to know what a code is about.
type Question struct {
	Device    string // id
	Time      int64  // its clock, ms since 1970 UTC
	Code      string
	Signature string // over authenticator.ReadMessage
}

// Read says what a code is about. The number is not told. It reads only. Faults: authenticator.ErrSignature, authenticator.ErrClock, ErrCode.
func (s Scans) Read(ctx context.Context, c *call.Call, q Question) (authenticator.Ask, error) {
	d, err := s.Devices.Caller(ctx, c, q.Device, q.Time, authenticator.ReadMessage(c.Tenant.ID, q.Device, q.Time, q.Code), q.Signature)
	if err != nil {
		return authenticator.Ask{}, err
	}
	_, ask, err := s.about(ctx, c, d, q.Code)
	return ask, err
}

// about is a code as the device shows it, and its owner.
func (s Scans) about(ctx context.Context, c *call.Call, d authenticator.Device, code string) (user.User, authenticator.Ask, error) {
	r, err := s.Logins.Code(ctx, c, code, d.User)
	if errors.Is(err, login.ErrLink) {
		return user.User{}, authenticator.Ask{}, ErrCode
	}
	if err != nil {
		return user.User{}, authenticator.Ask{}, err
	}
	u, err := s.People.ByID(ctx, c, d.User)
	if r.Login == "" {
		r.Login = u.Name
	}
	return u, authenticator.Ask{
		Login: authenticator.Line(r.Login), App: authenticator.Line(r.App), Place: s.Devices.Place(r.IP), Agent: authenticator.Line(r.Agent),
		Created: r.Shown, Expires: r.Expires,
	}, err
}

// Reply is a device's answer.
type Reply struct {
	Device    string // id
	Code      string
	Approve   bool
	Number    string // that the owner has entered; empty with a refusal
	Signature string // over authenticator.ConfirmMessage
}

// Answered is a code that was answered, once.
type Answered struct {
	Device authenticator.Device
	Owner  user.User
	Ask    authenticator.Ask
	Wrong  bool // approved with a number that is not the one shown, which is no approval
}

// Tell makes an event one about the answer.
func (a Answered) Tell(e *call.Event, approved bool) {
	a.Device.Tell(e, a.Owner.ID, a.Owner.Name)
	a.Ask.Tell(e, a.Device, approved && !a.Wrong)
}

// Answer takes a device's answer; owner is the UUID of who must be its owner, or empty. Faults: authenticator.ErrSignature, ErrCode,
// login.ErrGuesses, and login.ErrUnfit, which is to be committed and comes with what was answered.
func (s Scans) Answer(ctx context.Context, c *call.Call, r Reply, owner string) (Answered, error) {
	d, err := s.Devices.Find(ctx, c, r.Device)
	if errors.Is(err, authenticator.ErrNotFound) || err == nil && owner != "" && d.User != owner {
		err = authenticator.ErrSignature
	}
	if err != nil {
		return Answered{}, err
	}
	u, ask, err := s.about(ctx, c, d, r.Code)
	if err != nil {
		return Answered{}, err
	}
	out := Answered{Device: d, Owner: u, Ask: ask}
	if _, err := s.Devices.Signer(ctx, c, d.ID, authenticator.ConfirmMessage(c.Tenant.ID, d.ID, r.Code, ask, r.Approve, r.Number), r.Signature); err != nil {
		return Answered{}, err
	}
	if err := s.Devices.Answered(ctx, c, d); err != nil {
		return Answered{}, err
	}
	out.Wrong, err = s.Logins.Confirm(ctx, c, login.Confirmation{Code: r.Code, User: d.User, Approve: r.Approve, Number: strings.TrimSpace(r.Number)})
	if errors.Is(err, login.ErrLink) {
		err = ErrCode
	}
	return out, err
}
