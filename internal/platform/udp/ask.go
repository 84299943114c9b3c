package udp

import (
	"context"
	"errors"
	"net"
	"strconv"
	"time"

	"limen/internal/fault"
	"limen/internal/platform/egress"
)

// ErrUnreachable is an address that did not answer in time; why not is the cause.
var ErrUnreachable = fault.New(fault.Unavailable, "udp.unreachable", "The address does not answer.")

// Client asks addresses that others have named. Its fields are set before use.
type Client struct {
	Guard    egress.Guard
	Resolver *net.Resolver // nil: the system's
}

// often is how many times a datagram is sent while nothing comes back.
const often = 3

// Ask sends a datagram, and again where nothing comes back, until good takes an answer or the time is over. Faults: ErrUnreachable, and
// that of the guard.
func (c *Client) Ask(ctx context.Context, host string, port int, wait time.Duration, b []byte, good func([]byte) bool) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	d := net.Dialer{Resolver: c.Resolver, ControlContext: c.Guard.Control}
	conn, err := d.DialContext(ctx, "udp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		if f, ok := errors.AsType[*fault.Error](err); ok {
			return nil, f
		}
		return nil, ErrUnreachable.Because(err)
	}
	defer func() { _ = conn.Close() }()
	buffer := make([]byte, maxDatagram+1)
	for range often {
		if _, err = conn.Write(b); err != nil {
			continue // of an earlier one that could not be delivered
		}
		_ = conn.SetReadDeadline(time.Now().Add(wait / often))
		for {
			n, err := conn.Read(buffer)
			if err != nil {
				if ctx.Err() != nil {
					return nil, ErrUnreachable.Because(err)
				}
				break
			}
			if n <= maxDatagram && good(buffer[:n]) {
				return buffer[:n], nil
			}
		}
	}
	return nil, ErrUnreachable.Because(err)
}
