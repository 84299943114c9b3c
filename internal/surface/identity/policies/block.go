package policies

import (
	"context"
	"encoding/json"
	"strings"

	"limen/internal/core/policy"
	"limen/internal/core/profile"
	"limen/internal/core/risk"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// BlockRef names a policy set.
type BlockRef struct {
	// Name is the path "/Policy/<name>", or the name alone; required.
	Name string `json:"name" also:"path"`
}

// Check wants it.
func (r *BlockRef) Check() error { return required("name", r.Name) }

// Additional is what only some mechanisms need.
type Additional struct {
	// NumberOfQuestions is how many security questions are asked; left out when none is set.
	NumberOfQuestions *int `json:"NumberOfQuestions,omitempty"`
}

// AuthProfile is an authentication profile, as /AuthProfile/GetProfile gives it.
type AuthProfile struct {
	// UUID is its id.
	UUID string `json:"Uuid"`
	// Name is unique in the tenant.
	Name string `json:"Name"`
	// DurationInMinutes is for how long the second challenge stands on a device.
	DurationInMinutes int `json:"DurationInMinutes"`
	// Challenges has one text for each challenge: mechanisms with commas between.
	Challenges []string `json:"Challenges"`
	// SingleChallengeMechanisms are mechanisms of which one alone ends the sign-in.
	SingleChallengeMechanisms string `json:"SingleChallengeMechanisms"`
	// AdditionalData is what only some mechanisms need.
	AdditionalData Additional `json:"AdditionalData"`
}

// Service is a directory that people come from.
type Service struct {
	// DisplayNameShort is its name.
	DisplayNameShort string `json:"DisplayNameShort"`
	// UUID is its id.
	UUID string `json:"directoryServiceUuid"`
}

// Block is a policy set with what its editor needs.
type Block struct {
	// Version is 1.
	Version int `json:"Version"`
	// Path is "/Policy/<name>".
	Path string `json:"Path"`
	// Description is for administrators.
	Description string `json:"Description"`
	// RevStamp is the revision, which a change of it must name.
	RevStamp string `json:"RevStamp"`
	// Settings are the values that are set, by key, as they were given; secrets show as asterisks.
	Settings map[string]json.RawMessage `json:"Settings"`
	// AuthProfiles are the tenant's authentication profiles.
	AuthProfiles []AuthProfile `json:"AuthProfiles"`
	// PolicyModifiers are what /Policy/GetAuthPolicyModifiers lists.
	PolicyModifiers []string `json:"PolicyModifiers"`
	// DirectoryServices are the directories that people come from.
	DirectoryServices []Service `json:"DirectoryServices"`
	// RadiusClientList is empty.
	RadiusClientList []string `json:"RadiusClientList"`
	// RiskAnalysisLevels are the levels that conditions about RiskLevel name, each with its name for people.
	RiskAnalysisLevels map[string]string `json:"RiskAnalysisLevels"`
}

// GetPolicyBlock returns a policy set with its settings, and what its editor needs.
//
// Errors: policy.not_found, policy.name. policies.yaml n 180.
func (p Policies) GetPolicyBlock(ctx context.Context, c *op.Call, in BlockRef) (Block, error) {
	b, modifiers, err := p.Policies.Get(ctx, c, in.Name)
	if err != nil {
		return Block{}, err
	}
	profiles, err := p.Profiles.List(ctx, c)
	if err != nil {
		return Block{}, err
	}
	out := Block{
		Version: 1, Path: b.Path(), Description: b.Description, RevStamp: stamp(b.Stamp), Settings: b.Shown(), PolicyModifiers: modifiers,
		AuthProfiles: make([]AuthProfile, len(profiles)), RadiusClientList: []string{}, RiskAnalysisLevels: levels(),
		DirectoryServices: []Service{{DisplayNameShort: "Limen", UUID: user.Source}},
	}
	for i, one := range profiles {
		out.AuthProfiles[i] = shown(one)
	}
	return out, nil
}

func shown(p profile.Profile) AuthProfile {
	out := AuthProfile{
		UUID: p.ID, Name: p.Name, DurationInMinutes: p.Minutes, Challenges: p.Rounds(), SingleChallengeMechanisms: strings.Join(p.Single, ","),
	}
	if p.Questions > 0 {
		out.AdditionalData.NumberOfQuestions = &p.Questions
	}
	return out
}

// GetNicePolicyBlock returns the same as GetPolicyBlock. policies.yaml n 177.
func (p Policies) GetNicePolicyBlock(ctx context.Context, c *op.Call, in BlockRef) (Block, error) {
	return p.GetPolicyBlock(ctx, c, in)
}

// SavedBlock is a policy set as it is to be. What else an exported one has is taken and not needed.
type SavedBlock struct {
	// Path is "/Policy/<name>", required: 1 to 100 characters, none of them a slash or backslash.
	Path string `json:"Path"`
	// Newpolicy is true for a set that is not there yet.
	Newpolicy bool `json:"Newpolicy"`
	// RevStamp is that of GetPolicyBlock; required unless Newpolicy.
	RevStamp string `json:"RevStamp"`
	// Description is for administrators, up to 2000 bytes.
	Description string `json:"Description"`
	// Settings replace those that are set: key to value. GetPolicyMetaData describes the known ones, whose values are checked;
	// others are kept as they are. Up to 1000, and 256 KiB in all.
	Settings map[string]json.RawMessage `json:"Settings"`
}

// Saving is a policy set with the list of links.
type Saving struct {
	// Policy is the whole set, required.
	Policy SavedBlock `json:"policy"`
	// Plinks are all links in their order; null or absent keeps the list, and puts a new set first, inactive. Sets that are
	// left out stay behind whom they are behind.
	Plinks op.Opt[[]Plink] `json:"plinks"`
	// Confirm makes the change although the caller, or no system administrator at all, could sign in afterwards.
	Confirm bool `json:"Confirm"`
}

// Check wants a path, and the stamp of a set that is there.
func (s *Saving) Check() error {
	if err := required("policy.Path", s.Policy.Path); err != nil {
		return err
	}
	if !s.Policy.Newpolicy && strings.TrimSpace(s.Policy.RevStamp) == "" {
		return fault.Missing("policy.RevStamp")
	}
	return nil
}

// wish is what is to be saved.
func (s *Saving) wish(checked policy.Settings) (policy.Save, error) {
	out := policy.Save{
		Path: s.Policy.Path, New: s.Policy.Newpolicy, Stamp: unstamp(s.Policy.RevStamp), Description: s.Policy.Description,
		Settings: checked, Confirm: s.Confirm,
	}
	given, ok := s.Plinks.Get()
	if !ok || given == nil {
		return out, nil
	}
	links, err := Listed(given)
	out.Links = links
	return out, err
}

func (p Policies) check(ctx context.Context, c *op.Call, in Saving) (policy.Settings, error) {
	return p.checked(ctx, c, in.Policy.Settings)
}

func (p Policies) checked(ctx context.Context, c *op.Call, settings map[string]json.RawMessage) (policy.Settings, error) {
	var modifiers []string
	err := c.Snapshot(ctx, func() (err error) {
		modifiers, err = p.Policies.Modifiers(ctx, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	return p.Policies.Check(ctx, c, settings, modifiers...)
}

// Saved is what is stored.
type Saved struct {
	// RevStamp is the set's new revision.
	RevStamp string `json:"RevStamp"`
}

// SavePolicyBlock3 makes or replaces a policy set, and the list of links with it.
//
// The first link has the highest priority. A change after which the caller could not sign in from where they are is not
// made: the answer is a soft error with MessageID _I18N_AdminLockoutPolicyChange (settings) or
// _I18N_AdminLockoutPlinksChange (links), which says when no system administrator could, and Confirm makes it all the same.
// With the tenant's setting Policy.StoreLockouts it is made, and the answer warns of it. Errors: policy.name_taken, policy.not_found,
// policy.stale, policy.value, policy.profile, policy.incomplete, policy.link. policies.yaml n 189.
func (p Policies) SavePolicyBlock3(ctx context.Context, c *op.Call, in Saving, checked policy.Settings) (Saved, error) {
	wish, err := in.wish(checked)
	if err != nil {
		return Saved{}, err
	}
	b, err := p.Policies.Save(ctx, c, wish)
	return Saved{stamp(b.Stamp)}, p.warned(ctx, c, err)
}

// Deleting names a policy set that is to go.
type Deleting struct {
	// Path is "/Policy/<name>", or the name alone; required.
	Path string `json:"path" also:"name"`
	// Confirm makes the change although the caller, or no system administrator at all, could sign in afterwards.
	Confirm bool `json:"Confirm"`
}

// Check wants the path.
func (d *Deleting) Check() error { return required("path", d.Path) }

// DeletePolicyBlock removes a policy set and its link.
//
// The default policy set stays. Errors: policy.not_found, policy.name, policy.built_in, and the soft error of
// SavePolicyBlock3. policies.yaml n 174.
func (p Policies) DeletePolicyBlock(ctx context.Context, c *op.Call, in Deleting) (op.None, error) {
	return op.None{}, p.warned(ctx, c, p.Policies.Delete(ctx, c, in.Path, in.Confirm))
}

// levels are those of risk; the names are the same in all languages.
func levels() map[string]string {
	out := make(map[string]string, len(risk.Levels))
	for _, l := range risk.Levels {
		out[string(l)] = string(l)
	}
	return out
}
