package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"unicode"

	gomail "github.com/wneessen/go-mail"

	"limen/internal/fault"
)

// What happened to a message on its way. The cause is a *Failure.
var (
	// ErrTemporary says that trying again later may help: no connection, a time-out, a 4xx reply.
	ErrTemporary = fault.New(fault.Unavailable, "mail.temporary", "The mail server cannot take the message at the moment.")
	// ErrRefused says that the server will never take this message: a 5xx reply to the sender, recipient or content.
	ErrRefused = fault.New(fault.Invalid, "mail.refused", "The mail server refused the message.")
	// ErrSettings says that no message will pass with these settings: wrong password, no TLS, a bad certificate, an
	// unknown host, an address that may not be dialled.
	ErrSettings = fault.New(fault.Invalid, "mail.settings", "The mail server does not accept these settings.")
)

// Class tells the outbox what to do with a message that was not delivered.
type Class uint8

// The classes.
const (
	Temporary Class = iota // try again with back-off
	Permanent              // this message will never pass; other messages may
	Settings               // no message will pass before somebody changes the settings
)

// String names the class for logs.
func (c Class) String() string { return [...]string{"temporary", "permanent", "settings"}[c%3] }

// Where in the dialogue a delivery ended.
const (
	phaseConnect   = "connect" // dialling, greeting, TLS, AUTH
	phaseSender    = "sender"
	phaseRecipient = "recipient"
	phaseContent   = "content"
)

// Failure is why a message was not delivered.
type Failure struct {
	Class Class
	Phase string // "connect", "sender", "recipient" or "content"
	Code  int    // the server's reply code (RFC 5321 section 4.2); 0 when it gave none
	Reply string // the server's reply, or what else went wrong, on one line
	Err   error  // the error of the network or library; may be nil
}

// Error describes the failure for logs.
func (f *Failure) Error() string { return fmt.Sprintf("%s at %s: %s", f.Class, f.Phase, f.Reply) }

// Unwrap gives the error of the network or library.
func (f *Failure) Unwrap() error { return f.Err }

// Retry tells whether the message should be tried again by itself.
func (f *Failure) Retry() bool { return f.Class == Temporary }

// fault wraps the failure in the fault of its class.
func (f *Failure) fault() *fault.Error {
	base := ErrTemporary
	switch f.Class {
	case Permanent:
		base = ErrRefused
	case Settings:
		base = ErrSettings
	}
	return base.Because(f).Say("%s It said: %s", base.Public, f.Reply)
}

func refused(phase, why string) error {
	return (&Failure{Class: Permanent, Phase: phase, Reply: why}).fault()
}

// failed classifies err, which ended the dialogue in phase.
func failed(ctx context.Context, phase string, err error) error {
	f := &Failure{Phase: phase, Err: err, Reply: clean(err.Error())}
	if ctx.Err() != nil {
		f.Reply = "the delivery took too long or was given up"
	}
	if reply, ok := errors.AsType[*textproto.Error](err); ok {
		f.Code, f.Reply = reply.Code, clean(fmt.Sprintf("%d %s", reply.Code, reply.Msg))
		f.Class = byCode(phase, reply.Code)
		return f.fault()
	}
	if fe, ok := errors.AsType[*fault.Error](err); ok { // from Allow
		f.Class, f.Reply = Settings, fe.Public
		return f.fault()
	}
	if ctx.Err() == nil && phase == phaseConnect && isSettings(err) {
		f.Class = Settings
	}
	return f.fault()
}

// byCode reads a reply code. 421 and other 4xx may pass later (RFC 5321 section 4.2.1); a 5xx before the message was even
// named is about the settings, not about the message.
func byCode(phase string, code int) Class {
	switch {
	case code >= 500 && phase == phaseConnect:
		return Settings
	case code >= 500:
		return Permanent
	}
	return Temporary
}

// isSettings tells whether a failure to connect, encrypt or sign in will repeat until somebody changes something.
func isSettings(err error) bool {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return dns.IsNotFound
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true // TLS on a port that speaks clear text, or the other way round
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return true
	}
	if errors.Is(err, errClearAuth) || errors.Is(err, errTalkative) || errors.Is(err, gomail.ErrNoSupportedAuthDiscovered) {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return false
	}
	// The library's own words for what the server does not offer; it has no error values for these.
	text := err.Error()
	return strings.Contains(text, "does not support STARTTLS") || strings.Contains(text, "does not support SMTP AUTH")
}

// clean makes one short line of what a server said.
func clean(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "?"), func(r rune) bool {
		return unicode.IsControl(r) || r == ' ' || r == '\u2028' || r == '\u2029'
	}), " ")
	if r := []rune(s); len(r) > 400 {
		s = string(r[:400]) + "..."
	}
	return s
}
