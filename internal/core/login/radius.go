package login

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/risk"
	"limen/internal/core/session"
	"limen/internal/core/user"
)

// Radius says that a RADIUS client asks who somebody is. It is told; nobody gets a session.
type Radius struct {
	Client  string `json:"c"`           // id of the RADIUS client
	Name    string `json:"n"`           // its name, for events
	From    string `json:"a"`           // address that it asks from
	Profile string `json:"p,omitempty"` // authentication profile that its people pass, where policies name none
}

// radius is the RADIUS client that a conversation is for; nil: another one.
func (s *state) radius() *Radius {
	if s.Vault == nil {
		return nil
	}
	return s.Vault.Radius
}

// profileFor is how somebody signs in, at a RADIUS client where there is one.
func (l *Logins) profileFor(ctx context.Context, c *call.Call, u user.User, at *Radius, rated *risk.Rating) (Profile, error) {
	var level risk.Level
	if rated != nil {
		level = rated.Level
	}
	if at == nil {
		return l.profileAt(ctx, c, u, level)
	}
	p, err := l.Base(ctx, c, u, nil)
	p.Risk = level
	if err != nil || l.Radius == nil {
		return p, err
	}
	return l.Radius(ctx, c, u, p, at.Profile)
}

// RadiusRequest is the answer to the further factor of a conversation that Vault began for a RADIUS client, with the login name; false
// where that client has none from there.
func (l *Logins) RadiusRequest(ctx context.Context, c *call.Call, id, answer string, at Radius) (Request, string, bool, error) {
	r, in, ok, err := l.further(ctx, c, id, answer, true)
	ok = ok && in.Radius.Client == at.Client && in.Radius.From == at.From
	return r, in.Login, ok, err
}

// admitted ends a conversation of whom a RADIUS client may let in. What the client is does not become known as a device of the person's.
func (t *turn) admitted(ctx context.Context) (Result, error) {
	t.stranger = true
	if err := t.noted(ctx); err != nil {
		return Result{}, err
	}
	out := &Success{Person: t.person, Session: session.Session{Level: t.level()}}
	t.succeeded(out)
	return Result{Summary: Succeeded, Success: out}, t.end(ctx, t.c, t.s)
}
