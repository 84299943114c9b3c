// Package mailtest is a mail server for tests: it speaks SMTP with STARTTLS, implicit TLS and AUTH, keeps what it
// receives, and refuses what it is told to refuse.
package mailtest

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Config is how the server behaves. The zero value offers STARTTLS and asks for no password.
type Config struct {
	Implicit bool // TLS from the first byte
	Clear    bool // no TLS at all; AUTH is offered in the clear
	UTF8     bool // offer SMTPUTF8 (RFC 6531)
	Stranger bool // the certificate is for another host

	User, Password string   // when set, MAIL needs AUTH first
	Mechanisms     []string // PLAIN and LOGIN; empty means both
}

// Phase is a step of the dialogue that can be told to fail.
type Phase string

// The phases.
const (
	Auth Phase = "AUTH"
	Mail Phase = "MAIL"
	Rcpt Phase = "RCPT"
	Data Phase = "DATA" // after the content was received
)

// Server is a running mail server.
type Server struct {
	Host  string         // "127.0.0.1"; the certificate is also good for "localhost"
	Port  int            // chosen by the system
	Roots *x509.CertPool // trusts the server's certificate

	conf Config
	mu   sync.Mutex
	got  []Received
	plan map[Phase][]*smtp.SMTPError
	seen []string
	news chan struct{} // closed and replaced with every message
}

// Start runs a server with STARTTLS and without passwords until the test ends.
func Start(t testing.TB) *Server { return Run(t, Config{}) }

// Run runs a server until the test ends.
func Run(t testing.TB, conf Config) *Server {
	t.Helper()
	cert, roots := certificate(t, conf.Stranger)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("mailtest: %v", err)
	}
	s := &Server{
		Host: "127.0.0.1", Port: ln.Addr().(*net.TCPAddr).Port, Roots: roots, conf: conf,
		plan: map[Phase][]*smtp.SMTPError{}, news: make(chan struct{}),
	}
	srv := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		_, secure := c.TLSConnectionState()
		return &session{server: s, secure: secure}, nil
	}))
	srv.Domain, srv.EnableSMTPUTF8, srv.AllowInsecureAuth = "mailtest.invalid", conf.UTF8, conf.Clear
	srv.MaxMessageBytes, srv.MaxRecipients = 4<<20, 10
	srv.ReadTimeout, srv.WriteTimeout = 30*time.Second, 30*time.Second
	srv.ErrorLog = log.New(io.Discard, "", 0)
	if !conf.Clear {
		srv.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	}
	if conf.Implicit {
		ln = tls.NewListener(ln, srv.TLSConfig)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(ln) }()
	// The listener itself too: a test that ends before Serve has begun would leave it open, and Serve waiting for ever.
	t.Cleanup(func() { _, _ = srv.Close(), ln.Close(); <-done })
	return s
}

// Fail answers the next times commands of a phase with a code, for example 450, and a text. Several plans for a phase
// are used up in the order in which they were made.
func (s *Server) Fail(p Phase, times, code int, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range times {
		s.plan[p] = append(s.plan[p], &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 0, 0}, Message: text})
	}
}

// Commands lists the phases that were reached, refused ones included, in order.
func (s *Server) Commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

// Messages returns everything received so far, oldest first.
func (s *Server) Messages() []Received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

// To returns what one address has received so far, compared without regard to case, oldest first.
func (s *Server) To(address string) []Received {
	return slices.DeleteFunc(s.Messages(), func(r Received) bool { return !strings.EqualFold(r.To, address) })
}

// Wait returns the newest message to an address once there are at least n of them, and fails the test when they do not
// arrive within ten seconds.
func (s *Server) Wait(t testing.TB, address string, n int) Received {
	t.Helper()
	limit := time.NewTimer(10 * time.Second)
	defer limit.Stop()
	for {
		s.mu.Lock()
		news := s.news
		s.mu.Unlock()
		if got := s.To(address); len(got) >= n && n > 0 {
			return got[len(got)-1]
		}
		select {
		case <-news:
		case <-limit.C:
			t.Fatalf("mailtest: %d of %d messages to %s arrived", len(s.To(address)), n, address)
		}
	}
}

// step records a phase and says whether it was planned to fail.
func (s *Server) step(p Phase) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, string(p))
	if plan := s.plan[p]; len(plan) > 0 {
		s.plan[p] = plan[1:]
		return plan[0]
	}
	return nil
}

// session is one connection.
type session struct {
	server       *Server
	secure, auth bool
	utf8         bool
	from, to     string
}

func (c *session) Reset()        { c.from, c.to = "", "" }
func (c *session) Logout() error { return nil }

// Mail takes the envelope's sender.
func (c *session) Mail(from string, o *smtp.MailOptions) error {
	if c.server.conf.User != "" && !c.auth {
		return smtp.ErrAuthRequired
	}
	if err := c.server.step(Mail); err != nil {
		return err
	}
	c.from, c.utf8 = from, o.UTF8
	return nil
}

// Rcpt takes the one recipient.
func (c *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if err := c.server.step(Rcpt); err != nil {
		return err
	}
	if c.to != "" {
		return &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 5, 3}, Message: "One recipient at a time"}
	}
	c.to = to
	return nil
}

// Data takes the content.
func (c *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := c.server.step(Data); err != nil {
		return err
	}
	m, err := parse(bytes.Clone(raw))
	if err != nil {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: err.Error()}
	}
	m.From, m.To, m.UTF8, m.Secure, m.Authenticated = c.from, c.to, c.utf8, c.secure, c.auth
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.server.got = append(c.server.got, m)
	close(c.server.news)
	c.server.news = make(chan struct{})
	return nil
}

// AuthMechanisms lists what EHLO offers.
func (c *session) AuthMechanisms() []string {
	switch {
	case c.server.conf.User == "":
		return nil
	case len(c.server.conf.Mechanisms) > 0:
		return c.server.conf.Mechanisms
	}
	return []string{sasl.Plain, sasl.Login}
}

// Auth compares the password.
func (c *session) Auth(mech string) (sasl.Server, error) {
	check := func(user, password string) error {
		if err := c.server.step(Auth); err != nil {
			return err
		}
		if user != c.server.conf.User || password != c.server.conf.Password {
			return smtp.ErrAuthFailed
		}
		c.auth = true
		return nil
	}
	switch mech {
	case sasl.Plain:
		return sasl.NewPlainServer(func(_, user, password string) error { return check(user, password) }), nil
	case sasl.Login:
		return &login{check: check}, nil
	}
	return nil, smtp.ErrAuthUnknownMechanism
}

// login is the server's side of AUTH LOGIN, which the library lacks.
type login struct {
	check func(user, password string) error
	user  *string
	asked bool
}

// Next takes the client's next answer.
func (l *login) Next(response []byte) (challenge []byte, done bool, err error) {
	switch {
	case response == nil && !l.asked:
		l.asked = true
		return []byte("Username:"), false, nil
	case response == nil:
		return nil, false, errors.New("mailtest: answer missing")
	case l.user == nil:
		u := string(response)
		l.user = &u
		return []byte("Password:"), false, nil
	}
	return nil, true, l.check(*l.user, string(response))
}
