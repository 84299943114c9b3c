package settings

import (
	"context"
	"net/mail"

	"limen/internal/core/demand"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/synerise"
)

// Rule is a password rule. What it does not demand is 0 where a number is always there, and null elsewhere.
type Rule struct {
	// MinLength is the least number of characters, 4 to 64.
	MinLength int `json:"minLength"`
	// MaxLength is the greatest number of characters, 16 to 128.
	MaxLength *int `json:"maxLength"`
	// MinUppercase is how many upper-case letters are demanded, up to 10.
	MinUppercase int `json:"minUppercase"`
	// MinLowercase is how many lower-case letters are demanded, up to 10.
	MinLowercase int `json:"minLowercase"`
	// MinDigits is how many digits are demanded, up to 10.
	MinDigits int `json:"minDigits"`
	// MinSymbols is how many of ASCII's punctuation signs are demanded, up to 10.
	MinSymbols int `json:"minSymbols"`
	// PasswordExpirationDays is after how many days a password must be replaced at the next sign-in, up to 3650.
	PasswordExpirationDays *int `json:"passwordExpirationDays"`
	// AccountBlockAfterDays is how many days after that a password does not even serve to be replaced, so that only a reset by mail helps, up
	// to 3650; it needs passwordExpirationDays.
	AccountBlockAfterDays *int `json:"accountBlockAfterDays"`
	// PasswordHistoryCount is how many earlier passwords may not come back, up to 100.
	PasswordHistoryCount *int `json:"passwordHistoryCount"`
	// MaxLoginAttempts is how many failed sign-ins lock an account for a while, up to 100.
	MaxLoginAttempts *int `json:"maxLoginAttempts"`
	// SessionIdleTimeoutInSeconds is after how many idle seconds a session ends, 60 to 2592000; of sessions that begin from now on.
	SessionIdleTimeoutInSeconds *int `json:"sessionIdleTimeoutInSeconds"`
}

func shown(r demand.Rule) Rule {
	return Rule{
		MinLength: r.MinLength, MaxLength: some(r.MaxLength), MinUppercase: r.Upper, MinLowercase: r.Lower, MinDigits: r.Digits, MinSymbols: r.Symbols,
		PasswordExpirationDays: some(r.Expires), AccountBlockAfterDays: some(r.Blocks), PasswordHistoryCount: some(r.History),
		MaxLoginAttempts: some(r.Attempts), SessionIdleTimeoutInSeconds: some(r.Idle),
	}
}

func some(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

func or0(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}

func (r Rule) demanded() demand.Rule {
	return demand.Rule{
		MinLength: r.MinLength, MaxLength: or0(r.MaxLength), Upper: r.MinUppercase, Lower: r.MinLowercase, Digits: r.MinDigits, Symbols: r.MinSymbols,
		Expires: or0(r.PasswordExpirationDays), Blocks: or0(r.AccountBlockAfterDays), History: or0(r.PasswordHistoryCount),
		Attempts: or0(r.MaxLoginAttempts), Idle: or0(r.SessionIdleTimeoutInSeconds),
	}
}

// GetPasswordPolicy gives the workspace's own password rule. The settings and policy sets of the installation, and other workspaces of
// the same person, may demand more. synerise.yaml, GET /uauth/settings/password-policy.
func (s Settings) GetPasswordPolicy(ctx context.Context, c *op.Call, in Workspace) (Rule, error) {
	d, err := s.Demands.Get(ctx, c, in.Workspace().ID)
	return shown(d.Rule), err
}

// NewRule is the whole new rule: members that are not sent demand nothing.
type NewRule struct {
	synerise.Here
	Rule
}

// SetPasswordPolicy replaces the workspace's password rule. It binds all members from their next password on; ages count from the last
// change. synerise.yaml, POST /uauth/settings/password-policy. Error: demand.rule with the member at fault.
func (s Settings) SetPasswordPolicy(ctx context.Context, c *op.Call, in NewRule) (Rule, error) {
	d, err := s.Demands.Demand(ctx, c, in.Workspace().ID, in.demanded())
	return shown(d.Rule), err
}

// Nothing is an input that says nothing.
type Nothing struct{}

// GetStrongest gives the rule that binds the caller: of what the installation and each of their workspaces demand the strongest, member by
// member. synerise.yaml, GET /uauth/users/my-account/strongest-password-settings.
func (s Settings) GetStrongest(ctx context.Context, c *op.Call, _ Nothing) (Rule, error) {
	r, err := s.Binding(ctx, c, c.User())
	return shown(r), err
}

// Address is somebody's mail address.
type Address struct {
	// Email is the mail address, of which the domain alone counts.
	Email string `json:"email"`
}

// Check wants an address.
func (a *Address) Check() error {
	if at, err := mail.ParseAddress(a.Email); err != nil || at.Address != a.Email || len(a.Email) > 254 {
		return fault.Bad("email", "must be a mail address")
	}
	return nil
}

// TenantHint names the tenant by the address, where that is a login name.
func (a *Address) TenantHint() op.Hint { return op.Hint{Login: a.Email} }

// GetStrongestByEmail gives the rule that pages show before somebody has signed in: the installation's, with that of the workspace that
// manages the address's domain. It is the same whether there is somebody of that address or not, so that it tells nobody who exists;
// other workspaces of theirs may demand more, which is told when the password is set. synerise.yaml, GET
// /uauth/strongest-password-settings-by-email/{email}.
func (s Settings) GetStrongestByEmail(ctx context.Context, c *op.Call, in Address) (Rule, error) {
	r, err := s.Expected(ctx, c, in.Email)
	return shown(r), err
}
