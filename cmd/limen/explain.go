package main

import (
	"context"

	"github.com/alecthomas/kong"

	"limen/internal/app"
	"limen/internal/config"
)

type explainCmd struct {
	Right     whyRight     `cmd:"" help:"Why somebody holds a right, or does not."`
	SignIn    whySignIn    `cmd:"" name:"sign-in" help:"How somebody signs in, and why."`
	Setting   whySetting   `cmd:"" help:"Which policy set somebody has a setting from."`
	Operation whyOperation `cmd:"" help:"Whether somebody may call an operation, and why."`
	Request   whyRequest   `cmd:"" help:"Why a request was refused."`
}

// answered is what all of them take.
type answered struct {
	Tenant string `placeholder:"ID" help:"Tenant; the only one without it."`
	JSON   bool   `name:"json" help:"Print JSON, for programs."`
	config.Flags
}

func (c *answered) ask(ctx context.Context, k *kong.Context, env environ, do *app.Commands, q app.Inquiry) error {
	s, err := c.Resolve(k, env)
	if err != nil {
		return err
	}
	q.Tenant, q.JSON = c.Tenant, c.JSON
	return do.Explain(ctx, s, q)
}

// situated is where, when and with what somebody signs in.
type situated struct {
	IP     string `name:"ip" placeholder:"ADDRESS" help:"Address that they come from."`
	Time   string `placeholder:"TIME" help:"When, as 2026-11-23T09:00:00Z; now without it."`
	Device string `enum:"known,unknown," default:"" placeholder:"known,unknown" help:"Whether they have signed in on the device before."`
	Agent  string `placeholder:"TEXT" help:"What the browser calls itself."`
	Risk   string `enum:"Normal,Low,Medium,High,Unknown," default:"" placeholder:"LEVEL" help:"Level of risk: Normal, Low, Medium, High or Unknown."`
}

type whyRight struct {
	User  string `arg:"" placeholder:"USER" help:"Login name or UUID."`
	Right string `arg:"" placeholder:"RIGHT" help:"Name or path of the right."`
	answered
}

func (*whyRight) Help() string {
	return `Shows every way in which the right is held: the roles that lead to it, since and until when, who gave it and why. Ways that have
ended, or have not begun, are marked with a dash:

    limen explain right anna@example.com "User Management"
    limen explain right --json anna@example.com /lib/rights/dsman.json`
}

func (c *whyRight) Run(ctx context.Context, k *kong.Context, env environ, do *app.Commands) error {
	return c.ask(ctx, k, env, do, app.Inquiry{User: c.User, Right: c.Right})
}

type whySignIn struct {
	User string `arg:"" placeholder:"USER" help:"Login name or UUID."`
	situated
	answered
}

func (*whySignIn) Help() string {
	return `Shows which policy set decides, which of its rules were tried, and what each condition found. What is not told is not known, and
makes conditions about it false:

    limen explain sign-in anna@example.com
    limen explain sign-in anna@example.com --ip 198.51.100.7 --device unknown --time 2026-11-23T22:00:00Z`
}

func (c *whySignIn) Run(ctx context.Context, k *kong.Context, env environ, do *app.Commands) error {
	return c.ask(ctx, k, env, do, app.Inquiry{User: c.User, IP: c.IP, Time: c.Time, Device: c.Device, Agent: c.Agent, Risk: c.Risk})
}

type whySetting struct {
	User string `arg:"" placeholder:"USER" help:"Login name or UUID."`
	Key  string `arg:"" placeholder:"KEY" help:"Key of the setting."`
	answered
}

func (*whySetting) Help() string {
	return `Shows the policy sets that have the setting, which one wins for the user, and why the others do not:

    limen explain setting anna@example.com /Core/Security/CDS/PasswordPolicy/MinLength`
}

func (c *whySetting) Run(ctx context.Context, k *kong.Context, env environ, do *app.Commands) error {
	return c.ask(ctx, k, env, do, app.Inquiry{User: c.User, Setting: c.Key})
}

type whyOperation struct {
	User   string `arg:"" placeholder:"USER" help:"Login name or UUID."`
	Path   string `arg:"" placeholder:"PATH" help:"Path of the operation."`
	Object string `placeholder:"NAME" help:"User or role that the call would be about."`
	answered
}

func (*whyOperation) Help() string {
	return `    limen explain operation anna@example.com /UserMgmt/ResetUserPassword --object bert@example.com`
}

func (c *whyOperation) Run(ctx context.Context, k *kong.Context, env environ, do *app.Commands) error {
	return c.ask(ctx, k, env, do, app.Inquiry{User: c.User, Operation: c.Path, Object: c.Object})
}

type whyRequest struct {
	ID string `arg:"" placeholder:"ID" help:"ErrorID of the answer, or the id of an event."`
	answered
}

func (*whyRequest) Help() string {
	return `The id is the ErrorID of the answer, which the log has as well, or that of an event:

    limen explain request 019f3b6e-9d1b-7c5e-8a6f-2d01c3a4b6c1:0c5e0a6f2d019d1b0c5e0a6f2d019d1b`
}

func (c *whyRequest) Run(ctx context.Context, k *kong.Context, env environ, do *app.Commands) error {
	return c.ask(ctx, k, env, do, app.Inquiry{Request: c.ID})
}

type simulateCmd struct {
	Policy tryPolicy `cmd:"" help:"What a change of policies or authentication profiles would do."`
	Role   tryRole   `cmd:"" help:"What a change of a role would do."`
}

// tried is what both of them take.
type tried struct {
	Days  int      `default:"7" placeholder:"N" help:"Days of which the recorded sign-ins are decided anew."`
	Limit int      `default:"100" placeholder:"N" help:"Affected users to list."`
	User  []string `placeholder:"USER" help:"Look at this user, too; may be given several times."`
	situated
	answered
}

func (c *tried) try(ctx context.Context, k *kong.Context, env environ, do *app.Commands, r app.Rehearsal) error {
	s, err := c.Resolve(k, env)
	if err != nil {
		return err
	}
	r.Tenant, r.JSON, r.Days, r.Limit, r.Users = c.Tenant, c.JSON, c.Days, c.Limit, c.User
	r.IP, r.Time, r.Device, r.Agent, r.Risk = c.IP, c.Time, c.Device, c.Agent, c.Risk
	return do.Simulate(ctx, s, r)
}

type tryPolicy struct {
	File string `arg:"" placeholder:"FILE" help:"JSON file of the change; - reads standard input."`
	tried
}

func (*tryPolicy) Help() string {
	return `The file has what /Policy/SavePolicyBlock3 takes; besides policy and plinks it may have DeletePolicy, the path of a set to be
deleted, and Profiles, authentication profiles to be changed. Nothing is stored:

    limen simulate policy mfa.json
    limen simulate policy mfa.json --days 30 --json
    limen simulate policy mfa.json --days 0 --user anna@example.com --device unknown`
}

func (c *tryPolicy) Run(ctx context.Context, k *kong.Context, env environ, do *app.Commands) error {
	return c.try(ctx, k, env, do, app.Rehearsal{File: c.File})
}

type tryRole struct {
	Role        string   `arg:"" placeholder:"ROLE" help:"Name or id of the role."`
	AddUser     []string `placeholder:"USER" help:"Would become a member; may be given several times, as all of these."`
	RemoveUser  []string `placeholder:"USER" help:"Would not be a member any more."`
	AddRole     []string `placeholder:"ROLE" help:"Would become a member with all who are in it."`
	RemoveRole  []string `placeholder:"ROLE" help:"Would not be a member any more."`
	AddRight    []string `placeholder:"RIGHT" help:"Would be carried."`
	RemoveRight []string `placeholder:"RIGHT" help:"Would not be carried any more."`
	Delete      bool     `help:"The role would be deleted."`
	tried
}

func (*tryRole) Help() string {
	return `Who would gain or lose rights, and whose sign-ins would go otherwise since other policy sets would apply:

    limen simulate role "Help Desk" --add-user anna@example.com --add-right "MFA Unlock"
    limen simulate role "Help Desk" --delete`
}

func (c *tryRole) Run(ctx context.Context, k *kong.Context, env environ, do *app.Commands) error {
	return c.try(ctx, k, env, do, app.Rehearsal{
		Role: c.Role, Delete: c.Delete, AddUsers: c.AddUser, RemoveUsers: c.RemoveUser, AddRoles: c.AddRole, RemoveRoles: c.RemoveRole,
		AddRights: c.AddRight, RemoveRights: c.RemoveRight,
	})
}
