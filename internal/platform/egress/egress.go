// Package egress is how the program asks addresses that somebody else has named: customers' servers, the documents of clients that
// registered themselves. It reaches public networks and those that the settings permit, by https unless what it asks for is signed itself, and
// takes small answers only.
package egress

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"limen/internal/fault"
)

// Faults of asking.
var (
	// ErrAddress is an address that cannot be asked: it must be https, or http where that will do, and name no user.
	ErrAddress = fault.New(fault.Invalid, "egress.address", "The address must be https and name no user.")
	// ErrUnreachable is an address that did not answer, or not in time; why not is the cause.
	ErrUnreachable = fault.New(fault.Unavailable, "egress.unreachable", "The address does not answer.")
	// ErrLarge is an answer that is longer than Client.MaxBody.
	ErrLarge = fault.New(fault.Invalid, "egress.large", "The answer of the address is too long.")
)

// Bounds of one request.
const (
	DefaultTimeout = 5 * time.Second
	DefaultMaxBody = 256 << 10 // bytes
	maxRedirects   = 3
	maxHeader      = 32 << 10
	perHost        = 8 // connections
)

// Client asks addresses that others have named. Its fields are set before use.
type Client struct {
	Guard    Guard
	Roots    *x509.CertPool // nil: the system's
	Resolver *net.Resolver  // nil: the system's
	Timeout  time.Duration  // of a whole request; 0: DefaultTimeout
	MaxBody  int64          // bytes of an answer; 0: DefaultMaxBody

	once sync.Once
	http *http.Client
}

// Request is what to ask.
type Request struct {
	Method string // GET when empty
	URL    string
	Header http.Header
	Body   []byte
	Plain  bool // http will do as well: what is asked for is public, and proves itself by a signature
}

// Answer is what came back, whatever its status.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do asks. A GET follows redirects within its scheme, host and port; others follow none, and answer with the redirect.
// Faults: ErrAddress, ErrForbidden, ErrUnreachable, ErrLarge.
func (c *Client) Do(ctx context.Context, r Request) (Answer, error) {
	u, err := url.Parse(r.URL)
	if err != nil || u.Scheme != "https" && (u.Scheme != "http" || !r.Plain) || u.Hostname() == "" || u.User != nil {
		return Answer{}, ErrAddress
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout())
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, r.Method, r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return Answer{}, ErrAddress.Because(err)
	}
	for name, values := range r.Header {
		q.Header[name] = values
	}
	if q.Header.Get("User-Agent") == "" {
		q.Header.Set("User-Agent", "Limen")
	}
	out, err := c.client().Do(q)
	if err != nil {
		return Answer{}, failed(err)
	}
	defer func() { _ = out.Body.Close() }()
	most := c.maxBody()
	body, err := io.ReadAll(io.LimitReader(out.Body, most+1))
	if err != nil {
		return Answer{}, failed(err)
	}
	if int64(len(body)) > most {
		return Answer{}, ErrLarge
	}
	return Answer{out.StatusCode, out.Header, body}, nil
}

// failed tells what an address may not be from what it is not.
func failed(err error) error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f
	}
	return ErrUnreachable.Because(err)
}

func (c *Client) timeout() time.Duration {
	if c.Timeout > 0 {
		return c.Timeout
	}
	return DefaultTimeout
}

func (c *Client) maxBody() int64 {
	if c.MaxBody > 0 {
		return c.MaxBody
	}
	return DefaultMaxBody
}

func (c *Client) client() *http.Client {
	c.once.Do(func() {
		dialer := &net.Dialer{Timeout: c.timeout(), Resolver: c.Resolver, ControlContext: c.Guard.Control}
		c.http = &http.Client{
			Transport: &http.Transport{ // no Proxy: one of the environment would be dialled in place of what the guard judges
				DialContext: dialer.DialContext, TLSHandshakeTimeout: c.timeout(), ResponseHeaderTimeout: c.timeout(), MaxResponseHeaderBytes: maxHeader,
				MaxConnsPerHost: perHost, MaxIdleConnsPerHost: 1, MaxIdleConns: 100, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true,
				TLSClientConfig: &tls.Config{RootCAs: c.Roots, MinVersion: tls.VersionTLS12},
			},
			CheckRedirect: func(next *http.Request, via []*http.Request) error {
				if first := via[0]; first.Method != http.MethodGet || len(via) > maxRedirects || next.URL.Scheme != first.URL.Scheme || next.URL.Host != first.URL.Host || next.URL.User != nil {
					return http.ErrUseLastResponse
				}
				return nil
			},
		}
	})
	return c.http
}
