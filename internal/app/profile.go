package app

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/core/login"
	"limen/internal/core/profile"
	"limen/internal/core/setting"
	"limen/internal/core/user"
)

// wireProfiles wires authentication profiles with what names them.
func (a *App) wireProfiles() {
	a.Profiles = &profile.Profiles{DB: a.DB, Changes: a.Changes, Holders: a.profileHolders, Lockout: a.lockout}
	a.Profiles.Start()
	a.Tenants.Begun = append(a.Tenants.Begun, a.Profiles.BuiltIn)
	a.Values.Named = map[string]func(context.Context, *call.Call, string) error{
		settingProfile: a.nameProfile, settingRecovery: a.nameRecovery,
	}
}

// Settings that name a profile.
const (
	settingProfile  = "Authentication.Profile"
	settingRecovery = "Authentication.RecoveryProfile"
)

// nameProfile refuses the id of a profile that does not exist, and of one by which the caller could not sign in any more; where a
// program calls, of one by which no person could who is a system administrator.
func (a *App) nameProfile(ctx context.Context, c *call.Call, id string) error {
	p, err := a.holdProfile(ctx, c, settingProfile, id)
	if err != nil || c.Caller == nil || c.Caller.User == "" {
		return err
	}
	able, program, err := a.follows(ctx, c, c.Caller.User, p)
	if err != nil || able && !program {
		return err
	}
	if !program {
		return setting.ErrValue.At(settingProfile).Say("You could not sign in any more: you have set up nothing that the profile %s asks for.", p.Name)
	}
	all, err := a.Roles.Administrators(ctx, c)
	if err != nil {
		return err
	}
	people := 0
	for _, id := range all {
		able, program, err := a.follows(ctx, c, id, p)
		if err != nil || able && !program {
			return err
		}
		if !program {
			people++
		}
	}
	if people == 0 { // only programs administer this tenant
		return nil
	}
	return setting.ErrValue.At(settingProfile).Say("No system administrator could sign in any more: none has set up what the profile %s asks for.", p.Name)
}

// follows says whether somebody could sign in by a profile, and whether they are a program, which no profile is asked for.
func (a *App) follows(ctx context.Context, c *call.Call, id string, p profile.Profile) (able, program bool, err error) {
	u, err := a.People.ByID(ctx, c, id)
	if errors.Is(err, user.ErrNotFound) || err == nil && u.Barred(c.Now) {
		return false, false, nil
	}
	if err != nil || u.Service || u.OAuthClient {
		return false, err == nil, err
	}
	v, err := a.Values.Get(ctx, c)
	if err != nil {
		return false, false, err
	}
	ways := []login.Profile{login.Profile{}.With(p)}
	if !v.Auth.RequireSecondFactor { // one challenge is enough, where one cannot answer the other
		for _, round := range p.Challenges {
			ways = append(ways, login.Profile{Challenges: [][]string{round}, Questions: p.Questions})
		}
	}
	for _, way := range ways {
		if ok, err := a.Logins.Able(ctx, c, u, way); ok || err != nil {
			return ok, false, err
		}
	}
	return false, false, nil
}

// nameRecovery refuses the id of a profile that does not exist.
func (a *App) nameRecovery(ctx context.Context, c *call.Call, id string) error {
	_, err := a.holdProfile(ctx, c, settingRecovery, id)
	return err
}

func (a *App) holdProfile(ctx context.Context, c *call.Call, name, id string) (profile.Profile, error) {
	p, err := a.Profiles.Hold(ctx, c, id)
	if errors.Is(err, profile.ErrNotFound) {
		err = setting.ErrValue.At(name).Say("The value of %s is the UUID of no authentication profile.", name)
	}
	return p, err
}

// profileHolders says what names a profile, so that it cannot be deleted.
func (a *App) profileHolders(ctx context.Context, c *call.Call, id string) ([]string, error) {
	v, err := a.Values.Get(ctx, c)
	if err != nil {
		return nil, err
	}
	var out []string
	if v.Auth.Profile == id {
		out = append(out, "the setting "+settingProfile)
	}
	if v.Auth.Recovery == id {
		out = append(out, "the setting "+settingRecovery)
	}
	sets, err := a.Policies.Naming(ctx, c, id)
	for _, path := range sets {
		out = append(out, "the policy set "+path)
	}
	if err != nil {
		return nil, err
	}
	clients, err := a.Radius.Naming(ctx, c, id)
	for _, name := range clients {
		out = append(out, "the RADIUS client "+name)
	}
	return out, err
}
