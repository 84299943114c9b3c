package authenticator

import (
	"context"
	"net/netip"
	"strconv"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/crypt"
)

// CodeLife is for how long a code that a sign-in shows can be read.
const CodeLife = 2 * time.Minute

// Code is the mechanism QR: the sign-in shows a code with a number beside it, and one of the person's authenticators reads the code and is
// told the number. Nobody is asked by it, and nothing that is typed answers it.
type Code struct{ Devices Devices }

// Name is QR.
func (Code) Name() string { return factor.QR }

// Prompt is the same for everybody, and for a sign-in of nobody yet.
func (Code) Prompt() factor.Prompt {
	return factor.Prompt{
		AnswerType: factor.StartOOB, Chosen: "Read the code with your authenticator, and enter there the number that is shown.", Select: "QR Code",
		UI: "Read the code with your authenticator, and enter there the number that is shown.",
	}
}

// Offer is for people who have an authenticator.
func (m Code) Offer(ctx context.Context, c *call.Call, p factor.Person) (factor.Prompt, bool, error) {
	list, err := m.Devices.List(ctx, c, p.ID)
	if err != nil || len(list) == 0 {
		return factor.Prompt{}, false, err
	}
	return m.Prompt(), true, nil
}

// Disguise has nothing to hide.
func (Code) Disguise(p factor.Prompt, _ []byte) factor.Prompt { return p }

// Start draws a number anew, for which the code can be read for a while. Nobody is asked where a password is replaced: anybody begins that.
func (Code) Start(_ context.Context, c *call.Call, _ factor.Person, ch *factor.Challenge, _ string) error {
	now := c.Now.UnixMilli()
	if ch.Sent != 0 && now-ch.Sent < factor.Again.Milliseconds() {
		return nil
	}
	ch.Sent, ch.Expires, ch.Number = now, 0, ""
	if !ch.Recovery {
		ch.Number, ch.Expires = crypt.NewCode(c.Rand, digits), c.Now.Add(CodeLife).UnixMilli()
	}
	return nil
}

// Check finds nothing right: an authenticator answers.
func (Code) Check(context.Context, *call.Call, factor.Person, factor.Challenge, factor.Answer) (factor.Verdict, error) {
	return factor.Verdict{}, nil
}

// Commit accepts nothing.
func (Code) Commit(_ context.Context, _ *call.Call, _ factor.Person, ch *factor.Challenge, _ factor.Verdict) (bool, error) {
	ch.Tries++
	return false, nil
}

// Place is an address as devices are shown it, with its country where that is known.
func (v Devices) Place(ip netip.Addr) string { return line(v.at(ip)) }

// Line is a text as devices are shown it, and sign it.
func Line(text string) string { return line(text) }

// Signer finds the device that signed a message. Fault: ErrSignature.
func (v Devices) Signer(ctx context.Context, c *call.Call, id string, message []byte, signature string) (Device, error) {
	return v.signer(ctx, c, id, message, signature)
}

// Answered notes that a device of somebody's was used.
func (Devices) Answered(ctx context.Context, c *call.Call, d Device) error {
	_, err := use.Do(ctx, c.Tx, c.Now.UnixMilli(), c.Tenant.ID, d.User, d.ID)
	return err
}

// ReadMessage is what a device signs to learn what a code is about that it read; at is in ms since 1970 UTC.
func ReadMessage(tenant, device string, at int64, code string) []byte {
	return message("read", tenant, device, strconv.FormatInt(at, 10), line(code))
}

// ConfirmMessage is what a device signs to answer a code: what it has shown, and what its owner said.
func ConfirmMessage(tenant, device, code string, a Ask, approve bool, number string) []byte {
	said := "refuse"
	if approve {
		said = "approve"
	}
	return message("code", tenant, device, line(code), said, line(number), a.Login, a.App, a.Place, strconv.FormatInt(a.Created, 10))
}
