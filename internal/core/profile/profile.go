// Package profile is authentication profiles: named recipes of what somebody answers to sign in, to raise a session or
// to replace a forgotten password, which policies and settings name by their UUID (policies.yaml n 167 to 171).
package profile

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"limen/internal/core/lockout"
	"limen/internal/fault"
)

// Faults of profiles.
var (
	ErrNotFound  = fault.New(fault.NotFound, "profile.not_found", "The requested data or its dependent data was not found in the service.")
	ErrNameTaken = fault.New(fault.Exists, "profile.name_taken", "An authentication profile of that name already exists.")
	ErrInUse     = fault.New(fault.Conflict, "profile.in_use", "The authentication profile is in use.")
	ErrMechanism = fault.New(fault.Invalid, "profile.mechanism", "There is no such mechanism.")
	ErrRounds    = fault.New(fault.Invalid, "profile.rounds", "An authentication profile has one or two challenges.")
	ErrQuestions = fault.New(fault.Invalid, "profile.questions", "A profile with security questions must say how many are asked: NumberOfQuestions is 1 or more.")
	// ErrLockout warns of a change after which the caller could not sign in any more.
	ErrLockout = lockout.Warning("profile.lockout")
	ErrTooMany = fault.New(fault.Conflict, "profile.too_many", "The tenant has as many authentication profiles as it may have.")
)

// Limits of profiles. A tenant's are held in memory.
const (
	MaxProfiles  = 500
	MaxRounds    = 2
	MaxName      = 200     // bytes
	MaxMinutes   = 525_600 // a year
	MaxQuestions = 10
)

// Ids of the profiles that every tenant begins with. They are the same in all tenants.
const (
	NewDevice = "c3a4b6c1-6f0e-4d4b-9d1b-0c5e0a6f2d01" // "Default New Device Login Profile": the password, then another factor
	Other     = "c3a4b6c1-6f0e-4d4b-9d1b-0c5e0a6f2d02" // "Default Other Login Profile": the password
	Reset     = "c3a4b6c1-6f0e-4d4b-9d1b-0c5e0a6f2d03" // "Default Password Reset Profile": another factor
)

// SecurityQuestions is the mechanism that needs Profile.Questions.
const SecurityQuestions = "SQ"

// Profile is what somebody answers. Times are milliseconds since 1970 UTC.
type Profile struct {
	ID         string     // UUID
	Name       string     // unique in the tenant without regard to case
	Challenges [][]string // one or two rounds of mechanism codes; one of a round is enough
	Minutes    int        // for which the second round, passed on a device, is not asked for again on it; 0: always asked for
	Single     []string   // mechanisms of which one alone ends the sign-in: QR, PASSKEY
	Questions  int        // security questions to ask; 0: as many as the tenant asks
	Created    int64
	Changed    int64
	Revision   int64 // grows with every change
}

// Is says whether an id or text names a UUID as profiles have it; case does not matter.
func Is(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch b := s[i] | 0x20; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if s[i] != '-' {
				return false
			}
		case (b < 'a' || b > 'f') && (s[i] < '0' || s[i] > '9'):
			return false
		}
	}
	return true
}

// Parse reads rounds of comma-joined codes, as SaveProfile and GetProfile write them: empty rounds at the end are none.
// Faults: ErrRounds, ErrMechanism.
func Parse(rounds []string) ([][]string, error) {
	for len(rounds) > 0 && strings.TrimSpace(rounds[len(rounds)-1]) == "" {
		rounds = rounds[:len(rounds)-1]
	}
	if len(rounds) == 0 || len(rounds) > MaxRounds {
		return nil, ErrRounds.At("Challenges")
	}
	out := make([][]string, len(rounds))
	for i, r := range rounds {
		codes, err := Codes("Challenges", r)
		if err != nil {
			return nil, err
		}
		if len(codes) == 0 {
			return nil, ErrRounds.At("Challenges").Say("The first of two challenges is empty.")
		}
		out[i] = codes
	}
	return out, nil
}

// Codes reads comma-joined mechanism codes, none twice; empty text is none. ErrMechanism, with the field.
func Codes(field, text string) ([]string, error) {
	out := []string{}
	if strings.TrimSpace(text) == "" {
		return out, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		code := strings.ToUpper(strings.TrimSpace(part))
		if _, known := mechanisms[code]; !known {
			return nil, ErrMechanism.At(field).Say("%.40q is none of the mechanisms %s.", strings.TrimSpace(part), strings.Join(Mechanisms(), ", "))
		}
		if !slices.Contains(out, code) {
			out = append(out, code)
		}
	}
	return out, nil
}

// Rounds is the contract's form of the challenges: one text of comma-joined codes per round.
func (p Profile) Rounds() []string {
	out := make([]string, len(p.Challenges))
	for i, r := range p.Challenges {
		out[i] = strings.Join(r, ",")
	}
	return out
}

// Asks says whether a mechanism stands in any round.
func (p Profile) Asks(code string) bool {
	return slices.ContainsFunc(p.Challenges, func(r []string) bool { return slices.Contains(r, code) })
}

// check refuses what no profile may be, and brings the texts into their form.
func (p *Profile) check() (err error) {
	p.Name = strings.TrimSpace(p.Name)
	switch {
	case p.Name == "":
		return fault.Blank("Name")
	case len(p.Name) > MaxName || !utf8.ValidString(p.Name) || strings.ContainsFunc(p.Name, unicode.IsControl):
		return fault.Bad("Name", "may have %d bytes and no control characters", MaxName)
	case p.Minutes < 0 || p.Minutes > MaxMinutes:
		return fault.Bad("DurationInMinutes", "must be from 0 to %d", MaxMinutes)
	case p.Questions < 0 || p.Questions > MaxQuestions:
		return fault.Bad("NumberOfQuestions", "must be from 0 to %d", MaxQuestions)
	}
	if p.Challenges, err = Parse(p.Rounds()); err != nil {
		return err
	}
	for _, code := range p.Challenges[0] {
		if mechanisms[code].second {
			return ErrMechanism.At("Challenges").Say("%s stands in for a further factor: only the second challenge can take it.", code)
		}
	}
	if p.Single, err = Codes("SingleChallengeMechanisms", strings.Join(p.Single, ",")); err != nil {
		return err
	}
	for _, code := range p.Single {
		if !mechanisms[code].alone {
			return ErrMechanism.At("SingleChallengeMechanisms").Say("%s cannot stand alone: only QR and PASSKEY can.", code)
		}
	}
	if p.Asks(SecurityQuestions) && p.Questions < 1 {
		return ErrQuestions.At("NumberOfQuestions")
	}
	return nil
}
