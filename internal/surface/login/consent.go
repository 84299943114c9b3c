package login

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"limen/internal/core/oauth"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/target"
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
	to := target.Local(in.CloudRedirect)
	w, r, err := s.waiting(ctx, c, to)
	if err != nil {
		return nil, err
	}
	if !signedIn(c) {
		return op.Redirect{URL: stepURL(to, "", "")}, nil
	}
	out := login.Consent{
		Account: c.Caller.Name, App: r.App.Name, Action: r.App.Endpoint("Confirm"), Bounce: w.Handle(), Scopes: strings.Join(r.Ask.Scope, ","),
		Wants: wants(r.App, r.Ask.Scope),
	}
	out.Site, out.Goal = goal(r.Redirect)
	return out, nil
}

// waiting is the authorization request that waits at a path of this server.
func (s SignIn) waiting(ctx context.Context, c *op.Call, to string) (oauth.Waiting, oauth.Request, error) {
	at, query := target.Parts(to)
	bounce := query.Get("bounce")
	if s.OAuth == nil || !target.Within(at, target.AuthorizePath) || bounce == "" {
		return oauth.Waiting{}, oauth.Request{}, oauth.ErrRequest
	}
	service, err := url.PathUnescape(strings.Trim(at[len(target.AuthorizePath):], "/"))
	if err != nil {
		return oauth.Waiting{}, oauth.Request{}, oauth.ErrRequest
	}
	w, err := s.OAuth.Resume(ctx, c, bounce)
	if err != nil {
		return w, oauth.Request{}, err
	}
	r, err := s.OAuth.Request(ctx, c, service, w.Presented)
	return w, r, err
}

// wants are the scopes that an application asks for, in words.
func wants(a oauth.App, scopes []string) (out []login.Want) {
	for _, scope := range scopes {
		out = append(out, login.Want{Scope: scope, Text: described(a, scope)})
	}
	return out
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
