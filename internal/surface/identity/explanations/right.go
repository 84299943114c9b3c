package explanations

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"limen/internal/core/org"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/user"
)

// Hop is a step of a path to a role.
type Hop struct {
	// Role is the role's id.
	Role string `json:"Role"`
	// Name is its name.
	Name string `json:"Name"`
	// How is Everybody (as everybody is), Member, Script (the role's script said so) or Nested (the role before is a member).
	How string `json:"How"`
	// From is when it begins, null without bound.
	From *time.Time `json:"From"`
	// Until is when it ends by itself, null without bound.
	Until *time.Time `json:"Until"`
	// Reason is why it was given.
	Reason string `json:"Reason"`
	// GrantedBy is the login name of who gave it; empty when nobody is known.
	GrantedBy string `json:"GrantedBy"`
	// Open says whether it holds now.
	Open bool `json:"Open"`
}

// Holding is a way in which a right is held.
type Holding struct {
	// Open says whether the right is held in this way now: all of From and Until on it are met.
	Open bool `json:"Open"`
	// Right is the name of the right that is carried: the one asked for, or one that reaches as far.
	Right string `json:"Right"`
	// Over is the path of the organization that it is held over, with all below it; empty: everywhere.
	Over string `json:"Over"`
	// Roles lead from the user to the role that carries the right; empty when the user holds it by themselves.
	Roles []Hop `json:"Roles"`
	// From is when the role's right begins, null without bound.
	From *time.Time `json:"From"`
	// Until is when it ends by itself, null without bound.
	Until *time.Time `json:"Until"`
	// Reason is why the right was given.
	Reason string `json:"Reason"`
	// GrantedBy is the login name of who gave the right; empty when nobody is known.
	GrantedBy string `json:"GrantedBy"`
}

// RightAnswer is why somebody holds a right, or does not.
type RightAnswer struct {
	// Name is the right's name.
	Name string `json:"Name"`
	// Path is the right's path.
	Path string `json:"Path"`
	// Everywhere says whether it is held over the whole tenant.
	Everywhere bool `json:"Everywhere"`
	// Over are the paths of the organizations that it is held over besides, each with all below it.
	Over []string `json:"Over"`
	// Holdings are the ways in which it is held, those that are closed now among them: not yet begun, or ended.
	Holdings []Holding `json:"Holdings"`
	// More says that there may be other ways.
	More bool `json:"More"`
	// Carriers are names of roles that carry the right, up to 20, when it is held in no way.
	Carriers []string `json:"Carriers"`
}

func (a asked) right(ctx context.Context) error {
	want := a.q.wanted
	out := RightAnswer{Name: want.String(), Path: want.Info().Path, Over: []string{}, Holdings: []Holding{}, Carriers: []string{}}
	m, err := a.Roles.Of(ctx, a.c, a.q.found.ID)
	if errors.Is(err, role.ErrMember) {
		err = user.ErrNotFound
	}
	if err != nil {
		return err
	}
	out.Everywhere = m.Held.Tenant.Reach().Has(want)
	path, err := a.Orgs.Paths(ctx, a.c)
	if err != nil {
		return err
	}
	for _, id := range m.Held.Somewhere() {
		if m.Held.Orgs[id].Reach().Has(want) {
			out.Over = append(out.Over, path(id))
		}
	}
	held, more, err := a.Roles.Holdings(ctx, a.c, a.q.found.ID, want)
	if err != nil {
		return err
	}
	for _, h := range held {
		out.Holdings = append(out.Holdings, a.holding(h, path(h.End().Org)))
	}
	out.More = more
	if err := a.granted(ctx, m.Roles, &out); err != nil {
		return err
	}
	a.out.Right, a.out.Summary = &out, out.summary(a.q.found.Name)
	if len(out.Holdings) > 0 || !a.full {
		return nil
	}
	carriers, err := a.Roles.Carriers(ctx, a.c, want, 20)
	for _, r := range carriers {
		out.Carriers = append(out.Carriers, r.Name)
	}
	return err
}

// granted adds what is held over organizations: by the person, and by roles that they are in.
func (a asked) granted(ctx context.Context, roles []string, out *RightAnswer) error {
	all := []org.Principal{{Kind: role.User, ID: a.q.found.ID}}
	for _, id := range roles {
		all = append(all, org.Principal{Kind: role.Sub, ID: id})
	}
	for _, p := range all {
		granted, err := a.Orgs.GrantedTo(ctx, a.c, p)
		if err != nil {
			return err
		}
		for _, g := range granted {
			if carried := right.Parse(g.Right); !right.Of(carried).Reach().Has(a.q.wanted) {
				continue
			}
			now := a.c.Now.UnixMilli()
			h := Holding{
				Open: g.Since <= now && (g.Until == 0 || now < g.Until), Right: right.Parse(g.Right).String(), Over: g.Path, Roles: []Hop{},
				From: date(g.Since), Until: date(g.Until), Reason: a.secret(g.Reason), GrantedBy: a.secret(g.Granter),
			}
			if p.Kind == role.Sub {
				if h.Roles, err = a.to(ctx, p.ID); err != nil {
					return err
				}
			}
			out.Holdings = append(out.Holdings, h)
		}
	}
	return nil
}

// to is a path to a role that the person is in.
func (a asked) to(ctx context.Context, roleID string) ([]Hop, error) {
	paths, _, err := a.Roles.Paths(ctx, a.c, a.q.found.ID, func(r role.Role) bool { return r.ID == roleID })
	if err != nil {
		return nil, err
	}
	for _, p := range paths {
		if p.Open {
			return a.hops(p), nil
		}
	}
	return []Hop{}, nil
}

func (a asked) holding(h role.Holding, over string) Holding {
	return Holding{
		Open: h.Open, Right: h.Right.String(), Over: over, Roles: a.hops(h.Path), From: date(h.Given.Since), Until: date(h.Given.Until),
		Reason: a.secret(h.Given.Reason), GrantedBy: a.secret(h.Given.Granter),
	}
}

func (a asked) hops(p role.Path) []Hop {
	out := make([]Hop, len(p.Hops))
	for i, h := range p.Hops {
		out[i] = Hop{
			Role: h.Role.ID, Name: h.Role.Name, How: h.How, From: date(h.Since), Until: date(h.Until), Reason: a.secret(h.Reason),
			GrantedBy: a.secret(h.Granter), Open: h.Open,
		}
	}
	return out
}

// secret is what those who ask about themselves are not told.
func (a asked) secret(s string) string {
	if !a.full {
		return ""
	}
	return s
}

// date is a stored time to the second, nothing when 0.
func date(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := time.UnixMilli(ms).UTC().Truncate(time.Second)
	return &t
}

func (r RightAnswer) summary(name string) string {
	switch {
	case r.Everywhere:
		for _, h := range r.Holdings {
			if h.Open && h.Over == "" {
				return fmt.Sprintf("%s holds %s everywhere, through %s.", name, r.Name, through(h.Roles))
			}
		}
		return fmt.Sprintf("%s holds %s everywhere.", name, r.Name)
	case len(r.Over) > 0:
		return fmt.Sprintf("%s holds %s over %s.", name, r.Name, strings.Join(r.Over, ", "))
	case len(r.Holdings) > 0:
		return fmt.Sprintf("%s does not hold %s now: it has ended, or has not begun.", name, r.Name)
	}
	return fmt.Sprintf("%s does not hold %s: no role that they are in carries it.", name, r.Name)
}

// through names the roles of a path.
func through(hops []Hop) string {
	names := make([]string, len(hops))
	for i, h := range hops {
		names[i] = h.Name
	}
	return strings.Join(names, " > ")
}
