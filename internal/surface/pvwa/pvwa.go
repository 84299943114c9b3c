// Package pvwa is the Vault's Users API over HTTP, in both its generations (pvwa.yaml): logons, users, groups, and what clients ask of
// the server. What it all means is core/vault's.
package pvwa

import (
	"context"
	"net/http"
	"slices"

	"limen/internal/call"
	"limen/internal/core/authority"
	"limen/internal/core/login"
	"limen/internal/core/right"
	"limen/internal/core/session"
	"limen/internal/core/user"
	"limen/internal/core/vault"
	"limen/internal/fault"
	"limen/internal/op"
)

// PVWA are the operations.
type PVWA struct {
	Vault       *vault.Vault
	Logins      *login.Logins
	Sessions    *session.Sessions
	Authorities *authority.Authorities
	Build       string // version of the program
	Device      string // name of the cookie by which devices are known
}

// Version is that of the server whose calls these are: clients ask for nothing newer.
const Version = "14.6.0"

// Where the two generations of calls are.
const (
	base  = "/PasswordVault/API"
	older = "/PasswordVault/WebServices/PIMServices.svc"
)

// Rules of the operations. Each right stands for an authorization, and is held by members of roles of other dialects as well.
var (
	manage = op.Has(right.UserManagement)
	audits = op.Any(op.Has(right.ReadUsers), manage)
	view   = op.Any(op.Self, audits)
	resets = op.Any(op.Has(right.PasswordReset), manage)
	lifts  = op.Any(op.Has(right.UserActivation), manage)
	groups = op.Has(right.RoleManagement)
	roles  = op.Any(op.Has(right.ReadRoles), groups)
)

// Ops declares them.
func (p PVWA) Ops() []op.Op {
	return slices.Concat(p.logon(), p.certificates(), p.server(), p.users(), p.groups(), p.older(), p.more(), p.keys(), p.cache(), p.fido(), p.methods(), p.licences(), p.elsewhere())
}

func reads(path string, rule op.Rule, faults ...*fault.Error) op.Spec {
	return op.Spec{Method: http.MethodGet, Path: path, Allow: rule, Effect: op.Read, Faults: faults}
}

func writes(method, path string, rule op.Rule, event string, faults ...[]*fault.Error) op.Spec {
	return op.Spec{Method: method, Path: path, Allow: rule, Effect: op.Write, Audit: event, Faults: slices.Concat(faults...)}
}

// Done is the answer of calls that answer nothing more.
type Done struct{}

func (p PVWA) elsewhere() []op.Op {
	sp := op.Spec{
		Method: http.MethodGet, Methods: []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}, Path: "/PasswordVault/{path...}",
		Allow: op.Anonymous, Effect: op.Cached, Faults: []*fault.Error{fault.ErrNoPath},
	}
	return []op.Op{op.New(sp, p.Nowhere)}
}

// Nowhere answers paths that nothing else has, as clients want errors to look.
func (p PVWA) Nowhere(context.Context, *op.Call, op.None) (op.None, error) {
	return op.None{}, fault.ErrNoPath
}

// about is the user that a call is about.
type about struct{ found user.User }

// Target is who the call is about.
func (a *about) Target() op.Target { return op.Target{ID: a.found.ID, Org: a.found.Org} }

// noted says in the event whom a call is about.
func noted(c *call.Call, u user.User) {
	if e := c.Event; e != nil && e.Target == "" {
		e.Target, e.Kind, e.Name, e.User, e.Login = u.ID, "User", u.Name, u.ID, u.Name
	}
}
