package settings

import (
	"context"

	"limen/internal/core/demand"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/synerise"
)

// Characters is the part of the password rule that these settings show: /uauth/settings/password-policy has all of it.
type Characters struct {
	// MinLength is the least number of characters, 4 to 64; 0: no demand.
	MinLength int `json:"minLength"`
	// RequireUppercase says whether an upper-case letter is demanded.
	RequireUppercase bool `json:"requireUppercase"`
	// RequireLowercase says whether a lower-case letter is demanded.
	RequireLowercase bool `json:"requireLowercase"`
	// RequireDigit says whether a digit is demanded.
	RequireDigit bool `json:"requireDigit"`
	// RequireSymbol says whether one of ASCII's punctuation signs is demanded.
	RequireSymbol bool `json:"requireSymbol"`
}

// Accounts are settings of accounts with a password.
type Accounts struct {
	// Enabled is true: people always have such accounts.
	Enabled bool `json:"enabled"`
	// RegistrationType is as in the general settings.
	RegistrationType string `json:"registrationType"`
	// TokenLifetimeInSeconds is as in the general settings.
	TokenLifetimeInSeconds int `json:"tokenLifetimeInSeconds"`
	// PinLength is null: nobody registers by a PIN.
	PinLength *int `json:"pinLength"`
	// PinLifetimeInSeconds is null.
	PinLifetimeInSeconds *int `json:"pinLifetimeInSeconds"`
	// PasswordPolicy is what the workspace demands of passwords.
	PasswordPolicy Characters `json:"passwordPolicy"`
}

func (s Settings) accounts(ctx context.Context, c *op.Call, d demand.Demand) (Accounts, error) {
	life, err := s.life(ctx, c, d)
	r := d.Rule
	return Accounts{
		Enabled: true, RegistrationType: registration(d), TokenLifetimeInSeconds: life,
		PasswordPolicy: Characters{r.MinLength, r.Upper > 0, r.Lower > 0, r.Digits > 0, r.Symbols > 0},
	}, err
}

// GetAccounts gives the settings of accounts with a password. synerise.yaml, GET /sauth/settings/synerise-auth.
func (s Settings) GetAccounts(ctx context.Context, c *op.Call, in Workspace) (Accounts, error) {
	d, err := s.Demands.Get(ctx, c, in.Workspace().ID)
	if err != nil {
		return Accounts{}, err
	}
	return s.accounts(ctx, c, d)
}

// NewAccounts is the whole new state: what is not sent goes back to its default. Members that nothing could follow are refused.
type NewAccounts struct {
	synerise.Here
	// Enabled cannot be false; absent: true.
	Enabled op.Opt[bool] `json:"enabled"`
	// RegistrationType is as in the general settings.
	RegistrationType op.Opt[string] `json:"registrationType"`
	// TokenLifetimeInSeconds is as in the general settings.
	TokenLifetimeInSeconds op.Opt[int] `json:"tokenLifetimeInSeconds"`
	// PinLength cannot be set; null or absent.
	PinLength op.Opt[int] `json:"pinLength"`
	// PinLifetimeInSeconds cannot be set; null or absent.
	PinLifetimeInSeconds op.Opt[int] `json:"pinLifetimeInSeconds"`
	// PasswordPolicy is what the workspace demands of passwords; absent: nothing. Where more than one of a kind of characters is demanded
	// already, that stays; so does all that these members do not name.
	PasswordPolicy Characters `json:"passwordPolicy"`
}

// Check refuses what nothing would follow.
func (n *NewAccounts) Check() error {
	_, length := n.PinLength.Get()
	_, life := n.PinLifetimeInSeconds.Get()
	switch {
	case !n.Enabled.Or(true):
		return fault.Bad("enabled", "cannot be false: people sign in with accounts of their own")
	case length:
		return fault.Bad("pinLength", "cannot be set: nobody registers by a PIN")
	case life:
		return fault.Bad("pinLifetimeInSeconds", "cannot be set: nobody registers by a PIN")
	}
	if err := registers(n.RegistrationType); err != nil {
		return err
	}
	return lives(n.TokenLifetimeInSeconds)
}

// onto puts what is demanded of characters into a rule.
func (ch Characters) onto(r demand.Rule) demand.Rule {
	r.MinLength = ch.MinLength
	for of, on := range map[*int]bool{&r.Upper: ch.RequireUppercase, &r.Lower: ch.RequireLowercase, &r.Digits: ch.RequireDigit, &r.Symbols: ch.RequireSymbol} {
		switch {
		case !on:
			*of = 0
		case *of == 0:
			*of = 1
		}
	}
	return r
}

// SetAccounts replaces the settings of accounts with a password: what the workspace demands of passwords, as
// /uauth/settings/password-policy does, and how people come to it and how long tokens are good, as the general settings do. synerise.yaml, POST
// /sauth/settings/synerise-auth. Errors: demand.rule, demand.life.
func (s Settings) SetAccounts(ctx context.Context, c *op.Call, in NewAccounts) (Accounts, error) {
	at := in.Workspace().ID
	d, err := s.limit(ctx, c, at, in.TokenLifetimeInSeconds)
	if err != nil {
		return Accounts{}, err
	}
	if d, err = s.Demands.Demand(ctx, c, at, in.PasswordPolicy.onto(d.Rule)); err != nil {
		return Accounts{}, err
	}
	if d, err = s.Demands.Activate(ctx, c, at, in.RegistrationType.Or("") == byActivation); err != nil {
		return Accounts{}, err
	}
	return s.accounts(ctx, c, d)
}
