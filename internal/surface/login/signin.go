package login

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/factor/duo"
	"limen/internal/core/factor/passkey"
	core "limen/internal/core/login"
	"limen/internal/core/oauth"
	"limen/internal/core/session"
	"limen/internal/core/upstream"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/target"
	"limen/web/login"
)

// SignIn are the pages on which people sign in, agree and sign out. They drive the same conversation as the RPC dialect
// (core/login). Its id is in a cookie that only these pages get and that other sites' requests do not carry.
type SignIn struct {
	Logins   *core.Logins
	Sessions *session.Sessions
	People   *user.Directory
	Passkeys passkey.Keys
	OAuth    *oauth.Server // nil: no application asks for consent
	// Providers are those at which people may sign in.
	Providers *upstream.Providers
	// Country is where an address is, as an ISO 3166-1 alpha-2 code; empty when unknown. Nil: always unknown.
	Country func(ip netip.Addr) string
	// Offers says what else the first page leads to: registering, a forgotten user name, and accounts that are given back. Nil: nothing.
	Offers func(ctx context.Context, c *op.Call) (signUp, forgot, recover bool, err error)
	// Keep makes a change to what somebody signs in with, unless it would shut the last system administrator out.
	Keep func(ctx context.Context, c *op.Call, userID string, change func() error) error
	// Cookies of the dialect whose sessions these are: of a sign-in, of its end, and of a device.
	SignedIn  func(c *op.Call, s *core.Success) []*http.Cookie
	SignedOut func(c *op.Call) []*http.Cookie
	Device    func(c *op.Call, device string) []*http.Cookie
}

// Faults of these pages.
var (
	ErrName  = fault.New(fault.Invalid, "login.name", "Enter your user name.")
	ErrEmpty = fault.New(fault.Invalid, "login.empty", "Fill in what is asked for.")
	ErrGone  = fault.New(fault.Conflict, "login.gone", "This took too long. Please begin again.")
)

// path is where people sign in.
const path = "/login"

// Ops declares them.
func (s SignIn) Ops() []op.Op {
	failed := []*fault.Error{core.ErrFailed, ErrName, ErrEmpty, ErrGone, ErrElsewhere, duo.ErrUnreachable}
	return append([]op.Op{
		op.New(op.Spec{Method: http.MethodGet, Path: path, Allow: op.Anonymous, Effect: op.Read}, s.Page),
		op.Prepared(op.Spec{
			Path: path, Allow: op.Anonymous, Effect: op.Write, Audit: audit.LoginStart, Rate: op.Guess, MaxBody: maxForm, Faults: failed,
		}, s.ensure, s.Begin),
		op.Prepared(op.Spec{
			Path: path + "/answer", Allow: op.Anonymous, Effect: op.Write, Audit: audit.LoginStep, Rate: op.Guess, MaxBody: maxForm, Faults: failed,
		}, s.check, s.Answer),
		op.New(op.Spec{Method: http.MethodGet, Path: path + "/waiting", Allow: op.Anonymous, Effect: op.Read}, s.Waiting),
		op.New(op.Spec{Method: http.MethodGet, Path: "/logout", Setup: true, Allow: op.Anonymous, Effect: op.Read}, s.Leave),
		op.New(op.Spec{Path: "/logout", Setup: true, Allow: op.Anonymous, Effect: op.Write, Audit: audit.Logout, MaxBody: maxForm, Faults: []*fault.Error{ErrElsewhere}}, s.Logout),
	}, slices.Concat(s.consents(), s.accounts(), s.devices(), s.approvals(), s.providers(), s.authenticators(), s.duo(), s.recoveryCodes(), s.passkeys(), s.ownPasskeys(), s.codes())...)
}

// Talk is the cookie of a conversation. It ends with the conversation at the latest.
const Talk = "loginsession"

// talk is the conversation that a browser has, by its cookie.
type talk struct{ id string }

// See reads it.
func (t *talk) See(r *http.Request) {
	if k, err := r.Cookie(Talk); err == nil {
		t.id = k.Value
	}
}

func talkCookie(c *op.Call, id string) *http.Cookie {
	k := &http.Cookie{Name: Talk, Value: id, Path: path, MaxAge: 15 * 60, HttpOnly: true, Secure: c.Client.Secure, SameSite: http.SameSiteStrictMode}
	if id == "" {
		k.MaxAge = -1
	}
	return k
}

// shown is a page with cookies and perhaps another status than its fault's.
type shown struct {
	view    login.View
	status  int // 0: 200, or that of the fault
	cookies []*http.Cookie
}

// Cookies are those that the page sets.
func (s shown) Cookies() []*http.Cookie { return s.cookies }

// signedIn says whether the caller's browser has a session.
func signedIn(c *op.Call) bool { return c.Caller != nil && c.Caller.Session != "" }

// Visit opens the page.
type Visit struct {
	// CloudRedirect is where to go on afterwards: a path of this server. Anything else is ignored.
	CloudRedirect string `json:"cloudRedirect"`
	// Use is the number of the mechanism to answer, from 0, or all to choose one.
	Use string `json:"use"`
	// Wait is 1 to wait for a link that is opened elsewhere.
	Wait string `json:"wait"`
	// Switch is 1 to sign in as somebody else.
	Switch string `json:"switch"`

	talk
}

// Page shows what is to be done next to sign in: the name, the mechanism that is due of a conversation that was begun, or that one
// is signed in. Who is signed in and comes from an application that wants it shown anew is asked again. Where the conversation
// ended elsewhere, by a link that was opened, the browser is signed in. Contract: authentication.yaml, /login.
func (s SignIn) Page(ctx context.Context, c *op.Call, in Visit) (any, error) {
	to := target.Local(in.CloudRedirect)
	if in.id != "" && in.Switch == "" {
		st, err := s.Logins.Look(ctx, c, in.id)
		switch {
		case err == nil && st.End != nil:
			return s.ended(c, *st.End, to, false)
		case err == nil:
			return step(c, st, to, in), nil
		case !errors.Is(err, core.ErrFailed):
			return nil, err
		case in.Wait != "":
			view, err := s.named(ctx, c, login.Name{To: to, Code: ErrGone.Code})
			return shown{view: view, cookies: []*http.Cookie{talkCookie(c, "")}}, err
		}
	}
	if !signedIn(c) || in.Switch != "" {
		return s.named(ctx, c, login.Name{To: to, User: s.hinted(ctx, c, to, in)})
	}
	if target.Within(to, target.AuthorizePath) {
		return s.named(ctx, c, login.Name{User: c.Caller.Name, Again: true, To: to})
	}
	out := login.Welcome{Account: c.Caller.Name, To: to}
	u, err := s.People.ByID(ctx, c, c.Caller.User)
	if u.Display != out.Account {
		out.Display = u.Display
	}
	return out, err
}

// hinted is the name that an application proposes (login_hint); empty where it proposes none, or the person wants another.
func (s SignIn) hinted(ctx context.Context, c *op.Call, to string, in Visit) string {
	if in.Switch != "" {
		return ""
	}
	_, r, err := s.waiting(ctx, c, to)
	if err != nil || len(r.Ask.LoginHint) > maxName {
		return ""
	}
	return r.Ask.LoginHint
}

// Talked names a conversation by its cookie alone.
type Talked struct{ talk }

// Waiting says in JSON, as {"Waiting": true}, whether the sign-in of this browser still waits for an answer on another device. The page asks it,
// and goes on when it is false.
func (s SignIn) Waiting(ctx context.Context, c *op.Call, in Talked) (op.JSON, error) {
	var out struct{ Waiting bool }
	st, err := s.Logins.Look(ctx, c, in.id)
	if err != nil && !errors.Is(err, core.ErrFailed) {
		return op.JSON{}, err
	}
	out.Waiting = err == nil && st.End == nil && slices.ContainsFunc(st.Due(), func(ch factor.Challenge) bool {
		return ch.Number != "" && c.Now.UnixMilli() < ch.Expires
	})
	return op.JSON{Body: out}, nil
}

// nameOf is the name of the application that waits for a sign-in; empty where none does.
func (s SignIn) nameOf(ctx context.Context, c *op.Call, to string) string {
	_, r, err := s.waiting(ctx, c, to)
	if err != nil {
		return ""
	}
	return r.App.Name
}

// ended signs the browser in by what a conversation ended in, or says what became of it.
func (s SignIn) ended(c *op.Call, r core.Result, to string, began bool) (any, error) {
	over := talkCookie(c, "")
	if r.Success == nil {
		return shown{view: login.Told{Replaced: !began, To: to}, cookies: []*http.Cookie{over}}, nil
	}
	cookies := append(s.SignedIn(c, r.Success), over)
	if to == "" {
		return op.Redirect{URL: path, Code: http.StatusSeeOther, Cookie: cookies}, nil
	}
	// A page and not a redirect: browsers hold every redirect behind a form against the policy of the form's page, and the way
	// may lead on to an application elsewhere.
	return shown{view: login.Welcome{Account: r.Success.Person.Name, To: to, Now: true}, cookies: cookies}, nil
}

// NameForm says who wants to sign in.
type NameForm struct {
	// User is the login name, required.
	User string `json:"user"`
	// CloudRedirect is where to go on afterwards: a path of this server.
	CloudRedirect string `json:"cloudRedirect"`
}

// maxName bounds a login name, in bytes.
const maxName = 512

// ensure gives the name of the application that waits, too, for the person to recognise where they approve.
func (s SignIn) ensure(ctx context.Context, c *op.Call, in NameForm) (app string, err error) {
	if err = s.Logins.Ensure(ctx, c.Tenant.ID); err != nil {
		return "", err
	}
	err = c.Snapshot(ctx, func() error {
		app = s.nameOf(ctx, c, target.Local(in.CloudRedirect))
		return nil
	})
	return app, err
}

// Begin opens a conversation for a name, and leads on to its first step. Any name gets one: which exist cannot be told.
func (s SignIn) Begin(ctx context.Context, c *op.Call, in NameForm, app string) (any, error) {
	to, name := target.Local(in.CloudRedirect), strings.TrimSpace(in.User)
	if name == "" || len(name) > maxName {
		c.Event.Type = "" // nothing happened
		view, err := s.named(ctx, c, login.Name{To: to, Code: ErrName.Code, Wrong: true})
		if err != nil {
			return nil, err
		}
		return shown{view: view}, op.Refused(ErrName)
	}
	pack, device, err := s.Logins.Start(ctx, c, core.Begin{Login: name, App: app})
	if err != nil {
		return nil, err
	}
	return next(to, "", append(s.Device(c, device), talkCookie(c, pack.Session))...), nil
}

// next leads to the page of the step that is due.
func next(to, use string, cookies ...*http.Cookie) op.Redirect {
	return op.Redirect{URL: stepURL(to, "use", use), Code: http.StatusSeeOther, Cookie: cookies}
}
