// Package sms sends text messages and makes calls through Twilio's REST API, and knows telephone numbers.
//
// Other gateways that speak the same API can be used by their base URL.
package sms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"limen/internal/fault"
)

// DefaultBase is where Twilio's API lives.
const DefaultBase = "https://api.twilio.com"

// DefaultTimeout bounds one request.
const DefaultTimeout = 15 * time.Second

// DefaultSegments is how many segments a message may have unless Twilio.MaxSegments says otherwise.
const DefaultSegments = 4

// Limits of Twilio's Messages resource and of what is read of an answer.
const (
	maxBody   = 1600           // characters
	maxLasts  = 10 * time.Hour // ValidityPeriod
	maxAnswer = 64 << 10       // bytes
)

// Faults of the input.
var (
	// ErrAccount says that the gateway's settings are not usable; Field names the setting.
	ErrAccount = fault.New(fault.Invalid, "sms.account", "The text message gateway's settings are not usable.")
	// ErrMessage says that a message cannot be sent as it is; Field names the part.
	ErrMessage = fault.New(fault.Invalid, "sms.message", "The text message cannot be sent.")
)

// Twilio sends through Twilio's Messages resource, API version 2010-04-01. The zero value works.
//
// The API has no key that makes a request idempotent. A request that timed out may have sent its message, so a retry
// can send it twice; a second code message is a smaller harm than none.
type Twilio struct {
	Base        string        // without a path's trailing slash; empty means DefaultBase; from the program's configuration
	HTTP        *http.Client  // nil means a client of the standard library; redirects are never followed
	Timeout     time.Duration // for one request; 0 means DefaultTimeout
	MaxSegments int           // the most segments a message may be split into and charged for; 0 means DefaultSegments
	Log         *slog.Logger  // may be nil; gets the message's SID, never a number or a text
}

// Account is who sends, and as whom.
type Account struct {
	SID     string // "AC" and 32 hexadecimal digits
	Key     string // API key's SID; empty means that Token is the account's own
	Token   string // auth token, or the API key's secret
	From    string // E.164 number, short code or alphanumeric sender; needed without Service
	Service string // messaging service, "MG" and 32 hexadecimal digits; picks the sender itself
}

// Message is one text message.
type Message struct {
	To    string        // E.164; see Normalize
	Body  string        // plain text
	Lasts time.Duration // the gateway drops the message if it cannot send it within this time; 0 means its own default
}

// Receipt is what the gateway says about an accepted message.
type Receipt struct {
	SID      string // "SM" and 32 hexadecimal digits
	Status   string // "queued", "accepted", "sent" ...
	Segments int    // by our own count; the gateway says 0 while a messaging service has not picked a sender
}

var (
	accountSID = regexp.MustCompile(`^AC[0-9a-fA-F]{32}$`)
	keySID     = regexp.MustCompile(`^SK[0-9a-fA-F]{32}$`)
	serviceSID = regexp.MustCompile(`^MG[0-9a-fA-F]{32}$`)
	e164       = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	shortCode  = regexp.MustCompile(`^[0-9]{3,8}$`)
	alphaName  = regexp.MustCompile(`^[A-Za-z0-9 &+_-]{1,11}$`)
)

// Check says whether the settings are well formed (contract: SetTwilioConfig).
func (a Account) Check() error {
	switch {
	case !accountSID.MatchString(a.SID):
		return ErrAccount.At("AccountSid").Say("The account SID must be AC and 32 hexadecimal digits.")
	case a.Key != "" && !keySID.MatchString(a.Key):
		return ErrAccount.At("ApiKey").Say("The API key must be SK and 32 hexadecimal digits.")
	case a.Token == "" || len(a.Token) > 256:
		return ErrAccount.At("AuthToken").Say("The auth token is missing or too long.")
	case a.Service != "" && !serviceSID.MatchString(a.Service):
		return ErrAccount.At("MessagingServiceSid").Say("The messaging service must be MG and 32 hexadecimal digits.")
	case a.From == "" && a.Service == "":
		return ErrAccount.At("FromNumber").Say("A sender's number or a messaging service is needed.")
	case a.From != "" && !e164.MatchString(a.From) && !shortCode.MatchString(a.From) && !alphaName.MatchString(a.From):
		return ErrAccount.At("FromNumber").Say("The sender's number must be in international form, such as +14155550100.")
	}
	return nil
}

// Send hands a message to the gateway. Errors are faults: ErrAccount and ErrMessage for input, ErrTemporary, ErrRefused
// and ErrSettings (with a *Failure as cause and the gateway's own words in the public sentence) for its answer.
func (t *Twilio) Send(ctx context.Context, a Account, m Message) (Receipt, error) {
	if err := a.Check(); err != nil {
		return Receipt{}, err
	}
	segments, err := t.check(m)
	if err != nil {
		return Receipt{}, err
	}
	req, err := t.request(ctx, a, m)
	if err != nil {
		return Receipt{}, err
	}
	r, err := t.exchange(ctx, req)
	if err != nil {
		return Receipt{}, err
	}
	r.Segments = segments
	if t.Log != nil {
		t.Log.DebugContext(ctx, "text message handed over", "sid", r.SID, "status", r.Status, "segments", segments)
	}
	return r, nil
}

// exchange makes a request and reads the answer.
func (t *Twilio) exchange(ctx context.Context, req *http.Request) (Receipt, error) {
	timeout := t.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answer, err := t.client().Do(req.WithContext(ctx))
	if err != nil {
		return Receipt{}, unreachable(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return Receipt{}, unreachable(err)
	}
	return read(answer, body)
}

func (t *Twilio) check(m Message) (segments int, err error) {
	most := t.MaxSegments
	if most <= 0 {
		most = DefaultSegments
	}
	if !e164.MatchString(m.To) {
		return 0, ErrMessage.At("To").Say("The recipient's number must be in international form, such as +14155550100.")
	}
	if m.Body == "" || !utf8.ValidString(m.Body) || utf8.RuneCountInString(m.Body) > maxBody {
		return 0, ErrMessage.At("Body").Say("The text must be UTF-8 of at most %d characters.", maxBody)
	}
	if segments, _ = Segments(m.Body); segments > most {
		return 0, ErrMessage.At("Body").Say("The text takes %d segments, %d are allowed.", segments, most)
	}
	return segments, nil
}

func (t *Twilio) request(ctx context.Context, a Account, m Message) (*http.Request, error) {
	form := url.Values{"To": {m.To}, "Body": {m.Body}}
	if a.Service != "" {
		form.Set("MessagingServiceSid", a.Service)
	}
	if a.From != "" {
		form.Set("From", a.From)
	}
	if m.Lasts > 0 {
		lasts := min(max(m.Lasts, time.Second), maxLasts)
		form.Set("ValidityPeriod", strconv.Itoa(int(lasts/time.Second)))
	}
	return t.form(ctx, a, "Messages.json", form)
}

// form is a request to a resource of an account.
func (t *Twilio) form(ctx context.Context, a Account, resource string, form url.Values) (*http.Request, error) {
	base := t.Base
	if base == "" {
		base = DefaultBase
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && !loopback(u) {
		return nil, ErrAccount.At("Base").Because(err).Say("The gateway's address must be an https URL.")
	}
	to := u.JoinPath("2010-04-01", "Accounts", a.SID, resource)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return nil, ErrAccount.At("Base").Because(err)
	}
	user := a.Key
	if user == "" {
		user = a.SID
	}
	req.SetBasicAuth(user, a.Token)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	return req, nil
}

// loopback allows plain HTTP to a gateway on the same machine.
func loopback(u *url.URL) bool {
	return u.Scheme == "http" && (u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1" || u.Hostname() == "::1")
}

// client follows no redirects: the credentials are for the configured host alone.
func (t *Twilio) client() *http.Client {
	c := http.Client{}
	if t.HTTP != nil {
		c = *t.HTTP
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

// read takes the gateway's answer apart.
func read(answer *http.Response, body []byte) (Receipt, error) {
	if answer.StatusCode/100 != 2 {
		return Receipt{}, answered(answer, body)
	}
	var m struct {
		SID          string  `json:"sid"`
		Status       string  `json:"status"`
		ErrorCode    *int    `json:"error_code"`
		ErrorMessage *string `json:"error_message"`
	}
	if err := json.Unmarshal(body, &m); err != nil || m.SID == "" {
		// The message may have been taken; sending it again is the lesser harm.
		return Receipt{}, unreachable(errors.Join(errors.New("the gateway's answer is not what Twilio documents"), err))
	}
	if m.Status == "failed" || m.Status == "undelivered" {
		f := &Failure{Status: answer.StatusCode, Reply: m.Status}
		if m.ErrorCode != nil {
			f.Code = *m.ErrorCode
			f.Reply = fmt.Sprintf("%s, error %d", m.Status, f.Code)
		}
		f.Class = classify(answer.StatusCode, f.Code)
		return Receipt{}, f.fault(0)
	}
	return Receipt{SID: m.SID, Status: m.Status}, nil
}
