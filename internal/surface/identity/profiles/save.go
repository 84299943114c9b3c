package profiles

import (
	"context"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/profile"
	"limen/internal/fault"
	"limen/internal/op"
)

// defaultMinutes is the contract's default of DurationInMinutes.
const defaultMinutes = 30

// Settings is a profile as it is to be.
type Settings struct {
	// UUID is the profile to be replaced; absent or empty: a new one.
	UUID string `json:"Uuid"`
	// Name is unique in the tenant whatever its case; required; 200 bytes.
	Name string `json:"Name"`
	// Challenges has one text for each of the one or two challenges, required: mechanisms with commas between, of which one
	// is enough. An empty text at the end is no challenge.
	Challenges []string `json:"Challenges"`
	// DurationInMinutes is for how long the second challenge, once passed on a device, is not asked for again on it, at most
	// 525600; 0: it is asked for every time; 30 when absent.
	DurationInMinutes op.Opt[int] `json:"DurationInMinutes"`
	// SingleChallengeMechanisms are mechanisms, QR and PASSKEY, with a comma between, of which one alone ends the sign-in.
	SingleChallengeMechanisms string `json:"SingleChallengeMechanisms"`
	// AdditionalData has NumberOfQuestions, 1 to 10, which is required where SQ is among the mechanisms.
	AdditionalData Additional `json:"AdditionalData"`
}

// Saving is a profile to be stored.
type Saving struct {
	// Settings is the whole profile, required.
	Settings Settings `json:"settings"`
	// Confirm replaces a profile although the caller, or no system administrator at all, could sign in afterwards.
	Confirm bool `json:"Confirm"`
}

// Check wants a name and challenges.
func (s *Saving) Check() error {
	s.Settings.UUID = strings.TrimSpace(s.Settings.UUID)
	switch {
	case strings.TrimSpace(s.Settings.Name) == "":
		return fault.Missing("settings.Name")
	case len(s.Settings.Challenges) == 0:
		return fault.Missing("settings.Challenges")
	}
	return nil
}

// SaveProfile makes an authentication profile, or replaces the one with the given UUID, and returns it as it is stored.
//
// A profile that is replaced is passed anew: nobody's device stands in for its second challenge any more. One that is in force is
// not replaced when the caller could not sign in any more from where they are: the answer is the soft error profile.lockout, and
// Confirm replaces it all the same. Errors: profile.not_found, profile.name_taken, profile.rounds, profile.mechanism, profile.questions, profile.too_many.
// policies.yaml n 171.
func (p Profiles) SaveProfile(ctx context.Context, c *op.Call, in Saving) (Profile, error) {
	s := in.Settings
	rounds, err := profile.Parse(s.Challenges)
	if err != nil {
		return Profile{}, err
	}
	single, err := profile.Codes("SingleChallengeMechanisms", s.SingleChallengeMechanisms)
	if err != nil {
		return Profile{}, err
	}
	n := profile.Profile{ID: s.UUID, Name: s.Name, Challenges: rounds, Minutes: s.DurationInMinutes.Or(defaultMinutes), Single: single}
	if s.AdditionalData.NumberOfQuestions != nil {
		n.Questions = *s.AdditionalData.NumberOfQuestions
	}
	if n.ID == "" {
		c.Event.Type = audit.ProfileCreate
	}
	saved, err := p.Profiles.Change(ctx, c, n, in.Confirm)
	if err != nil {
		return Profile{}, err
	}
	return shown(saved), nil
}

// DeleteProfile removes an authentication profile.
//
// Errors: profile.not_found; profile.in_use, with the names of what uses it, while a policy, an application or a setting
// names it. policies.yaml n 167.
func (p Profiles) DeleteProfile(ctx context.Context, c *op.Call, in Ref) (op.None, error) {
	return op.None{}, p.Profiles.Delete(ctx, c, in.UUID)
}

// Combination is challenges to be scored.
type Combination struct {
	// Challenges has one text for each of the one or two challenges, as in a profile; required. In the address it is a JSON
	// array, or the mechanisms of a single challenge with commas between.
	Challenges []string `json:"Challenges"`
}

// Check wants one that is not empty.
func (m *Combination) Check() error {
	if strings.TrimSpace(strings.Join(m.Challenges, "")) == "" {
		return fault.Missing("Challenges")
	}
	return nil
}

// Scoring is how much challenges assure at least: of all ways to answer them the weakest counts.
type Scoring struct {
	// Level is 1 to 3, after the levels of NIST SP 800-63B: one category of factors, two, and two of which one is a hardware
	// key that resists phishing.
	Level int `json:"Level"`
	// Score is 10 for each category of factors, and 5 each when one resists phishing and when that one is bound to hardware:
	// 10 to 40.
	Score int `json:"Score"`
	// Challenges is the level of each challenge by itself.
	Challenges []int `json:"Challenges"`
}

// GetProfileMFAScoring scores a combination of challenges. Nothing is stored.
//
// Categories are knowledge (UP, SQ, RADIUS), possession (OTP, PF, SMS, EMAIL, OATH, DUO, QR, U2F), and possession with
// inherence (U2FONDEVICE, PASSKEY). The last two and U2F resist phishing; U2F is bound to hardware. What stands behind
// RADIUS may be a password, and where the key of an on-device authenticator or a passkey lies is not known; so they count
// for less than they may be. Errors: profile.mechanism, profile.rounds. policies.yaml n 170.
func (p Profiles) GetProfileMFAScoring(_ context.Context, _ *op.Call, in Combination) (Scoring, error) {
	rounds, err := profile.Parse(in.Challenges)
	if err != nil {
		return Scoring{}, err
	}
	s := profile.Assure(rounds)
	return Scoring{Level: s.Level, Score: s.Points, Challenges: s.Rounds}, nil
}
