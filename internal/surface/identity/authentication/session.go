package authentication

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// Me is who a session belongs to.
type Me struct {
	TenantID string `json:"TenantId"`
	User     string `json:"User"`     // login name
	UserUUID string `json:"UserUuid"` // UUID
}

// WhoAmI says who the session belongs to. It is answered from memory: clients call it to see whether their token lives.
// Without a session the status is 401. Contract: authentication.yaml n 19.
func (a Authentication) WhoAmI(_ context.Context, c *op.Call, _ struct{}) (Me, error) {
	return Me{c.Tenant.ID, c.Caller.Name, c.Caller.User}, nil
}

// RefreshToken forgets what this node remembers of the caller's rights, so that the next call reads them anew. Changes
// are seen within a second anyway. Contract: users.yaml n 130.
func (a Authentication) RefreshToken(_ context.Context, c *op.Call, _ struct{}) (op.None, error) {
	a.Sessions.Reload(c.Tenant.ID, c.Caller.User)
	return op.None{}, nil
}

// LogoutRequest ends the session that is sent.
type LogoutRequest struct {
	// RedirectURL is where a browser goes on: a path, or a URL of one of the tenant's hosts. Others are ignored.
	RedirectURL string `json:"redirectUrl"`
	// AllowIWA is taken and not needed: there is no integrated Windows login.
	AllowIWA bool `json:"allowIWA"`

	browser bool
}

// See notes whether a browser navigates here.
func (r *LogoutRequest) See(q *http.Request) {
	r.browser = q.Method == http.MethodGet && strings.Contains(q.Header.Get("Accept"), "text/html")
}

// SignedOut is the answer to a client that is no browser: an empty result that expires the cookies.
type SignedOut struct{ cookies []*http.Cookie }

// Cookies expire those of the sign-in.
func (s SignedOut) Cookies() []*http.Cookie { return s.cookies }

// MarshalJSON writes null: clients expect no result.
func (SignedOut) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// Logout ends the session that is sent; without one nothing happens. Its token, its cookies, and the platform and refresh
// tokens bound to it are worth nothing from then on. A browser, or a request with redirectUrl, is redirected. The device
// cookie stays. Contract: authentication.yaml n 21.
func (a Authentication) Logout(ctx context.Context, c *op.Call, in LogoutRequest, to string) (any, error) {
	if err := a.end(ctx, c); err != nil {
		return nil, err
	}
	if to == "" && in.browser {
		to = "/login"
	}
	if to != "" {
		return op.Redirect{URL: to, Cookie: SignOut(c)}, nil
	}
	return SignedOut{SignOut(c)}, nil
}

// end ends the caller's session; it leaves no event when there is none.
func (a Authentication) end(ctx context.Context, c *op.Call) error {
	if c.Caller == nil || c.Caller.Session == "" {
		c.Event.Type = ""
		return nil
	}
	c.Event.Target, c.Event.Kind, c.Event.Name = c.Caller.Session, "Session", c.Caller.Name
	return a.Sessions.End(ctx, c, c.Caller.Session)
}

// target checks where to go on: a path of this host, or a URL of the tenant's; empty when it is neither.
func (a Authentication) target(ctx context.Context, c *op.Call, in LogoutRequest) (string, error) {
	u, err := url.Parse(in.RedirectURL)
	if err != nil || in.RedirectURL == "" || len(in.RedirectURL) > 2048 || strings.ContainsAny(in.RedirectURL, "\\\r\n\t") || u.User != nil {
		return "", nil //nolint:nilerr // an address that cannot be trusted is not followed
	}
	if u.Scheme == "" && u.Host == "" {
		if !strings.HasPrefix(in.RedirectURL, "/") || strings.HasPrefix(in.RedirectURL, "//") {
			return "", nil
		}
		return in.RedirectURL, nil
	}
	if u.Scheme != "https" && (u.Scheme != "http" || c.Client.Secure) || u.Host == "" {
		return "", nil
	}
	at, err := a.Tenants.AtHost(ctx, u.Host)
	if err != nil || at != c.Tenant.ID && !strings.EqualFold(u.Host, c.Client.Host) {
		return "", err
	}
	return in.RedirectURL, nil
}

// SignOutCurrentSession ends the session that the call was made with; the person's others live on. Contract:
// authentication.yaml n 22.
func (a Authentication) SignOutCurrentSession(ctx context.Context, c *op.Call, _ struct{}) (SignedOut, error) {
	return SignedOut{SignOut(c)}, a.end(ctx, c)
}

// PersonRef names a person.
type PersonRef struct {
	// ID is the person's UUID or login name, required.
	ID string `json:"id" also:"uuid,userUuid,user"`

	found user.User
}

// Check wants the person to be named.
func (r *PersonRef) Check() error {
	if strings.TrimSpace(r.ID) == "" {
		return fault.Missing("id")
	}
	return nil
}

// Resolve finds the person.
func (r *PersonRef) Resolve(ctx context.Context, c *op.Call) (err error) {
	r.found, err = user.Find(ctx, c, r.ID)
	return err
}

// Target is the person.
func (r *PersonRef) Target() op.Target { return op.Target{ID: r.found.ID, Org: r.found.Org} }

// SignOutEverywhere ends every session of a person, with their cookies, platform tokens and refresh tokens: within a second
// on every node. Who may not manage the person is not told whether there is one. Those of a system administrator are ended
// by system administrators, and nobody ends those of who holds more rights: they could be kept from stepping in. Contract:
// authentication.yaml n 23.
func (a Authentication) SignOutEverywhere(ctx context.Context, c *op.Call, in PersonRef) (op.None, error) {
	if err := a.Roles.Guard(ctx, c, in.found.ID, ErrSystem, user.ErrStronger); err != nil {
		return op.None{}, err
	}
	n, err := a.Sessions.EndAll(ctx, c, in.found.ID, "")
	c.Event.Target, c.Event.Kind, c.Event.Name = in.found.ID, "User", in.found.Name
	c.Event.User, c.Event.Login = in.found.ID, in.found.Name
	c.Event.Set("Sessions", n)
	return op.None{}, err
}
