package authentication

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"limen/internal/core/session"
	"limen/internal/core/token"
	"limen/internal/op"
)

// The names of the cookies that carry a platform token and its refresh token end in the tenant's id.
const (
	tokenCookie   = "idToken-"
	refreshCookie = "refreshToken-"
)

// RefreshRequest has no parameters: the tokens come as the cookies refreshToken-<tenant> and idToken-<tenant>.
type RefreshRequest struct{ tenant, token, refresh string }

// See takes the cookies.
func (r *RefreshRequest) See(q *http.Request) {
	for _, k := range q.Cookies() {
		if id, ok := strings.CutPrefix(k.Name, refreshCookie); ok && r.refresh == "" {
			r.tenant, r.refresh = id, k.Value
		}
	}
	if k, err := q.Cookie(tokenCookie + r.tenant); err == nil && r.tenant != "" {
		r.token = k.Value
	}
}

// TenantHint is the tenant that the cookies are named after.
func (r *RefreshRequest) TenantHint() op.Hint { return hint(r.tenant, "") }

// old checks the platform token that is to be replaced, whose time may be over.
func (a Authentication) old(ctx context.Context, c *op.Call, in RefreshRequest) (token.Claims, error) {
	if in.token == "" || in.refresh == "" {
		return token.Claims{}, ErrRefresh
	}
	claims, err := a.Tokens.Old(ctx, in.token)
	if err != nil || claims.Tenant != c.Tenant.ID {
		return token.Claims{}, ErrRefresh
	}
	return claims, a.Tokens.Ensure(ctx, c.Tenant.ID)
}

// Refreshed is the answer of RefreshPlatformToken: the tokens are in its cookies.
type Refreshed struct {
	TokenLifetime int `json:"TokenLifetime"` // seconds

	cookies []*http.Cookie // the first is of the platform token
	sign    token.Unsigned
}

// Cookies carry the new tokens.
func (r Refreshed) Cookies() []*http.Cookie { return r.cookies }

// Finish signs the platform token.
func (r Refreshed) Finish(ctx context.Context, _ *op.Call) (any, error) {
	var err error
	r.cookies[0].Value, err = r.sign(ctx)
	return r, err
}

// RefreshPlatformToken exchanges the refresh token of a platform login for a new pair, by cookies. A refresh token is good
// once: when one comes a second time somebody has a copy, and the session is ended. The status is 401 when the exchange
// is refused. Contract: oauth.yaml, RefreshPlatformToken.
func (a Authentication) RefreshPlatformToken(ctx context.Context, c *op.Call, in RefreshRequest, old token.Claims) (Refreshed, error) {
	h, err := a.Tokens.Use(ctx, c, in.refresh)
	if errors.Is(err, token.ErrReused) {
		c.Event.Target, c.Event.Kind, c.Event.User = h.Session, "Session", h.User
		if err := a.Sessions.End(ctx, c, h.Session); err != nil {
			return Refreshed{}, err
		}
		return Refreshed{}, op.Refused(token.ErrReused)
	}
	if errors.Is(err, token.ErrInvalid) || err == nil && h.Session != old.Session {
		return Refreshed{}, op.Refused(ErrRefresh)
	}
	if err != nil {
		return Refreshed{}, err
	}
	row, err := a.Sessions.Find(ctx, c, h.Session)
	if errors.Is(err, session.ErrUnknown) {
		return Refreshed{}, op.Refused(ErrRefresh)
	}
	if err != nil {
		return Refreshed{}, err
	}
	return a.renewed(ctx, c, row)
}

func (a Authentication) renewed(ctx context.Context, c *op.Call, row session.Session) (Refreshed, error) {
	u, err := a.People.ByID(ctx, c, row.User)
	if err != nil {
		return Refreshed{}, err
	}
	if u.Barred(c.Now) {
		return Refreshed{}, op.Refused(ErrRefresh)
	}
	h := token.Holder{User: u.ID, Name: u.Name, Session: row.ID, Expires: row.Expires}
	sign, life := a.Tokens.Platform(c, h)
	refresh, err := a.Tokens.Refresh(ctx, c, h)
	c.Event.Target, c.Event.Kind, c.Event.User, c.Event.Login = row.ID, "Session", u.ID, u.Name
	return Refreshed{TokenLifetime: life, sign: sign, cookies: []*http.Cookie{
		cookie(c, tokenCookie+c.Tenant.ID, ""), cookie(c, refreshCookie+c.Tenant.ID, refresh),
	}}, err
}
