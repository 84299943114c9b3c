// Package dns asks the domain name system for what people publish in it. It asks the machine's name servers, or one that the
// settings name.
package dns

import (
	"context"
	"errors"
	"net"
	"time"

	"limen/internal/fault"
)

// ErrSilent says that no name server gave an answer; why not is the cause.
var ErrSilent = fault.New(fault.Unavailable, "dns.silent", "The domain name system gave no answer.")

// Bounds of one question.
const (
	DefaultTimeout = 5 * time.Second
	maxRecords     = 200
	maxText        = 4096 // bytes of one record
)

// Resolver asks name servers. Its fields are set before use.
type Resolver struct {
	Server  string        // ADDRESS:PORT of the name server; empty: the machine's
	Timeout time.Duration // of a whole question; 0: DefaultTimeout
}

// Net is the resolver for what dials.
func (r *Resolver) Net() *net.Resolver {
	if r.Server == "" {
		return net.DefaultResolver
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, r.Server)
	}}
}

// TXT gives the TXT records of a name, each with its strings joined (RFC 7208 section 3.3 does the same); none for a name that
// has none or does not exist. Records that are too long are left out. ErrSilent.
func (r *Resolver) TXT(ctx context.Context, name string) ([]string, error) {
	timeout := r.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	all, err := r.Net().LookupTXT(ctx, name+".") // the dot: no search list of the machine is tried
	if d, ok := errors.AsType[*net.DNSError](err); ok && d.IsNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, ErrSilent.Because(err)
	}
	var out []string
	for _, text := range all[:min(len(all), maxRecords)] {
		if len(text) <= maxText {
			out = append(out, text)
		}
	}
	return out, nil
}
