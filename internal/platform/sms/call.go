package sms

import (
	"context"
	"net/url"
	"strconv"
)

// Limits of Twilio's Calls resource.
const (
	maxScript = 4000 // characters of instructions that are sent along
	rings     = 45   // seconds until nobody answers: less than most mailboxes take
)

// Call is a telephone call.
type Call struct {
	To     string // E.164; see Normalize
	URL    string // https, where the service asks what to do once somebody answers; empty: Script says it
	Script string // TwiML
}

// Call has the service make a call. Faults are those of Send; the account needs a number of its own.
func (t *Twilio) Call(ctx context.Context, a Account, m Call) (Receipt, error) {
	if err := a.Check(); err != nil {
		return Receipt{}, err
	}
	if !e164.MatchString(a.From) {
		return Receipt{}, ErrAccount.At("FromNumber").Say("Calls come from a number in international form, such as +14155550100.")
	}
	form, err := m.form()
	if err != nil {
		return Receipt{}, err
	}
	form.Set("From", a.From)
	req, err := t.form(ctx, a, "Calls.json", form)
	if err != nil {
		return Receipt{}, err
	}
	r, err := t.exchange(ctx, req)
	if err == nil && t.Log != nil {
		t.Log.DebugContext(ctx, "call handed over", "sid", r.SID, "status", r.Status)
	}
	return r, err
}

func (m Call) form() (url.Values, error) {
	if !e164.MatchString(m.To) {
		return nil, ErrMessage.At("To").Say("The recipient's number must be in international form, such as +14155550100.")
	}
	out := url.Values{"To": {m.To}, "Timeout": {strconv.Itoa(rings)}}
	if m.URL == "" {
		if m.Script == "" || len(m.Script) > maxScript {
			return nil, ErrMessage.At("Script").Say("The instructions must have at most %d bytes.", maxScript)
		}
		out.Set("Twiml", m.Script)
		return out, nil
	}
	if u, err := url.Parse(m.URL); err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, ErrMessage.At("URL").Say("The address must be an https URL.")
	}
	out.Set("Url", m.URL)
	out.Set("Method", "POST")
	return out, nil
}
