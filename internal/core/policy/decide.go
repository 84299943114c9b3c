package policy

import (
	"context"
	"errors"
	"strings"

	"limen/internal/call"
	"limen/internal/core/profile"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Verdict is how somebody signs in, in one word.
type Verdict string

// The verdicts.
const (
	ByTenant  Verdict = "Tenant"  // the tenant's settings say how: no policy set decides
	ByProfile Verdict = "Profile" // the profile says how
	ByLeast   Verdict = "Least"   // the password is enough: the policy asks for nothing
	Refused   Verdict = "Refused"
)

// Decision is what policy sets say about a sign-in, and why.
type Decision struct {
	Verdict Verdict
	Why     string           // for people
	Profile *profile.Profile // of ByProfile
	Lax     bool             // who has none of a challenge's factors passes without (NoMfaMechLogin)
	// From is the setting that decided: the rules, the default profile, or what switches them off; zero when no set has it.
	From Setting
	// Tried are the rules up to the first one that fits, in their order.
	Tried []Tried
}

// Tried is what became of a rule.
type Tried struct {
	Rule    int // from 1
	Fits    bool
	Profile string // its reference: UUID, Always or Never
	Results []Result
}

// Decide says how somebody signs in, in a situation.
func (p *Policies) Decide(ctx context.Context, c *call.Call, personID string, at Situation) (Decision, error) {
	r, err := p.For(ctx, c, personID)
	if err != nil {
		return Decision{}, err
	}
	return p.decide(ctx, c, r, at)
}

func (p *Policies) decide(ctx context.Context, c *call.Call, r *Resultant, at Situation) (Decision, error) {
	return p.decideBy(ctx, c, r, at, signIn)
}

// decideBy decides by one family of settings.
func (p *Policies) decideBy(ctx context.Context, c *call.Call, r *Resultant, at Situation, by family) (Decision, error) {
	on, _ := r.Bool(by.enabled)
	d := Decision{Verdict: ByTenant}
	d.From, _ = r.Get(by.enabled)
	if !on {
		d.Why = "No policy set decides about sign-ins; the tenant's settings do."
		return d, nil
	}
	d.Lax, _ = r.Bool(by.lax)
	reference, rules := "", r.rules[fold.Key(by.rules)]
	at, err := p.rated(ctx, c, at, rules)
	if err != nil {
		return d, err
	}
	for i, rule := range rules {
		t, err := p.try(ctx, c, at, i+1, rule)
		if err != nil {
			return d, err
		}
		d.Tried = append(d.Tried, t)
		if t.Fits {
			d.From, _ = r.Get(by.rules)
			reference = t.Profile
			break
		}
	}
	if reference == "" {
		d.From, _ = r.Get(by.fallback)
		reference, _ = r.String(by.fallback)
		reference = strings.TrimSpace(reference)
	}
	return d, p.resolve(ctx, c, &d, reference, r.profiles)
}

// family are the keys of settings that decide together.
type family struct{ enabled, rules, fallback, lax string }

var signIn = family{keyEnabled, keyRules, keyDefault, keyNoMech}

// of is the family of a modifier.
func of(modifier string) family {
	at := "/Core/" + modifier + "/"
	return family{at + "AuthenticationEnabled", at + "Authentication/AuthenticationRules", at + "Authentication/AuthenticationRulesDefaultProfileId",
		at + "Authentication/NoMfaMechLogin"}
}

// ErrUnnamed is for those who name what decides nothing.
var ErrUnnamed = fault.New(fault.NotFound, "policy.unnamed", "There is no authentication profile of that name, and no modifier under which the person's policies decide.")

// Named says what a name asks of somebody: that of an authentication profile, or its UUID, or that of a modifier, under which their
// policy sets have to decide. Fault: ErrUnnamed.
func (p *Policies) Named(ctx context.Context, c *call.Call, personID, name string) (Decision, error) {
	name = strings.TrimSpace(name)
	all, err := p.Profiles.List(ctx, c)
	if err != nil {
		return Decision{}, err
	}
	key := fold.Key(name)
	for _, one := range all {
		if fold.Key(one.Name) == key || strings.EqualFold(one.ID, name) {
			return Decision{Verdict: ByProfile, Profile: &one, Why: "The profile " + one.Name + " is named."}, nil
		}
	}
	s, err := p.now(ctx, c)
	if err != nil {
		return Decision{}, err
	}
	modifier := s.modifier(strings.TrimSuffix(strings.TrimPrefix(name, "/Core/"), "/"))
	if modifier == "" {
		return Decision{}, ErrUnnamed
	}
	r, err := p.For(ctx, c, personID)
	if err != nil {
		return Decision{}, err
	}
	at, err := p.Here(ctx, c, personID)
	if err != nil {
		return Decision{}, err
	}
	d, err := p.decideBy(ctx, c, r, at, of(modifier))
	if err == nil && d.Verdict == ByTenant {
		err = ErrUnnamed
	}
	return d, err
}

// try tests the conditions of a rule, all of them, so that people see each.
func (p *Policies) try(ctx context.Context, c *call.Call, at Situation, n int, rule Rule) (Tried, error) {
	t := Tried{Rule: n, Fits: true, Profile: rule.ProfileID}
	for _, cond := range rule.Conditions {
		res, err := judge{p, c, at}.holds(ctx, cond)
		if err != nil {
			return t, err
		}
		t.Results = append(t.Results, res)
		t.Fits = t.Fits && res.Holds
	}
	return t, nil
}

// resolve turns a reference into the verdict. What it refers to and is not there refuses: nobody gets in by a mistake.
func (p *Policies) resolve(ctx context.Context, c *call.Call, d *Decision, reference string, proposed map[string]profile.Profile) error {
	switch {
	case reference == "":
		d.Verdict, d.Why = Refused, "The policy decides about sign-ins, but names no profile for this one."
		return nil
	case reference == Never:
		d.Verdict, d.Why = Refused, "The policy does not allow this sign-in."
		return nil
	case strings.EqualFold(reference, Always):
		d.Verdict, d.Why = ByLeast, "The policy asks for nothing, so the password is enough."
		return nil
	}
	found, err := p.Profiles.Among(ctx, c, reference, proposed)
	switch {
	case errors.Is(err, profile.ErrNotFound):
		d.Verdict, d.Why, err = Refused, "The policy names an authentication profile that does not exist.", nil
	case err == nil:
		d.Verdict, d.Profile, d.Why = ByProfile, &found, "The profile "+found.Name+" says how."
	}
	return err
}

// could says whether somebody who decides so can sign in, as far as what they have enrolled tells.
func (p *Policies) could(ctx context.Context, c *call.Call, personID string, d Decision) (bool, error) {
	switch d.Verdict {
	case Refused:
		return false, nil
	case ByProfile:
		return p.able(ctx, c, personID, d)
	}
	return true, nil
}

// able asks for something of every challenge, or of any where the others are left out.
func (p *Policies) able(ctx context.Context, c *call.Call, personID string, d Decision) (bool, error) {
	if p.Able == nil {
		return false, nil
	}
	if !d.Lax {
		return p.Able(ctx, c, personID, *d.Profile)
	}
	for _, round := range d.Profile.Challenges {
		one := *d.Profile
		one.Challenges = [][]string{round}
		if ok, err := p.Able(ctx, c, personID, one); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}
