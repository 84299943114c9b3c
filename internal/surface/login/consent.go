package login

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"limen/internal/core/oauth"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/web/login"
)

// consents declares where people agree to what applications ask for.
func (s SignIn) consents() []op.Op {
	return []op.Op{op.New(op.Spec{
		Method: http.MethodGet, Path: "/consent", Allow: op.Anonymous, Effect: op.Read, Faults: []*fault.Error{oauth.ErrRequest, oauth.ErrUnknownApp},
	}, s.Consent)}
}

// Asking is an authorization request that waits.
type Asking struct {
	// CloudRedirect is the request's path, with its handle: /OAuth2/Authorize/<app>?bounce=<handle>.
	CloudRedirect string `json:"cloudRedirect"`
}

// Consent asks whether an application may have what it asks for; its form goes to /OAuth2/Confirm. Who is not signed in is led to
// the page for that first.
func (s SignIn) Consent(ctx context.Context, c *op.Call, in Asking) (any, error) {
	to := local(in.CloudRedirect)
	at, query := parts(to)
	bounce := query.Get("bounce")
	if s.OAuth == nil || !within(at, authorizePath) || bounce == "" {
		return nil, oauth.ErrRequest
	}
	if !signedIn(c) {
		return op.Redirect{URL: stepURL(to, "", "")}, nil
	}
	service, err := url.PathUnescape(at[len(authorizePath):])
	if err != nil {
		return nil, oauth.ErrRequest
	}
	w, err := s.OAuth.Resume(ctx, c, bounce)
	if err != nil {
		return nil, err
	}
	r, err := s.OAuth.Request(ctx, c, service, w.Presented)
	if err != nil {
		return nil, err
	}
	out := login.Consent{
		Account: c.Caller.Name, App: r.App.Name, Action: "/OAuth2/Confirm/" + url.PathEscape(r.App.Service), Bounce: bounce, Scopes: strings.Join(r.Ask.Scope, ","),
	}
	out.Site, out.Goal = goal(r.Redirect)
	for _, scope := range r.Ask.Scope {
		out.Wants = append(out.Wants, login.Want{Scope: scope, Text: described(r.App, scope)})
	}
	return out, nil
}

func described(a oauth.App, scope string) string {
	for _, s := range a.Profile.Scopes {
		if s.Name == scope {
			return s.Description
		}
	}
	return ""
}

// goal is where an answer goes: its host in words, and as a source of a policy, which is no more of the address than a policy cannot
// misread.
func goal(redirect string) (site, source string) {
	u, err := url.Parse(redirect)
	if err != nil || u.Scheme == "" || strings.ContainsAny(u.Host, " ;,'\"*") {
		return "", ""
	}
	if u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", u.Scheme + ":"
	}
	return u.Host, u.Scheme + "://" + u.Host
}
