// Package link is what links have in common that are sent to people and work once: how they are written, and that guessing at
// them is counted against the network it comes from. What a link opens, and until when, is for the package that makes it.
package link

import (
	"context"
	"net/url"
	"time"

	"limen/internal/call"
	"limen/internal/core/throttle"
	"limen/internal/crypt"
	"limen/internal/fault"
)

// maxToken is the length of a token in bytes that is looked at.
const maxToken = 256

// Links are the links of one kind. Its fields are set before use.
type Links struct {
	Throttle throttle.Throttle
	Insecure bool // links begin with http: nothing ends TLS before the server
}

// To writes the link to a path of the tenant; an empty token is left out.
func (l Links) To(c *call.Call, path, token string) string {
	at := url.URL{Scheme: "https", Host: c.Tenant.Host, Path: path}
	if l.Insecure {
		at.Scheme = "http"
	}
	if token != "" {
		at.RawQuery = url.Values{"token": {token}}.Encode()
	}
	return at.String()
}

// Hash is what is stored of a token; false for what cannot be one.
func Hash(token string) (hash []byte, ok bool) {
	if token == "" || len(token) > maxToken {
		return nil, false
	}
	return crypt.TokenHash(token), true
}

// Admit fails with the fault wait while the network has guessed too often. It counts nothing.
func (l Links) Admit(ctx context.Context, c *call.Call, wait *fault.Error) error {
	left, err := l.Throttle.Wait(ctx, c, attempt(c))
	if err == nil && left > 0 {
		err = later(wait, left)
	}
	return err
}

// Used counts a try: one that opened something, or one more guess, whose fault must not undo the transaction. It fails with the
// fault wait when the network has guessed too often.
func (l Links) Used(ctx context.Context, c *call.Call, opened bool, wait *fault.Error) error {
	counted, err := l.Throttle.Count(ctx, c, attempt(c), opened)
	if err == nil && !counted.Allowed {
		err = later(wait, counted.Wait)
	}
	return err
}

func attempt(c *call.Call) throttle.Attempt {
	return throttle.Attempt{Kind: throttle.Token, IP: c.Client.IP}
}

func later(wait *fault.Error, d time.Duration) error {
	return wait.RetryAfter(int((d + time.Second - 1) / time.Second))
}
