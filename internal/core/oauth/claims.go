package oauth

import (
	wire "limen/internal/wire/oauth"
)

// Claims are what tokens can say of a person (OpenID Connect Core section 5.1). What is empty is left out.
type Claims struct {
	Name, GivenName, FamilyName string
	MiddleName, Nick            string
	PreferredUsername           string
	Profile, Picture            string // URLs
	Email                       string
	EmailVerified               bool
	Phone                       string
	PhoneVerified               bool
	Locale, Zone                string
	Updated                     int64 // seconds since 1970
}

// of gives the claims that a scope, and the parameter claims, ask for.
func (k Claims) of(scope wire.Scope, asked map[string]*wire.Wanted) map[string]any {
	groups := map[string]map[string]any{
		"profile": {
			"name": k.Name, "given_name": k.GivenName, "family_name": k.FamilyName, "preferred_username": k.PreferredUsername, "locale": k.Locale,
			"middle_name": k.MiddleName, "nickname": k.Nick, "profile": k.Profile, "picture": k.Picture, "zoneinfo": k.Zone,
		},
		"email": {"email": k.Email},
		"phone": {"phone_number": k.Phone},
	}
	if k.Updated > 0 {
		groups["profile"]["updated_at"] = k.Updated
	}
	if k.Email != "" {
		groups["email"]["email_verified"] = k.EmailVerified
	}
	if k.Phone != "" {
		groups["phone"]["phone_number_verified"] = k.PhoneVerified
	}
	out := map[string]any{}
	for name, group := range groups {
		for claim, v := range group {
			if _, wanted := asked[claim]; v != "" && (wanted || scope.Has(name)) {
				out[claim] = v
			}
		}
	}
	return out
}
