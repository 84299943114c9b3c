package app

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"limen/internal/call"
	"limen/internal/core/authority"
	"limen/internal/core/revocation"
	"limen/internal/core/user"
	"limen/internal/platform/egress"
)

// What an authority's list of revoked certificates may be at most, and how long it may take to come.
const (
	maxRevoked     = 8 << 20 // bytes
	revokedTimeout = 10 * time.Second
)

// wireAuthorities wires who vouches for people by certificates, and who knows which of these were revoked.
func (a *App) wireAuthorities() {
	from := &egress.Client{Guard: a.Egress.Guard, Resolver: a.Resolver.Net(), Timeout: revokedTimeout, MaxBody: maxRevoked}
	a.Revoked = &revocation.Lists{Fetch: func(ctx context.Context, uri string) ([]byte, error) {
		out, err := from.Do(ctx, egress.Request{URL: uri, Plain: true})
		if err == nil && out.Status != http.StatusOK {
			err = fmt.Errorf("the address answered with status %d", out.Status)
		}
		return out.Body, err
	}}
	a.Authorities = &authority.Authorities{DB: a.DB, Changes: a.Changes, Lists: a.Revoked, Lenient: a.takesUnchecked, Suffixed: a.suffixed}
	a.Authorities.Start()
}

// takesCertificates says whether clients can show certificates, to a server of their own or by way of a proxy.
func (a *App) takesCertificates() bool {
	return a.Settings.CertListen != "" || a.Settings.CertHeader != ""
}

// takesUnchecked is the tenant's setting Certificate.AllowUnchecked.
func (a *App) takesUnchecked(ctx context.Context, c *call.Call) (bool, error) {
	v, err := a.Values.Get(ctx, c)
	if err != nil {
		return false, err
	}
	return v.UncheckedCertificates, nil
}

// suffixed gives a login name without a suffix the tenant's own.
func (a *App) suffixed(ctx context.Context, c *call.Call, name string) (string, error) {
	if _, _, ok := user.SplitName(name); ok {
		return name, nil
	}
	main, err := a.Index.MainSuffix(ctx, c)
	return name + "@" + main.Name, err
}
