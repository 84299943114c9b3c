package policy

import (
	"cmp"
	"context"
	"strings"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/login"
	"limen/internal/core/user"
)

// Settings about RADIUS.
const (
	keyRadius           = "/Core/Authentication/AllowRadius"
	keyRadiusChallenges = "/Core/Authentication/RadiusUseChallenges"
	keyRadiusProfile    = "/Core/Authentication/RadiusChallengeProfile"
	keyRadiusOutside    = "/Core/Authentication/AllowExternalRadius"
)

// Radius is core/login's Radius: how somebody signs in at a RADIUS client, who would sign in as base says otherwise. Nobody may whom no
// policy set allows it. Where challenges are set, the profile beside them counts; where not, that of the client; without either they sign
// in as anywhere, or with the password alone where a policy set says that no challenges are used. What refuses a sign-in anywhere refuses
// this one.
func (p *Policies) Radius(ctx context.Context, c *call.Call, u user.User, base login.Profile, clientProfile string) (login.Profile, error) {
	out, err := p.Login(ctx, c, u, base)
	if err != nil {
		return out, err
	}
	r, err := p.For(ctx, c, u.ID)
	if err != nil {
		return out, err
	}
	if allowed, _ := r.Bool(keyRadius); !allowed {
		out.Refused = cmp.Or(out.Refused, "No policy lets this person sign in by RADIUS.")
		return out, nil
	}
	use, given := r.Bool(keyRadiusChallenges)
	reference := clientProfile
	if use {
		own, _ := r.String(keyRadiusProfile)
		reference = cmp.Or(strings.TrimSpace(own), clientProfile)
	}
	switch {
	case out.Refused != "":
		return out, nil
	case reference != "" || use:
		d := Decision{}
		if err := p.resolve(ctx, c, &d, reference, nil); err != nil {
			return out, err
		}
		d.shape(&out, u.Service || u.OAuthClient)
	case given:
		out.ID, out.Challenges, out.Single, out.RequireSecond, out.PassFor = "", [][]string{{factor.Password}}, nil, false, 0
	}
	return out, nil
}

// ExternalRadius says whether policies let a person answer with a passcode that a RADIUS server elsewhere knows.
func (p *Policies) ExternalRadius(ctx context.Context, c *call.Call, userID string) (bool, error) {
	r, err := p.For(ctx, c, userID)
	if err != nil {
		return false, err
	}
	allowed, _ := r.Bool(keyRadiusOutside)
	return allowed, nil
}
