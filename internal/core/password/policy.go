package password

import (
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"limen/internal/core/password/strength"
	"limen/internal/crypt"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Policy is what a new password must satisfy. Its fields are those of the contract's password policy (policies.yaml,
// the keys under /Core/Security/CDS/PasswordPolicy); lengths count characters, not bytes.
type Policy struct {
	MinLength      int
	MaxLength      int           // 0: only the limit of crypt.MaxPassword bytes
	Digit          bool          // a decimal digit is required
	MixedCase      bool          // a lower-case and an upper-case letter are required
	Symbol         bool          // something that is neither letter, digit nor space is required
	Upper, Lower   int           // how many upper-case and lower-case letters are required
	Digits         int           // how many decimal digits are required
	Symbols        int           // how many characters of ASCII's punctuation are required
	Unicode        bool          // a character outside ASCII is required
	Repeated       int           // most equal characters in a row; 0: any number
	RefuseWeak     bool          // common passwords are refused
	MinScore       int           // least zxcvbn score, 0 to 4
	AllowLogin     bool          // it may contain the login name
	AllowDisplay   bool          // it may contain the display name
	MinAge, MaxAge time.Duration // between changes; until it expires, 0: never
	BlockAfter     time.Duration // after it has expired, for which it may still be replaced at a sign-in; 0: for ever
	History        int           // how many earlier ones may not come back; 0: any may
}

// Default is the policy of a tenant that has set none: the contract's defaults, and common passwords refused.
var Default = Policy{
	MinLength: 8, MaxLength: 64, Digit: true, MixedCase: true, RefuseWeak: true, MinScore: 2,
	MaxAge: 365 * 24 * time.Hour, History: 3,
}

// Faults of passwords that break the policy. The sentence of a fault names the rule.
var (
	ErrPolicy   = fault.New(fault.Invalid, "password.policy", "The password does not satisfy the password policy.")
	ErrWeak     = fault.New(fault.Invalid, "password.weak", "The password is too easy to guess.")
	ErrCommon   = fault.New(fault.Invalid, "password.common", "The password is one of the most used ones.")
	ErrUsed     = fault.New(fault.Invalid, "password.used", "The password was used before. Choose another one.")
	ErrTooYoung = fault.New(fault.Invalid, "password.too_young", "The password was changed too recently.")
	ErrLength   = fault.New(fault.Invalid, "password.length", "The password policy does not allow this length.")
)

// Names are what a password should not be made of.
type Names struct {
	Login   string // login name with its suffix
	Display string
	Mail    string
}

// Check says which rule plain breaks; nil when none. It costs about a millisecond, so it belongs in Prepare.
func (p Policy) Check(plain string, of Names) error {
	length := utf8.RuneCountInString(plain)
	switch {
	case !utf8.ValidString(plain):
		return ErrPolicy.Say("The password is not valid text.")
	case length < max(p.MinLength, 1):
		return ErrPolicy.Say("The password must have at least %d characters.", max(p.MinLength, 1))
	case p.MaxLength > 0 && length > p.MaxLength:
		return ErrPolicy.Say("The password may have at most %d characters.", p.MaxLength)
	case len(plain) > crypt.MaxPassword:
		return crypt.ErrPasswordTooLong
	}
	if err := p.classes(plain); err != nil {
		return err
	}
	if err := p.names(plain, of); err != nil {
		return err
	}
	return p.strength(plain, of)
}

func (p Policy) classes(plain string) error {
	var symbol, beyond bool
	var digits, lower, upper, marks int
	run, most, last := 0, 0, rune(-1)
	for _, r := range plain {
		if r > ' ' && r < unicode.MaxASCII && (unicode.IsPunct(r) || unicode.IsSymbol(r)) {
			marks++
		}
		switch {
		case unicode.IsDigit(r):
			digits++
		case unicode.IsLower(r):
			lower++
		case unicode.IsUpper(r):
			upper++
		case !unicode.IsLetter(r) && !unicode.IsSpace(r):
			symbol = true
		}
		beyond = beyond || r > unicode.MaxASCII
		if run++; r != last {
			run, last = 1, r
		}
		most = max(most, run)
	}
	switch {
	case p.Digit && digits == 0:
		return ErrPolicy.Say("The password must contain a digit.")
	case p.MixedCase && (lower == 0 || upper == 0):
		return ErrPolicy.Say("The password must contain a lower-case and an upper-case letter.")
	case digits < p.Digits:
		return ErrPolicy.Say("The password must contain at least %d digits.", p.Digits)
	case lower < p.Lower:
		return ErrPolicy.Say("The password must contain at least %d lower-case letters.", p.Lower)
	case upper < p.Upper:
		return ErrPolicy.Say("The password must contain at least %d upper-case letters.", p.Upper)
	case marks < p.Symbols:
		return ErrPolicy.Say("The password must contain at least %d symbols, such as ! or #.", p.Symbols)
	case p.Symbol && !symbol:
		return ErrPolicy.Say("The password must contain a symbol.")
	case p.Unicode && !beyond:
		return ErrPolicy.Say("The password must contain a character outside ASCII.")
	case p.Repeated > 0 && most > p.Repeated:
		return ErrPolicy.Say("The password may contain the same character at most %d times in a row.", p.Repeated)
	}
	return nil
}

// minName is how long a name must be before it counts: short ones appear in passwords by chance.
const minName = 3

func (p Policy) names(plain string, of Names) error {
	key := fold.Key(plain)
	login, _, _ := strings.Cut(fold.Key(of.Login), "@")
	if !p.AllowLogin && utf8.RuneCountInString(login) >= minName && strings.Contains(key, login) {
		return ErrPolicy.Say("The password may not contain the login name.")
	}
	if p.AllowDisplay {
		return nil
	}
	for _, word := range strings.Fields(fold.Key(of.Display)) {
		if utf8.RuneCountInString(word) >= minName && strings.Contains(key, word) {
			return ErrPolicy.Say("The password may not contain parts of the display name.")
		}
	}
	return nil
}

// measured bounds what is measured: the estimate's time grows faster than the text's length, and what is strong at
// this length stays strong.
const measured = 72

func (p Policy) strength(plain string, of Names) error {
	if p.RefuseWeak && Common(plain) {
		return ErrCommon
	}
	if p.MinScore <= 0 {
		return nil
	}
	if rs := []rune(plain); len(rs) > measured {
		plain = string(rs[:measured])
	}
	inputs := strings.FieldsFunc(of.Login+" "+of.Display+" "+of.Mail, func(r rune) bool { return r == '@' || r == '.' || unicode.IsSpace(r) })
	if strength.Score(plain, inputs) < p.MinScore {
		return ErrWeak
	}
	return nil
}

// common holds the most used passwords, some seven thousand, by their keys.
var common = sync.OnceValue(func() map[string]struct{} {
	list := strength.Common()
	m := make(map[string]struct{}, len(list))
	for _, s := range list {
		m[fold.Key(s)] = struct{}{}
	}
	return m
})

// Common says whether plain is one of the most used passwords, case aside, or one of them with a few digits or signs
// behind it, which is how people satisfy rules about classes.
func Common(plain string) bool {
	key := fold.Key(plain)
	if _, ok := common()[key]; ok {
		return true
	}
	_, ok := common()[strings.TrimRightFunc(key, func(r rune) bool { return !unicode.IsLetter(r) })]
	return ok && key != ""
}

// Hint describes the policy to people, as RESET's PasswordComplexityHint shows it.
func (p Policy) Hint() string {
	parts := []string{fmt.Sprintf("at least %d characters", max(p.MinLength, 1))}
	for _, rule := range []struct {
		on   bool
		text string
	}{
		{p.Digit && p.Digits < 2, "a digit"}, {p.Digits > 1, fmt.Sprintf("%d digits", p.Digits)},
		{p.MixedCase && max(p.Lower, p.Upper) < 2, "lower-case and upper-case letters"},
		{p.Lower > 1 || p.Lower == 1 && !p.MixedCase, fmt.Sprintf("%d lower-case letters", p.Lower)},
		{p.Upper > 1 || p.Upper == 1 && !p.MixedCase, fmt.Sprintf("%d upper-case letters", p.Upper)},
		{p.Symbol && p.Symbols < 2, "a symbol"}, {p.Symbols > 1 || p.Symbols == 1 && !p.Symbol, fmt.Sprintf("%d symbols", p.Symbols)},
		{p.Unicode, "a character outside ASCII"}, {p.History > 0, fmt.Sprintf("none of the last %d passwords", p.History)},
	} {
		if rule.on {
			parts = append(parts, rule.text)
		}
	}
	return "The password needs " + strings.Join(parts, ", ") + "."
}

// Expired says whether a password set at changed (ms since 1970 UTC) is too old at now.
func (p Policy) Expired(changed int64, now time.Time) bool {
	return p.MaxAge > 0 && changed > 0 && now.UnixMilli()-changed > p.MaxAge.Milliseconds()
}

// Blocked says whether a password set at changed expired so long ago that it does not even serve to be replaced.
func (p Policy) Blocked(changed int64, now time.Time) bool {
	return p.BlockAfter > 0 && p.MaxAge > 0 && changed > 0 && now.UnixMilli()-changed > (p.MaxAge+p.BlockAfter).Milliseconds()
}
