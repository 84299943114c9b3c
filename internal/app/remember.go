package app

import (
	"cmp"
	"context"

	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/app"
	"limen/internal/core/change"
	"limen/internal/core/detail"
	"limen/internal/core/oauth"
	"limen/internal/core/session"
	"limen/internal/core/user"
)

// remembered is what the authorization server asks about people again and again, until what it was made of changes.
type remembered struct {
	people change.Memory[[2]string, somebody] // by tenant and UUID
	usable change.Memory[[3]string, bool]     // by tenant, UUID and application
}

// somebody is a person with what they are and hold.
type somebody struct {
	person oauth.Person
	holder session.Holder
}

func (a *App) remember() {
	r := &a.remembered
	r.people.Log, r.usable.Log = a.Changes, a.Changes
	r.people.Watch(a.Changes.Watch, "user", "role")
	r.usable.Watch(a.Changes.Watch, "user", "role", "app", acl.Topic)
}

func (a *App) somebody(ctx context.Context, c *call.Call, id string) (somebody, error) {
	return a.remembered.people.Get(ctx, c, [2]string{c.Tenant.ID, id}, func() (change.Answer[somebody], error) {
		u, err := a.People.ByID(ctx, c, id)
		if err != nil {
			return change.Answer[somebody]{}, err
		}
		h, err := a.holderOf(ctx, c, u)
		if err != nil {
			return change.Answer[somebody]{}, err
		}
		known, err := detail.Of(ctx, c, u.ID)
		p := oauth.Person{ID: u.ID, Name: u.Name, Org: u.Org, Barred: u.Barred(c.Now), Service: u.OAuthClient, Claims: claims(u, known[u.ID])}
		return change.Answer[somebody]{Value: somebody{p, h}, Of: []string{u.ID}, Until: end(h)}, err
	})
}

// end is when somebody may be another, or hold something else, without any change; 0: never.
func end(h session.Holder) int64 {
	if h.Until.IsZero() {
		return 0
	}
	return h.Until.UnixMilli()
}

// oauthPerson is somebody whom tokens are about.
func (a *App) oauthPerson(ctx context.Context, c *call.Call, id string) (oauth.Person, error) {
	s, err := a.somebody(ctx, c, id)
	return s.person, err
}

// asCaller is somebody with what they are and hold now.
func (a *App) asCaller(ctx context.Context, c *call.Call, id string) (call.Caller, error) {
	s, err := a.somebody(ctx, c, id)
	h := s.holder
	return call.Caller{User: id, Name: h.Name, Org: h.Org, Means: call.ByOAuth, Level: "Normal", Roles: h.Roles, Held: h.Held}, err
}

// mayUse says whether somebody may use an application.
func (a *App) mayUse(ctx context.Context, c *call.Call, personID string, it oauth.App) (bool, error) {
	s, err := a.somebody(ctx, c, personID)
	if err != nil || it.ID == app.Shared.ID {
		return s.person.Service, err
	}
	return a.remembered.usable.Get(ctx, c, [3]string{c.Tenant.ID, personID, it.ID}, func() (change.Answer[bool], error) {
		by, err := a.asCaller(ctx, c, personID)
		if err != nil {
			return change.Answer[bool]{}, err
		}
		ok, until, err := a.Apps.Usable(ctx, c, by, it.ID)
		if e := end(s.holder); until == 0 || e != 0 && e < until {
			until = e
		}
		return change.Answer[bool]{Value: ok, Of: []string{s.person.ID}, Until: until}, err
	})
}

// claims are what tokens can say of a person: of the directory's row, and of what provisioning clients have put beside it.
func claims(u user.User, known []detail.Item) oauth.Claims {
	text := func(kind detail.Kind) string {
		i, _ := detail.Find(known, kind)
		return i.Value
	}
	given, family := detail.Named(known, u.Display)
	picture := text(detail.Photo)
	for _, i := range known {
		if i.Kind == detail.Photo && i.Main {
			picture = i.Value
		}
	}
	return oauth.Claims{
		Name: u.Display, GivenName: given, FamilyName: family, MiddleName: text(detail.Middle), Nick: text(detail.Nick), PreferredUsername: u.Name,
		Profile: text(detail.Profile), Picture: picture, Email: u.Mail, EmailVerified: u.Mail != "" && !u.MailUnproved,
		Phone: u.Mobile, Locale: cmp.Or(text(detail.Locale), u.Culture), Zone: text(detail.Zone), Updated: u.Changed / 1000,
	}
}
