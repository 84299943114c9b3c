package mfa

import (
	"context"

	"limen/internal/core/audit"
	"limen/internal/core/factor/authenticator"
	"limen/internal/fault"
	"limen/internal/op"
)

// subscribing declares how devices say where messages for them go.
func (m MFA) subscribing() []op.Op {
	return []op.Op{
		op.Prepared(op.Spec{
			Path: "/Authenticator/SetPushSubscription", Allow: op.Anonymous, Effect: op.Write, Audit: audit.FactorChange, Rate: op.Guess,
			Faults: []*fault.Error{authenticator.ErrSignature, authenticator.ErrClock, authenticator.ErrSubscription, fault.ErrMissing},
		}, m.ensureSubscription, m.SetPushSubscription),
	}
}

// PushSubscription is where a device's browser takes messages (PushSubscription.toJSON).
type PushSubscription struct {
	// Device is its Id, required.
	Device string `json:"Device"`
	// Time is the device's clock, in ms since 1970 UTC, required; it may be two minutes off.
	Time int64 `json:"Time"`
	// Endpoint is the https address of the push service; with both keys empty: no more messages are sent.
	Endpoint string `json:"Endpoint"`
	// P256DH is the browser's public key, in base64url.
	P256DH string `json:"P256DH"`
	// Auth is the secret that the browser shares, in base64url.
	Auth string `json:"Auth"`
	// Signature is over the lines "limen authenticator 1", "subscribe", the tenant's id, Device, Time, Endpoint, P256DH and Auth, as that of an
	// enrolment; required.
	Signature string `json:"Signature"`
}

// Check wants what every call of a device has.
func (p *PushSubscription) Check() error {
	return (&DeviceCall{p.Device, p.Time, p.Signature}).Check()
}

func (m MFA) ensureSubscription(ctx context.Context, c *op.Call, _ PushSubscription) (op.None, error) {
	return op.None{}, m.Logins.Ensure(ctx, c.Tenant.ID)
}

// SetPushSubscription has messages for a device sent to a push service (RFC 8030), in place of where they went before: that a sign-in
// waits, encrypted for the device's browser (RFC 8291), and nothing of what waits. The browser subscribes for the PushKey of the
// enrolment's answer. The device asks by itself for what waits where it takes no messages.
func (m MFA) SetPushSubscription(ctx context.Context, c *op.Call, in PushSubscription, _ op.None) (op.None, error) {
	s := authenticator.Subscription{Endpoint: in.Endpoint, P256DH: in.P256DH, Auth: in.Auth}
	d, err := m.Authenticators.Caller(ctx, c, in.Device, in.Time, authenticator.SubscribeMessage(c.Tenant.ID, in.Device, in.Time, s), in.Signature)
	if err != nil {
		return op.None{}, err
	}
	p, err := m.People.ByID(ctx, c, d.User)
	if err != nil {
		return op.None{}, err
	}
	d.Tell(c.Event, p.ID, p.Name)
	c.Event.Set("Subscribed", in.Endpoint != "")
	return op.None{}, m.Authenticators.Subscribe(ctx, c, d, s)
}
