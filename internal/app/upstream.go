package app

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"limen/internal/call"
	"limen/internal/core/job"
	"limen/internal/core/upstream"
	"limen/internal/core/user"
	"limen/internal/platform/egress"
)

// wireUpstream wires the identity providers at which people may sign in.
func (a *App) wireUpstream() {
	a.Upstream = &upstream.Providers{
		Catalog: upstream.Catalog(), Ring: a.Ring, People: a.People, Settings: a.Values, Links: a.links(), Plain: a.powerless, Name: a.Workspaces.LoginName,
		Ask:     func(ctx context.Context, c *call.Call, u user.User) error { return a.Addresses.Ask(ctx, c, u) },
		Proofed: a.proofed,
		Claimed: func(ctx context.Context, c *call.Call, mail string) error { return a.Domains.Claimed(ctx, c, "", mail) },
		HTTP: &http.Client{
			Transport:     egressTransport{a},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		Ours: func(ctx context.Context, c *call.Call, host string) (bool, error) {
			at, err := a.Index.AtHost(ctx, host)
			return err == nil && at == c.Tenant.ID || host == c.Tenant.Host, err
		},
	}
	a.People.Gone = append(a.People.Gone, upstream.Drop)
	a.Jobs.Sweep(job.Sweep{Name: "sign-ins at providers", Every: 10 * time.Minute, Run: func(ctx context.Context) error {
		return a.Upstream.Sweep(ctx, a.DB, time.Now())
	}})
}

// powerless says whether somebody holds no right to administrate anything, now or at another time, themselves or by their factors.
func (a *App) powerless(ctx context.Context, c *call.Call, userID string) (bool, error) {
	high, err := a.Roles.Protected(ctx, c, userID)
	if err != nil || high {
		return false, err
	}
	nobody := *c
	nobody.Caller = &call.Caller{}
	high, err = a.Roles.Stronger(ctx, &nobody, userID)
	return !high, err
}

// egressTransport has libraries that speak HTTP ask through Egress, which keeps them from where nobody may be asked.
type egressTransport struct{ app *App }

// RoundTrip asks.
func (t egressTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }()
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	out, err := t.app.Egress.Do(r.Context(), egress.Request{Method: r.Method, URL: r.URL.String(), Header: r.Header, Body: body})
	if err != nil {
		return nil, err
	}
	return &http.Response{
		Status: http.StatusText(out.Status), StatusCode: out.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: out.Header,
		Body: io.NopCloser(bytes.NewReader(out.Body)), ContentLength: int64(len(out.Body)), Request: r,
	}, nil
}
