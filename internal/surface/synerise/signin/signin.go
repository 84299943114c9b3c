// Package signin is how people and programs get tokens of the Synerise dialect (synerise.yaml: auth, refresh, permission check).
package signin

import (
	"context"
	"net/http"
	"slices"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/login"
	"limen/internal/core/role"
	"limen/internal/core/session"
	"limen/internal/core/setting"
	"limen/internal/core/user"
	"limen/internal/core/workspace"
	"limen/internal/fault"
	"limen/internal/op"
)

// SignIn are the operations.
type SignIn struct {
	Logins     *login.Logins
	People     *user.Directory
	Roles      *role.Roles
	Sessions   *session.Sessions
	Settings   *setting.Store
	Workspaces *workspace.Workspaces
	Tokens     workspace.Tokens
	// Caller is what somebody is and holds, as somebody who has just signed in to a session.
	Caller func(ctx context.Context, c *call.Call, userID string) (call.Caller, error)
}

// Faults of signing in.
var (
	ErrProvider = fault.New(fault.Invalid, "signin.provider", "Signing in with the token of another provider is not supported here. Sign in with user name and password.")
	ErrWrong    = fault.New(fault.Unauthenticated, "signin.failed", "Wrong e-mail or password.")
	ErrCode     = fault.New(fault.Unauthenticated, "signin.code", "The code is wrong, or the time for it is over. Sign in again.")
	ErrFactors  = fault.New(fault.Denied, "signin.factors", "Your account asks for a second factor that cannot be given here. Sign in on the sign-in page.")
	ErrKey      = fault.New(fault.Unauthenticated, "signin.api_key", "The API key is not valid, or has expired.")
)

// Ops declares them.
func (s SignIn) Ops() []op.Op {
	entering := []*fault.Error{ErrProvider, ErrWrong, ErrFactors, login.ErrReplace, login.ErrTerms, workspace.ErrOutside, workspace.ErrMFA}
	spec := func(method, path, event string, rule op.Rule, rate op.Rate, faults ...*fault.Error) op.Spec {
		return op.Spec{Method: method, Path: path, Allow: rule, Effect: op.Write, Audit: event, Rate: rate, MaxBody: 64 << 10, Faults: faults}
	}
	read := spec(http.MethodPost, "/uauth/api-key/permission-check", "", op.Authenticated, op.Normal, workspace.ErrNone)
	read.Effect = op.Read
	refresh := spec(http.MethodGet, "/v4/auth/refresh/profile", "", op.Authenticated, op.Normal, workspace.ErrAnother)
	refresh.Effect = op.Read
	return []op.Op{
		op.Prepared(spec(http.MethodPost, "/uauth/auth/login/user", audit.LoginStart, op.Anonymous, op.Guess, entering...), s.check, s.LoginUser),
		op.Prepared(spec(http.MethodPost, "/uauth/auth/login/user/mfa/verification", audit.LoginStep, op.Anonymous, op.Guess,
			append(slices.Clone(entering), ErrCode)...), s.checkCode, s.VerifyMFA),
		op.New(spec(http.MethodPost, "/uauth/auth/login/user/business-profile", audit.WorkspaceEnter, op.Authenticated, op.Normal,
			workspace.ErrOutside, workspace.ErrMFA, workspace.ErrAnother, fault.ErrMissing), s.ChooseProfile),
		op.New(spec(http.MethodPost, "/uauth/auth/logout", audit.Logout, op.Authenticated, op.Normal, workspace.ErrAnother), s.LogOut),
		op.Prepared(spec(http.MethodPost, "/v4/auth/login/profile", audit.WorkspaceKey, op.Anonymous, op.Guess, ErrKey, workspace.ErrOutside), s.checkKey, s.LoginProfile),
		op.New(refresh, s.RefreshProfile),
		op.New(read, s.CheckPermissions),
	}
}
