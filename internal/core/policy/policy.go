// Package policy is what administrators demand of groups of people: policy sets of settings, linked to everybody or to roles
// in an order of priority (policies.yaml n 172-191). Which settings act for somebody is their resultant set; what it says
// about a sign-in is decided here, and the same code explains the decision.
//
// Of the settings that are known, Keys says which act. All others are kept for the clients that store them.
package policy

import (
	"context"
	"net/netip"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/lockout"
	"limen/internal/core/network"
	"limen/internal/core/profile"
	"limen/internal/core/risk"
	"limen/internal/core/role"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Prefix begins the path of every policy set.
const Prefix = "/Policy/"

// Default is the name of the policy set that every tenant has, at the bottom of the list.
const Default = "Default Policy"

// Purpose is the purpose of the key that seals secrets among settings.
const Purpose = "policy"

// Faults of policies.
var (
	ErrNotFound = fault.New(fault.NotFound, "policy.not_found", "The requested data or its dependent data was not found in the service.")
	ErrTaken    = fault.New(fault.Exists, "policy.name_taken", "A policy set of that name already exists.")
	ErrName     = fault.New(fault.Invalid, "policy.name", "The name of a policy set has 1 to 100 characters, and neither a slash nor a backslash nor control characters.")
	ErrStale    = fault.New(fault.Conflict, "policy.stale", "The policy set was changed by someone else. Read it again, and change that.")
	ErrListed   = fault.New(fault.Conflict, "policy.list_stale", "The list of policy sets was changed by someone else. Read it again, and change that.")
	ErrValue    = fault.New(fault.Invalid, "policy.value", "A setting's value does not fit.")
	ErrProfile  = fault.New(fault.Invalid, "policy.profile", "A setting names an authentication profile that does not exist.")
	ErrNeeds    = fault.New(fault.Invalid, "policy.incomplete", "A sign-in section that is enabled needs a default profile.")
	ErrSize     = fault.New(fault.Invalid, "policy.size", "The policy set is too large.")
	ErrMany     = fault.New(fault.Conflict, "policy.many", "The tenant has as many policy sets as it may have.")
	ErrBuiltIn  = fault.New(fault.Denied, "policy.built_in", "The default policy set cannot be deleted.")
	ErrLink     = fault.New(fault.Invalid, "policy.link", "A link does not fit.")
	ErrLinks    = fault.New(fault.Invalid, "policy.links", "The list must have one link for each policy set.")
	ErrModifier = fault.New(fault.NotFound, "policy.modifier_not_found", "The requested data or its dependent data was not found in the service.")
	ErrFixed    = fault.New(fault.Denied, "policy.modifier_built_in", "A built-in modifier cannot be removed.")
	// ErrLockout and ErrLinkLockout warn of changes after which the administrator who makes them could not sign in. Their codes
	// are the contract's (policies.yaml n 189).
	// The change has been made when they are given: who does not want it all the same rolls it back.
	ErrLockout     = lockout.Warning("_I18N_AdminLockoutPolicyChange")
	ErrLinkLockout = lockout.Warning("_I18N_AdminLockoutPlinksChange")
)

// Limits, in bytes where they are of texts.
const (
	maxBlocks      = 500
	maxName        = 100 // characters
	maxDescription = 2000
	maxSettings    = 1000 // of one policy set
	maxKey         = 300
	maxBytes       = 256 << 10 // of all settings of one policy set
	maxParams      = 500       // roles of one link
	maxModifiers   = 50
)

// References to profiles that are none.
const (
	Always = "AlwaysAllowed" // nothing is asked; at sign-in the password all the same
	Never  = "-1"            // not allowed
)

// Policies are the policy sets of the call's tenant. The fields are set before Start.
type Policies struct {
	DB      *dbx.DB
	Roles   *role.Roles
	Changes *change.Log // topic "policy", item the tenant
	Ring    *crypt.Ring // seals secrets among settings

	Profiles *profile.Profiles // what settings name
	// Able says whether somebody has enrolled enough to pass an authentication profile. Nil: nobody has.
	Able func(ctx context.Context, c *call.Call, personID string, of profile.Profile) (bool, error)
	// Knows says whether the person has signed in completely on the device of the call.
	Knows func(ctx context.Context, c *call.Call, personID string) (bool, error)
	// Lockout gives the warning when a change that was made in c.Tx shuts out those who could undo it. Nil: none does.
	Lockout func(ctx context.Context, c *call.Call, warning *fault.Error) error
	// Ranges gives the addresses of an IP range; those of the corporation for an empty id. ok is false when there is no such range.
	Ranges func(ctx context.Context, c *call.Call, id string) (of network.Set, ok bool, err error)
	// Country is where an address is, as an ISO 3166-1 alpha-2 code; empty when unknown. Nil: always unknown.
	Country func(ip netip.Addr) string
	// Risk is the level of risk of a sign-in of the person from where the call comes; empty: it is not rated. Nil: none is.
	Risk func(ctx context.Context, c *call.Call, personID string) (risk.Level, error)
	// Zone is what rules mean by local time. Nil: UTC.
	Zone func(ctx context.Context, c *call.Call) (*time.Location, error)

	cache change.Cache[*snapshot]
}

// guard ends a change: it warns of one after which nobody could undo it.
func (p *Policies) guard(ctx context.Context, c *call.Call, confirmed bool, warning *fault.Error) error {
	if confirmed || p.Lockout == nil {
		return nil
	}
	return p.Lockout(ctx, c, warning)
}

// Start has what is remembered forgotten as soon as it changes anywhere.
func (p *Policies) Start() {
	p.cache = change.Cache[*snapshot]{DB: p.DB, Log: p.Changes, Read: read}
	p.cache.Start("policy")
}

// Name reads the name out of a path, with or without its prefix; ErrName.
func Name(path string) (string, error) {
	name := strings.TrimSpace(path)
	if len(name) >= len(Prefix) && strings.EqualFold(name[:len(Prefix)], Prefix) {
		name = strings.TrimSpace(name[len(Prefix):])
	}
	if name == "" || utf8.RuneCountInString(name) > maxName || !utf8.ValidString(name) ||
		strings.ContainsAny(name, `/\`) || strings.ContainsFunc(name, unicode.IsControl) {
		return "", ErrName.At("Path")
	}
	return name, nil
}
