package app

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/profile"
)

// wireProfiles wires authentication profiles with what names them.
func (a *App) wireProfiles() {
	a.Profiles = &profile.Profiles{DB: a.DB, Changes: a.Changes, Holders: a.profileHolders}
	a.Profiles.Start()
	a.Tenants.Begun = append(a.Tenants.Begun, a.Profiles.BuiltIn)
	a.Values.Named = map[string]func(context.Context, *call.Call, string) error{
		settingProfile: a.holdProfile, settingRecovery: a.holdProfile,
	}
}

// Settings that name a profile.
const (
	settingProfile  = "Authentication.Profile"
	settingRecovery = "Authentication.RecoveryProfile"
)

// holdProfile refuses the id of a profile that does not exist.
func (a *App) holdProfile(ctx context.Context, c *call.Call, id string) error {
	_, err := a.Profiles.Hold(ctx, c, id)
	return err
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
	return out, err
}
