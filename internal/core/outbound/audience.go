package outbound

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/app"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/user"
)

// audience is whom an application is given to at a moment.
type audience struct {
	masks  map[string]acl.Mask // by ids of people and roles
	next   int64               // when it is another though nothing changes; 0: never
	digest string
}

// audience reads whom an application is given to, by entries of its own and of sets.
func (o *Outbound) audience(ctx context.Context, c *call.Call, appID string) (audience, error) {
	out := audience{masks: map[string]acl.Mask{}}
	t, err := o.Lists.Table(app.Table)
	if err != nil {
		return out, err
	}
	all, err := o.Lists.Entries(ctx, c, t, appID)
	var lines []string
	now := c.Now.UnixMilli()
	for _, e := range all {
		lines = append(lines, fmt.Sprintln(e.Principal, e.Mask, e.Since, e.Until))
		if e.Since <= now {
			out.masks[e.Principal] |= e.Mask
		}
		for _, at := range []int64{e.Since, e.Until} {
			if at > now && (out.next == 0 || at < out.next) {
				out.next = at
			}
		}
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "")))
	out.digest = hex.EncodeToString(sum[:])
	return out, err
}

// has says whether somebody in these roles may use the application.
func (a *audience) has(userID string, roles []string) bool {
	m := a.masks[userID]
	for _, id := range roles {
		m |= a.masks[id]
	}
	return m.Has(acl.View | app.Execute)
}

// who is a person as they are looked at.
type who struct {
	user.User
	found bool     // there is such a person
	roles []string // sorted
	until int64    // when they are others though nothing changes; 0: never
}

// look reads a person.
func (o *Outbound) look(ctx context.Context, c *call.Call, id string) (who, error) {
	u, err := o.People.ByID(ctx, c, id)
	if errors.Is(err, user.ErrNotFound) {
		return who{}, nil
	}
	if err != nil {
		return who{}, err
	}
	return o.joined(ctx, c, u)
}

// joined adds the roles to a person's row.
func (o *Outbound) joined(ctx context.Context, c *call.Call, u user.User) (who, error) {
	m, err := o.Roles.Of(ctx, c, u.ID)
	if errors.Is(err, role.ErrMember) {
		return who{}, nil
	}
	out := who{User: u, found: true, roles: m.Roles}
	if !m.Until.IsZero() {
		out.until = m.Until.UnixMilli()
	}
	if u.Expires > c.Now.UnixMilli() && (out.until == 0 || u.Expires < out.until) {
		out.until = u.Expires
	}
	return out, err
}

// What is to be there of somebody.
type wanted string

const (
	wantActive   wanted = Active
	wantDisabled wanted = Disabled
	wantRemoved  wanted = Removed
	wantNothing  wanted = "" // whatever is there
)

// decide says what is to be of a person at a target.
func (t *Target) decide(ctx context.Context, c *call.Call, a *audience, p *who) (wanted, error) {
	ending := map[string]wanted{Disable: wantDisabled, Delete: wantRemoved, Leave: wantNothing}
	if !p.found {
		return ending[t.Settings.Gone], nil
	}
	in := !p.Service && a.has(p.ID, p.roles)
	if in {
		var err error
		if in, err = t.reaches(ctx, c, p.Org); err != nil {
			return "", err
		}
	}
	switch {
	case !in:
		return ending[t.Settings.Loss], nil
	case t.Settings.Off == Disable && (p.Disabled || p.Suspended || p.Expired || p.Ended(c.Now)):
		return wantDisabled, nil
	case t.Settings.Locked == Disable && (p.Locked || p.CloudLocked):
		return wantDisabled, nil
	}
	return wantActive, nil
}

// lists says whether the caller may list the members of a role.
func lists(c *call.Call, r role.Role) bool {
	if c.Caller == nil {
		return false
	}
	h := c.Caller.Held
	return h.Over(right.RoleManagement, r.Org) || h.Over(right.ReadRoles, r.Org)
}
