package rig

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// Client is one person's way to the server. It keeps no cookies and follows no redirects.
type Client struct {
	HTTP   *http.Client
	Base   string      // scheme, host and port
	Token  string      // sent as bearer; empty: nobody
	Header http.Header // sent with every request
	// Patient waits and asks again when the server says that there were too many calls, as clients do.
	Patient bool
}

// Client gives a client that trusts the server's own authority and nothing else. Whatever the host name, it dials the
// server.
func (s *Server) Client() (*Client, error) {
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, "127.0.0.1:"+strconv.Itoa(s.Port))
		},
		MaxIdleConnsPerHost: 64,
	}
	if strings.HasPrefix(s.URL, "https:") {
		pem, err := os.ReadFile(s.CA)
		if err != nil {
			return nil, err
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s has no certificate", s.CA)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return &Client{
		HTTP: &http.Client{
			Transport: transport, Timeout: 30 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		Base:   s.URL,
		Header: http.Header{"X-Idap-Native-Client": {"true"}},
	}, nil
}

// As gives a client with another token and the same connections.
func (c *Client) As(token string) *Client {
	other := *c
	other.Token = token
	return &other
}

// On gives a client that asks another host name of the same server.
func (c *Client) On(host string) *Client {
	other := *c
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(c.Base, "https://"))
	other.Base = "https://" + net.JoinHostPort(host, port)
	return &other
}

// Envelope is the answer of every operation of the RPC dialect.
type Envelope struct {
	Success   bool            `json:"success"`
	Result    json.RawMessage `json:"Result"`
	Message   string          `json:"Message"`
	MessageID string          `json:"MessageID"`
	ErrorID   string          `json:"ErrorID"`
	ErrorCode string          `json:"ErrorCode"`
}

// Answer is what came back.
type Answer struct {
	Envelope
	Status int
	Header http.Header
	Body   []byte
}

// Into reads the envelope's Result.
func (a *Answer) Into(v any) error {
	if !a.Success {
		return fmt.Errorf("refused with status %d: %s", a.Status, a.Body)
	}
	return json.Unmarshal(a.Result, v)
}

// keys are those of an envelope, in the order of the contract.
var keys = []string{"success", "Result", "Message", "MessageID", "Exception", "ErrorID", "ErrorCode", "IsSoftError", "InnerExceptions"}

// Shape says what is wrong with the answer's envelope: each of the nine keys is there, spelt so and once, and no other.
func (a *Answer) Shape() error {
	d := json.NewDecoder(bytes.NewReader(a.Body))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("no object: %q", a.Body)
	}
	var got []string
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := t.(string)
		if name != "error_message" || a.Status != http.StatusUnauthorized { // beside the envelope, for callers of APIs
			got = append(got, name)
		}
		var skip json.RawMessage
		if err := d.Decode(&skip); err != nil {
			return err
		}
	}
	if strings.Join(got, " ") != strings.Join(keys, " ") {
		return fmt.Errorf("the envelope has the keys %s", got)
	}
	return nil
}

// Post calls an operation with a JSON body; nil sends none.
func (c *Client) Post(ctx context.Context, path string, body any) (*Answer, error) {
	if body == nil {
		return c.Do(ctx, http.MethodPost, path, nil, nil)
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return c.Do(ctx, http.MethodPost, path, http.Header{"Content-Type": {"application/json"}}, text)
}

// Do sends a request as it is given and reads the answer, whose envelope stays empty when the answer is no JSON.
func (c *Client) Do(ctx context.Context, method, path string, header http.Header, body []byte) (*Answer, error) {
	for {
		a, err := c.once(ctx, method, path, header, body)
		if err != nil || !c.Patient || a.Status != http.StatusTooManyRequests {
			return a, err
		}
		after, err := strconv.Atoi(a.Header.Get("Retry-After"))
		if err != nil {
			return nil, fmt.Errorf("%s: status 429 without a time to wait: %s", path, a.Body)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Duration(after) * time.Second):
		}
	}
}

func (c *Client) once(ctx context.Context, method, path string, header http.Header, body []byte) (*Answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.Base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for _, h := range []http.Header{c.Header, header} {
		for name, values := range h {
			req.Header[name] = values
		}
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	r, err := c.HTTP.Do(req)
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	a := &Answer{Status: r.StatusCode, Header: r.Header}
	if a.Body, err = io.ReadAll(io.LimitReader(r.Body, 16<<20)); err != nil {
		return nil, err
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(a.Body, &a.Envelope); err != nil && len(a.Body) > 0 && a.Body[0] == '{' {
			return nil, fmt.Errorf("%s is no JSON: %w\n%s", path, err, a.Body)
		}
	}
	return a, nil
}

// Call calls an operation that must succeed, and reads its Result into out unless that is nil.
func (c *Client) Call(ctx context.Context, path string, body, out any) error {
	a, err := c.Post(ctx, path, body)
	if err != nil {
		return err
	}
	if !a.Success {
		return fmt.Errorf("%s: status %d: %s", path, a.Status, a.Body)
	}
	if err := a.Shape(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(a.Result, out); err != nil {
		return errors.Join(fmt.Errorf("%s: %s", path, a.Result), err)
	}
	return nil
}
