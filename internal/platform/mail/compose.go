package mail

import (
	"crypto/sha256"
	"encoding/hex"
	stdmail "net/mail"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"
	"golang.org/x/net/idna"

	"limen/internal/fault"
)

// Faults of the input.
var (
	// ErrMessage says that a message cannot be sent as it is; Field names the part.
	ErrMessage = fault.New(fault.Invalid, "mail.message", "The message cannot be sent.")
	// ErrServer says that the settings of the mail server are not usable; Field names the setting.
	ErrServer = fault.New(fault.Invalid, "mail.server", "The mail server's settings are not usable.")
	// ErrAddress says that a text is not a mail address.
	ErrAddress = fault.New(fault.Invalid, "mail.address", "This is not a mail address.")
)

// own are the header fields that the sender writes itself or that only a relay may write.
var own = []string{
	"from", "sender", "to", "cc", "bcc", "subject", "date", "message-id", "mime-version", "return-path", "received",
	"dkim-signature", "auto-submitted", "resent-from", "resent-to",
}

// check returns the settings with names in ASCII, or says which one is wrong.
func (s Server) check() (Server, error) {
	var err error
	if s.Host, err = host(s.Host); err != nil {
		return s, ErrServer.At("Host").Because(err).Say("The mail server's name is not a host name.")
	}
	if s.Port < 1 || s.Port > 65535 {
		return s, ErrServer.At("Port").Say("The mail server's port must be from 1 to 65535.")
	}
	if s.From, err = Address(s.From); err != nil {
		return s, ErrServer.At("From").Because(err).Say("The sender's address is not a mail address.")
	}
	if !line(s.FromName, 200) {
		return s, ErrServer.At("FromName").Say("The sender's name must be one line of at most 200 bytes.")
	}
	if !line(s.User, 500) || !line(s.Password, 4096) {
		return s, ErrServer.At("User").Say("The mail server's user name and password must be one line each.")
	}
	return s, nil
}

// host returns a host name in A-labels, or an IP address as it is.
func host(name string) (string, error) {
	if ip, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return ip.WithZone("").String(), nil
	}
	if name == "" || len(name) > 253 {
		return "", ErrServer
	}
	return idna.Lookup.ToASCII(name)
}

// Address checks a bare mail address (RFC 5321 section 4.1.2, RFC 6531 section 3.3) and returns it with its domain in
// lower-case A-labels. The local part stays as it is: only its own server may compare it. Address literals
// (user@[192.0.2.1]), display names and comments are refused.
func Address(text string) (string, error) {
	if !line(text, 512) {
		return "", ErrAddress
	}
	a, err := stdmail.ParseAddress(text)
	if err != nil || a.Name != "" || strings.ContainsAny(text, "<>()\"") {
		return "", ErrAddress.Because(err)
	}
	at := strings.LastIndexByte(a.Address, '@')
	local, domain := a.Address[:at], a.Address[at+1:]
	if local+"@"+domain != text || len(local) > 64 {
		return "", ErrAddress
	}
	domain, err = idna.Lookup.ToASCII(domain)
	if err != nil || strings.HasPrefix(domain, "[") || len(local)+1+len(domain) > 254 {
		return "", ErrAddress.Because(err)
	}
	return local + "@" + strings.ToLower(domain), nil
}

// line tells whether s is valid UTF-8 on one line, without control characters, of at most most bytes.
func line(s string, most int) bool {
	return len(s) <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' && r != '\t' || r == 0x7f || r == '\u0085' || r == '\u2028' || r == '\u2029'
	})
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

// compose builds the message. Nothing in it comes from the clock or the machine, the MIME boundary excepted.
func (s *Sender) compose(srv Server, m Message) (*gomail.Msg, envelope, error) {
	var env envelope
	to, err := Address(m.To)
	if err != nil {
		return nil, env, ErrMessage.At("To").Because(err).Say("The recipient's address is not a mail address.")
	}
	if err := m.check(); err != nil {
		return nil, env, err
	}
	env = envelope{from: srv.From, to: to, id: MessageID(m.ID, srv.From), utf8: !ascii(srv.From) || !ascii(to)}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(&stdmail.Address{Name: srv.FromName, Address: srv.From})
	msg.ToMailAddress(&stdmail.Address{Address: to})
	msg.Subject(m.Subject)
	msg.SetMessageIDWithValue(env.id)
	msg.SetDateWithValue(s.when(m.At))
	// RFC 3834: no vacation notice should ever answer this.
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	for name, value := range m.Headers {
		msg.SetGenHeader(gomail.Header(name), value)
	}
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	return msg, env, nil
}

func (s *Sender) when(at time.Time) time.Time {
	switch {
	case !at.IsZero():
		return at.UTC()
	case s.Now != nil:
		return s.Now().UTC()
	}
	return time.Now().UTC()
}

// MessageID derives the Message-ID (RFC 5322 section 3.6.4, without its brackets) of the outbox row key for a sender's
// address. The key itself does not leave the house.
func MessageID(key, from string) string {
	sum := sha256.Sum256([]byte("limen mail\x00" + key))
	return hex.EncodeToString(sum[:16]) + "@" + from[strings.LastIndexByte(from, '@')+1:]
}

func (m Message) check() error {
	switch {
	case m.ID == "":
		return ErrMessage.At("ID").Say("The message has no key.")
	case m.Subject == "" || !line(m.Subject, MaxSubject):
		return ErrMessage.At("Subject").Say("The subject must be one line of at most %d bytes.", MaxSubject)
	case m.Text == "" || len(m.Text) > MaxBody || !utf8.ValidString(m.Text):
		return ErrMessage.At("Text").Say("The text must be UTF-8 of at most %d bytes.", MaxBody)
	case len(m.HTML) > MaxBody || !utf8.ValidString(m.HTML):
		return ErrMessage.At("HTML").Say("The HTML must be UTF-8 of at most %d bytes.", MaxBody)
	case len(m.Headers) > MaxHeaders:
		return ErrMessage.At("Headers").Say("At most %d additional header fields are taken.", MaxHeaders)
	}
	for name, value := range m.Headers {
		if !fieldName(name) || !line(value, 900) {
			return ErrMessage.At("Headers").Say("An additional header field is not well formed.")
		}
	}
	return nil
}

// fieldName tells whether a caller may add a header field of this name (RFC 5322 section 2.2).
func fieldName(name string) bool {
	low := strings.ToLower(name)
	if name == "" || len(name) > 70 || slices.Contains(own, low) || strings.HasPrefix(low, "content-") {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ':' })
}
