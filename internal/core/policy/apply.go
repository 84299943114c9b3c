package policy

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/login"
	"limen/internal/core/password"
	"limen/internal/core/setting"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
	"limen/internal/fold"
)

var foldedRules = fold.Key(keyRules)

// Password puts the settings about passwords in the place of the tenant's.
func (r *Resultant) Password(base password.Policy) password.Policy {
	count := func(name string, to *int) {
		if n, ok := r.Int(passwordPrefix + name); ok {
			*to = int(n)
		}
	}
	on := func(name string, to *bool) {
		if v, ok := r.Bool(passwordPrefix + name); ok {
			*to = v
		}
	}
	age := func(name string, to *time.Duration) {
		if n, ok := r.Int(passwordPrefix + name); ok {
			*to = time.Duration(n) * 24 * time.Hour
		}
	}
	count("MinLength", &base.MinLength)
	count("MaxLength", &base.MaxLength)
	on("RequireDigit", &base.Digit)
	on("RequireMixCase", &base.MixedCase)
	on("RequireSymbol", &base.Symbol)
	on("RequireUnicode", &base.Unicode)
	count("AllowRepeatedChar", &base.Repeated)
	on("CheckWeakPassword", &base.RefuseWeak)
	on("AllowIncludeUsername", &base.AllowLogin)
	on("AllowIncludeDisplayname", &base.AllowDisplay)
	age("MinAgeInDays", &base.MinAge)
	age("AgeInDays", &base.MaxAge)
	count("History", &base.History)
	if base.MaxLength > 0 { // they may come from different sets, and nobody could choose a password
		base.MaxLength = max(base.MaxLength, base.MinLength)
	}
	return base
}

// Limits puts the settings about locking accounts in the place of the tenant's.
func (r *Resultant) Limits(base throttle.Limits) throttle.Limits {
	if n, ok := r.Int(lockPrefix + "Threshold"); ok && n > 0 {
		base.Lock = int(n)
	}
	if n, ok := r.Int(lockPrefix + "Window"); ok {
		base.Window = time.Duration(n) * time.Minute
	}
	if n, ok := r.Int(lockPrefix + "Duration"); ok {
		base.LockFor = time.Duration(n) * time.Minute
	}
	return base
}

// Locks says whether any policy set has a setting about locking accounts.
func (p *Policies) Locks(ctx context.Context, c *call.Call) (bool, error) {
	s, err := p.now(ctx, c)
	if err != nil {
		return false, err
	}
	return s.sets(lockPrefix+"Threshold", lockPrefix+"Window", lockPrefix+"Duration"), nil
}

// Login is core/login's Profile: how somebody signs in, where policy sets say so, and as base where they do not.
func (p *Policies) Login(ctx context.Context, c *call.Call, u user.User, base login.Profile) (login.Profile, error) {
	r, err := p.For(ctx, c, u.ID)
	if err != nil {
		return base, err
	}
	r.session(&base)
	at, err := p.Here(ctx, c, u.ID)
	if err != nil {
		return base, err
	}
	at.Risk = base.Risk
	r.recovery(&base, at)
	d, err := p.decide(ctx, c, r, at)
	if err != nil {
		return base, err
	}
	d.shape(&base, u.Service || u.OAuthClient)
	base.Basis = d.basis(at)
	return base, nil
}

// Part is core/login's Parts: what people must have shown before they change something of their own.
func (p *Policies) Part(ctx context.Context, c *call.Call, personID string, part login.Part) (login.Wanted, error) {
	r, err := p.For(ctx, c, personID)
	if err != nil {
		return login.Wanted{}, err
	}
	reference, _ := r.String(partPrefix + string(part))
	if reference = strings.TrimSpace(reference); reference == "" {
		return login.Wanted{}, nil
	}
	var d Decision
	if err := p.resolve(ctx, c, &d, reference, nil); err != nil {
		return login.Wanted{}, err
	}
	return d.Wanted()
}

// LeastPIN is how many digits the PIN of a person has at least that they key in on the telephone; 0: their policies do not say.
func (p *Policies) LeastPIN(ctx context.Context, c *call.Call, personID string) (int, error) {
	r, err := p.For(ctx, c, personID)
	if err != nil {
		return 0, err
	}
	text, _ := r.String("/Core/Authentication/MinPhonePinLength")
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		return 0, nil //nolint:nilerr // it is not said
	}
	return n, nil
}

// Enrolment says whether a person may enrol devices, and whether they are told that they did. Where no policy set says so, both.
func (p *Policies) Enrolment(ctx context.Context, c *call.Call, personID string) (may, tell bool, err error) {
	r, err := p.For(ctx, c, personID)
	if err != nil {
		return false, false, err
	}
	on := func(key string) bool {
		v, given := r.Bool(devices.prefix + key)
		return v || !given
	}
	return on(enrollAllow), on(enrollTell), nil
}

// AllDevices says whether messages go to all devices of a person. Where no policy set says so, they do.
func (p *Policies) AllDevices(ctx context.Context, c *call.Call, personID string) (bool, error) {
	r, err := p.For(ctx, c, personID)
	if err != nil {
		return false, err
	}
	v, given := r.Bool(software.prefix + askAll)
	return v || !given, nil
}

// RecoveryCodes says whether a person may sign in by recovery codes, and whether any policy set says so.
func (p *Policies) RecoveryCodes(ctx context.Context, c *call.Call, personID string) (may, given bool, err error) {
	r, err := p.For(ctx, c, personID)
	if err != nil {
		return false, false, err
	}
	may, given = r.Bool(keyCodes)
	return may, given, nil
}

// Regain says whether a person may regain their account by themselves. Where no policy set says so, they may not.
func (p *Policies) Regain(ctx context.Context, c *call.Call, personID string) (bool, error) {
	r, err := p.For(ctx, c, personID)
	if err != nil {
		return false, err
	}
	may, _ := r.Bool(keyRegain)
	return may, nil
}

// Regains says whether any policy set lets people regain their account by themselves.
func (p *Policies) Regains(ctx context.Context, c *call.Call) (bool, error) {
	s, err := p.now(ctx, c)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(s.blocks, func(b Block) bool {
		v, given := b.Settings[keyRegain]
		on, _ := strconv.ParseBool(strings.Trim(string(v), `"`))
		return b.Link.Type != Inactive && b.Link.Type != Collection && given && on
	}), nil
}

// Wanted is what a decision wants of somebody who is signed in; login.ErrForbidden where it refuses.
func (d Decision) Wanted() (login.Wanted, error) {
	switch d.Verdict {
	case Refused:
		return login.Wanted{}, login.ErrForbidden
	case ByProfile:
		return login.By(*d.Profile, d.Lax), nil
	}
	return login.Wanted{}, nil
}

// basis is what the event of the sign-in keeps of a decision.
func (d Decision) basis(at Situation) login.Basis {
	b := login.Basis{
		OS: at.OS, Browser: at.Browser, Country: at.Country, Known: at.Known, Verdict: string(d.Verdict), PolicySet: d.From.Block, Role: d.From.Role,
	}
	if n := len(d.Tried); n > 0 && d.Tried[n-1].Fits {
		b.Rule = d.Tried[n-1].Rule
	}
	return b
}

// session sets how long a sign-in lasts.
func (r *Resultant) session(p *login.Profile) {
	if n, ok := r.Int(keyLife); ok {
		p.Life = time.Duration(n) * time.Hour
		p.Idle = min(p.Idle, p.Life)
	}
	n, hours := r.Int(keyPersistLife)
	switch allow, given := r.Bool(keyPersist); {
	case given && !allow:
		p.PersistLife = 0
	case hours && (given || p.PersistLife > 0):
		p.PersistLife = time.Duration(n) * time.Hour
	case given && p.PersistLife == 0:
		p.PersistLife = defaultPersist
	}
	if n, ok := r.Int(keyConcurrent); ok {
		p.Concurrent = int(n)
	}
}

// defaultPersist is the contract's default of CookiePersistLifespanHours.
const defaultPersist = 336 * time.Hour

// recovery takes the way to a new password from those who may not have it.
func (r *Resultant) recovery(p *login.Profile, at Situation) {
	for _, key := range []string{keyReset, keyResetToo} {
		if on, given := r.Bool(key); given && !on {
			p.Recovery = nil
		}
	}
	if only, _ := r.Bool(keyResetCookie); only && (at.Known == nil || !*at.Known) {
		p.Recovery = nil
	}
}

// shape puts a decision into a profile. Programs have the password alone, so a policy can only refuse them.
func (d Decision) shape(p *login.Profile, program bool) {
	switch d.Verdict {
	case Refused:
		p.Refused = d.Why
	case ByLeast:
		p.ID, p.Challenges, p.RequireSecond, p.RememberFor, p.PassFor = "", [][]string{{factor.Password}}, false, 0, 0
	case ByProfile:
		if !program {
			*p = p.With(*d.Profile)
			p.RequireSecond = !d.Lax
		}
	}
}

// Standing is what holds for known settings while no policy set has them: the tenant's settings, or the default.
func Standing(v *setting.Values) map[string]any {
	out := map[string]any{}
	for _, k := range catalogue {
		if k.Default != nil {
			out[k.Path] = k.Default
		}
	}
	pw, lockout := v.Password, v.Lockout.Password
	day := func(d time.Duration) int { return int(d / (24 * time.Hour)) }
	for name, value := range map[string]any{
		"MinLength": pw.MinLength, "MaxLength": pw.MaxLength, "RequireDigit": pw.Digit, "RequireMixCase": pw.MixedCase,
		"RequireSymbol": pw.Symbol, "RequireUnicode": pw.Unicode, "AllowRepeatedChar": pw.Repeated, "CheckWeakPassword": pw.RefuseWeak,
		"AllowIncludeUsername": pw.AllowLogin, "AllowIncludeDisplayname": pw.AllowDisplay, "MinAgeInDays": day(pw.MinAge),
		"AgeInDays": day(pw.MaxAge), "History": pw.History,
	} {
		out[passwordPrefix+name] = value
	}
	out[lockPrefix+"Threshold"], out[lockPrefix+"Window"] = lockout.Lock, int(lockout.Window/time.Minute)
	out[lockPrefix+"Duration"] = int(lockout.LockFor / time.Minute)
	out[keyLife], out[keyPersist] = int(v.Session.Life/time.Hour), v.Session.AllowPersist
	out[keyPersistLife], out[keyConcurrent] = int(v.Session.PersistLife/time.Hour), v.Session.Concurrent
	return out
}
