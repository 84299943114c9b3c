package policy

import (
	"cmp"
	"context"
	"strings"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/login"
	"limen/internal/core/risk"
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
	at, err := p.radius(ctx, c, u, clientProfile)
	if err != nil {
		return out, err
	}
	out.Refused = cmp.Or(out.Refused, at.refused)
	switch {
	case out.Refused != "":
		return out, nil
	case at.asks:
		_, err = p.radiusProfile(ctx, c, u, &out, at.reference)
		return out, err
	case at.given:
		out.ID, out.Challenges, out.Single, out.RequireSecond, out.PassFor = "", [][]string{{factor.Password}}, nil, false, 0
	}
	return out, nil
}

// RadiusCertificate is core/login's RadiusTerms: what is said about certificates counts, and what about RADIUS besides. An authentication
// profile that is to be passed at RADIUS clients is to be passed beside the certificate.
func (p *Policies) RadiusCertificate(ctx context.Context, c *call.Call, u user.User, base login.Profile, clientProfile string) (login.Terms, error) {
	out, err := p.Certificate(ctx, c, u, base)
	if err != nil {
		return out, err
	}
	at, err := p.radius(ctx, c, u, clientProfile)
	if err != nil {
		return out, err
	}
	rules, err := p.withCertificate(ctx, c, u, base.Risk)
	if err != nil {
		return out, err
	}
	if rules.Verdict == Refused { // wherever it is, and although the certificate may be enough elsewhere
		at.refused = cmp.Or(at.refused, rules.Why)
	}
	out.Profile.Refused = cmp.Or(out.Profile.Refused, at.refused)
	if out.Profile.Refused != "" || !at.asks {
		return out, nil
	}
	d, err := p.radiusProfile(ctx, c, u, &out.Profile, at.reference)
	if d.Verdict == ByLeast { // what is least besides a certificate is nothing
		out.Profile.Challenges = nil
	}
	return out, err
}

// withCertificate is what the rules say about a sign-in with a certificate.
func (p *Policies) withCertificate(ctx context.Context, c *call.Call, u user.User, rated risk.Level) (Decision, error) {
	r, err := p.For(ctx, c, u.ID)
	if err != nil {
		return Decision{}, err
	}
	at, err := p.Here(ctx, c, u.ID)
	if err != nil {
		return Decision{}, err
	}
	at.Certificate, at.Risk = true, rated
	return p.decide(ctx, c, r, at)
}

// atRadius is what policy sets say about somebody at a RADIUS client.
type atRadius struct {
	refused   string // why nobody is let in; empty: somebody may be
	asks      bool   // an authentication profile is to be passed
	reference string // that one
	given     bool   // something is said about challenges
}

func (p *Policies) radius(ctx context.Context, c *call.Call, u user.User, clientProfile string) (out atRadius, err error) {
	r, err := p.For(ctx, c, u.ID)
	if err != nil {
		return out, err
	}
	if allowed, _ := r.Bool(keyRadius); !allowed {
		out.refused = "No policy lets this person sign in by RADIUS."
	}
	use, given := r.Bool(keyRadiusChallenges)
	out.reference, out.given = clientProfile, given
	if use {
		own, _ := r.String(keyRadiusProfile)
		out.reference = cmp.Or(strings.TrimSpace(own), clientProfile)
	}
	out.asks = use || out.reference != ""
	return out, nil
}

func (p *Policies) radiusProfile(ctx context.Context, c *call.Call, u user.User, out *login.Profile, reference string) (d Decision, err error) {
	if err = p.resolve(ctx, c, &d, reference, nil); err == nil {
		d.shape(out, u.Service || u.OAuthClient)
	}
	return d, err
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
