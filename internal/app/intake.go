package app

import (
	"context"
	"time"

	"limen/internal/call"
	"limen/internal/core/intake"
	"limen/internal/core/job"
	"limen/internal/core/tokenfile"
	"limen/internal/core/user"
	"limen/internal/surface/identity/mfa"
)

// wireIntake wires imports of people, and of their hardware tokens; jobs exist by now.
func (a *App) wireIntake() {
	a.Intake = &intake.Imports{
		DB: a.DB, People: a.People, Roles: a.Roles, Orgs: a.Orgs, Passwords: a.Passwords, Tenants: a.Index, Jobs: a.Jobs, Post: a.Post,
		Seal: a.sealFile, Open: a.openFile,
		Culture: a.cultureOf,
		Bind:    func(c *call.Call) { a.Kernel.Bind(c) }, // which is made last
		Invite: func(ctx context.Context, c *call.Call, u user.User, mail, sms bool) error {
			return a.users().Invite(ctx, c, u, mail, sms)
		},
	}
	a.Hardware = &tokenfile.Files{
		DB: a.DB, People: a.People, Profiles: a.OATH, Tenants: a.Index, Jobs: a.Jobs, Seal: a.sealFile, Open: a.openFile,
		Guard: func(ctx context.Context, c *call.Call, userID string) error {
			return a.Roles.Guard(ctx, c, userID, mfa.ErrSystem, user.ErrStronger)
		},
		Issuer: a.Values.Issuer,
	}
	a.Jobs.Sweep(job.Sweep{Name: "token files", Every: 10 * time.Minute, Run: func(ctx context.Context) error {
		return a.Hardware.Sweep(ctx, time.Now())
	}})
	a.Jobs.Sweep(job.Sweep{Name: "imports", Every: 10 * time.Minute, Run: func(ctx context.Context) error {
		return a.Intake.Sweep(ctx, time.Now())
	}})
}
