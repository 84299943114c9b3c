package oauth

import (
	"context"
	"net/http"
	"net/url"

	"limen/internal/core/audit"
	"limen/internal/core/oauth"
	"limen/internal/op"
	wire "limen/internal/wire/oauth"
)

// LeaveRequest is an application's wish that the person signs out.
type LeaveRequest struct {
	App string `json:"app_id"` // ServiceName of the application, in the path
	// PostLogoutRedirectURI is where the person goes on; one that the application has registered. Others are not followed.
	PostLogoutRedirectURI string `json:"post_logout_redirect_uri"`
	// State is given back.
	State string `json:"state"`
	// IDTokenHint is an ID token of the person, perhaps an old one. Without one the person is asked.
	IDTokenHint string `json:"id_token_hint"`
	// Token is taken as IDTokenHint where TokenTypeHint says so.
	Token string `json:"token"`
	// TokenTypeHint is id_token or access_token.
	TokenTypeHint string `json:"token_type_hint"`

	sent
	foreign, own bool
}

func (r *LeaveRequest) see(q *http.Request, p wire.Params) {
	r.sent.see(q, p)
	r.foreign = guard.Check(q) != nil
	r.own = q.Method == http.MethodPost && q.Header.Get("Sec-Fetch-Site") == "same-origin" || q.Header.Get("Authorization") != ""
	if r.IDTokenHint == "" && r.TokenTypeHint == "id_token" {
		r.IDTokenHint = r.Token
	}
}

// leaving declares the end of sessions by applications.
func (o OAuth) leaving() []op.Op {
	return []op.Op{op.New(op.Spec{
		Path: "/OAuth2/EndSession/{app_id}", Methods: []string{http.MethodGet}, Allow: op.Anonymous, Effect: op.Write, Audit: audit.Logout, MaxBody: maxForm,
		Faults: append(faults, oauth.ErrHint),
	}, o.EndSession)}
}

// EndSession signs the person out and sends the browser on to where the application wants it, if that is registered, or else to a page
// that says so. Who is to be signed out shows by id_token_hint; without one the person is asked on a page first, since any site could
// lead here. A hint of somebody else, or that is none of the application's, ends nothing. The tokens that the application got in the
// session end as well. Contract: oauth.yaml n 26; OpenID Connect RP-Initiated Logout 1.0.
func (o OAuth) EndSession(ctx context.Context, c *op.Call, in LeaveRequest) (op.Redirect, error) {
	a, err := o.Server.App(ctx, c, in.App)
	if err != nil {
		return op.Redirect{}, err
	}
	signedIn := c.Caller != nil && c.Caller.Session != ""
	if !signedIn {
		c.Event.Type = "" // nothing happens
		if in.foreign {   // browsers keep cookies back from forms of other sites, and send them with what they are led to
			return op.Redirect{URL: in.again(a), Code: http.StatusSeeOther}, nil
		}
		return in.onward(a), nil
	}
	hinted := ""
	if in.IDTokenHint != "" {
		if hinted, err = o.Server.Hinted(ctx, c, a, in.IDTokenHint); err == nil && hinted != c.Caller.User {
			err = oauth.ErrHint
		}
		if err != nil {
			return op.Redirect{}, err
		}
	}
	if hinted == "" && !in.own {
		c.Event.Type = ""
		return op.Redirect{URL: "/logout?cloudRedirect=" + url.QueryEscape(in.again(a)), Code: http.StatusSeeOther}, nil
	}
	c.Event.Target, c.Event.Kind, c.Event.Name = c.Caller.Session, "Session", c.Caller.Name
	c.Event.Set("Application", a.ID)
	out := in.onward(a)
	if o.SignedOut != nil {
		out.Cookie = o.SignedOut(c)
	}
	return out, o.Server.Leave(ctx, c, a, c.Caller.Session)
}

// again is the same request as an address.
func (r LeaveRequest) again(a oauth.App) string {
	q := url.Values{}
	for name, v := range map[string]string{"post_logout_redirect_uri": r.PostLogoutRedirectURI, "state": r.State, "id_token_hint": r.IDTokenHint} {
		if v != "" {
			q.Set(name, v)
		}
	}
	return "/OAuth2/EndSession/" + url.PathEscape(a.Service) + "?" + q.Encode()
}

// onward is where the browser goes afterwards.
func (r LeaveRequest) onward(a oauth.App) op.Redirect {
	if r.PostLogoutRedirectURI == "" || !a.Profile.LogoutRedirects.Allow(r.PostLogoutRedirectURI) {
		return op.Redirect{URL: "/logout", Code: http.StatusSeeOther}
	}
	return op.Redirect{URL: wire.Location(r.PostLogoutRedirectURI, wire.Query, []wire.Pair{{Name: "state", Value: r.State}})}
}
