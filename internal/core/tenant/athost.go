package tenant

import (
	"context"
	"net/netip"

	"limen/internal/fold"
)

// AtHost gives the tenant whose own host name was asked; empty when the name is nobody's, or one of this machine's
// own (localhost, 127.0.0.1, ::1), which say nothing about the tenant. It must not be called within a transaction.
func (x *Index) AtHost(ctx context.Context, host string) (string, error) {
	t, err := x.current(ctx)
	if err != nil {
		return "", err
	}
	name := fold.Key(bare(host))
	if ip, err := netip.ParseAddr(name); name == "localhost" || err == nil && ip.IsLoopback() {
		return "", nil
	}
	return t.hosts[name], nil
}
