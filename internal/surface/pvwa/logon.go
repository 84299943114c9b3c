package pvwa

import (
	"context"
	"net/http"
	"strings"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/login"
	"limen/internal/core/user"
	"limen/internal/core/vault"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/pvwa"
)

// errChallenge asks for a further factor: a failure in words, but not in fact.
var errChallenge = fault.New(fault.Unauthenticated, "pvwa.challenge", "Enter the code.")

// errNoSession is for callers without a session, who have nothing to end.
var errNoSession = fault.New(fault.Invalid, "pvwa.no_session", "This token is of no session that could be ended.")

// stateCookie carries the logon that waits for the answer to a challenge.
const stateCookie = "LogonState"

const (
	maxName  = 512
	maxLogon = 16 << 10 // bytes of a body
)

func (p PVWA) logon() []op.Op {
	refused := []*fault.Error{
		login.ErrFailed, login.ErrExpired, login.ErrMore, login.ErrNotDue, login.ErrNewPassword, vault.ErrInterface, vault.ErrMethod, vault.ErrHours, vault.ErrSessions,
		vault.ErrValue, vault.ErrMethodOff,
	}
	sp := func(path string, more ...string) op.Spec {
		s := writes(http.MethodPost, path, op.Anonymous, audit.LoginStart, refused)
		s.Paths, s.Rate, s.MaxBody = more, op.Guess, maxLogon
		return s
	}
	radius := sp(base + "/auth/RADIUS/Logon")
	radius.Faults = append(radius.Faults, errChallenge)
	first := sp("/PasswordVault/WebServices/auth/Cyberark/CyberArkAuthenticationService.svc/Logon")
	first.Faults = append(first.Faults, errChallenge)
	off := writes(http.MethodPost, base+"/Auth/Logoff", op.Authenticated, audit.Logout, []*fault.Error{errNoSession})
	off.Paths = []string{
		base + "/auth/{method}/Logoff", "/PasswordVault/WebServices/auth/Cyberark/CyberArkAuthenticationService.svc/Logoff",
		"/PasswordVault/WebServices/auth/Shared/RestfulAuthenticationService.svc/Logoff", "/PasswordVault/WebServices/auth/SAML/SAMLAuthenticationService.svc/Logoff",
	}
	return []op.Op{
		op.Prepared(sp(base+"/auth/Cyberark/Logon"), p.checkLogon, p.Logon),
		op.Prepared(radius, p.checkRadius, p.LogonRadius),
		op.Prepared(first, p.checkOlder, p.OlderLogon),
		op.New(off, p.Logoff),
	}
}

// Logon is who logs on.
type Logon struct {
	// Username is the user's name, required; without a suffix it has the tenant's own.
	Username string `json:"username"`
	// Password is the password, required; by RADIUS the answer to a challenge, in the second call.
	Password string `json:"password"`
	// NewPassword takes the password's place where another one is due, at most 39 characters.
	NewPassword string `json:"newPassword"`
	// ConcurrentSession lets the user's other sessions go on; up to 300 do. False when absent: they end.
	ConcurrentSession wire.Bool `json:"concurrentSession"`

	state string
}

func (l *Logon) take(r *op.Request) error {
	if k, err := r.HTTP.Cookie(stateCookie); err == nil {
		l.state = k.Value
	}
	return wire.Read(r.Body, l)
}

// TenantHint names the tenant by the suffix.
func (l *Logon) TenantHint() op.Hint {
	if len(l.Username) > maxName {
		return op.Hint{}
	}
	return op.Hint{Login: l.Username}
}

// Check wants name and password.
func (l *Logon) Check() error {
	switch {
	case strings.TrimSpace(l.Username) == "" || len(l.Username) > maxName:
		return vault.ErrValue.At("username").Say("username is required.")
	case l.Password == "":
		return vault.ErrValue.At("password").Say("password is required.")
	}
	return vault.PasswordFits("newPassword", l.NewPassword)
}

// Token is a session token, a bare text.
type Token string

// checked is a logon with what was found out of it.
type checked struct {
	start  login.VaultStart
	wish   login.Vault
	answer login.Request // to a challenge; the start is none then
	made   login.Prepared
}

// begin looks at name and password, outside transactions.
func (p PVWA) begin(ctx context.Context, c *op.Call, in Logon, wish login.Vault) (out checked, err error) {
	out.wish = wish
	err = c.Snapshot(ctx, func() error {
		if err := vault.Open(ctx, c, wish.Method); err != nil { // before anything is said of name and password
			return err
		}
		out.wish.Login, err = p.Vault.Full(ctx, c, in.Username)
		return err
	})
	if err != nil {
		return out, err
	}
	out.wish.Password, out.wish.Fresh, out.wish.Concurrent = in.Password, in.NewPassword, bool(in.ConcurrentSession)
	out.start, err = p.Logins.PrepareVault(ctx, c, out.wish)
	return out, err
}

func (p PVWA) checkLogon(ctx context.Context, c *op.Call, in Logon) (checked, error) {
	return p.begin(ctx, c, in, login.Vault{Method: vault.LogonCyberArk})
}

// Logon signs a user in by name and password, and answers the session's token as a bare text. The session lives as long as the tenant's
// policies say, and the policies, locks and limits of any sign-in hold. A new password is taken where one is due. Who must show a
// further factor uses RADIUS. pvwa.yaml, POST /PasswordVault/API/auth/Cyberark/Logon.
func (p PVWA) Logon(ctx context.Context, c *op.Call, _ Logon, k checked) (Session, error) {
	return p.sign(ctx, c, k)
}

// checkRadius looks at the answer to a challenge where one is open, else at name and password.
func (p PVWA) checkRadius(ctx context.Context, c *op.Call, in Logon) (checked, error) {
	if in.state == "" {
		return p.begin(ctx, c, in, login.Vault{Method: vault.LogonRadius, Further: true, Joined: true})
	}
	if err := p.Logins.Ensure(ctx, c.Tenant.ID); err != nil {
		return checked{}, err
	}
	r, wish, open, err := p.Logins.VaultRequest(ctx, c, in.state, in.Password)
	if err != nil {
		return checked{}, err
	}
	var full string
	err = c.Snapshot(ctx, func() error {
		if err := vault.Open(ctx, c, vault.LogonRadius); err != nil {
			return err
		}
		full, err = p.Vault.Full(ctx, c, in.Username)
		return err
	})
	switch {
	case err != nil:
		return checked{}, err
	case !open || !strings.EqualFold(full, wish.Login): // an old cookie of another logon
		return p.begin(ctx, c, in, login.Vault{Method: vault.LogonRadius, Further: true, Joined: true})
	}
	made, err := p.Logins.Prepare(ctx, c, r)
	return checked{wish: wish, answer: r, made: made}, err
}

// LogonRadius signs a user in by name and password and, where policies ask for one, a further factor: the first call is answered 500
// with ITATS542I and what is asked for, and a cookie; the answer comes as password of a second call with that cookie. The code of an authenticator may
// come with the password, behind a comma, or alone where policies take it in place of the password. pvwa.yaml, POST /PasswordVault/API/auth/RADIUS/Logon.
func (p PVWA) LogonRadius(ctx context.Context, c *op.Call, _ Logon, k checked) (Session, error) {
	return p.sign(ctx, c, k)
}

// OlderLogonRequest is who logs on by the first generation's call.
type OlderLogonRequest struct {
	Logon
	// UseRadiusAuthentication lets a further factor be asked for, as LogonRadius does.
	UseRadiusAuthentication wire.Bool `json:"useRadiusAuthentication"`
	// ConnectionNumber, 1 to 100, lets the user's other sessions go on.
	ConnectionNumber wire.Int `json:"connectionNumber"`
}

func (l *OlderLogonRequest) take(r *op.Request) error {
	if err := l.Logon.take(r); err != nil {
		return err
	}
	return wire.Read(r.Body, l)
}

// Check wants name and password.
func (l *OlderLogonRequest) Check() error {
	if l.ConnectionNumber < 0 || l.ConnectionNumber > 100 {
		return vault.ErrValue.At("connectionNumber").Say("connectionNumber must be 1 to 100.")
	}
	return l.Logon.Check()
}

func (p PVWA) checkOlder(ctx context.Context, c *op.Call, in OlderLogonRequest) (checked, error) {
	in.ConcurrentSession = in.ConcurrentSession || in.ConnectionNumber > 0
	if in.UseRadiusAuthentication {
		return p.checkRadius(ctx, c, in.Logon)
	}
	return p.checkLogon(ctx, c, in.Logon)
}

// OlderLogon is Logon, or LogonRadius, with the token in an object. pvwa.yaml, POST
// /PasswordVault/WebServices/auth/Cyberark/CyberArkAuthenticationService.svc/Logon.
func (p PVWA) OlderLogon(ctx context.Context, c *op.Call, _ OlderLogonRequest, k checked) (OlderSession, error) {
	s, err := p.sign(ctx, c, k)
	return OlderSession{Token: s.token, cookies: s.cookies}, err
}

// Session is a new session.
type Session struct {
	token   string
	cookies []*http.Cookie
}

// MarshalJSON writes the token, a bare text.
func (s Session) MarshalJSON() ([]byte, error) { return []byte(`"` + s.token + `"`), nil }

// Cookies are the state of a logon that goes on, or none any more, and the device's.
func (s Session) Cookies() []*http.Cookie { return s.cookies }

// OlderSession is a new session as the first generation's calls answer it.
type OlderSession struct {
	// Token is the session's token.
	Token   string `json:"CyberArkLogonResult"`
	cookies []*http.Cookie
}

// Cookies are those of Session.
func (s OlderSession) Cookies() []*http.Cookie { return s.cookies }

// cookie makes a cookie of the API. Only programs use it.
func cookie(c *op.Call, name, value string) *http.Cookie {
	k := &http.Cookie{Name: name, Value: value, Path: "/PasswordVault", HttpOnly: true, Secure: c.Client.Secure, SameSite: http.SameSiteStrictMode}
	if value == "" {
		k.MaxAge = -1
	}
	return k
}

// sign signs in, or asks for a further factor.
func (p PVWA) sign(ctx context.Context, c *op.Call, k checked) (out Session, err error) {
	var r login.Result
	if k.answer.Session != "" {
		r, err = p.Logins.VaultAnswer(ctx, c, k.answer, k.made)
	} else {
		r, err = p.Logins.Vault(ctx, c, k.start, func(ctx context.Context, c *call.Call, u user.User) error {
			return p.Vault.May(ctx, c, u, k.wish.Method)
		})
	}
	if k.answer.Session != "" {
		out.cookies = append(out.cookies, cookie(c, stateCookie, ""))
	}
	if f := fault.Of(err); f != nil {
		if told(f) {
			return out, op.Refused(f)
		}
		return out, err
	}
	if r.Success == nil {
		out.cookies = []*http.Cookie{cookie(c, stateCookie, r.Package.Session)}
		return out, op.Refused(errChallenge.Say("%s", question(r)))
	}
	err = p.opened(ctx, c, &out, r.Success, k.wish.Concurrent)
	return out, err
}

// opened completes the answer of a logon, and takes note of its session.
func (p PVWA) opened(ctx context.Context, c *op.Call, out *Session, s *login.Success, concurrent bool) error {
	out.token = s.Auth
	out.cookies = append(out.cookies, cookie(c, "mobileState", "Desktop"))
	if device := p.device(c, s.Device); device != nil {
		out.cookies = append(out.cookies, device)
	}
	return p.Vault.Opened(ctx, c, s.Person.ID, s.Session.ID, s.Session.Expires, concurrent)
}

// told says whether a fault is the outcome of a logon: its counters and its event are kept.
func told(f *fault.Error) bool {
	for _, e := range []*fault.Error{login.ErrFailed, login.ErrExpired, login.ErrMore, login.ErrNewPassword, vault.ErrInterface, vault.ErrMethod, vault.ErrHours, vault.ErrMethodOff} {
		if f.Code == e.Code {
			return true
		}
	}
	return false
}

// device is the cookie by which the client is known again.
func (p PVWA) device(c *op.Call, value string) *http.Cookie {
	if value == "" || p.Device == "" {
		return nil
	}
	k := cookie(c, p.Device, value)
	k.Path, k.MaxAge, k.SameSite = "/", 400*24*60*60, http.SameSiteLaxMode
	return k
}

// questions are what is asked for, by mechanism.
var questions = map[string]string{
	factor.OATH: "Enter the code of your authenticator.", factor.OTP: "Enter the code that your authenticator shows.", factor.Reset: "Your password must be changed. Enter a new one.",
	factor.Email: "Enter the code that was sent to you by mail.", factor.SMS: "Enter the code that was sent to you by text message.",
}

// question is what a further factor asks for.
func question(r login.Result) string {
	ch := r.Package.Challenges[0][0]
	if r.Message != "" {
		return r.Message
	}
	if s := questions[ch.Name]; s != "" {
		return s
	}
	if ch.Prompt.Chosen != "" {
		return ch.Prompt.Chosen
	}
	return errChallenge.Public
}

// Logoff ends the session, on every node. pvwa.yaml, POST /PasswordVault/API/Auth/Logoff.
func (p PVWA) Logoff(ctx context.Context, c *op.Call, _ op.None) (Done, error) {
	if c.Caller.Session == "" {
		return Done{}, errNoSession
	}
	c.Event.Set("Session", c.Caller.Session)
	return Done{}, p.Sessions.End(ctx, c, c.Caller.Session)
}
