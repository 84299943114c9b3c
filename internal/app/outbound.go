package app

import (
	"context"
	"time"

	"limen/internal/call"
	"limen/internal/core/job"
	"limen/internal/core/outbound"
	"limen/internal/platform/egress"
	"limen/internal/surface/identity/provisioning"
)

// Bounds of one request to a service that people are provisioned to.
const (
	provisionTimeout = 15 * time.Second
	provisionAnswer  = 4 << 20 // bytes
)

// wireOutbound wires the provisioning of applications' people elsewhere.
func (a *App) wireOutbound() {
	a.Services = &egress.Client{Guard: a.Egress.Guard, Timeout: provisionTimeout, MaxBody: provisionAnswer}
	a.Outbound = &outbound.Outbound{
		DB: a.DB, Log: a.Log, Node: a.Settings.Node, Leases: a.Leases, Apps: a.Apps, Lists: a.Lists, People: a.People, Roles: a.Roles, Directory: a.provision(),
		Scripts: a.AppCode, Jobs: a.Jobs, Call: a.Shell, Caller: a.jobCaller,
		Send: func(ctx context.Context, r outbound.Request) (outbound.Answer, error) {
			out, err := a.Services.Do(ctx, egress.Request{Method: r.Method, URL: r.URL, Header: r.Header, Body: r.Body})
			return outbound.Answer{Status: out.Status, Header: out.Header, Body: out.Body}, err
		},
		Seal: func(ctx context.Context, c *call.Call, bound string, plain []byte) (string, error) {
			return a.Ring.Seal(ctx, c.Tenant.ID, outbound.Purpose, plain, bound)
		},
		Open: func(ctx context.Context, tenantID, bound, sealed string) ([]byte, error) {
			return a.Ring.Open(ctx, tenantID, outbound.Purpose, sealed, bound)
		},
		Write: func(ctx context.Context, tenantID string, f func(ctx context.Context, c *call.Call) error) error {
			return a.act(ctx, tenantID, "", func(ctx context.Context, c *call.Call) error {
				c.Event = nil // each account has an event of its own
				return f(ctx, c)
			})
		},
	}
	a.Changes.Heard = a.Outbound.Changed
	a.People.Stored = append(a.People.Stored, a.Outbound.Stored)
	a.Apps.Gone = append(a.Apps.Gone, a.Outbound.AppGone)
	a.Jobs.Sweep(job.Sweep{Name: "provisioned accounts", Every: 24 * time.Hour, Run: a.Outbound.Tick})
}

func (a *App) provisioning() provisioning.Provisioning {
	return provisioning.Provisioning{Outbound: a.Outbound}
}
