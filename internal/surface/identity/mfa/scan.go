package mfa

import (
	"context"
	"errors"

	"limen/internal/core/audit"
	"limen/internal/core/factor/authenticator"
	"limen/internal/core/login"
	"limen/internal/core/scan"
	"limen/internal/fault"
	"limen/internal/op"
)

// scanned declares what devices call about a QR code that they have read.
func (m MFA) scanned() []op.Op {
	return []op.Op{
		op.New(op.Spec{
			Path: "/Authenticator/ReadCode", Allow: op.Anonymous, Effect: op.Read, Rate: op.Guess,
			Faults: []*fault.Error{authenticator.ErrSignature, authenticator.ErrClock, scan.ErrCode, fault.ErrMissing},
		}, m.ReadCode),
		op.Prepared(op.Spec{
			Path: "/Authenticator/AnswerCode", Allow: op.Anonymous, Effect: op.Write, Audit: audit.LoginStep, Rate: op.Guess,
			Faults: []*fault.Error{authenticator.ErrSignature, scan.ErrCode, authenticator.ErrNumber, login.ErrGuesses, login.ErrUnfit, fault.ErrMissing},
		}, m.ensureCode, m.AnswerCode),
	}
}

// CodeQuestion is a device that has read a code.
type CodeQuestion struct {
	// Device is its Id, required.
	Device string `json:"Device"`
	// Time is the device's clock, in ms since 1970 UTC, required; it may be two minutes off.
	Time int64 `json:"Time"`
	// Code is the sessionId of the address in the code, required.
	Code string `json:"Code"`
	// Signature is over the lines "limen authenticator 1", "read", the tenant's id, Device, Time and Code, as that of an enrolment; required.
	Signature string `json:"Signature"`
}

// Check wants all of them.
func (d *CodeQuestion) Check() error {
	if d.Time == 0 {
		return fault.Missing("Time")
	}
	for _, one := range [][2]string{{"Device", d.Device}, {"Code", d.Code}, {"Signature", d.Signature}} {
		if err := required(one[0], one[1]); err != nil {
			return err
		}
	}
	return nil
}

// CodeRead is a sign-in that shows a code.
type CodeRead struct {
	// Account is the login name that would be signed in.
	Account string `json:"Account"`
	// Application is what it signs in to; empty: this server itself, or a program that did not say.
	Application string `json:"Application"`
	// Place is the address at which the code is shown, with its country in parentheses where that is known.
	Place string `json:"Place"`
	// Agent is what the browser or program there calls itself.
	Agent string `json:"Agent"`
	// Asked and Expires are in ms since 1970 UTC.
	Asked   int64 `json:"Asked"`
	Expires int64 `json:"Expires"`
}

// ReadCode says what a QR code is about that the device has read: who would be signed in, where and to what. It changes nothing, and does not
// tell the number that is shown beside the code. A code that is over looks like one that is meant for somebody else.
func (m MFA) ReadCode(ctx context.Context, c *op.Call, in CodeQuestion) (CodeRead, error) {
	a, err := m.Scans.Read(ctx, c, scan.Question{Device: in.Device, Time: in.Time, Code: in.Code, Signature: in.Signature})
	return CodeRead{a.Login, a.App, a.Place, a.Agent, a.Created, a.Expires}, err
}

// CodeAnswer is a device's answer to a code.
type CodeAnswer struct {
	// Device is its Id, required.
	Device string `json:"Device"`
	// Code is the sessionId of the address in the code, required.
	Code string `json:"Code"`
	// Approve is true where the person says that it is they who sign in there, and false where they refuse.
	Approve bool `json:"Approve"`
	// Number is what is shown beside the code, as the person entered it; needed to approve.
	Number string `json:"Number"`
	// Signature is over the lines "limen authenticator 1", "code", the tenant's id, Device, Code, approve or refuse, Number, Account, Application,
	// Place and Asked, as ReadCode gave them; required.
	Signature string `json:"Signature"`
}

// Check wants all but the number.
func (d *CodeAnswer) Check() error {
	for _, one := range [][2]string{{"Device", d.Device}, {"Code", d.Code}, {"Signature", d.Signature}} {
		if err := required(one[0], one[1]); err != nil {
			return err
		}
	}
	if d.Approve {
		return required("Number", d.Number)
	}
	return nil
}

func (m MFA) ensureCode(ctx context.Context, c *op.Call, _ CodeAnswer) (op.None, error) {
	return op.None{}, m.Logins.Ensure(ctx, c.Tenant.ID)
}

// AnswerCode approves the sign-in that shows a QR code, or refuses it. A code is answered once. Who waits there learns it at the next poll: they
// are signed in, or asked for what policies want besides. A refusal ends the sign-in, counts as a wrong answer and is told to the person by
// mail; so does a number that is not the one shown.
func (m MFA) AnswerCode(ctx context.Context, c *op.Call, in CodeAnswer, _ op.None) (op.None, error) {
	a, err := m.Scans.Answer(ctx, c, scan.Reply{
		Device: in.Device, Code: in.Code, Approve: in.Approve, Number: in.Number, Signature: in.Signature,
	}, "")
	if err != nil && !errors.Is(err, login.ErrUnfit) {
		return op.None{}, err
	}
	a.Tell(c.Event, in.Approve)
	switch {
	case err != nil:
		return op.None{}, op.Refused(login.ErrUnfit)
	case a.Wrong:
		return op.None{}, op.Refused(authenticator.ErrNumber)
	}
	return op.None{}, nil
}
