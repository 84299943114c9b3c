package users

import (
	"context"
	"errors"

	"limen/internal/core/audit"
	"limen/internal/core/login"
	"limen/internal/core/right"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// saving declares further ways to change a profile, and what tells whether one may.
func (u Users) saving() []op.Op {
	none := []*fault.Error{user.ErrNotFound}
	return []op.Op{
		op.New(op.Spec{Path: "/UserMgmt/SaveUserInfo", Allow: either, Effect: op.Write, Audit: audit.UserChange, Faults: changeFaults}, u.SaveUserInfo),
		op.New(op.Spec{Path: "/UserMgmt/ChangeUserAttributes", Allow: either, Effect: op.Write, Audit: audit.UserChange, Faults: changeFaults},
			u.ChangeUserAttributes),
		op.New(op.Spec{Path: "/UserMgmt/CanEditUserAttributes", Allow: op.Authenticated, Effect: op.Read, Faults: none}, u.CanEditUserAttributes),
		op.New(op.Spec{Path: "/UserMgmt/IsUserProfileChallengeRequired", Allow: op.Authenticated, Effect: op.Write, Audit: audit.ChallengeCreate},
			u.IsUserProfileChallengeRequired),
		op.New(op.Spec{Path: "/UserMgmt/IsUserLockedOutByPolicy", Allow: either, Effect: op.Read, Faults: none}, u.IsUserLockedOutByPolicy),
	}
}

// SavedInfo is a partial change of a profile: what is absent stays.
type SavedInfo struct {
	// ID is the user's UUID or login name; the caller's own when absent.
	ID string `json:"ID" also:"Uuid"`
	// DisplayName is how people see the user.
	DisplayName op.Opt[string] `json:"DisplayName"`
	// Mail is a mail address.
	Mail op.Opt[string] `json:"Mail"`
	// MobileNumber is a mobile number, best in international form; text messages go there.
	MobileNumber op.Opt[string] `json:"MobileNumber"`
	// OfficeNumber is a telephone number at work.
	OfficeNumber op.Opt[string] `json:"OfficeNumber"`
	// HomeNumber is a telephone number at home.
	HomeNumber op.Opt[string] `json:"HomeNumber"`
	// Description is free text.
	Description op.Opt[string] `json:"Description"`
	// PreferredCulture is a language tag; empty: the tenant's.
	PreferredCulture op.Opt[string] `json:"PreferredCulture"`
	person
}

// Resolve finds the user.
func (s *SavedInfo) Resolve(ctx context.Context, c *op.Call) error { return s.find(ctx, c, s.ID) }

// SaveUserInfo changes the profile of a user as ChangeUser does; fields that are absent stay. users.yaml n 83.
func (u Users) SaveUserInfo(ctx context.Context, c *op.Call, in SavedInfo) (op.None, error) {
	return u.ChangeUser(ctx, c, UserChange{
		person: in.person, DisplayName: in.DisplayName, Mail: in.Mail, MobileNumber: in.MobileNumber, OfficeNumber: in.OfficeNumber,
		HomeNumber: in.HomeNumber, Description: in.Description, PreferredCulture: in.PreferredCulture,
	}, hashed{})
}

// KeptAttributes are what is kept here of a user of any directory.
type KeptAttributes struct {
	// ID is the user's UUID or login name, required.
	ID string `json:"ID" also:"Uuid"`
	// MobileNumber is a mobile number, best in international form; text messages go there.
	MobileNumber op.Opt[string] `json:"MobileNumber"`
	// OrgPath is the organization, for administrators; empty: none.
	OrgPath op.Opt[string] `json:"OrgPath"`
	// CmaRedirectedUserUuid is the person whose factors answer instead, for administrators; empty: one's own.
	CmaRedirectedUserUuid op.Opt[string] `json:"CmaRedirectedUserUuid"`
	person
}

// Check wants the user to be named.
func (k *KeptAttributes) Check() error { return required("ID", k.ID) }

// Resolve finds the user.
func (k *KeptAttributes) Resolve(ctx context.Context, c *op.Call) error { return k.find(ctx, c, k.ID) }

// ChangeUserAttributes changes what is kept here of a user: the mobile number, the organization, and whose factors answer.
//
// For people of the built-in directory it is ChangeUser with these fields. users.yaml n 95.
func (u Users) ChangeUserAttributes(ctx context.Context, c *op.Call, in KeptAttributes) (op.None, error) {
	return u.ChangeUser(ctx, c, UserChange{
		person: in.person, MobileNumber: in.MobileNumber, OrgPath: in.OrgPath, CmaRedirectedUserUuid: in.CmaRedirectedUserUuid,
	}, hashed{})
}

// CanEditUserAttributes says whether the caller may change the profile of a user: their own, or as an administrator that of
// others, except of people who hold rights that the caller lacks.
//
// Users whom the caller may not see look as if they were not there. users.yaml n 112.
func (u Users) CanEditUserAttributes(ctx context.Context, c *op.Call, in UserRef) (bool, error) {
	if in.found.ID == c.User() {
		return true, nil
	}
	held := op.Any(manage, op.Has(right.ReadUsers)).Decide(c, in.Target())
	if !held.Allows(in.found.ID, in.found.Org) {
		return false, user.ErrNotFound
	}
	if !manage.Decide(c, in.Target()).Allows(in.found.ID, in.found.Org) {
		return false, nil
	}
	err := u.guard(ctx, c, in.found.ID)
	if errors.Is(err, ErrSystem) || errors.Is(err, user.ErrStronger) {
		return false, nil
	}
	return err == nil, err
}

// ProfileChallenge says whether a challenge is due before somebody changes their own profile.
type ProfileChallenge struct {
	// ChallengeRequired is true where one is.
	ChallengeRequired bool `json:"ChallengeRequired"`
	// ChallengeStateID is what StartChallenge takes, once and within five minutes; absent where none is due, or where none would help.
	ChallengeStateID string `json:"ChallengeStateId,omitempty"`
}

// IsUserProfileChallengeRequired says whether the caller must answer a challenge before they change their own profile, and begins it: where
// their policies name a profile for that (/Core/Authentication/UserUpdateProfile/Profile) that their session does not rest on, or where it
// is longer ago than the setting Session.ProofMinutes that they proved who they are, which is wanted for where codes reach them. Then
// the challenge asks for what a sign-in does. users.yaml n 133.
func (u Users) IsUserProfileChallengeRequired(ctx context.Context, c *op.Call, _ op.None) (ProfileChallenge, error) {
	id, due, err := u.Logins.OwnChallenge(ctx, c, login.OwnProfile)
	if id == "" {
		c.Event.Type = "" // nothing happened
	}
	return ProfileChallenge{due, id}, err
}

// AnyUser names a user.
type AnyUser struct {
	// User is the user's UUID or login name; the caller's own when absent or empty.
	User string `json:"user" also:"ID,Uuid"`
	person
}

// Resolve finds the user.
func (a *AnyUser) Resolve(ctx context.Context, c *op.Call) error { return a.find(ctx, c, a.User) }

// IsUserLockedOutByPolicy says whether a user cannot answer what a sign-in would ask of them from the caller's network: true
// is the bad case. It is when a second factor is required and none is enrolled, or a password is and there is none; locks of
// the account are another matter. users.yaml n 108.
func (u Users) IsUserLockedOutByPolicy(ctx context.Context, c *op.Call, in AnyUser) (bool, error) {
	return u.Logins.Stuck(ctx, c, in.found)
}
