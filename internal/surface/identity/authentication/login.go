package authentication

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"limen/internal/core/login"
	"limen/internal/op"
	"limen/internal/surface/identity"
)

// LoginRequest signs in by name and password.
type LoginRequest struct {
	// User is the login name, required.
	User string `json:"user" also:"username"`
	// Password is the password, required.
	Password string `json:"password"`

	inAddress, foreign bool
}

// See notes whether the password stands in the address, where it is easily seen, and whether another site's link leads here.
func (r *LoginRequest) See(q *http.Request) {
	r.foreign = identity.Foreign(q)
	for name := range q.URL.Query() { // parameters are taken whatever the case of their names
		r.inAddress = r.inAddress || strings.EqualFold(name, "password")
	}
}

// TenantHint names the tenant by the login suffix.
func (r *LoginRequest) TenantHint() op.Hint { return hint("", r.User) }

func (a Authentication) checkLogin(ctx context.Context, c *op.Call, in LoginRequest) (login.Directly, error) {
	if in.inAddress && !c.Client.Secure && !c.Client.IP.IsLoopback() {
		return login.Directly{}, ErrPlain
	}
	if in.foreign { // it would sign the browser in to an account of that site's choice
		return login.Directly{}, op.ErrForged
	}
	if len(in.User) > maxLogin {
		in.User = ""
	}
	return a.Logins.PrepareDirect(ctx, c, in.User, in.Password)
}

// LoggedIn is the answer of Login.
type LoggedIn struct {
	Auth       string `json:"Auth"` // session token, also the cookie .ASPXAUTH
	Summary    string `json:"Summary"`
	UserID     string `json:"UserId"`
	User       string `json:"User"`
	TenantID   string `json:"TenantId"`
	CustomerID string `json:"CustomerID"`

	answer Answer
}

// Cookies are those of any sign-in.
func (l LoggedIn) Cookies() []*http.Cookie { return l.answer.cookies }

// Login signs in by name and password in one call, the old form: only where the password alone lets in, and no new one
// is due. A password in the address is taken over TLS alone. Contract: authentication.yaml n 20.
func (a Authentication) Login(ctx context.Context, c *op.Call, _ LoginRequest, d login.Directly) (any, error) {
	r, err := a.Logins.Direct(ctx, c, d)
	if errors.Is(err, login.ErrFailed) {
		return result(c, r), op.Refused(login.ErrFailed)
	}
	if err != nil {
		return nil, err
	}
	s := success(c, r.Success)
	return LoggedIn{Auth: s.Auth, Summary: s.Summary, UserID: s.UserID, User: s.Success.User, TenantID: c.Tenant.ID, CustomerID: c.Tenant.ID, answer: s}, nil
}
