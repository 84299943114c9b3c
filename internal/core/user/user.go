// Package user is the built-in directory of people and service accounts: who exists, their attributes, their state, and
// their picture. Memberships are core/role's, passwords core/password's.
package user

import (
	"context"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/directory"
	"limen/internal/core/role"
	"limen/internal/core/tenant"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Source is the id of the built-in directory.
const Source = directory.Cloud

// Faults of the directory.
var (
	ErrNotFound  = fault.New(fault.NotFound, "user.not_found", "The requested data or its dependent data was not found in the service.")
	ErrNameTaken = fault.New(fault.Exists, "user.name_taken", "A user of that name already exists.")
	ErrSuffix    = fault.New(fault.Invalid, "user.suffix", "The login suffix is not one of this tenant's.")
	ErrStale     = fault.New(fault.Conflict, "user.stale", "The user was changed meanwhile. Please try again.")
	ErrCycle     = fault.New(fault.Invalid, "user.manager_cycle", "A user cannot report to themselves, directly or through others.")
	ErrManager   = fault.New(fault.Invalid, "user.manager", "The manager was not found.")
	ErrRedirect  = fault.New(fault.Invalid, "user.redirect", "The user whose factors answer instead was not found, or redirects to somebody else.")
	ErrExempt    = fault.New(fault.Conflict, "user.lock_exempt", "This user is not subject to cloud locks.")
	ErrPicture   = fault.New(fault.Invalid, "user.picture", "The file is not a PNG, JPEG or GIF image, or it is too large.")
	// ErrStronger is for those who administer people: with somebody's account they would have its rights.
	ErrStronger = fault.New(fault.Denied, "user.stronger", "You cannot change the account of somebody who holds rights that you do not hold.")
	// ErrSignup is for those who enable somebody past the decision about the sign-up.
	ErrSignup    = fault.New(fault.Conflict, "user.signup_undecided", "This user registered and was not approved. Decide the sign-up, or delete the user.")
	ErrNoPicture = fault.New(fault.NotFound, "user.no_picture", "The user has no picture.")
)

// User is a person or a service account. Times are milliseconds since 1970 UTC, 0 where it did not happen.
type User struct {
	ID              string `db:"id"`       // UUID
	Name            string `db:"name"`     // login name with its suffix, in the spelling it was given
	NameKey         string `db:"name_key"` // fold.Key(Name), by which names are found and sorted
	SuffixKey       string `db:"suffix_key"`
	Display         string `db:"display"`
	DisplayKey      string `db:"display_key"`
	Mail            string `db:"mail"`
	MailKey         string `db:"mail_key"`
	Mobile          string `db:"mobile"` // as it was given; Phone makes the international form of it
	Home            string `db:"home"`
	Office          string `db:"office"`
	Description     string `db:"description"`
	Culture         string `db:"culture"`    // BCP 47 tag; empty: the tenant's
	ReportsTo       string `db:"reports_to"` // UUID of the manager; empty when there is none
	Org             string `db:"org"`        // id of the organization; empty when in none
	Locked          bool   `db:"locked"`
	Disabled        bool   `db:"disabled"`
	Expired         bool   `db:"expired"`
	CloudLocked     bool   `db:"cloud_locked"`
	Suspended       bool   `db:"suspended"`
	Invited         int64  `db:"invited"` // last invitation
	Active          int64  `db:"active"`  // first complete sign-in
	Service         bool   `db:"service"`
	OAuthClient     bool   `db:"oauth_client"`
	Everybody       bool   `db:"everybody"`     // member of the role Everybody
	ForceChange     bool   `db:"force_change"`  // the password must be changed at the next sign-in
	NeverExpires    bool   `db:"never_expires"` // the password's age does not matter
	Expires         int64  `db:"expires"`       // end of the account
	MfaUser         string `db:"mfa_user"`      // UUID of the person whose factors answer instead; empty: one's own
	PasswordChanged int64  `db:"password_changed"`
	Picture         int64  `db:"picture"` // when it was set
	Created         int64  `db:"created"`
	Changed         int64  `db:"changed"`
	Version         int64  `db:"version"`       // counts changes; Change compares it
	MailUnproved    bool   `db:"mail_unproved"` // that the mail address is theirs is still to be shown: no code goes there
	Signup          Signup `db:"signup"`        // where the sign-up stands of somebody who registered; such a person is disabled until it is approved
}

// Signup is where the sign-up of somebody stands who registered.
type Signup string

// Where it stands.
const (
	SignupNone     Signup = "" // let in, or never asked
	SignupPending  Signup = "Pending"
	SignupRejected Signup = "Rejected"
)

// Status is where a person stands on the way from being created to being active, as the contract's StatusEnum.
type Status string

// The statuses.
const (
	Created   Status = "Created"
	Invited   Status = "Invited"
	Active    Status = "Active"
	Suspended Status = "Suspended"
)

// Status derives the status from what happened.
func (u User) Status() Status { return statusOf(u.Suspended, u.Active, u.Invited) }

func statusOf(suspended bool, active, invited int64) Status {
	switch {
	case suspended:
		return Suspended
	case active != 0:
		return Active
	case invited != 0:
		return Invited
	}
	return Created
}

// State is the account's state in the contract's words: None, or a comma separated list of Locked, Disabled, Expired.
func (u User) State() State {
	return State{Locked: u.Locked, Disabled: u.Disabled, Expired: u.Expired}
}

// Ended says whether the account's end has come at now.
func (u User) Ended(now time.Time) bool { return u.Expires != 0 && u.Expires <= now.UnixMilli() }

// Barred says whether the account may not be used at now, whatever secret is shown: locked, disabled, expired, cloud
// locked, suspended, or past its end.
func (u User) Barred(now time.Time) bool {
	return u.Locked || u.Disabled || u.Expired || u.CloudLocked || u.Suspended || u.Ended(now)
}

// Suffix is the part of the login name behind the last @, in its own spelling.
func (u User) Suffix() string { return u.Name[strings.LastIndexByte(u.Name, '@')+1:] }

// State is the set of the account state flags.
type State struct{ Locked, Disabled, Expired bool }

// String writes the flags as the contract does.
func (s State) String() string {
	var words []string
	for _, f := range []struct {
		on   bool
		word string
	}{{s.Locked, "Locked"}, {s.Disabled, "Disabled"}, {s.Expired, "Expired"}} {
		if f.on {
			words = append(words, f.word)
		}
	}
	if words == nil {
		return "None"
	}
	return strings.Join(words, ",")
}

// ParseState reads the contract's words, case and space aside; field names the input for the fault.
func ParseState(field, s string) (State, error) {
	var out State
	for word := range strings.SplitSeq(s, ",") {
		switch strings.ToLower(strings.TrimSpace(word)) {
		case "none", "":
		case "locked":
			out.Locked = true
		case "disabled":
			out.Disabled = true
		case "expired":
			out.Expired = true
		default:
			return State{}, fault.Bad(field, "must be None or a list of Locked, Disabled, Expired")
		}
	}
	return out, nil
}

// Directory is the built-in directory of the call's tenant.
type Directory struct {
	DB      *dbx.DB // for Run only
	Changes *change.Log
	Tenants *tenant.Index // knows the suffixes
	Roles   *role.Roles
	// Gone removes what other packages keep of a person, in the transaction that deletes them.
	Gone []func(ctx context.Context, c *call.Call, userID string) error
	// Shut ends what a person has open, such as sessions, in the transaction after which the account may not be used.
	Shut []func(ctx context.Context, c *call.Call, userID string) error

	// Outdated takes back what was sent to a person, such as an invitation, in the transaction that changes the mail address
	// or mobile number, or sets a password.
	Outdated []func(ctx context.Context, c *call.Call, userID string) error

	// Moved tells a person, where they were reached before, that their mail address or mobile number is another one now.
	Moved []func(ctx context.Context, c *call.Call, old, now User) error

	// Stored hears of each person whose row is new or changed, in the same transaction; old is zero for somebody new. When
	// many rows change alike, it hears once of nobody: no id, and what was changed to what.
	Stored []func(ctx context.Context, c *call.Call, old, now *User) error

	counts counts
	pages  pages
	seen   seen
}
