package oauth

import (
	"context"
	"net/netip"

	"limen/internal/call"
	"limen/internal/core/profile"
	"limen/internal/core/session"
)

// seen is what an application's rules can go by of a sign-in: where somebody was, with what, and what they had shown.
type seen struct {
	IP     netip.Addr `json:"ip,omitzero"`
	Agent  string     `json:"agent,omitempty"`
	Strong bool       `json:"strong,omitempty"` // in a session of the level High
	Passed []string   `json:"passed,omitempty"` // mechanisms, as profiles name them
}

// look is what is seen of who answers a request.
func look(c *call.Call, by SignedIn) *seen {
	return &seen{IP: c.Client.IP, Agent: c.Client.UserAgent, Strong: by.Level == session.High, Passed: by.Passed}
}

// seen is nothing of what versions before this one have noted.
func (f Facts) seen() seen {
	if f.Seen == nil {
		return seen{}
	}
	return *f.Seen
}

// from is the call as the person would make it: at a refresh it is the client's server that calls, which may be anywhere.
func (at seen) from(c *call.Call) *call.Call {
	in := *c
	in.Client.IP, in.Client.UserAgent, in.Client.Device = at.IP, at.Agent, ""
	return &in
}

// rejudge asks the application's own rules again, before a refresh token is used up: by what was seen when the person was there, and by
// what time it is now and what roles they have now. What is refused can be tried again. It is committed, with its event. Faults:
// ErrDenied, and ErrGrant where a stronger sign-in is wanted by now.
func (s *Server) rejudge(ctx context.Context, c *call.Call, a Ask, auth Authorization) error {
	if !a.App.Ruled {
		return nil
	}
	facts, err := auth.facts()
	if err != nil {
		return err
	}
	p, err := s.whose(ctx, c, auth.User)
	if err != nil {
		return err
	}
	at := facts.seen()
	if e := c.Event; e != nil {
		e.Kind, e.Target, e.Name, e.User, e.Login = "Application", a.App.ID, a.App.Name, p.ID, p.Name
	}
	d, err := s.Demand(ctx, at.from(c), a.App, p.ID)
	if err != nil {
		return err
	}
	why := ErrDenied.Say("the rules of the application do not allow this")
	switch {
	case d.Refused && d.Reason != "":
		why = ErrDenied.Say("%s", d.Reason)
	case d.Refused:
	case len(profile.Lacking(d.Rounds, at.Passed)) > 0 || d.Strong && !at.Strong:
		why = ErrGrant.Say("the rules of the application want a stronger sign-in")
	default:
		return nil
	}
	if c.Event != nil {
		c.Event.Set("ClientID", a.Client.ID)
		c.Event.Set("GrantType", a.Type)
	}
	return &ReplayError{why}
}
