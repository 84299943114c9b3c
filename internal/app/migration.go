package app

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/inquiry"
	"limen/internal/core/migration"
	"limen/internal/core/password"
	"limen/internal/core/user"
	"limen/internal/platform/egress"
	"limen/internal/platform/script"
)

// wireMigration wires how passwords are taken over from old systems, and how scripts ask services.
func (a *App) wireMigration() {
	a.Inquiries = &inquiry.Asker{Run: a.runFunction, Send: a.sendInquiry}
	a.Migrations = &migration.Migrations{
		Ring: a.Ring, People: a.People, Passwords: a.Passwords, Asker: a.Inquiries, Plain: a.powerless, Properties: a.properties, Write: a.act,
	}
}

// elsewhere asks where a password may come from that is wrong here.
func (a *App) elsewhere(ctx context.Context, c *call.Call, userID string, seen password.Current, plain string) (password.Current, bool, error) {
	return a.Migrations.Try(ctx, c, userID, seen, plain)
}

// runFunction has a child call a function of a script, for somebody who waits.
func (a *App) runFunction(ctx context.Context, b inquiry.Batch) (inquiry.Said, error) {
	said, err := a.Quick.Run(ctx, script.Batch{
		Tenant: b.Tenant, Model: script.Functions, Script: b.Text, Names: b.Names, Call: b.Call, Now: b.Now.UnixMilli(), Trace: b.Trace,
		People: []script.Person{{Arguments: b.Arguments}},
	})
	if err != nil {
		return inquiry.Said{}, err
	}
	return inquiry.Said{Result: said[0].Result, Error: said[0].Error, Trace: said[0].Trace}, nil
}

// sendInquiry asks an address that a tenant has set.
func (a *App) sendInquiry(ctx context.Context, s inquiry.Sent) (inquiry.Answer, error) {
	got, err := a.Egress.Do(ctx, egress.Request{Method: s.Method, URL: s.URL, Header: s.Header, Body: s.Body})
	return inquiry.Answer{Status: got.Status, Type: got.Header.Get("Content-Type"), Body: got.Body}, err
}

// properties are what scripts see of a person besides what everybody has.
func (a *App) properties(ctx context.Context, c *call.Call, u user.User) (map[string]any, error) {
	p, err := a.Dynamic.Describe(ctx, c, u)
	return p.Properties, err
}
