package explanations

import (
	"context"
	"fmt"
	"time"

	"limen/internal/op"
)

// Stay is a time that somebody spends in an organization, or will.
type Stay struct {
	// Org is the path of the organization.
	Org string `json:"Org"`
	// Home is the path of the one to which they return; empty: none.
	Home string `json:"Home"`
	// Begun says whether they are there now.
	Begun bool `json:"Begun"`
	// From is when it begins, or began.
	From *time.Time `json:"From"`
	// Until is when it ends by itself, null: they stay for good.
	Until *time.Time `json:"Until"`
	// Reason is why.
	Reason string `json:"Reason"`
	// GrantedBy is the login name of who let them; empty when nobody is known.
	GrantedBy string `json:"GrantedBy"`
}

// stay is the time that a person spends in an organization; nothing when there is none.
func (a asked) stay(ctx context.Context, userID string) (*Stay, error) {
	if userID == "" {
		return nil, nil
	}
	s, err := a.Orgs.StayOf(ctx, a.c, userID)
	if err != nil || s.Org == "" {
		return nil, err
	}
	path, err := a.Orgs.Paths(ctx, a.c)
	if err != nil {
		return nil, err
	}
	out := &Stay{Org: path(s.Org), Begun: s.Begun, From: date(s.Since.UnixMilli()), Reason: a.secret(s.Reason)}
	if s.Home != "" {
		out.Home = path(s.Home)
	}
	if !s.Until.IsZero() {
		out.Until = date(s.Until.UnixMilli())
	}
	if s.Granter != "" {
		by, err := a.Orgs.People.ByID(ctx, a.c, s.Granter)
		if err == nil {
			out.GrantedBy = a.secret(by.Name)
		}
	}
	return out, nil
}

// objects is the stay of the object of an operation, for those who may see the object.
func (a asked) objects(ctx context.Context, about op.Target) (*Stay, error) {
	if !a.c.Grant.Everything() && !a.c.Grant.Allows("", about.Org) {
		return nil, nil
	}
	return a.stay(ctx, about.ID)
}

// Tell says in a sentence that somebody of a name is in an organization for a time only; nothing where there is nothing to say.
func (s *Stay) Tell(name string) string {
	if s == nil {
		return ""
	}
	from := s.From.Format(time.RFC3339)
	if s.Until == nil {
		return fmt.Sprintf("%s will be in %s from %s.", name, s.Org, from)
	}
	until, home := s.Until.Format(time.RFC3339), "no organization"
	if s.Home != "" {
		home = s.Home + " again"
	}
	if s.Begun {
		return fmt.Sprintf("%s is in %s until %s, and then in %s.", name, s.Org, until, home)
	}
	return fmt.Sprintf("%s will be in %s from %s until %s, and then in %s.", name, s.Org, from, until, home)
}
