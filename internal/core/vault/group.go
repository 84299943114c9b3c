package vault

import (
	"context"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/number"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/fold"
	"limen/internal/wire/pvwa"
)

const kindVault = "Vault"

// GroupQuery asks for groups.
type GroupQuery struct {
	Type    string // Vault or Directory; empty: any
	Name    string // empty: any
	Search  string // words, each to be found in the name
	Sort    []pvwa.Order
	Members bool
}

// Fields of filters and orders.
var (
	GroupFilterFields = []string{"groupType", "groupName"}
	GroupSortFields   = []string{"groupName", "directory", "location"}
)

// FindGroup gives the role with a number; ErrGroup when there is none, and of those that stand for authorizations.
func FindGroup(ctx context.Context, c *call.Call, n int64) (role.Role, error) {
	id, err := number.Find(ctx, c, number.Role, n)
	if err != nil {
		return role.Role{}, missing(err, ErrGroup)
	}
	return asGroup(ctx, c, id)
}

// GroupNamed gives the role of a name; ErrGroup when there is none.
func GroupNamed(ctx context.Context, c *call.Call, name string) (role.Role, error) {
	r, err := asGroup(ctx, c, name)
	if err == nil && fold.Key(r.Name) != fold.Key(name) {
		err = ErrGroup
	}
	return r, err
}

func asGroup(ctx context.Context, c *call.Call, ref string) (role.Role, error) {
	r, err := role.Find(ctx, c, ref)
	if err != nil {
		return r, missing(err, ErrGroup)
	}
	e, err := entitlements(ctx, c)
	if _, stands := e[r.ID]; stands && err == nil {
		err = ErrGroup
	}
	return r, err
}

// Groups gives the groups that a query finds, as far as the grant allows.
func (v *Vault) Groups(ctx context.Context, c *call.Call, g grant.Grant, q GroupQuery) ([]pvwa.Group, error) {
	out := []pvwa.Group{}
	if q.Type != "" && !strings.EqualFold(q.Type, kindVault) {
		if !strings.EqualFold(q.Type, "Directory") {
			return nil, ErrValue.At("filter").Say("groupType can be Vault or Directory.")
		}
		return out, nil
	}
	e, err := entitlements(ctx, c)
	if err != nil {
		return nil, err
	}
	all, err := v.Roles.List(ctx, c)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(r role.Role) bool {
		_, stands := e[r.ID]
		return stands || !g.Allows(r.ID, r.Org) || !q.fits(r)
	})
	paths, err := v.Orgs.Paths(ctx, c)
	if err != nil {
		return nil, err
	}
	q.order(all, paths)
	return v.groups(ctx, c, g, q.Members, all...)
}

// fits says whether a role is among those that a query wants.
func (q GroupQuery) fits(r role.Role) bool {
	key := fold.Key(r.Name)
	if q.Name != "" && key != fold.Key(q.Name) {
		return false
	}
	for word := range strings.FieldsSeq(q.Search) {
		if !strings.Contains(key, fold.Key(word)) {
			return false
		}
	}
	return true
}

// order sorts roles as a query wants them; by their names at last. None is of a directory.
func (q GroupQuery) order(all []role.Role, paths func(id string) string) {
	slices.SortStableFunc(all, func(a, b role.Role) int {
		for _, o := range q.Sort {
			by := 0
			switch o.Name {
			case "groupName":
				by = strings.Compare(fold.Key(a.Name), fold.Key(b.Name))
			case "location":
				by = strings.Compare(fold.Key(paths(a.Org)), fold.Key(paths(b.Org)))
			}
			if o.Desc {
				by = -by
			}
			if by != 0 {
				return by
			}
		}
		return strings.Compare(fold.Key(a.Name), fold.Key(b.Name))
	})
}

// Group gives a group, with its members where they are wanted, as far as the grant allows.
func (v *Vault) Group(ctx context.Context, c *call.Call, g grant.Grant, r role.Role, members bool) (pvwa.Group, error) {
	out, err := v.groups(ctx, c, g, members, r)
	if err != nil {
		return pvwa.Group{}, err
	}
	return out[0], nil
}

// groups makes groups of roles.
func (v *Vault) groups(ctx context.Context, c *call.Call, g grant.Grant, members bool, all ...role.Role) ([]pvwa.Group, error) {
	ids := make([]string, len(all))
	for i, r := range all {
		ids[i] = r.ID
	}
	numbers, err := number.Some(ctx, c, number.Role, ids...)
	if err != nil {
		return nil, err
	}
	paths, err := v.Orgs.Paths(ctx, c)
	if err != nil {
		return nil, err
	}
	out, left := make([]pvwa.Group, len(all)), MaxUsers
	for i, r := range all {
		out[i] = pvwa.Group{ID: numbers[r.ID], Type: kindVault, Name: r.Name, Description: r.Description, Location: location(paths(r.Org))}
		if !members {
			continue
		}
		ms, err := v.members(ctx, c, g, r, left)
		if err != nil {
			return nil, err
		}
		left -= len(ms)
		out[i].Members = &ms
	}
	return out, nil
}

// members are the people who are directly in a role.
func (v *Vault) members(ctx context.Context, c *call.Call, g grant.Grant, r role.Role, most int) ([]pvwa.Member, error) {
	const size = 5000
	short, err := v.shorter(ctx, c)
	if err != nil {
		return nil, err
	}
	out := []pvwa.Member{}
	for after := (role.After{}); ; {
		rows, err := v.listed(ctx, c, g, r, after, size)
		if err != nil {
			return nil, err
		}
		var ids []string
		for _, m := range rows {
			if m.Kind == role.User {
				ids = append(ids, m.ID)
			}
		}
		numbers, err := number.Some(ctx, c, number.User, ids...)
		if err != nil {
			return nil, err
		}
		for _, m := range rows {
			if n := numbers[m.ID]; n != 0 {
				out = append(out, pvwa.Member{ID: n, Username: short(m.Name)})
			}
		}
		if len(out) > most {
			return nil, ErrMany.Say("The groups have too many members for one answer. Ask without includeMembers.")
		}
		if len(rows) < size {
			return out, nil
		}
		last := rows[len(rows)-1]
		after = role.After{Kind: last.Kind, ID: last.ID}
	}
}

// listed is a page of the direct members of a role. Those of Everybody are not listed: they are all people.
func (v *Vault) listed(ctx context.Context, c *call.Call, g grant.Grant, r role.Role, after role.After, size int) ([]role.MemberRow, error) {
	if r.Kind == role.Open {
		return nil, nil
	}
	return v.Roles.Members(ctx, c, g, r.ID, after, size)
}

// CreateGroup makes a group. Faults: ErrLocation, ErrAbove, and those of roles.
func (v *Vault) CreateGroup(ctx context.Context, c *call.Call, name, description, at string) (pvwa.Group, error) {
	unit, err := v.place(ctx, c, at)
	if err != nil {
		return pvwa.Group{}, err
	}
	r, err := v.Roles.Create(ctx, c, role.New{Name: name, Description: description, Org: unit})
	if err != nil {
		return pvwa.Group{}, err
	}
	return v.Group(ctx, c, c.Grant, r, false)
}

// RenameGroup gives a group another name.
func (v *Vault) RenameGroup(ctx context.Context, c *call.Call, id, name string) (pvwa.Group, error) {
	r, err := v.group(ctx, c, id)
	if err == nil {
		err = v.Roles.Rename(ctx, c, id, name, r.Description)
	}
	if err != nil {
		return pvwa.Group{}, err
	}
	r.Name = strings.TrimSpace(name)
	return v.Group(ctx, c, c.Grant, r, false)
}

// DeleteGroup removes a group with its memberships.
func (v *Vault) DeleteGroup(ctx context.Context, c *call.Call, id string) error {
	r, err := v.group(ctx, c, id)
	switch {
	case err != nil:
		return err
	case r.BuiltIn:
		return ErrBuiltIn
	}
	return v.Roles.Delete(ctx, c, id)
}

// group finds a role again in the transaction that changes it.
func (v *Vault) group(ctx context.Context, c *call.Call, id string) (role.Role, error) {
	r, err := asGroup(ctx, c, id)
	if err == nil && !c.Grant.Allows(r.ID, r.Org) {
		err = ErrGroup
	}
	return r, err
}

// Join makes somebody a member of a group. Faults: ErrMember, ErrUser, and those of roles.
func (v *Vault) Join(ctx context.Context, c *call.Call, groupID, name string) error {
	u, is, err := v.membership(ctx, c, groupID, name)
	switch {
	case err != nil:
		return err
	case is:
		return ErrMember
	}
	return v.Roles.Add(ctx, c, groupID, role.Member{Kind: role.User, ID: u.ID})
}

// Leave takes somebody out of a group. Faults: ErrNotMember, ErrUser, and those of roles.
func (v *Vault) Leave(ctx context.Context, c *call.Call, groupID, name string) error {
	u, is, err := v.membership(ctx, c, groupID, name)
	switch {
	case err != nil:
		return err
	case !is:
		return ErrNotMember
	}
	return v.Roles.Remove(ctx, c, groupID, role.Member{Kind: role.User, ID: u.ID})
}

// membership finds a group and somebody, and whether they are directly in it.
func (v *Vault) membership(ctx context.Context, c *call.Call, groupID, name string) (user.User, bool, error) {
	r, err := v.group(ctx, c, groupID)
	if err != nil {
		return user.User{}, false, err
	}
	u, err := Named(ctx, c, name)
	if err != nil {
		return u, false, err
	}
	if r.Kind == role.Open {
		return u, u.Everybody, nil
	}
	is, err := v.Roles.Direct(ctx, c, r.ID, u.ID)
	return u, is, err
}
