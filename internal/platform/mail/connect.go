package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// implicitPort is where TLS starts with the first byte (RFC 8314 section 3.3).
const implicitPort = 465

// maxReplies bounds what a server may send in one delivery; a hostile one could fill the memory otherwise.
const maxReplies = 256 << 10

var (
	errClearAuth = errors.New("user name and password are not sent over a connection without TLS")
	errTalkative = errors.New("the server's replies are too long")
)

// mechanisms of AUTH, best first. With TLS the password is as safe in PLAIN as in any other; CRAM-MD5 is the last resort.
var mechanisms = []gomail.SMTPAuthType{
	gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthCramMD5,
}

// clear are the mechanisms on a loopback address without TLS; connect makes sure of the address.
var clear = []gomail.SMTPAuthType{
	gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlainNoEnc, gomail.SMTPAuthLoginNoEnc, gomail.SMTPAuthCramMD5,
}

// connect dials, encrypts and signs in.
func (s *Sender) connect(ctx context.Context, srv Server, timeout time.Duration, utf8 bool) (*smtp.Client, error) {
	conf := &tls.Config{
		ServerName: srv.Host, MinVersion: tls.VersionTLS12, RootCAs: s.Roots,
		InsecureSkipVerify: slices.ContainsFunc(s.InsecureNames, func(n string) bool { return strings.EqualFold(n, srv.Host) }),
	}
	policy := gomail.NoTLS
	if srv.UseTLS && !srv.implicit() {
		policy = gomail.TLSMandatory
	}
	opts := []gomail.Option{
		gomail.WithPort(srv.Port), gomail.WithTimeout(timeout), gomail.WithTLSPolicy(policy), gomail.WithTLSConfig(conf),
		gomail.WithDialContextFunc(s.dialer(ctx, srv, conf)),
	}
	if s.HELO != "" {
		opts = append(opts, gomail.WithHELO(s.HELO))
	}
	if !utf8 {
		opts = append(opts, gomail.WithoutSMTPUTF8())
	}
	if srv.User != "" {
		kinds := mechanisms
		if !srv.UseTLS {
			kinds = clear
		}
		opts = append(opts, gomail.WithUsername(srv.User), gomail.WithPassword(srv.Password),
			gomail.WithOpportunisticSMTPAuth(kinds...))
	}
	client, err := gomail.NewClient(srv.Host, opts...)
	if err != nil {
		return nil, err
	}
	return client.DialToSMTPClientWithContext(ctx)
}

// dialer dials with the guard in place and ties the connection to the delivery's context; the one that the library hands
// in ends as soon as the connection stands.
func (s *Sender) dialer(delivery context.Context, srv Server, conf *tls.Config) gomail.DialContextFunc {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		d := net.Dialer{ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			ap, err := netip.ParseAddrPort(address)
			if err != nil || s.Allow == nil {
				return err
			}
			return s.Allow(ap.Addr().WithZone("").Unmap())
		}}
		raw, err := d.DialContext(ctx, network, net.JoinHostPort(srv.Host, strconv.Itoa(srv.Port)))
		if err != nil {
			return nil, err
		}
		if srv.User != "" && !srv.UseTLS && !loopback(raw.RemoteAddr()) {
			_ = raw.Close()
			return nil, errClearAuth
		}
		conn := tie(delivery, raw)
		if srv.UseTLS && srv.implicit() {
			secure := tls.Client(conn, conf)
			if err := secure.HandshakeContext(ctx); err != nil {
				_ = conn.Close()
				return nil, err
			}
			return secure, nil
		}
		return conn, nil
	}
}

func (s Server) implicit() bool { return s.Implicit || s.Port == implicitPort }

func loopback(a net.Addr) bool {
	t, ok := a.(*net.TCPAddr)
	return ok && t.IP.IsLoopback()
}

// limited is a connection that ends with its deadline, whatever is set on it later, and after maxReplies bytes.
type limited struct {
	net.Conn
	end  time.Time
	read atomic.Int64
}

// tie ends a connection with the delivery: at its deadline, or when the caller gives up.
func tie(ctx context.Context, c net.Conn) *limited {
	end, ok := ctx.Deadline()
	if !ok {
		end = time.Now().Add(DefaultTimeout)
	}
	context.AfterFunc(ctx, func() { _ = c.Close() })
	return &limited{Conn: c, end: end}
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	if l.read.Add(int64(n)) > maxReplies {
		return 0, errTalkative
	}
	return n, err
}

// SetDeadline never moves the deadline beyond the delivery's own.
func (l *limited) SetDeadline(t time.Time) error {
	if t.IsZero() || t.After(l.end) {
		t = l.end
	}
	return l.Conn.SetDeadline(t)
}
