package oauth

import (
	"context"
	"net/http"
	"net/url"
	"strings"

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
	// ClientID names the client, whose own addresses count then; that of the hint when absent.
	ClientID string `json:"client_id"`
	// State is given back.
	State string `json:"state"`
	// UILocales are the languages that the person reads, as BCP 47 tags with spaces between, the best first.
	UILocales string `json:"ui_locales"`
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

// LogoutSupport is what the documents say of signing out (OpenID Connect Front-Channel and Back-Channel Logout).
type LogoutSupport struct {
	Back         bool `json:"backchannel_logout_supported"`
	BackSession  bool `json:"backchannel_logout_session_supported"`
	Front        bool `json:"frontchannel_logout_supported"`
	FrontSession bool `json:"frontchannel_logout_session_supported"`
}

var logoutSupport = LogoutSupport{Back: true, BackSession: true, Front: true, FrontSession: true}

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
	a, err := o.leftApp(ctx, c, in)
	if err != nil {
		return op.Redirect{}, err
	}
	signedIn := c.Caller != nil && c.Caller.Session != ""
	if !signedIn {
		c.Event.Type = "" // nothing happens
		if in.foreign {   // browsers keep cookies back from forms of other sites, and send them with what they are led to
			return op.Redirect{URL: in.again(a), Code: http.StatusSeeOther}, nil
		}
	}
	hint, redirects, err := o.leaver(ctx, c, a, in)
	switch {
	case err != nil:
		return op.Redirect{}, err
	case !signedIn:
		return in.onward(redirects), nil
	case hint.Person != "" && hint.Person != c.Caller.User:
		return op.Redirect{}, oauth.ErrHint
	case hint.Person == "" && !in.own:
		c.Event.Type = ""
		return in.page(a), nil
	}
	c.Event.Target, c.Event.Kind, c.Event.Name = c.Caller.Session, "Session", c.Caller.Name
	if a.ID != "" {
		c.Event.Set("Application", a.ID)
	}
	out := in.onward(redirects)
	listen, err := o.Server.FrontLogouts(ctx, c, c.Caller.Session)
	if err != nil {
		return op.Redirect{}, err
	}
	if len(listen) > 0 && out.URL != signedOutPage { // the page tells them, and leads back here
		out = in.page(a)
	}
	if o.SignedOut != nil {
		out.Cookie = o.SignedOut(c)
	}
	return out, o.Server.Leave(ctx, c, a, c.Caller.Session)
}

// leftApp is the application that wants somebody signed out. The tenant's issuer knows it by the client, where one is named, or by the ID token;
// without either the person may want to sign out all the same.
func (o OAuth) leftApp(ctx context.Context, c *op.Call, in LeaveRequest) (oauth.App, error) {
	switch {
	case in.App != "" || in.ClientID != "":
		return o.Server.At(ctx, c, in.App, in.ClientID)
	case in.IDTokenHint != "":
		return o.Server.HintedAt(ctx, c, in.IDTokenHint)
	}
	return o.Server.Whole(), nil
}

// leaver is whose ID token came along, and where the client that is meant may send people on: the application's own addresses, or
// those that the client has registered.
func (o OAuth) leaver(ctx context.Context, c *op.Call, a oauth.App, in LeaveRequest) (hint oauth.Hint, to wire.Redirects, err error) {
	if in.IDTokenHint != "" {
		if hint, err = o.Server.Hinted(ctx, c, a, in.IDTokenHint); err != nil {
			return hint, nil, err
		}
	}
	id := in.ClientID
	if id == "" {
		id = hint.Client
	}
	if id == "" {
		return hint, a.Profile.LogoutRedirects, nil
	}
	client, err := o.Server.Registration(ctx, c, a, id)
	if err == nil && hint.Client != "" && hint.Client != client.ID {
		err = oauth.ErrHint
	}
	return hint, client.LogoutRedirects, err
}

// again is the same request as an address.
func (r LeaveRequest) again(a oauth.App) string {
	q := url.Values{}
	for name, v := range map[string]string{
		"post_logout_redirect_uri": r.PostLogoutRedirectURI, "state": r.State, "id_token_hint": r.IDTokenHint, "client_id": r.ClientID,
		"ui_locales": wire.Locales(strings.Fields(r.UILocales)),
	} {
		if v != "" {
			q.Set(name, v)
		}
	}
	return a.Endpoint("EndSession") + "?" + q.Encode()
}

// page leads to where people are asked whether they want to sign out, or told that they are.
func (r LeaveRequest) page(a oauth.App) op.Redirect {
	return op.Redirect{URL: signedOutPage + "?cloudRedirect=" + url.QueryEscape(r.again(a)), Code: http.StatusSeeOther}
}

// signedOutPage asks people whether they want to sign out, and says that they are.
const signedOutPage = "/logout"

// onward is where the browser goes afterwards.
func (r LeaveRequest) onward(to wire.Redirects) op.Redirect {
	if r.PostLogoutRedirectURI == "" || !to.Allow(r.PostLogoutRedirectURI) {
		return op.Redirect{URL: signedOutPage, Code: http.StatusSeeOther}
	}
	return op.Redirect{URL: wire.Location(r.PostLogoutRedirectURI, wire.Query, []wire.Pair{{Name: "state", Value: r.State}})}
}
