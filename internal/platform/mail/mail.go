// Package mail hands messages to a mail server over SMTP (RFC 5321).
//
// A message goes to one recipient: the outbox has a row for each, so that one refused address never makes the others
// arrive twice. The sender keeps no connection and no state; the outbox retries.
package mail

import (
	"context"
	"crypto/x509"
	"log/slog"
	"net/netip"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// Limits of one message. What the product writes is far smaller; a customer's template is not ours.
const (
	MaxSubject = 500       // bytes
	MaxBody    = 512 << 10 // bytes, for the text and the HTML each
	MaxHeaders = 20        // additional header fields
)

// DefaultTimeout bounds one delivery, from the look-up of the host's name to the server's last reply.
const DefaultTimeout = 30 * time.Second

// Sender delivers mail. The zero value works; app sets the fields once.
type Sender struct {
	Timeout time.Duration // for a whole delivery; 0 means DefaultTimeout
	Log     *slog.Logger  // may be nil; gets the host, the Message-ID and the server's last reply, never an address
	HELO    string        // the name given in EHLO; empty means the machine's own host name

	// Allow decides on every address that is about to be dialled, after the name was looked up, so that neither a name
	// nor a changed look-up gets around it. Nil allows everything, which is right only for a host from the program's
	// own configuration; use egress.Guard.Allow where a customer names the host.
	Allow func(ip netip.Addr) error

	Roots         *x509.CertPool // certificate authorities; nil means the machine's
	InsecureNames []string       // hosts whose certificates are not checked; from the program's configuration only

	Now func() time.Time // for messages that carry no time; nil means time.Now
}

// Server is the mail server to hand the message to and the sender to hand it over as.
type Server struct {
	Host string // name or address; a name outside ASCII is converted (RFC 5891)
	Port int    // 1 to 65535

	// UseTLS demands an encrypted connection: from the first byte on port 465 (RFC 8314), by STARTTLS (RFC 3207)
	// elsewhere. A server that does not offer it gets nothing. Without UseTLS the message travels in the clear, and a
	// User is accepted only if the server turns out to be on a loopback address.
	UseTLS   bool
	Implicit bool // TLS from the first byte on other ports than 465, too; means nothing without UseTLS

	User     string // empty means no AUTH (RFC 4954)
	Password string

	From     string // bare address, also the envelope's sender
	FromName string // shown before the address; may be empty
}

// Message is one mail to one recipient. Text is required, HTML is its alternative (RFC 2046, multipart/alternative).
type Message struct {
	// ID is the outbox's key. The Message-ID is derived from it and from the sender's domain alone, so a second delivery
	// of the same row carries the same Message-ID and receivers can drop it.
	ID string

	To      string            // bare address
	Subject string            // one line
	Text    string            // plain text
	HTML    string            // may be empty
	Headers map[string]string // additional fields; those that the sender writes itself are refused
	At      time.Time         // the Date field: when the message was written, not when it is tried; zero means now
}

// Send delivers m through s and returns when the server has taken responsibility for it.
//
// Errors are faults: ErrMessage and ErrServer for input that cannot be sent, ErrTemporary, ErrRefused and ErrSettings
// for what happened on the way. The cause of the latter three is a *Failure with the server's reply. Their public
// sentence carries that reply, too: it is for administrators, who alone see the outbox and the test of the settings.
//
// When the connection breaks after the whole message was sent and before the server answered, the message may have been
// taken; the failure is temporary and the repeated Message-ID is the receiver's means to tell.
//
// Addresses: the domain may be written in any script and travels as A-labels. A local part outside ASCII needs a server
// that offers SMTPUTF8 (RFC 6531); without it the message is refused before it is sent. SMTPUTF8 is asked for only then,
// because a relay further on that lacks it must bounce whatever was marked with it.
func (s *Sender) Send(ctx context.Context, srv Server, m Message) error {
	srv, err := srv.check()
	if err != nil {
		return err
	}
	msg, env, err := s.compose(srv, m)
	if err != nil {
		return err
	}
	timeout := s.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	client, err := s.connect(ctx, srv, timeout, env.utf8)
	if err != nil {
		return failed(ctx, phaseConnect, err)
	}
	defer func() { _ = client.Close() }() // after Quit, or instead of it: nothing is left to learn from it
	reply, err := deliver(ctx, client, msg, env)
	if err != nil {
		return err
	}
	_ = client.Quit() // the message is the server's already
	if s.Log != nil {
		s.Log.DebugContext(ctx, "mail handed over", "host", srv.Host, "message", env.id, "reply", clean(reply))
	}
	return nil
}

// envelope is what the SMTP dialogue needs besides the message itself.
type envelope struct {
	from, to string
	id       string // the Message-ID without brackets
	utf8     bool   // an address has a local part outside ASCII
}

func deliver(ctx context.Context, c *smtp.Client, msg *gomail.Msg, env envelope) (reply string, err error) {
	if ok, _ := c.Extension("SMTPUTF8"); env.utf8 && !ok {
		return "", refused(phaseSender, "the server does not take addresses outside ASCII (no SMTPUTF8)")
	}
	if err := c.Mail("<" + env.from + ">"); err != nil {
		return "", failed(ctx, phaseSender, err)
	}
	if err := c.Rcpt("<" + env.to + ">"); err != nil {
		return "", failed(ctx, phaseRecipient, err)
	}
	w, err := c.Data()
	if err != nil {
		return "", failed(ctx, phaseContent, err)
	}
	if _, err := msg.WriteTo(w); err != nil {
		return "", failed(ctx, phaseContent, err)
	}
	if err := w.Close(); err != nil {
		return "", failed(ctx, phaseContent, err)
	}
	if d, ok := w.(interface{ ServerResponse() string }); ok {
		reply = d.ServerResponse()
	}
	return reply, nil
}
