package policy

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/login"
	"limen/internal/core/user"
)

// Certificate is core/login's Terms: on which somebody signs in by a certificate, who would sign in as base says otherwise. Where nothing is
// set, the certificate is enough. Where rules count, they are about a sign-in with a certificate, and a profile that asks for anything asks
// for it beside the certificate.
func (p *Policies) Certificate(ctx context.Context, c *call.Call, u user.User, base login.Profile) (login.Terms, error) {
	out := login.Terms{Profile: base}
	r, err := p.For(ctx, c, u.ID)
	if err != nil {
		return out, err
	}
	r.session(&out.Profile)
	out.Known, _ = r.Bool(keyZsoKnown)
	out.All, _ = r.Bool(keyZsoAll)
	if allowed, given := r.Bool(keyZso); given && !allowed {
		out.Profile.Refused = "The policy lets no certificates sign in."
		return out, nil
	}
	if alone, given := r.Bool(keyZsoAlone); alone || !given {
		out.Profile.Challenges = nil
		return out, nil
	}
	at, err := p.Here(ctx, c, u.ID)
	if err != nil {
		return out, err
	}
	at.Certificate, at.Risk = true, base.Risk
	d, err := p.decide(ctx, c, r, at)
	if err != nil {
		return out, err
	}
	d.shape(&out.Profile, u.Service || u.OAuthClient)
	if d.Verdict == ByLeast { // what is least besides a certificate is nothing
		out.Profile.Challenges = nil
	}
	return out, nil
}
