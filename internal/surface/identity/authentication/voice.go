package authentication

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/factor/phone"
	"limen/internal/core/login"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/twilio"
)

// ErrSignature is a request that the telephone service of the tenant did not make.
var ErrSignature = fault.New(fault.Denied, "voice.signature", "The request is not signed by the tenant's telephone service.")

// pinPath is where the telephone service brings a PIN.
const pinPath = "/Security/VoicePinResponse"

func (a Authentication) voices() []op.Op {
	spec := op.Spec{Path: pinPath, Allow: op.Anonymous, Effect: op.Write, Effects: []op.Effect{op.Read}, Audit: audit.LoginStep, MaxBody: 32 << 10,
		Faults: []*fault.Error{ErrSignature, fault.ErrMissing}}
	plain := spec
	plain.Path = login.RingPath
	return []op.Op{op.Prepared(spec, a.hear, a.VoicePinResponse), op.Prepared(plain, a.hear, a.VoiceResponse)}
}

// VoiceRequest is what the telephone service asks, or brings.
type VoiceRequest struct {
	// ID names the call: opaque, required.
	ID string `json:"id"`
	// Round is what the keys answer: how many answers were wrong before.
	Round int `json:"round"`
	// Digits are the keys that were pressed; absent when the call begins.
	Digits string `json:"Digits"`

	address, signature string
	body               []byte
}

// See keeps what is signed.
func (v *VoiceRequest) See(r *http.Request) {
	v.signature = r.Header.Get(twilio.SignatureHeader)
	v.address = r.URL.EscapedPath() + "?" + r.URL.RawQuery
}

// SeeBody keeps what is signed.
func (v *VoiceRequest) SeeBody(body []byte) { v.body = body }

// Effect is Write for keys.
func (v *VoiceRequest) Effect() op.Effect {
	if v.Digits == "" {
		return op.Read
	}
	return op.Write
}

// Check wants an id.
func (v *VoiceRequest) Check() error {
	if v.ID == "" {
		return fault.Missing("id")
	}
	return nil
}

func (v *VoiceRequest) keys() login.Keys {
	id, code, _ := strings.Cut(v.ID, ".")
	return login.Keys{Call: id, Code: code, Round: v.Round, Keys: strings.TrimSpace(v.Digits)}
}

// heard is what a request of the telephone service is about.
type heard struct {
	over    bool
	pin     bool // whoever is called has a PIN
	ring    login.Ring
	verdict factor.Verdict
}

func (a Authentication) hear(ctx context.Context, c *op.Call, in VoiceRequest) (h heard, err error) {
	signed, err := a.Called(ctx, c, "https://"+c.Tenant.Host+in.address, in.body, in.signature)
	if err == nil && !signed {
		err = ErrSignature
	}
	if err != nil {
		return h, err
	}
	k := in.keys()
	err = c.Snapshot(ctx, func() error {
		if h.ring, err = a.Logins.Rung(ctx, c, k.Call); err != nil {
			return err
		}
		hash, err := a.PINs.Of(ctx, c, h.ring.Person.ID)
		h.pin = hash != ""
		return err
	})
	if errors.Is(err, login.ErrLink) {
		return heard{over: true}, nil
	}
	if err == nil && k.Keys != "" {
		h.verdict, err = a.Logins.Keyed(ctx, c, h.ring, k)
	}
	return h, err
}

// VoiceResponse tells the telephone service (Twilio) what to do with a call that is a factor of somebody's sign-in, and takes the key
// that they press: 1 lets the client that waits go on, 9 says that it is not they who sign in, and ends the sign-in. Who has a PIN is
// asked for it. The third wrong answer ends the sign-in; each counts as a failed second factor.
//
// The header X-Twilio-Signature must be right by the tenant's token. The answer is TwiML; for a call that is over it ends the call,
// whoever it was for. authentication.yaml n 18.
func (a Authentication) VoiceResponse(ctx context.Context, c *op.Call, in VoiceRequest, h heard) (op.File, error) {
	words := phone.WordsIn(h.ring.Person.Culture)
	switch {
	case h.over:
		if c.Event != nil {
			c.Event.Outcome, c.Event.Reason = "refused", login.ErrLink.Code
		}
		return say(words, words.Over)
	case in.Digits == "":
		return in.ask(c, words, h, h.ring.Round, "")
	}
	k := in.keys()
	rang, err := a.Logins.Answered(ctx, c, k, h.verdict)
	if err != nil && !errors.Is(err, login.ErrFailed) {
		return op.File{}, err
	}
	switch rang {
	case login.Passed:
		return say(words, words.Thanks)
	case login.Asked:
		if c.Event.Outcome = "refused"; k.Round != h.ring.Round {
			c.Event.Type = "" // nothing happened
			return in.ask(c, words, h, h.ring.Round, "")
		}
		c.Event.Set("FailReason", "wrong keys")
		return in.ask(c, words, h, h.ring.Round+1, words.Again)
	}
	c.Event.Outcome = "refused"
	return say(words, words.Over)
}

// VoicePinResponse is VoiceResponse for calls that ask for a PIN. authentication.yaml n 17.
func (a Authentication) VoicePinResponse(ctx context.Context, c *op.Call, in VoiceRequest, h heard) (op.File, error) {
	return a.VoiceResponse(ctx, c, in, h)
}

// patience is for how many seconds a call waits for a key.
const patience = 10

// ask asks for keys; first says what was wrong with the last ones.
func (v *VoiceRequest) ask(c *op.Call, words phone.Words, h heard, round int, first string) (op.File, error) {
	g := twilio.Gather{Input: "dtmf", Method: http.MethodPost, Timeout: patience, Digits: 1, Say: twilio.Say{Language: words.Language, Text: words.Ask}}
	path := login.RingPath
	if h.pin {
		path, g.Digits, g.Finish, g.Say.Text = pinPath, 0, "#", words.PIN
	}
	g.Action = "https://" + c.Tenant.Host + path + "?id=" + url.QueryEscape(v.ID) + "&round=" + strconv.Itoa(round)
	if first != "" {
		g.Say.Text = first + " " + g.Say.Text
	}
	return script(g, twilio.Say{Language: words.Language, Text: words.Over}, twilio.Hangup{})
}

func say(words phone.Words, text string) (op.File, error) {
	return script(twilio.Say{Language: words.Language, Text: text}, twilio.Hangup{})
}

func script(verbs ...any) (op.File, error) {
	body, err := twilio.Response(verbs...)
	return op.File{Type: "text/xml; charset=utf-8", Body: body}, err
}
