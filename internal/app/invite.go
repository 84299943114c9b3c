package app

import (
	"context"
	"time"

	"limen/internal/call"
	"limen/internal/core/invite"
	"limen/internal/core/job"
	"limen/internal/core/link"
	flow "limen/internal/core/login"
	"limen/internal/core/remind"
	"limen/internal/core/reset"
	"limen/internal/core/user"
	"limen/internal/surface/identity/authentication"
	"limen/internal/surface/identity/library"
	"limen/internal/surface/login"
	pages "limen/web/login"
)

// wireInvites wires invitations and the pages to which they lead.
func (a *App) wireInvites() (err error) {
	a.Invites = &invite.Invites{
		People: a.People, Passwords: a.Passwords, Sessions: a.Sessions, Links: a.links(),
	}
	a.People.Gone = append(a.People.Gone, a.Invites.Drop)
	a.People.Outdated = append(a.People.Outdated, a.Invites.Drop)
	a.Jobs.Sweep(job.Sweep{Name: "invitations", Every: time.Hour, Run: func(ctx context.Context) error {
		return a.Invites.Sweep(ctx, a.DB, time.Now())
	}})
	a.wireResets()
	a.Reminders = &remind.Reminders{People: a.People, Settings: a.Values, Post: a.Post, Throttle: a.Throttle, Ring: a.Ring}
	if a.Pages, err = pages.Load(); err != nil {
		return err
	}
	return a.wireLibrary()
}

// wireLibrary makes the files that pages of others load.
func (a *App) wireLibrary() error {
	files, err := a.Pages.Widget("/vfslow")
	a.Files = library.NewShelf(append(files, library.Description()))
	return err
}

// wireResets wires the codes with which forgotten passwords are replaced.
func (a *App) wireResets() {
	a.Resets = &reset.Resets{
		People: a.People, Passwords: a.Passwords, Post: a.Post, Throttle: a.Throttle, Links: a.links(),
		Allowed: func(ctx context.Context, c *call.Call, u user.User) (bool, error) { return a.Logins.ByMail(ctx, c, u) },
		Told: func(ctx context.Context, c *call.Call, u user.User) error {
			return a.notify(ctx, c, u, flow.PasswordChanged)
		},
	}
	a.People.Gone = append(a.People.Gone, a.Resets.Drop)
	a.People.Outdated = append(a.People.Outdated, a.Resets.Drop)
	a.Jobs.Sweep(job.Sweep{Name: "password resets", Every: time.Hour, Run: func(ctx context.Context) error {
		return a.Resets.Sweep(ctx, a.DB, time.Now())
	}})
}

// login are the pages' operations.
func (a *App) login() login.Login {
	l := login.Login{Invites: a.Invites, Addresses: a.Addresses}
	if a.Tray != nil {
		l.Outbox = "/dev/outbox"
	}
	return l
}

// signIn are the pages on which people sign in, agree and sign out.
func (a *App) signIn() login.SignIn {
	return login.SignIn{
		Passkeys: a.Passkeys, Keep: a.keepWay,
		Logins: a.Logins, Sessions: a.Sessions, People: a.People, OAuth: a.OAuth, Country: a.country, SignedIn: authentication.SignIn, SignedOut: authentication.SignOut,
		Device: authentication.KeepDevice, Providers: a.Upstream, Offers: a.offered,
	}
}

// join are the pages on which people with an account accept an invitation.
func (a *App) join() login.Join { return login.Join{Workspaces: a.Workspaces} }

// links are how links that are sent to people are written, and guesses at them counted.
func (a *App) links() link.Links {
	return link.Links{Throttle: a.Throttle, Insecure: a.Settings.TLS == "off" && len(a.Settings.TrustedProxies) == 0}
}
