package demand

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"limen/internal/call"
	"limen/internal/core/password"
)

// Rule is what passwords, sign-ins and sessions must satisfy. Lengths count characters; 0 is no demand.
type Rule struct {
	MinLength int `json:"minLength,omitempty"`
	MaxLength int `json:"maxLength,omitempty"`
	Upper     int `json:"upper,omitempty"` // least number of upper-case letters
	Lower     int `json:"lower,omitempty"`
	Digits    int `json:"digits,omitempty"`
	Symbols   int `json:"symbols,omitempty"` // of ASCII's punctuation
	Expires   int `json:"expires,omitempty"` // days after which a password must be replaced at the next sign-in
	Blocks    int `json:"blocks,omitempty"`  // days after that, after which it does not even serve for that
	History   int `json:"history,omitempty"` // how many earlier passwords may not come back
	Attempts  int `json:"attempts,omitempty"`
	Idle      int `json:"idle,omitempty"` // seconds
}

// bounds of each member: what somebody could still satisfy.
type bound struct{ least, most int }

var (
	fields = map[string]func(r *Rule) *int{
		"minLength": func(r *Rule) *int { return &r.MinLength }, "maxLength": func(r *Rule) *int { return &r.MaxLength },
		"minUppercase": func(r *Rule) *int { return &r.Upper }, "minLowercase": func(r *Rule) *int { return &r.Lower },
		"minDigits": func(r *Rule) *int { return &r.Digits }, "minSymbols": func(r *Rule) *int { return &r.Symbols },
		"passwordExpirationDays": func(r *Rule) *int { return &r.Expires }, "accountBlockAfterDays": func(r *Rule) *int { return &r.Blocks },
		"passwordHistoryCount": func(r *Rule) *int { return &r.History }, "maxLoginAttempts": func(r *Rule) *int { return &r.Attempts },
		"sessionIdleTimeoutInSeconds": func(r *Rule) *int { return &r.Idle },
	}
	bounds = map[string]bound{
		"minLength": {4, 64}, "maxLength": {16, 128}, "minUppercase": {1, 10}, "minLowercase": {1, 10}, "minDigits": {1, 10}, "minSymbols": {1, 10},
		"passwordExpirationDays": {1, 3650}, "accountBlockAfterDays": {1, 3650}, "passwordHistoryCount": {1, 100}, "maxLoginAttempts": {1, 100},
		"sessionIdleTimeoutInSeconds": {60, 30 * 24 * 3600},
	}
)

func (r Rule) check() error {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		n, b := *fields[name](&r), bounds[name]
		if n != 0 && (n < b.least || n > b.most) {
			return ErrRule.At(name).Say("Parameter %s must be %d to %d.", name, b.least, b.most)
		}
	}
	switch longest := cmp.Or(r.MaxLength, bounds["maxLength"].most); {
	case r.MinLength > longest:
		return ErrRule.At("minLength").Say("Parameter minLength must not be greater than maxLength.")
	case r.room() > longest:
		return ErrRule.At("maxLength").Say("Parameter maxLength leaves no room for the characters that are demanded.")
	case r.Blocks != 0 && r.Expires == 0:
		return ErrRule.At("accountBlockAfterDays").Say("Parameter accountBlockAfterDays needs passwordExpirationDays.")
	}
	return nil
}

// room is the length of what has all that is demanded. Passwords that are drawn have a letter of each case and a digit anyway.
func (r Rule) room() int { return max(r.Upper, 1) + max(r.Lower, 1) + max(r.Digits, 1) + r.Symbols }

// Stronger gives the stronger of each member of two rules. Where the shortest and the longest password would shut each other out, the
// shortest counts.
func (r Rule) Stronger(o Rule) Rule {
	most := func(a, b int) int { return max(a, b) }
	least := func(a, b int) int {
		if a == 0 || b == 0 {
			return a + b
		}
		return min(a, b)
	}
	out := Rule{
		MinLength: most(r.MinLength, o.MinLength), MaxLength: least(r.MaxLength, o.MaxLength), Upper: most(r.Upper, o.Upper), Lower: most(r.Lower, o.Lower),
		Digits: most(r.Digits, o.Digits), Symbols: most(r.Symbols, o.Symbols), Expires: least(r.Expires, o.Expires), Blocks: least(r.Blocks, o.Blocks),
		History: most(r.History, o.History), Attempts: least(r.Attempts, o.Attempts), Idle: least(r.Idle, o.Idle),
	}
	if out.MaxLength != 0 {
		out.MaxLength = max(out.MaxLength, out.MinLength, out.room())
	}
	return out
}

const day = 24 * time.Hour

// Of is what a policy says, as a rule.
func Of(p password.Policy) Rule {
	one := func(on bool, n int) int {
		if on {
			return max(n, 1)
		}
		return n
	}
	return Rule{
		MinLength: p.MinLength, MaxLength: p.MaxLength, Upper: one(p.MixedCase, p.Upper), Lower: one(p.MixedCase, p.Lower), Digits: one(p.Digit, p.Digits),
		Symbols: one(p.Symbol, p.Symbols), Expires: int((p.MaxAge + day - 1) / day), Blocks: int((p.BlockAfter + day - 1) / day), History: p.History,
	}
}

// Onto gives a policy with what the rule demands beyond it.
func (r Rule) Onto(p password.Policy) password.Policy {
	s := Of(p).Stronger(r)
	p.MinLength, p.MaxLength, p.Upper, p.Lower, p.Digits, p.Symbols, p.History = s.MinLength, s.MaxLength, s.Upper, s.Lower, s.Digits, s.Symbols, s.History
	if age := time.Duration(s.Expires) * day; age != 0 && (p.MaxAge == 0 || age < p.MaxAge) {
		p.MaxAge = age
	}
	p.BlockAfter = time.Duration(s.Blocks) * day
	return p
}

// Binding gives the strongest of the rules of the organizations that a person is in, and the zero Rule for nobody. It costs no query
// while no organization of the tenant demands anything.
func (d *Demands) Binding(ctx context.Context, c *call.Call, userID string) (Rule, error) {
	of, err := d.cache.Get(ctx, c)
	if err != nil || len(of) == 0 || userID == "" {
		return Rule{}, err
	}
	in, err := d.Of(ctx, c, userID)
	out := Rule{}
	for _, org := range in {
		out = out.Stronger(of[org].Rule)
	}
	return out, err
}

// RequiresMFA says whether an organization that a person is in wants a second factor.
func (d *Demands) RequiresMFA(ctx context.Context, c *call.Call, userID string) (bool, error) {
	of, err := d.cache.Get(ctx, c)
	if err != nil || len(of) == 0 || userID == "" {
		return false, err
	}
	in, err := d.Of(ctx, c, userID)
	return slices.ContainsFunc(in, func(org string) bool { return of[org].MFA }), err
}

// Limits says whether any organization of the tenant limits how often people may fail to sign in.
func (d *Demands) Limits(ctx context.Context, c *call.Call) (bool, error) {
	of, err := d.cache.Get(ctx, c)
	for _, one := range of {
		if one.Rule.Attempts > 0 || one.Entry.Ban.On {
			return true, err
		}
	}
	return false, err
}
