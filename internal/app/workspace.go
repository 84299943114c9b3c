package app

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/job"
	"limen/internal/core/provision"
	"limen/internal/core/tenant"
	"limen/internal/core/user"
	"limen/internal/core/workspace"
	"limen/internal/crypt"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/synerise/account"
	"limen/internal/surface/synerise/invitations"
	"limen/internal/surface/synerise/mails"
	"limen/internal/surface/synerise/people"
	"limen/internal/surface/synerise/providers"
	"limen/internal/surface/synerise/registration"
	"limen/internal/surface/synerise/resets"
	"limen/internal/surface/synerise/roles"
	"limen/internal/surface/synerise/settings"
	"limen/internal/surface/synerise/signin"
	"limen/internal/surface/synerise/workspaces"
)

// wireWorkspaces wires the workspaces and their tokens.
func (a *App) wireWorkspaces() {
	a.Workspaces = &workspace.Workspaces{Orgs: a.Orgs, People: a.People, Roles: a.Roles, Changes: a.Changes, Holder: a.asMember, Claimed: a.Domains.Claimed, Invites: a.Invites}
	a.People.Stored = append(a.People.Stored, a.Workspaces.Stored)
	a.WorkspaceTokens = workspace.Tokens{Signers: a.Signers, Alg: crypt.ES256, Known: a.Tokens.Known, Life: func(ctx context.Context, c *call.Call, at string) (time.Duration, error) {
		v, err := a.Values.Get(ctx, c)
		if err != nil {
			return 0, err
		}
		return a.Demands.Life(ctx, c, at, v.Workspace.Token)
	}}
	a.Workspaces.Gates = append(a.Workspaces.Gates, a.admitted)
	a.Workspaces.Activates = func(ctx context.Context, c *call.Call, at string) (bool, error) {
		d, err := a.Demands.Get(ctx, c, at)
		return d.Entry.Activation, err
	}
	a.Orgs.Made = append(a.Orgs.Made, a.Workspaces.Made)
	a.Orgs.Gone = append(a.Orgs.Gone, a.Workspaces.Emptied)
	a.People.Gone = append(a.People.Gone, a.Workspaces.PersonGone)
	a.People.Shut = append(a.People.Shut, a.Workspaces.ForgetDevices)
	a.Jobs.Sweep(job.Sweep{Name: "workspace devices", Every: time.Hour, Run: func(ctx context.Context) error {
		return workspace.SweepDevices(ctx, a.DB, time.Now())
	}})
}

// synerise are the operations of that dialect.
func (a *App) synerise() []op.Op {
	return slices.Concat(
		signin.SignIn{
			Logins: a.Logins, People: a.People, Roles: a.Roles, Sessions: a.Sessions, Settings: a.Values, Workspaces: a.Workspaces, Tokens: a.WorkspaceTokens,
			Caller: a.asMember,
		}.Ops(),
		workspaces.Workspaces{Workspaces: a.Workspaces}.Ops(),
		account.Account{
			People: a.People, Sessions: a.Sessions, Settings: a.Values, Workspaces: a.Workspaces, Logins: a.Logins, Factors: a.OATH, Managed: a.managed,
			Required: a.Demands.RequiresMFA, Addresses: a.Addresses, Keep: a.keepWay, Perform: a.perform,
		}.Ops(),
		people.People{
			Workspaces: a.Workspaces, People: a.People, Roles: a.Roles, Factors: a.OATH, Managed: a.managed, Keep: a.keepWay,
			Sees: a.Demands.Sees,
		}.Ops(),
		invitations.Invitations{Workspaces: a.Workspaces, People: a.People, Roles: a.Roles, Settings: a.Values, Post: a.Post}.Ops(),
		registration.Registration{Workspaces: a.Workspaces, Invites: a.Invites, Signups: a.Signups, People: a.People}.Ops(),
		resets.Resets{Resets: a.Resets, Workspaces: a.Workspaces, Roles: a.Roles, Managed: a.managed}.Ops(),
		roles.Roles{Roles: a.Roles, Orgs: a.Orgs, Demands: a.Demands}.Ops(),
		mails.Mails{Templates: a.MailTemplates}.Ops(),
		providers.Providers{Providers: a.Upstream}.Ops(),
		settings.Settings{
			Demands: a.Demands, Values: a.Values, Templates: a.MailTemplates, Domains: a.Domains, Binding: a.bindingRule, Expected: a.expectedRule,
		}.Ops(),
	)
}

// managed says whether a member of a workspace is managed by it.
func (a *App) managed(ctx context.Context, c *call.Call, at string, u user.User) (bool, error) {
	verified, err := a.Domains.Verified(ctx, c, at)
	if err != nil || len(verified) == 0 {
		return false, err
	}
	return a.Domains.Manages(ctx, c, at, verified, u)
}

// passwordSet follows a new password: the directory knows of it, and who was invited to a workspace has joined.
func (a *App) passwordSet(ctx context.Context, c *call.Call, userID string, force bool) error {
	if err := a.alone(ctx, c, userID); err != nil {
		return err
	}
	if err := a.People.PasswordSet(ctx, c, userID, force); err != nil {
		return err
	}
	return a.Workspaces.HasPassword(ctx, c, userID)
}

// asMember is what somebody is and holds who comes into a workspace.
func (a *App) asMember(ctx context.Context, c *call.Call, userID string) (call.Caller, error) {
	h, err := a.holder(ctx, c, userID)
	if err == nil && h.Barred {
		err = provision.ErrToken
	}
	return call.Caller{User: userID, Name: h.Name, Org: h.Org, Means: call.ByToken, Level: "Normal", Proved: c.Now, Roles: h.Roles, Held: h.Held}, err
}

// roots are where the dialect's paths begin. Its tokens are good below them, and nowhere else.
var roots = []string{"/uauth/", "/sauth/", "/business-profile-service/", "/v4/auth/"}

func belowRoots(path string) bool {
	return slices.ContainsFunc(roots, func(root string) bool { return below(path, root) })
}

func below(path, root string) bool {
	return len(path) >= len(root) && strings.EqualFold(path[:len(root)], root)
}

// proveWorkspace finds whose token of the dialect it is: of a session that lives, or of an API key that is good; and that they may still
// enter the workspace that it names.
func (a *App) proveWorkspace(ctx context.Context, c *call.Call, cred op.Credentials) (caller call.Caller, tenantID string, err error) {
	claims, typ, err := a.WorkspaceTokens.Verify(ctx, cred.Token, c.Now)
	if err != nil {
		return caller, "", err
	}
	if cred.Cookie || cred.Op == nil || !belowRoots(cred.Op.Path) {
		return caller, "", workspace.ErrToken
	}
	t, err := a.Index.Find(ctx, tenant.Hint{Tenant: claims.Tenant}, c.Client.Host)
	if err != nil {
		return caller, "", workspace.ErrToken.Because(err)
	}
	in := *c
	in.Tenant = t
	a.Kernel.Bind(&in)
	switch typ {
	case workspace.TypeUser:
		caller, _, err = a.Sessions.IdentifyID(ctx, &in, t.ID, claims.Session)
		caller.Means = call.ByPlatform
		if err == nil && caller.User != claims.Subject {
			err = workspace.ErrToken
		}
	case workspace.TypeKey:
		caller, err = a.keyHolder(ctx, &in, claims)
	default: // one of the first step is the second step's alone, which looks at it itself
		err = workspace.ErrAnother
	}
	if err != nil || claims.Workspace == "" {
		return caller, t.ID, err
	}
	caller.Workspace, in.Caller = claims.Workspace, &caller
	err = in.Snapshot(ctx, func() error { return a.Workspaces.Enter(ctx, &in, claims.Workspace) })
	return caller, t.ID, err
}

// keyHolder is the service user of an API key that is still good.
func (a *App) keyHolder(ctx context.Context, c *call.Call, claims workspace.Claims) (caller call.Caller, err error) {
	hash, err := base64.RawURLEncoding.DecodeString(claims.Key)
	if err != nil {
		return caller, workspace.ErrToken
	}
	err = c.Snapshot(ctx, func() error {
		k, err := provision.KeyOf(ctx, c, hash)
		if err == nil && k.User != claims.Subject {
			err = provision.ErrToken
		}
		if err == nil {
			caller, err = a.asMember(ctx, c, k.User)
		}
		return err
	})
	if err != nil && fault.Of(err).Kind != fault.Internal {
		err = workspace.ErrToken
	}
	caller.Machine, caller.Key = true, claims.Key
	return caller, err
}
