package explanations

import (
	"context"
	"strings"
	"time"

	"limen/internal/core/policy"
	"limen/internal/core/profile"
	"limen/internal/core/role"
	"limen/internal/core/simulation"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/identity/policies"
)

// Bounds of one simulation.
const (
	maxPeople = 500
	maxRoles  = 50
	maxNamed  = 1000 // members and rights of all role changes together
	maxDays   = 400
)

// ProfileChange is an authentication profile as it would be.
type ProfileChange struct {
	// UUID is that of the profile to be changed; required.
	UUID string `json:"Uuid"`
	// Name is its name; absent: as it is.
	Name string `json:"Name"`
	// DurationInMinutes is for how long the second challenge stands on a device.
	DurationInMinutes int `json:"DurationInMinutes"`
	// Challenges has one text for each challenge: mechanisms with commas between; required.
	Challenges []string `json:"Challenges"`
	// NumberOfQuestions is how many security questions are asked.
	NumberOfQuestions int `json:"NumberOfQuestions"`
}

// RoleChange is a change of a role.
type RoleChange struct {
	// Role is the id or the name; required.
	Role string `json:"Role" also:"Name,ID"`
	// Delete says that the role would be deleted; nothing else is looked at then.
	Delete bool `json:"Delete"`
	// AddUsers would become members, by UUID or login name.
	AddUsers []string `json:"AddUsers" rpc:"one"`
	// RemoveUsers would not be members any more.
	RemoveUsers []string `json:"RemoveUsers" rpc:"one"`
	// AddRoles would become members with all who are in them, by id or name.
	AddRoles []string `json:"AddRoles" rpc:"one"`
	// RemoveRoles would not be members any more.
	RemoveRoles []string `json:"RemoveRoles" rpc:"one"`
	// AddRights would be carried, by path or name.
	AddRights []string `json:"AddRights" rpc:"one"`
	// RemoveRights would not be carried any more.
	RemoveRights []string `json:"RemoveRights" rpc:"one"`
}

// Proposal is a change that might be made, of any of policies, profiles and roles together.
type Proposal struct {
	// Policy is a policy set to be saved, as in SavePolicyBlock3: one of that path is replaced, whatever its RevStamp.
	Policy *policies.SavedBlock `json:"policy"`
	// Plinks are links in their order, as in SavePolicyBlock3; sets that are left out stay behind whom they are behind.
	Plinks op.Opt[[]policies.Plink] `json:"plinks"`
	// DeletePolicy is the path of a policy set to be deleted.
	DeletePolicy string `json:"DeletePolicy"`
	// Profiles are authentication profiles to be changed.
	Profiles []ProfileChange `json:"Profiles" rpc:"one"`
	// Roles are changes of roles, made in their order; the scripts of dynamic roles are not run.
	Roles []RoleChange `json:"Roles" rpc:"one"`
	// Users are UUIDs or login names of chosen people, at most 500, who sign in as Situation says.
	Users []string `json:"Users" rpc:"one"`
	// Situation is where, when and with what the chosen people sign in.
	Situation policies.Situation `json:"Situation"`
	// Days is of how many days the recorded sign-ins are decided anew; 7 when absent, 0 for none, at most 400.
	Days op.Opt[int] `json:"Days"`
	// Limit is how many affected people are listed; 100 when absent, at most 500.
	Limit int `json:"Limit"`
}

// Check keeps the bounds, and wants something proposed.
func (p *Proposal) Check() error {
	if p.Policy == nil && !p.Plinks.Given() && trim(p.DeletePolicy) == "" && len(p.Profiles)+len(p.Roles) == 0 {
		return fault.Missing("policy, plinks, DeletePolicy, Profiles or Roles")
	}
	if p.Policy != nil && trim(p.Policy.Path) == "" {
		return fault.Missing("policy.Path")
	}
	named := 0
	for _, r := range p.Roles {
		if trim(r.Role) == "" {
			return fault.Missing("Roles.Role")
		}
		named += len(r.AddUsers) + len(r.RemoveUsers) + len(r.AddRoles) + len(r.RemoveRoles) + len(r.AddRights) + len(r.RemoveRights)
	}
	switch days := p.Days.Or(7); {
	case days < 0 || days > maxDays:
		return fault.Bad("Days", "must be from 0 to %d", maxDays)
	case p.Limit < 0 || p.Limit > maxPeople:
		return fault.Bad("Limit", "must be from 1 to %d", maxPeople)
	case len(p.Users) > maxPeople:
		return fault.Bad("Users", "may name %d users", maxPeople)
	case len(p.Roles) > maxRoles || named > maxNamed:
		return fault.Bad("Roles", "may change %d roles, with %d members and rights in all", maxRoles, maxNamed)
	case len(p.Profiles) > profile.MaxProfiles:
		return fault.Bad("Profiles", "may change %d profiles", profile.MaxProfiles)
	}
	return p.Situation.Check()
}

// policies says whether anything but roles is proposed.
func (p *Proposal) policies() bool {
	return p.Policy != nil || p.Plinks.Given() || trim(p.DeletePolicy) != "" || len(p.Profiles) > 0
}

// change reads what is proposed.
func (e Explanations) change(ctx context.Context, c *op.Call, in Proposal, checked policy.Settings) (out simulation.Change, err error) {
	if in.Policy != nil {
		out.Policy.Save = &policy.Save{Path: in.Policy.Path, Description: in.Policy.Description, Settings: checked}
	}
	if given, ok := in.Plinks.Get(); ok && given != nil {
		if out.Policy.Links, err = policies.Listed(given); err != nil {
			return out, err
		}
	}
	out.Policy.Delete = trim(in.DeletePolicy)
	for _, p := range in.Profiles {
		n, err := e.profile(ctx, c, p)
		if err != nil {
			return out, err
		}
		out.Policy.Profiles = append(out.Policy.Profiles, n)
	}
	for _, r := range in.Roles {
		n, err := e.role(ctx, c, r)
		if err != nil {
			return out, err
		}
		out.Roles = append(out.Roles, n)
	}
	return out, nil
}

func (e Explanations) profile(ctx context.Context, c *op.Call, in ProfileChange) (profile.Profile, error) {
	was, err := e.Policies.Profiles.Get(ctx, c, trim(in.UUID))
	if err != nil {
		return profile.Profile{}, err
	}
	rounds, err := profile.Parse(in.Challenges)
	n := profile.Profile{ID: was.ID, Name: in.Name, Challenges: rounds, Minutes: in.DurationInMinutes, Single: was.Single, Questions: in.NumberOfQuestions}
	if trim(n.Name) == "" {
		n.Name = was.Name
	}
	return n, err
}

func (e Explanations) role(ctx context.Context, c *op.Call, in RoleChange) (role.Proposal, error) {
	r, err := role.Find(ctx, c, trim(in.Role))
	if err == nil && !c.Grant.Allows(r.ID, r.Org) {
		err = role.ErrNotFound
	}
	out := role.Proposal{Role: r.ID, Delete: in.Delete}
	for _, of := range []struct {
		kind string
		refs []string
		to   *[]role.Member
	}{{role.User, in.AddUsers, &out.Add}, {role.Sub, in.AddRoles, &out.Add}, {role.User, in.RemoveUsers, &out.Remove}, {role.Sub, in.RemoveRoles, &out.Remove}} {
		if err != nil {
			return out, err
		}
		var ms []role.Member
		ms, err = e.Roles.Principals(ctx, c, c.Grant, of.kind, of.refs...)
		*of.to = append(*of.to, ms...)
	}
	for _, path := range in.AddRights {
		out.Assign = append(out.Assign, role.Given{Path: trim(path)})
	}
	for _, path := range in.RemoveRights {
		out.Take = append(out.Take, trim(path))
	}
	return out, err
}

// Way is how somebody signs in.
type Way struct {
	// Verdict is Tenant, Profile, Least or Refused, as /Policy/Explain has it.
	Verdict string `json:"Verdict"`
	// Why is the reason in words.
	Why string `json:"Why"`
	// ProfileID is the authentication profile that gives the challenges; empty when the tenant's settings do.
	ProfileID string `json:"ProfileId"`
	// Profile is its name.
	Profile string `json:"Profile"`
	// Challenges are lists of mechanisms that the user has, of each of which one is enough.
	Challenges [][]string `json:"Challenges"`
	// Refused is why nobody gets in, whatever is answered; empty: they may.
	Refused string `json:"Refused"`
	// Setting is the key that decided.
	Setting string `json:"Setting"`
	// PolicySet is the path of the set that it comes from.
	PolicySet string `json:"PolicySet"`
	// Role is the id of the role through which the set applies.
	Role string `json:"Role"`
	// Rule is the number of the rule that fitted, from 1; 0: none did.
	Rule int `json:"Rule"`
}

// HeldRight is a right that would be gained or lost.
type HeldRight struct {
	// Name is the right's name.
	Name string `json:"Name"`
	// Over is the path of the organization that it is held over; empty: everywhere.
	Over string `json:"Over"`
}

// Affected is somebody for whom something would change.
type Affected struct {
	// ID is the user's UUID.
	ID string `json:"ID"`
	// Name is the login name.
	Name string `json:"Name"`
	// SignIns is how many recorded sign-ins of theirs were decided anew.
	SignIns int `json:"SignIns"`
	// Otherwise is how many of these would go otherwise.
	Otherwise int `json:"Otherwise"`
	// LockedOut is how many of these would be refused that were not.
	LockedOut int `json:"LockedOut"`
	// At is when the newest of those began that would go otherwise, which Before and After show; null when none would.
	At *time.Time `json:"At"`
	// Before is how they sign in now; null when no sign-in would go otherwise.
	Before *Way `json:"Before"`
	// After is how they would.
	After *Way `json:"After"`
	// Settings are the keys of the resultant set whose values would be others.
	Settings []string `json:"Settings"`
	// Gained are rights that they would hold.
	Gained []HeldRight `json:"Gained"`
	// Lost are rights that they would not hold any more.
	Lost []HeldRight `json:"Lost"`
	// Joined are ids of roles that they would be in.
	Joined []string `json:"Joined"`
	// Left are ids of roles that they would not be in any more.
	Left []string `json:"Left"`
}

// Forecast is what a change would do.
type Forecast struct {
	// Replayed is how many recorded sign-ins were decided anew.
	Replayed int `json:"Replayed"`
	// Otherwise is how many of these would go otherwise.
	Otherwise int `json:"Otherwise"`
	// LockedOut is how many of these would be refused that are not now.
	LockedOut int `json:"LockedOut"`
	// Released is how many of these would not be refused that are now.
	Released int `json:"Released"`
	// Unrecorded is how many sign-ins were left out: their events do not say what the decision saw, or the user is gone.
	Unrecorded int `json:"Unrecorded"`
	// Oldest is when the oldest that was looked at ended; null: none.
	Oldest *time.Time `json:"Oldest"`
	// Looked is how many users were looked at.
	Looked int `json:"Looked"`
	// AffectedCount is for how many of them something would change.
	AffectedCount int `json:"AffectedCount"`
	// Affected are these, as far as Limit goes: who would be locked out first, then those with most sign-ins.
	Affected []Affected `json:"Affected"`
	// Truncated says that not everything was looked at: the numbers are at least so large.
	Truncated bool `json:"Truncated"`
	// TruncatedWhy is why.
	TruncatedWhy string `json:"TruncatedWhy"`
}

// Change says what a change of policy sets, authentication profiles and roles would do, and makes none: to the recorded
// sign-ins of the last days, which are decided anew as they began (address, time, device known or not, system, browser), to
// chosen users in a situation, and to all whom a change of roles reaches.
//
// Both sides of the comparison are decided now, with today's memberships and factors, by the code that decides sign-ins.
// Recorded are sign-ins that succeeded, and those that a policy refused; challenges are those on a device that stands in for
// none. It takes 20 seconds at most, and says so where they were not enough. Holders of Role Management simulate changes of roles
// within their reach, and see their own users; the rest is for system administrators.
//
// Errors: simulate.part, and those of SavePolicyBlock3, setPlinksv2, DeletePolicyBlock, SaveProfile, and of the operations on
// roles. Beyond the contract.
func (e Explanations) Change(ctx context.Context, c *op.Call, in Proposal, checked policy.Settings) (Forecast, error) {
	all := c.Caller.Held.System()
	if !all && (in.policies() || in.Days.Or(0) > 0) {
		return Forecast{}, ErrPart
	}
	q := simulation.Question{At: in.Situation.At(c), Days: in.Days.Or(7), Most: in.Limit, Grant: c.Grant}
	if !all {
		q.Days = 0
	}
	if q.Most == 0 {
		q.Most = 100
	}
	for _, ref := range in.Users {
		u, err := user.Find(ctx, c, ref)
		if err == nil && !c.Grant.Allows(u.ID, u.Org) {
			err = user.ErrNotFound
		}
		if err != nil {
			return Forecast{}, err
		}
		q.People = append(q.People, u.ID)
	}
	change, err := e.change(ctx, c, in, checked)
	if err != nil {
		return Forecast{}, err
	}
	r, err := e.Simulator.Run(ctx, c, change, q)
	if err != nil {
		return Forecast{}, err
	}
	return e.forecast(ctx, c, r, all)
}

// forecast writes a result. How people sign in is told to system administrators alone.
func (e Explanations) forecast(ctx context.Context, c *op.Call, r simulation.Result, all bool) (Forecast, error) {
	path, err := e.Orgs.Paths(ctx, c)
	if err != nil {
		return Forecast{}, err
	}
	out := Forecast{
		Replayed: r.Replayed, Otherwise: r.Otherwise, LockedOut: r.LockedOut, Released: r.Released, Unrecorded: r.Unrecorded, Oldest: date(r.Oldest),
		Looked: r.Looked, AffectedCount: r.Affected, Affected: make([]Affected, len(r.People)), Truncated: r.Truncated != "", TruncatedWhy: r.Truncated,
	}
	held := func(rs []simulation.Right) []HeldRight {
		out := make([]HeldRight, len(rs))
		for i, x := range rs {
			out[i] = HeldRight{x.Right.String(), strings.TrimSpace(path(x.Org))}
		}
		return out
	}
	for i, p := range r.People {
		one := Affected{
			ID: p.ID, Name: p.Name, SignIns: p.SignIns, Otherwise: p.Otherwise, LockedOut: p.LockedOut, Settings: []string{},
			Gained: held(p.Gained), Lost: held(p.Lost), Joined: texts(p.Joined), Left: texts(p.Left),
		}
		if all {
			one.Settings = texts(p.Settings)
		}
		if all && p.Before != nil {
			at := p.At.UTC().Truncate(time.Second)
			one.At, one.Before, one.After = &at, way(p.Before), way(p.After)
		}
		out.Affected[i] = one
	}
	return out, nil
}
