// Package authentication is the RPC dialect's operations of signing in and out (authentication.yaml).
package authentication

import (
	"context"
	"slices"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/authority"
	"limen/internal/core/factor/duo"
	"limen/internal/core/factor/phone"
	"limen/internal/core/login"
	"limen/internal/core/policy"
	"limen/internal/core/remind"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/scan"
	"limen/internal/core/session"
	"limen/internal/core/tenant"
	"limen/internal/core/token"
	"limen/internal/core/upstream"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// Authentication are the operations.
type Authentication struct {
	Logins   *login.Logins
	Sessions *session.Sessions
	Tokens   token.Tokens
	People   *user.Directory
	Roles    *role.Roles
	Tenants  *tenant.Index
	Policies *policy.Policies // what names of profiles and modifiers ask for
	// Reminders mail login names.
	Reminders *remind.Reminders
	// Providers are those at which people may sign in.
	Providers *upstream.Providers
	// Authorities say whose certificates are. CertHost is the host, with its port, that asks for them, by the tenant's own; nil, or empty: none
	// does. Certs says whether certificates come at all, from there or by way of a proxy.
	Authorities *authority.Authorities
	CertHost    func(host string) string
	Certs       bool
	// PINs are what people key in on the telephone. Called says whether a request is signed by the tenant's telephone service.
	PINs   phone.Pins
	Scans  scan.Scans
	Called func(ctx context.Context, c *call.Call, address string, body []byte, signature string) (bool, error)
}

// Faults of this surface.
var (
	ErrSuffix  = fault.New(fault.NotFound, "login.suffix", "No tenant serves this login suffix here.")
	ErrMulti   = fault.New(fault.Denied, "login.multi", "This call is no longer answered. Sign in with /Security/StartAuthentication and /Security/AdvanceAuthentication.")
	ErrPlain   = fault.New(fault.Denied, "login.plain", "A password in an address is only taken over TLS.")
	ErrSystem  = fault.New(fault.Denied, "session.system", "Only system administrators may end the sessions of a system administrator.")
	ErrRefresh = fault.New(fault.Unauthenticated, "login.refresh", "The tokens are missing, expired or used. Sign in again.")
)

var signedOut = []*fault.Error{user.ErrNotFound, user.ErrStronger, fault.ErrMissing, ErrSystem}

// Ops declares them.
func (a Authentication) Ops() []op.Op {
	return slices.Concat(a.conversation(), a.codes(), a.voices(), a.certificates(), a.challenging(), a.forgotten(), a.duo(), a.providers(), a.sessions())
}

func (a Authentication) conversation() []op.Op {
	failed := []*fault.Error{login.ErrFailed}
	return []op.Op{
		op.Prepared(op.Spec{Path: "/Security/StartAuthentication", Allow: op.Anonymous, Effect: op.Write, Effects: []op.Effect{op.Cached},
			Audit: audit.LoginStart, Rate: op.Guess, MaxBody: 32 << 10, Faults: append(failed, ErrSuffix)}, a.place, a.StartAuthentication),
		// Polls come several a second, so its calls are ordinary ones; guesses are bounded by the starts that they need, and
		// counted by core/throttle.
		op.Prepared(op.Spec{Path: "/Security/AdvanceAuthentication", Allow: op.Anonymous, Effect: op.Write, Effects: []op.Effect{op.Read},
			Audit: audit.LoginStep, MaxBody: 64 << 10, Faults: append(failed, duo.ErrUnreachable)}, a.check, a.AdvanceAuthentication),
		op.New(op.Spec{Path: "/Security/CleanupAuthentication", Allow: op.Anonymous, Effect: op.Write, Audit: audit.LoginStep,
			Rate: op.Guess, Faults: []*fault.Error{fault.ErrMissing}}, a.CleanupAuthentication),
		op.Prepared(op.Spec{Path: login.LinkPath, Methods: get, Allow: op.Anonymous, Effect: op.Write, Effects: []op.Effect{op.Read},
			Audit: audit.LoginStep, Rate: op.Guess, Faults: []*fault.Error{login.ErrLink}}, a.ensureLink, a.AnswerOOBChallenge),
		op.Prepared(op.Spec{Path: "/Security/Login", Methods: get, Allow: op.Anonymous, Effect: op.Write, Audit: audit.Login,
			Rate: op.Guess, Faults: append(failed, ErrPlain)}, a.checkLogin, a.Login),
		op.Prepared(op.Spec{Path: "/OAuth2/RefreshPlatformToken", Allow: op.Anonymous, Effect: op.Write, Audit: audit.TokenCreate,
			Rate: op.Guess, Faults: []*fault.Error{ErrRefresh, token.ErrReused}}, a.old, a.RefreshPlatformToken),
	}
}

func (a Authentication) sessions() []op.Op {
	return []op.Op{
		op.New(op.Spec{Path: "/Security/WhoAmI", Allow: op.Authenticated, Effect: op.Cached}, a.WhoAmI),
		op.New(op.Spec{Path: "/Security/AmIAuthenticated", Allow: op.Anonymous, Effect: op.Cached}, a.AmIAuthenticated),
		op.New(op.Spec{Path: "/Security/MultiAuthLogin", Allow: op.Anonymous, Effect: op.Cached, Rate: op.Guess, Faults: []*fault.Error{ErrMulti}}, a.MultiAuthLogin),
		op.New(op.Spec{Path: "/Security/RefreshToken", Allow: op.Authenticated, Effect: op.Cached}, a.RefreshToken),
		op.Prepared(op.Spec{Path: "/Security/Logout", Methods: get, Allow: op.Anonymous, Effect: op.Write, Audit: audit.Logout}, a.target, a.Logout),
		op.New(op.Spec{Path: "/UserMgmt/SignOutCurrentSession", Allow: op.Authenticated, Effect: op.Write, Audit: audit.Logout}, a.SignOutCurrentSession),
		op.New(op.Spec{Path: "/UserMgmt/SignOutEverywhere", Allow: op.Any(op.Self, op.Has(right.UserManagement)), Effect: op.Write,
			Audit: audit.SessionEndAll, Faults: signedOut}, a.SignOutEverywhere),
	}
}

var get = []string{"GET"}

// hint is how requests of this area name their tenant.
func hint(tenantID, name string) op.Hint { return op.Hint{Tenant: tenantID, Login: name} }

// signedIn says whether the caller has a session that was shown by its own token.
func signedIn(c *op.Call) bool {
	return c.Caller != nil && c.Caller.Session != "" && c.Caller.Means == call.BySession
}
