package op

import (
	"strings"

	"limen/internal/core/grant"
	"limen/internal/core/right"
	"limen/internal/fault"
)

// Faults of the kernel's own stages.
var (
	ErrSignIn    = fault.New(fault.Unauthenticated, "auth.required", "You do not have access to this content. Sign in first.")
	ErrDenied    = fault.New(fault.Denied, "auth.denied", "You are not authorized to perform this operation. Please contact your IT helpdesk.")
	ErrTenant    = fault.New(fault.Unauthenticated, "auth.tenant", "The session belongs to another tenant than the one addressed.")
	ErrForged    = fault.New(fault.Unauthenticated, "auth.forged", "A cookie alone does not authorize this call: send the header X-IDAP-NATIVE-CLIENT, or the anti-forgery value.")
	ErrSetup     = fault.New(fault.Denied, "auth.setup", "In this session you can only set up what you sign in with. Sign in with it, and try again.")
	ErrLimited   = fault.New(fault.Limited, "request.limited", "Too many requests. Please try again later.")
	ErrNoTenant  = fault.New(fault.NotFound, "tenant.unknown", "No tenant has this name here.")
	ErrConflict  = fault.New(fault.Conflict, "request.conflict", "The data changed meanwhile. Please try again.")
	ErrTimeLimit = fault.New(fault.Unavailable, "request.time", "The request took too long and was ended. Nothing was changed.")
)

// Rule decides who may call an operation. It is a value: the same text stands in the API document and in the golden
// file of all rules, so that a changed permission is a visible line.
type Rule struct {
	text     string
	open     bool // answers callers who are not signed in
	targeted bool
	parts    []Rule      // of Any
	needs    right.Right // of Has
	decide   func(c *Call, t Target) grant.Grant
}

// String prints the rule.
func (r Rule) String() string { return r.text }

// Open says whether callers who are not signed in may pass.
func (r Rule) Open() bool { return r.open }

// Decide evaluates the rule purely: what the caller may do to the target. Nothing is a refusal.
func (r Rule) Decide(c *Call, t Target) grant.Grant {
	if c.Caller == nil && !r.open {
		return grant.Grant{}
	}
	return r.decide(c, t)
}

// Anonymous lets anyone call; the operation proves what needs proof by itself.
var Anonymous = Rule{text: "anyone", open: true, decide: func(c *Call, _ Target) grant.Grant {
	if c.Caller == nil {
		return grant.All()
	}
	return grant.Rows(c.Caller.User)
}}

// Authenticated lets any signed-in caller act on what is their own.
var Authenticated = Rule{text: "any signed-in user", decide: func(c *Call, _ Target) grant.Grant {
	return grant.Rows(c.Caller.User)
}}

// System lets members of the System Administrator role.
var System = Rule{text: "system administrator", decide: func(c *Call, _ Target) grant.Grant {
	if c.Caller.Held.System() {
		return grant.All()
	}
	return grant.Grant{}
}}

// Self lets callers act on themselves.
var Self = Rule{text: "oneself", targeted: true, decide: func(c *Call, t Target) grant.Grant {
	if t.ID != "" && t.ID == c.Caller.User {
		return grant.Rows(c.Caller.User)
	}
	return grant.Grant{}
}}

// Administrator lets holders of any right: to everything when one is held over the whole tenant, else to the organizations
// over which they hold one.
var Administrator = Rule{text: "any administrative right", decide: func(c *Call, t Target) grant.Grant {
	held := c.Caller.Held
	if held.Tenant != 0 {
		return grant.All()
	}
	g := grant.Orgs(held.Tree, held.Somewhere()...)
	if t.ID != "" && !g.Allows(t.ID, t.Org) {
		return grant.Grant{}
	}
	return g
}}

// Has lets holders of the right: over the whole tenant, or over the organizations in which they hold it.
func Has(r right.Right) Rule {
	return Rule{text: "right " + r.String(), needs: r, decide: func(c *Call, t Target) grant.Grant {
		if c.Caller.Held.Everywhere(r) {
			return grant.All()
		}
		g := grant.Orgs(c.Caller.Held.Tree, c.Caller.Held.In(r)...)
		if t.ID != "" && !g.Allows(t.ID, t.Org) {
			return grant.Grant{}
		}
		return g
	}}
}

// Any lets callers whom at least one of the rules lets; the grants add up.
func Any(rules ...Rule) Rule {
	out := Rule{}
	var texts []string
	for _, r := range rules {
		texts = append(texts, r.text)
		out.open = out.open || r.open
		out.targeted = out.targeted || r.targeted
	}
	out.text, out.parts = strings.Join(texts, ", or "), rules
	out.decide = func(c *Call, t Target) grant.Grant {
		var g grant.Grant
		for _, r := range rules {
			g = g.Or(r.Decide(c, t))
		}
		return g
	}
	return out
}
