package mfa

import (
	"context"

	"limen/internal/core/audit"
	"limen/internal/core/factor/authenticator"
	"limen/internal/core/login"
	"limen/internal/fault"
	"limen/internal/op"
)

// asked declares what devices call: nobody is signed in there, and each call is signed.
func (m MFA) asked() []op.Op {
	return []op.Op{
		op.New(op.Spec{
			Path: "/Authenticator/GetWaiting", Allow: op.Anonymous, Effect: op.Read,
			Faults: []*fault.Error{authenticator.ErrSignature, authenticator.ErrClock, fault.ErrMissing},
		}, m.GetWaiting),
		op.Prepared(op.Spec{
			Path: "/Authenticator/Answer", Allow: op.Anonymous, Effect: op.Write, Audit: audit.LoginStep, Rate: op.Guess,
			Faults: []*fault.Error{authenticator.ErrSignature, authenticator.ErrAsk, authenticator.ErrNumber, login.ErrGuesses, fault.ErrMissing},
		}, m.ensureReply, m.AnswerAuthenticator),
	}
}

// DeviceCall is a device that asks.
type DeviceCall struct {
	// Device is its Id, required.
	Device string `json:"Device"`
	// Time is the device's clock, in ms since 1970 UTC, required; it may be two minutes off.
	Time int64 `json:"Time"`
	// Signature is over the lines "limen authenticator 1", "waiting", the tenant's id, Device and Time, as that of an enrolment; required.
	Signature string `json:"Signature"`
}

// Check wants all of them.
func (d *DeviceCall) Check() error {
	if d.Time == 0 {
		return fault.Missing("Time")
	}
	if err := required("Device", d.Device); err != nil {
		return err
	}
	return required("Signature", d.Signature)
}

// WaitingAsk is a sign-in that waits for its person's answer.
type WaitingAsk struct {
	// ID names the request.
	ID string `json:"Id"`
	// Nonce is drawn for this request, and is signed with the answer.
	Nonce string `json:"Nonce"`
	// Account is the login name that signs in.
	Account string `json:"Account"`
	// Application is what it signs in to; empty: this server itself, or a program that did not say.
	Application string `json:"Application"`
	// Place is the address that it comes from, with its country in parentheses where that is known.
	Place string `json:"Place"`
	// Agent is what the browser or program calls itself.
	Agent string `json:"Agent"`
	// Asked and Expires are in ms since 1970 UTC.
	Asked   int64 `json:"Asked"`
	Expires int64 `json:"Expires"`
}

// GetWaiting lists the sign-ins that wait for an answer of the device's owner, the newest first. It does not tell the number that
// they show.
func (m MFA) GetWaiting(ctx context.Context, c *op.Call, in DeviceCall) ([]WaitingAsk, error) {
	d, err := m.Authenticators.Caller(ctx, c, in.Device, in.Time, authenticator.WaitingMessage(c.Tenant.ID, in.Device, in.Time), in.Signature)
	if err != nil {
		return nil, err
	}
	all, err := m.Authenticators.Waiting(ctx, c, d)
	out := make([]WaitingAsk, len(all))
	for i, a := range all {
		out[i] = WaitingAsk{a.ID, a.Nonce, a.Login, a.App, a.Place, a.Agent, a.Created, a.Expires}
	}
	return out, err
}

// DeviceAnswer is a device's answer to a sign-in that waits.
type DeviceAnswer struct {
	// Device is its Id, required.
	Device string `json:"Device"`
	// ID is the request's, required.
	ID string `json:"Id"`
	// Approve is true where the person says that it is they who sign in, and false where they refuse.
	Approve bool `json:"Approve"`
	// Number is what the sign-in shows, as the person entered it; needed to approve.
	Number string `json:"Number"`
	// Signature is over the lines "limen authenticator 1", "answer", the tenant's id, Device, Id, Nonce, approve or refuse, Number, Account,
	// Application, Place and Asked, as GetWaiting gave them; required.
	Signature string `json:"Signature"`
}

// Check wants all but the number.
func (d *DeviceAnswer) Check() error {
	for _, one := range [][2]string{{"Device", d.Device}, {"Id", d.ID}, {"Signature", d.Signature}} {
		if err := required(one[0], one[1]); err != nil {
			return err
		}
	}
	if d.Approve {
		return required("Number", d.Number)
	}
	return nil
}

func (m MFA) ensureReply(ctx context.Context, c *op.Call, _ DeviceAnswer) (op.None, error) {
	return op.None{}, m.Logins.Ensure(ctx, c.Tenant.ID)
}

// AnswerAuthenticator approves a sign-in that waits, or refuses it. Each is answered once, by one of the person's devices. A refusal
// ends the sign-in, counts as a wrong answer and is told to the person by mail; so does a number that is not the one shown. Who waits learns it at the
// next poll.
func (m MFA) AnswerAuthenticator(ctx context.Context, c *op.Call, in DeviceAnswer, _ op.None) (op.None, error) {
	a, err := m.Authenticators.Answer(ctx, c, authenticator.Reply{
		Device: in.Device, Ask: in.ID, Approve: in.Approve, Number: in.Number, Signature: in.Signature,
	})
	if err != nil {
		return op.None{}, err
	}
	p, err := m.People.ByID(ctx, c, a.Device.User)
	if err != nil {
		return op.None{}, err
	}
	a.Device.Tell(c.Event, p.ID, p.Name)
	return op.None{}, m.settle(ctx, c, a)
}
