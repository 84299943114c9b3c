package app

import (
	"context"
	"time"

	"limen/internal/call"
	"limen/internal/core/intake"
	"limen/internal/core/job"
	"limen/internal/core/user"
)

// wireIntake wires imports of people; jobs exist by now.
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
	a.Jobs.Sweep(job.Sweep{Name: "imports", Every: 10 * time.Minute, Run: func(ctx context.Context) error {
		return a.Intake.Sweep(ctx, time.Now())
	}})
}
