// Package right is the closed set of administrative rights that roles can carry. Names and paths are the contract's
// (roles.yaml, head), but for those that the Vault's users need: clients look a right up by its name and hand its path back.
package right

import (
	"iter"

	"limen/internal/fold"
)

// Right is one administrative right.
type Right uint8

// The rights. Their order is their bit in a Set and is stored nowhere; roles keep paths.
const (
	None Right = iota
	AdminPortal
	ApplicationManagement
	EnrollOnBehalfOf
	DeviceManagement
	DeviceManagementLimited
	FederationManagement
	IdentityVerification
	MfaUnlock
	RadiusManagement
	RoleManagement
	ReadRoles
	UserManagement
	ReadUsers
	ReadSystem
	Connectors
	ReportManagement
	SharedCredentials
	SystemEnrollment
	VaultManagement
	ComputerLogin
	PasswordReset
	UserActivation
	// System is full administration. No role is given it by path: members of the System Administrator role hold it.
	System
	end
)

// Info describes a right to people and clients.
type Info struct {
	Right Right
	Name  string // the contract's Description, as lists show it
	Path  string // the contract's id of the right; empty for System
}

var infos = [end]Info{
	AdminPortal:             {AdminPortal, "Admin Portal Login", "/lib/rights/adminportallogin.json"},
	ApplicationManagement:   {ApplicationManagement, "Application Management", "/lib/rights/appman.json"},
	EnrollOnBehalfOf:        {EnrollOnBehalfOf, "Device Enroll On Behalf Of", "/lib/rights/enrollonbehalfof.json"},
	DeviceManagement:        {DeviceManagement, "Device Management (All)", "/lib/rights/mobman.json"},
	DeviceManagementLimited: {DeviceManagementLimited, "Device Management (Limited)", "/lib/rights/limitedmobman.json"},
	FederationManagement:    {FederationManagement, "Federation Management", "/lib/rights/fedman.json"},
	IdentityVerification:    {IdentityVerification, "Identity Verification", "/lib/rights/identityverification.json"},
	MfaUnlock:               {MfaUnlock, "MFA Unlock", "/lib/rights/mfaunlock.json"},
	RadiusManagement:        {RadiusManagement, "Radius Management", "/lib/rights/radiusman.json"},
	RoleManagement:          {RoleManagement, "Role Management", "/lib/rights/roleman.json"},
	ReadRoles:               {ReadRoles, "Read Only Role Management", "/lib/rights/roroleman.json"},
	UserManagement:          {UserManagement, "User Management", "/lib/rights/dsman.json"},
	ReadUsers:               {ReadUsers, "Read Only User Management", "/lib/rights/rouserman.json"},
	ReadSystem:              {ReadSystem, "Read Only System Administration", "/lib/rights/monitor.json"},
	Connectors:              {Connectors, "Register and Administer Connectors", "/lib/rights/proxycode.json"},
	ReportManagement:        {ReportManagement, "Report Management", "/lib/rights/reportman.json"},
	SharedCredentials:       {SharedCredentials, "Shared Credentials", "/lib/rights/sharedcredentials.json"},
	SystemEnrollment:        {SystemEnrollment, "System Enrollment", "/lib/rights/agentmanjoin.json"},
	VaultManagement:         {VaultManagement, "Vault Management", "/lib/rights/vaultman.json"},
	ComputerLogin:           {ComputerLogin, "Computer Login and Privilege Elevation", "/lib/rights/cssintegration.json"},
	PasswordReset:           {PasswordReset, "Reset User Passwords", "/lib/rights/resetpasswords.json"},
	UserActivation:          {UserActivation, "Activate Users", "/lib/rights/activateusers.json"},
	System:                  {System, "System Administration", ""},
}

// All lists every right that a role can be given, by name.
func All() []Info {
	out := make([]Info, 0, len(infos))
	for _, i := range infos {
		if i.Path != "" {
			out = append(out, i)
		}
	}
	return out
}

// Info describes r.
func (r Right) Info() Info {
	if r < end {
		return infos[r]
	}
	return Info{}
}

// String is the right's name.
func (r Right) String() string { return r.Info().Name }

var byKey = func() map[string]Right {
	m := map[string]Right{}
	for _, i := range All() {
		m[fold.Key(i.Path)] = i.Right
		m[fold.Key(i.Name)] = i.Right
	}
	return m
}()

// Parse finds a right by its path or its name, without regard to case; None when there is none.
func Parse(s string) Right { return byKey[fold.Key(s)] }

// Set is a set of rights.
type Set uint64

// Of makes a set.
func Of(rs ...Right) Set {
	var s Set
	for _, r := range rs {
		s |= 1 << r
	}
	return s
}

// Has says whether r is in the set.
func (s Set) Has(r Right) bool { return s&(1<<r) != 0 }

// weaker are the rights that hold nothing beyond another one.
var weaker = map[Right]Set{
	UserManagement:   Of(ReadUsers, PasswordReset, UserActivation),
	RoleManagement:   Of(ReadRoles),
	DeviceManagement: Of(DeviceManagementLimited),
}

// Reach is the set with the rights that hold nothing beyond it: the reading half of what may be managed, and the way into
// the admin portal, which any right opens. System reaches everything.
func (s Set) Reach() Set {
	if s.Has(System) {
		return ^Set(0)
	}
	out := s
	for r, less := range weaker {
		if s.Has(r) {
			out |= less
		}
	}
	if s != 0 {
		out |= Of(AdminPortal)
	}
	return out
}

// Rights lists the set's members.
func (s Set) Rights() []Right {
	var out []Right
	for r := None + 1; r < end; r++ {
		if s.Has(r) {
			out = append(out, r)
		}
	}
	return out
}

// Tree tells which organization is directly above which; above one at the top is the empty text. It is shared, and never
// changed.
type Tree map[string]string

// maxDepth ends walks up a tree that is none.
const maxDepth = 100

// Up gives an organization and those above it, from it to the top; none for the empty text.
func (t Tree) Up(org string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for n := 0; org != "" && n < maxDepth && yield(org); n++ {
			org = t[org]
		}
	}
}

// Within says whether an organization is another one or below it; everything is below none (empty).
func (t Tree) Within(org, above string) bool {
	for id := range t.Up(org) {
		if id == above {
			return true
		}
	}
	return above == ""
}

// Held is what a caller holds: rights over the whole tenant, and rights over organizations and all below them.
type Held struct {
	Tenant Set
	Orgs   map[string]Set // organization id -> rights over its members, and over those of all below it
	Tree   Tree           // tells what is below what
}

// System says whether the caller is a system administrator.
func (h Held) System() bool { return h.Tenant.Has(System) }

// Everywhere says whether r is held over the whole tenant; a system administrator holds everything.
func (h Held) Everywhere(r Right) bool { return h.System() || h.Tenant.Has(r) }

// Over says whether r is held over an organization; over none (empty) it is when it is held everywhere.
func (h Held) Over(r Right, org string) bool {
	return h.Everywhere(r) || h.At(org).Has(r)
}

// At is what is held over an organization, by itself and by those above it.
func (h Held) At(org string) (out Set) {
	if len(h.Orgs) == 0 {
		return 0
	}
	for id := range h.Tree.Up(org) {
		out |= h.Orgs[id]
	}
	return out
}

// Somewhere lists the organizations over which any right is held, in no order. What is below one of them is not listed.
func (h Held) Somewhere() []string { return h.tops(^Set(0)) }

// tops lists the organizations over which one of the rights is held, without those below others.
func (h Held) tops(any Set) []string {
	var out []string
	for org, s := range h.Orgs {
		if s&any == 0 {
			continue
		}
		if above := h.Tree[org]; above == "" || h.At(above)&any == 0 {
			out = append(out, org)
		}
	}
	return out
}

// Add gives rights over an organization.
func (h *Held) Add(org string, s Set) {
	if s == 0 {
		return
	}
	if h.Orgs == nil {
		h.Orgs = map[string]Set{}
	}
	h.Orgs[org] |= s
}

// And is what h and o hold together.
func (h Held) And(o Held) Held {
	out := Held{Tenant: h.Tenant | o.Tenant, Tree: h.Tree}
	if out.Tree == nil {
		out.Tree = o.Tree
	}
	for _, from := range [2]Held{h, o} {
		for org, s := range from.Orgs {
			out.Add(org, s)
		}
	}
	return out
}

// Covers says whether whoever holds h reaches everything that o reaches, so that o's rights are nothing to be gained.
func (h Held) Covers(o Held) bool {
	if o.Tenant&^h.Tenant.Reach() != 0 {
		return false
	}
	for org, s := range o.Orgs {
		if s&^(h.Tenant|h.At(org)).Reach() != 0 {
			return false
		}
	}
	return true
}

// In lists the organizations over which r is held, in no order. What is below one of them is not listed.
func (h Held) In(r Right) []string { return h.tops(Of(r)) }
