// Package profiles is the RPC dialect's operations on authentication profiles (policies.yaml n 167 to 171): what somebody
// answers to sign in, as policies and settings name it.
package profiles

import (
	"context"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/profile"
	"limen/internal/core/right"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/identity/page"
	"limen/internal/wire/rpc"
)

// Profiles is the operations.
type Profiles struct{ Profiles *profile.Profiles }

// reader is whoever may look.
var reader = op.Any(op.System, op.Has(right.ReadSystem))

// Ops declares them.
func (p Profiles) Ops() []op.Op {
	one := []*fault.Error{profile.ErrNotFound, fault.ErrMissing}
	saves := append([]*fault.Error{
		profile.ErrNameTaken, profile.ErrMechanism, profile.ErrRounds, profile.ErrQuestions, profile.ErrTooMany, profile.ErrLockout, fault.ErrBlank, fault.ErrInvalid,
	}, one...)
	return []op.Op{
		op.New(op.Spec{Path: "/AuthProfile/GetProfile", Allow: reader, Effect: op.Read, Faults: one}, p.GetProfile),
		op.New(op.Spec{Path: "/AuthProfile/GetProfileList", Allow: reader, Effect: op.Read}, p.GetProfileList),
		op.New(op.Spec{Path: "/AuthProfile/GetDecoratedProfileList", Allow: reader, Effect: op.Read}, p.GetDecoratedProfileList),
		op.New(op.Spec{
			Path: "/AuthProfile/GetProfileMFAScoring", Allow: reader, Effect: op.Cached,
			Faults: []*fault.Error{profile.ErrMechanism, profile.ErrRounds, fault.ErrMissing},
		}, p.GetProfileMFAScoring),
		op.New(op.Spec{Path: "/AuthProfile/SaveProfile", Allow: op.System, Effect: op.Write, Audit: audit.ProfileChange, Faults: saves}, p.SaveProfile),
		op.New(op.Spec{
			Path: "/AuthProfile/DeleteProfile", Allow: op.System, Effect: op.Write, Audit: audit.ProfileDelete,
			Faults: append([]*fault.Error{profile.ErrInUse}, one...),
		}, p.DeleteProfile),
	}
}

// Additional is what only some mechanisms need.
type Additional struct {
	// NumberOfQuestions is how many security questions are asked, where SQ is among the mechanisms; left out when none is set.
	NumberOfQuestions *int `json:"NumberOfQuestions,omitempty"`
}

// Profile is an authentication profile.
type Profile struct {
	// UUID is its id.
	UUID string `json:"Uuid"`
	// Name is unique in the tenant.
	Name string `json:"Name"`
	// DurationInMinutes is for how long the second challenge, once passed on a device, is not asked for again on it; 0: it is
	// asked for every time.
	DurationInMinutes int `json:"DurationInMinutes"`
	// Challenges has one text for each of the one or two challenges: mechanisms with commas between, of which one is enough.
	Challenges []string `json:"Challenges"`
	// SingleChallengeMechanisms are mechanisms, QR and PASSKEY, with a comma between, of which one alone ends the sign-in.
	SingleChallengeMechanisms string `json:"SingleChallengeMechanisms"`
	// AdditionalData is what only some mechanisms need.
	AdditionalData Additional `json:"AdditionalData"`
}

func shown(p profile.Profile) Profile {
	out := Profile{
		UUID: p.ID, Name: p.Name, DurationInMinutes: p.Minutes, Challenges: p.Rounds(), SingleChallengeMechanisms: strings.Join(p.Single, ","),
	}
	if p.Questions > 0 {
		out.AdditionalData.NumberOfQuestions = &p.Questions
	}
	return out
}

// Ref names a profile.
type Ref struct {
	// UUID is the profile's id, required.
	UUID string `json:"uuid"`
}

// Check wants it.
func (r *Ref) Check() error {
	if strings.TrimSpace(r.UUID) == "" {
		return fault.Missing("uuid")
	}
	r.UUID = strings.TrimSpace(r.UUID)
	return nil
}

// GetProfile returns an authentication profile by its UUID.
//
// Errors: profile.not_found. policies.yaml n 168.
func (p Profiles) GetProfile(ctx context.Context, c *op.Call, in Ref) (Profile, error) {
	found, err := p.Profiles.Get(ctx, c, in.UUID)
	if err != nil {
		return Profile{}, err
	}
	return shown(found), nil
}

// Listing asks for all profiles.
type Listing struct {
	// Args is taken and not needed: every profile comes at once.
	Args page.Args `json:"Args"`
}

// GetProfileList lists the tenant's authentication profiles by name, as a plain array. policies.yaml n 169.
func (p Profiles) GetProfileList(ctx context.Context, c *op.Call, _ Listing) ([]Profile, error) {
	all, err := p.Profiles.List(ctx, c)
	out := make([]Profile, len(all))
	for i, one := range all {
		out[i] = shown(one)
	}
	return out, err
}

var columns = []rpc.Column{
	{Name: "Uuid", TableKey: "Primary"}, {Name: "Name"}, {Name: "DurationInMinutes"}, {Name: "Challenges", Type: rpc.TypeObject},
	{Name: "SingleChallengeMechanisms"}, {Name: "AdditionalData", Type: rpc.TypeObject},
}

// GetDecoratedProfileList lists the tenant's authentication profiles by name, as a query result.
//
// Columns: those of GetProfile. policies.yaml, after n 169.
func (p Profiles) GetDecoratedProfileList(ctx context.Context, c *op.Call, _ Listing) (rpc.Query, error) {
	all, err := p.Profiles.List(ctx, c)
	out := rpc.Query{Columns: columns, FullCount: len(all), Results: make([]rpc.Row, len(all))}
	for i, one := range all {
		s := shown(one)
		out.Results[i] = rpc.Row{
			Entities: []rpc.Entity{{Type: "AuthProfile", Key: s.UUID}},
			Row:      []any{s.UUID, s.Name, s.DurationInMinutes, s.Challenges, s.SingleChallengeMechanisms, s.AdditionalData},
		}
	}
	return out, err
}
