package policies

import (
	"context"
	"time"

	"limen/internal/core/policy"
	"limen/internal/op"
)

// PasswordQuery asks for the rules of somebody's password.
type PasswordQuery struct {
	// UUIDOrName is the user's UUID or login name; the caller's own when absent.
	UUIDOrName string `json:"uuidOrName"`
	person
}

// Resolve finds the user.
func (q *PasswordQuery) Resolve(ctx context.Context, c *op.Call) error {
	return q.find(ctx, c, q.UUIDOrName)
}

// Complexity is the rules of somebody's password.
type Complexity struct {
	// MinLength is the least number of characters.
	MinLength int `json:"MinLength"`
	// MaxLength is the greatest number of characters.
	MaxLength int `json:"MaxLength"`
	// RequireDigit demands a digit.
	RequireDigit bool `json:"RequireDigit"`
	// RequireMixCase demands an upper-case and a lower-case letter.
	RequireMixCase bool `json:"RequireMixCase"`
	// RequireSymbol demands a character that is neither letter nor digit.
	RequireSymbol bool `json:"RequireSymbol"`
	// RequireUnicode demands a character outside ASCII.
	RequireUnicode bool `json:"RequireUnicode"`
	// AllowRepeatedChar is the most equal characters in a row; 0 is any number.
	AllowRepeatedChar int `json:"AllowRepeatedChar"`
	// CheckWeakPassword refuses common passwords.
	CheckWeakPassword bool `json:"CheckWeakPassword"`
	// AllowIncludeUsername allows the login name in it.
	AllowIncludeUsername bool `json:"AllowIncludeUsername"`
	// AllowIncludeDisplayname allows the display name in it.
	AllowIncludeDisplayname bool `json:"AllowIncludeDisplayname"`
	// History is how many earlier ones may not come back.
	History int `json:"History"`
	// MinAgeInDays is the time between changes.
	MinAgeInDays int `json:"MinAgeInDays"`
	// AgeInDays is the time after which it must be changed; 0 is never.
	AgeInDays int `json:"AgeInDays"`
	// ShowPasswordComplexity says whether people are shown the rules.
	ShowPasswordComplexity bool `json:"ShowPasswordComplexity"`
	// NonCdsComplexityHint is a text about the rules of other directories.
	NonCdsComplexityHint string `json:"NonCdsComplexityHint"`
}

// GetPasswordComplexityRequirements returns the rules that a new password of a user's must satisfy: the tenant's settings,
// with what policy sets say in their place. policies.yaml n 179.
func (p Policies) GetPasswordComplexityRequirements(ctx context.Context, c *op.Call, in PasswordQuery) (Complexity, error) {
	r, err := p.Policies.For(ctx, c, in.found.ID)
	if err != nil {
		return Complexity{}, err
	}
	pw, err := p.Passwords.PolicyOf(ctx, c, in.found.ID)
	if err != nil {
		return Complexity{}, err
	}
	show, _ := r.Bool(policy.KeyShow)
	hint, _ := r.String(policy.KeyHint)
	day := 24 * time.Hour
	return Complexity{
		MinLength: pw.MinLength, MaxLength: pw.MaxLength, RequireDigit: pw.Digit || pw.Digits > 0,
		RequireMixCase: pw.MixedCase || pw.Lower > 0 && pw.Upper > 0, RequireSymbol: pw.Symbol || pw.Symbols > 0,
		RequireUnicode: pw.Unicode, AllowRepeatedChar: pw.Repeated, CheckWeakPassword: pw.RefuseWeak, AllowIncludeUsername: pw.AllowLogin,
		AllowIncludeDisplayname: pw.AllowDisplay, History: pw.History, MinAgeInDays: int(pw.MinAge / day), AgeInDays: int(pw.MaxAge / day),
		ShowPasswordComplexity: show, NonCdsComplexityHint: hint,
	}, nil
}
