package sms

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"limen/internal/fault"
)

// What happened to a message. The cause is a *Failure.
var (
	// ErrTemporary says that trying again later may help.
	ErrTemporary = fault.New(fault.Unavailable, "sms.temporary", "The text message gateway cannot take the message at the moment.")
	// ErrRefused says that this message will never be sent, mostly because of the recipient's number.
	ErrRefused = fault.New(fault.Invalid, "sms.refused", "The text message gateway refused the message.")
	// ErrSettings says that no message will pass with this account, token or sender.
	ErrSettings = fault.New(fault.Invalid, "sms.settings", "The text message gateway does not accept these settings.")
)

// Class tells the outbox what to do with a message that was not sent.
type Class uint8

// The classes.
const (
	Temporary Class = iota // try again with back-off, not before Failure.After
	Permanent              // this message will never pass; others may
	Settings               // no message will pass before somebody changes the settings
)

// String names the class for logs.
func (c Class) String() string { return [...]string{"temporary", "permanent", "settings"}[c%3] }

// Failure is why a message was not sent.
type Failure struct {
	Class  Class
	Status int           // HTTP status; 0 when there was no answer
	Code   int           // Twilio's error code; 0 when it gave none
	Reply  string        // the gateway's words, or what else went wrong, on one line
	After  time.Duration // Retry-After; 0 when it gave none
	Err    error         // the error of the network; may be nil
}

// Error describes the failure for logs.
func (f *Failure) Error() string {
	return fmt.Sprintf("%s, status %d, code %d: %s", f.Class, f.Status, f.Code, f.Reply)
}

// Unwrap gives the error of the network.
func (f *Failure) Unwrap() error { return f.Err }

// Retry tells whether the message should be tried again by itself.
func (f *Failure) Retry() bool { return f.Class == Temporary }

func (f *Failure) fault(after time.Duration) error {
	base := ErrTemporary
	switch f.Class {
	case Permanent:
		base = ErrRefused
	case Settings:
		base = ErrSettings
	}
	f.After = after
	e := base.Because(f).Say("%s It said: %s", base.Public, f.Reply)
	return e.RetryAfter(int(after / time.Second))
}

// unreachable is a failure without an answer. The client's error names the URL, which carries no secret, but no header.
func unreachable(err error) error {
	return (&Failure{Class: Temporary, Reply: clean(err.Error()), Err: err}).fault(0)
}

// answered is a failure with an answer in Twilio's form: code, message, more_info, status.
func answered(answer *http.Response, body []byte) error {
	var e struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	f := &Failure{Status: answer.StatusCode, Reply: fmt.Sprintf("HTTP status %d", answer.StatusCode)}
	if json.Unmarshal(body, &e) == nil && e.Message != "" {
		f.Code = e.Code
		f.Reply = clean(fmt.Sprintf("error %d, %s", e.Code, e.Message))
	}
	f.Class = classify(f.Status, f.Code)
	var after time.Duration
	if f.Class == Temporary {
		after = retryAfter(answer)
	}
	return f.fault(after)
}

// temporary and settings are Twilio's error codes whose meaning the HTTP status does not tell. Twilio adds and splits
// codes, so everything else goes by the status, and an unknown 400 is about the message.
var temporary = map[int]bool{
	14107: true, // rate limit
	20429: true, // too many requests
	21611: true, // the sender's queue is full
	30001: true, // queue overflow
	30022: true, // the sender's rate at the carrier
}

var settings = map[int]bool{
	10001: true, // account not active
	10002: true, // not in a trial account
	20003: true, // wrong credentials
	20005: true, // account not active
	20006: true, // access denied
	20404: true, // no such account
	21210: true, // From is not verified
	21212: true, // From is not a number
	21215: true, // region not enabled for calls
	21219: true, // trial accounts call verified numbers only
	21266: true, // To equals From
	21408: true, // region not enabled
	21603: true, // From missing
	21606: true, // From cannot send
	21608: true, // trial accounts send to verified numbers only
	21659: true, // From is not Twilio's
	21660: true, // From belongs to another account
	21661: true, // From cannot send text messages
	21701: true, // no such messaging service
	21703: true, // messaging service without senders
	21704: true, // messaging service without a sender for this
	30002: true, // account suspended
	30034: true, // unregistered sender (US A2P 10DLC)
}

func classify(status, code int) Class {
	switch {
	case temporary[code]:
		return Temporary
	case settings[code]:
		return Settings
	case status >= 500, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout:
		return Temporary
	case status >= 300 && status < 400: // the base URL is not the API's
		return Settings
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusNotFound,
		status == http.StatusMethodNotAllowed:
		return Settings
	}
	return Permanent
}

// retryAfter reads the header's seconds or date (RFC 9110 section 10.2.3), at most a day.
func retryAfter(answer *http.Response) time.Duration {
	text := strings.TrimSpace(answer.Header.Get("Retry-After"))
	var after time.Duration
	if s, err := strconv.Atoi(text); err == nil {
		after = time.Duration(min(max(s, 0), 86400)) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		// The server's own clock counts, so a wrong one here does no harm.
		if now, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
			after = at.Sub(now)
		}
	}
	return min(max(after, 0), 24*time.Hour)
}

// clean makes one short line of what the gateway said.
func clean(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "?"), func(r rune) bool {
		return unicode.IsControl(r) || r == ' ' || r == '\u2028' || r == '\u2029'
	}), " ")
	if r := []rune(s); len(r) > 400 {
		s = string(r[:400]) + "..."
	}
	return s
}
