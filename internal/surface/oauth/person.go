package oauth

import (
	"context"
	"slices"
	"strings"

	"limen/internal/core/detail"
	"limen/internal/core/oauth"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/op"
)

// Person is what ark and idsec read of the person whose bearer they send.
type Person struct {
	FirstName  string
	LastName   string
	HomeNumber string
	Manager    string // login name; empty: none
	Username   string
	Groups     []Named  // of directories elsewhere; there are none
	Rights     []string // names of the administrative rights
	Roles      []Named
}

// Named is a role or a group.
type Named struct {
	ID   string
	Name string
}

// person describes the caller, whatever kind of bearer proves them: a platform token, as a sign-in gives it, or a token of the
// application that every tenant has.
func (o OAuth) person(ctx context.Context, c *op.Call) (op.JSON, error) {
	if c.Caller == nil || c.Caller.Cookie {
		return op.JSON{}, oauth.ErrToken
	}
	u, err := o.People.ByID(ctx, c, c.Caller.User)
	if err != nil {
		return op.JSON{}, err
	}
	out := Person{HomeNumber: u.Home, Username: u.Name, Groups: []Named{}, Rights: []string{}, Roles: []Named{}}
	known, err := detail.Of(ctx, c, u.ID)
	if err != nil {
		return op.JSON{}, err
	}
	out.FirstName, out.LastName = detail.Named(known[u.ID], u.Display)
	if u.ReportsTo != "" {
		boss, err := o.People.ByID(ctx, c, u.ReportsTo)
		if err != nil {
			return op.JSON{}, err
		}
		out.Manager = boss.Name
	}
	in, err := o.Roles.Carries(ctx, c, u.ID)
	if err != nil {
		return op.JSON{}, err
	}
	for _, r := range in {
		out.Roles = append(out.Roles, Named{r.ID, r.Name})
		out.Rights = append(out.Rights, rights(r)...)
	}
	slices.Sort(out.Rights)
	out.Rights = slices.Compact(out.Rights)
	return op.JSON{Body: out}, nil
}

// rights are the names of those that a role gives.
func rights(r role.Carried) (out []string) {
	if r.ID == role.System {
		for _, i := range right.All() {
			out = append(out, i.Name)
		}
		return out
	}
	for _, path := range r.Paths {
		if service, ok := strings.CutPrefix(path, "ServiceRight/"); ok {
			out = append(out, service)
		} else if name := right.Parse(path).Info().Name; name != "" {
			out = append(out, name)
		}
	}
	return out
}
