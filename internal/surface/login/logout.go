package login

import (
	"context"
	"net/http"

	"limen/internal/op"
	"limen/internal/wire/target"
	"limen/web/login"
)

// Going is where somebody goes who signs out.
type Going struct {
	// CloudRedirect is the request of an application that wants the person signed out: a path below /OAuth2/EndSession.
	CloudRedirect string `json:"cloudRedirect"`

	ended string // id of the session that has just ended
}

// See reads what the browser remembers of the session that has ended.
func (g *Going) See(r *http.Request) {
	if k, err := r.Cookie(endedCookie); err == nil {
		g.ended = k.Value
	}
}

// endedCookie tells the page that comes after a session which one it was.
const endedCookie = "endedsession"

// Ended is the cookie by which the page after a sign-out can say which applications were used in the session.
func Ended(c *op.Call) *http.Cookie {
	return &http.Cookie{Name: endedCookie, Value: c.Caller.Session, Path: "/logout", MaxAge: 60, HttpOnly: true, Secure: c.Client.Secure, SameSite: http.SameSiteLaxMode}
}

// Leave asks whether somebody wants to sign out, or says that they are. It changes nothing: links may lead here.
func (s SignIn) Leave(ctx context.Context, c *op.Call, in Going) (login.View, error) {
	if !signedIn(c) {
		if s.OAuth == nil {
			return login.Left{}, nil
		}
		return s.left(ctx, c, in)
	}
	out := login.Leave{Account: c.Caller.Name, Action: "/logout"}
	if to := target.Local(in.CloudRedirect); target.Within(to, target.LeavePath) {
		out.Action = to
		_, q := target.Parts(to)
		_, out.Goal = goal(q.Get("post_logout_redirect_uri"))
	}
	return out, nil
}

// left says that the browser's session has ended, to the person and to those clients that listen by the browser.
func (s SignIn) left(ctx context.Context, c *op.Call, in Going) (login.View, error) {
	apps, err := s.OAuth.Used(ctx, c, in.ended)
	if err != nil {
		return login.Left{}, err
	}
	out := login.Left{Apps: apps}
	frames, err := s.OAuth.FrontLogouts(ctx, c, in.ended)
	for _, f := range frames {
		if _, source := goal(f); source != "" {
			out.Frames = append(out.Frames, login.Frame{Address: f, Source: source})
		}
	}
	if to := target.Local(in.CloudRedirect); target.Within(to, target.LeavePath) {
		out.To = to
	}
	return out, err
}

// Logout ends the browser's session and says so.
func (s SignIn) Logout(ctx context.Context, c *op.Call, _ op.None) (any, error) {
	cookies := append(s.SignedOut(c), talkCookie(c, ""))
	if !signedIn(c) {
		c.Event.Type = "" // nothing happened
	} else {
		cookies = append(cookies, Ended(c))
		c.Event.Target, c.Event.Kind, c.Event.Name = c.Caller.Session, "Session", c.Caller.Name
		if err := s.Sessions.End(ctx, c, c.Caller.Session); err != nil {
			return nil, err
		}
	}
	return op.Redirect{URL: "/logout", Code: http.StatusSeeOther, Cookie: cookies}, nil
}
