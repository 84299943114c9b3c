package login

import (
	"context"
	"net/http"

	"limen/internal/op"
	"limen/web/login"
)

// Going is where somebody goes who signs out.
type Going struct {
	// CloudRedirect is the request of an application that wants the person signed out: a path below /OAuth2/EndSession.
	CloudRedirect string `json:"cloudRedirect"`
}

// Leave asks whether somebody wants to sign out, or says that they are. It changes nothing: links may lead here.
func (s SignIn) Leave(_ context.Context, c *op.Call, in Going) (login.View, error) {
	if !signedIn(c) {
		return login.Left{}, nil
	}
	out := login.Leave{Account: c.Caller.Name, Action: "/logout"}
	if to := local(in.CloudRedirect); within(to, leavePath) {
		out.Action = to
		_, q := parts(to)
		_, out.Goal = goal(q.Get("post_logout_redirect_uri"))
	}
	return out, nil
}

// Logout ends the browser's session and says so.
func (s SignIn) Logout(ctx context.Context, c *op.Call, _ op.None) (any, error) {
	if !signedIn(c) {
		c.Event.Type = "" // nothing happened
	} else {
		c.Event.Target, c.Event.Kind, c.Event.Name = c.Caller.Session, "Session", c.Caller.Name
		if err := s.Sessions.End(ctx, c, c.Caller.Session); err != nil {
			return nil, err
		}
	}
	return op.Redirect{URL: "/logout", Code: http.StatusSeeOther, Cookie: append(s.SignedOut(c), talkCookie(c, ""))}, nil
}
