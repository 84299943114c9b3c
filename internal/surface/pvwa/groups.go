package pvwa

import (
	"context"
	"net/http"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/core/vault"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/pvwa"
)

// What calls on groups can give.
var (
	grouping = []*fault.Error{
		vault.ErrValue, vault.ErrNumber, vault.ErrLocation, vault.ErrAbove, role.ErrNameTaken, role.ErrTooMany, fault.ErrBlank, fault.ErrInvalid,
	}
	regrouping = []*fault.Error{
		vault.ErrGroup, vault.ErrNumber, vault.ErrBuiltIn, role.ErrBuiltIn, role.ErrEverybody, role.ErrDynamic, role.ErrSystem, role.ErrNotHeld, role.ErrLast,
	}
	joining = []*fault.Error{vault.ErrUser, vault.ErrMember, vault.ErrNotMember, vault.ErrValue, user.ErrStronger}
)

const group = base + "/UserGroups/{groupId}"

func (p PVWA) groups() []op.Op {
	join := writes(http.MethodPost, group+"/Members", groups, audit.RoleMembers, regrouping, joining)
	leave := writes(http.MethodDelete, group+"/Members/{memberName}", groups, audit.RoleMembers, regrouping, joining)
	byName := writes(http.MethodPost, older+"/Groups/{groupName}/Users", groups, audit.RoleMembers, regrouping, joining)
	return []op.Op{
		op.New(reads(base+"/UserGroups", roles, vault.ErrValue, vault.ErrMany), p.ListGroups),
		op.New(writes(http.MethodPost, base+"/UserGroups", groups, audit.RoleCreate, grouping), p.CreateGroup),
		op.New(reads(group, roles, vault.ErrGroup, vault.ErrNumber, vault.ErrMany), p.GetGroup),
		op.New(writes(http.MethodPut, group, groups, audit.RoleChange, grouping, regrouping), p.RenameGroup),
		op.New(writes(http.MethodDelete, group, groups, audit.RoleDelete, regrouping), p.DeleteGroup),
		op.New(join, p.AddMember), op.New(leave, p.RemoveMember), op.New(byName, p.AddOlderMember),
	}
}

// GroupQuery asks for groups.
type GroupQuery struct {
	// Filter is conditions on groupType and groupName, as groupType eq Vault AND groupName eq Auditors.
	Filter string `json:"filter"`
	// Search is words, each of which is in the name.
	Search string `json:"search"`
	// Sort is up to three of groupName, directory, location, each with asc or desc.
	Sort string `json:"sort"`
	// IncludeMembers adds the users who are directly in each group.
	IncludeMembers bool `json:"includeMembers"`

	read vault.GroupQuery
}

func (q *GroupQuery) take(r *op.Request) error {
	in, err := wire.ReadQuery(r.HTTP.URL.RawQuery)
	if err != nil {
		return err
	}
	q.read.Search = in.Text("search")
	if len(q.read.Search) > maxSearch {
		return &wire.Error{Field: "search", Text: "is too long"}
	}
	terms, err := wire.ReadFilter(in.Text("filter"), vault.GroupFilterFields...)
	if err != nil {
		return err
	}
	for _, t := range terms {
		switch t.Name {
		case "groupType":
			q.read.Type = t.Value
		case "groupName":
			q.read.Name = t.Value
		}
	}
	if q.read.Sort, err = wire.ReadSort(in.Text("sort"), vault.GroupSortFields...); err != nil {
		return err
	}
	q.read.Members, err = in.Bool("includeMembers")
	return err
}

// Groups is a list of groups.
type Groups struct {
	// Value are the groups.
	Value []wire.Group `json:"value"`
	// Count is how many they are.
	Count int `json:"count"`
}

// ListGroups lists the groups that the caller may see: the tenant's roles, but for those that stand for authorizations. pvwa.yaml, GET
// /PasswordVault/API/UserGroups.
func (p PVWA) ListGroups(ctx context.Context, c *op.Call, in GroupQuery) (Groups, error) {
	list, err := p.Vault.Groups(ctx, c, c.Grant, in.read)
	return Groups{list, len(list)}, err
}

// NewGroup is a group to be made.
type NewGroup struct {
	// Name is the group's name, required, at most 200 bytes.
	Name string `json:"groupName"`
	// Description is a text.
	Description string `json:"description"`
	// Location is a path of organizations; one backslash, the root, when absent.
	Location string `json:"location"`
}

func (n *NewGroup) take(r *op.Request) error { return wire.Read(r.Body, n) }

// Check wants a name.
func (n *NewGroup) Check() error { return named(n.Name) }

func named(name string) error {
	if strings.TrimSpace(name) == "" {
		return vault.ErrValue.At("groupName").Say("groupName is required.")
	}
	return nil
}

// MadeGroup is a group that was made.
type MadeGroup struct{ wire.Group }

// Status is that of something new.
func (MadeGroup) Status() int { return http.StatusCreated }

// CreateGroup makes a group, which is a role without rights in every dialect. pvwa.yaml, POST /PasswordVault/API/UserGroups.
func (p PVWA) CreateGroup(ctx context.Context, c *op.Call, in NewGroup) (MadeGroup, error) {
	g, err := p.Vault.CreateGroup(ctx, c, in.Name, in.Description, in.Location)
	return MadeGroup{g}, err
}

// GroupRef names a group.
type GroupRef struct {
	// ID is the group's number, in the path.
	ID int64 `json:"groupId"`
	// IncludeMembers adds the users who are directly in it, where a group is asked for.
	IncludeMembers bool `json:"includeMembers"`
	found          role.Role
}

func (g *GroupRef) take(r *op.Request) (err error) {
	if g.ID, err = wire.ParseInt("groupId", r.Path["groupId"]); err != nil {
		return err
	}
	in, err := wire.ReadQuery(r.HTTP.URL.RawQuery)
	if err != nil {
		return err
	}
	g.IncludeMembers, err = in.Bool("includeMembers")
	return err
}

// Resolve finds the group.
func (g *GroupRef) Resolve(ctx context.Context, c *op.Call) (err error) {
	g.found, err = vault.FindGroup(ctx, c, g.ID)
	return err
}

// Target is the role that the call is about.
func (g *GroupRef) Target() op.Target { return op.Target{ID: g.found.ID, Org: g.found.Org} }

// GetGroup tells of a group. pvwa.yaml, GET /PasswordVault/API/UserGroups/{groupId}.
func (p PVWA) GetGroup(ctx context.Context, c *op.Call, in GroupRef) (wire.Group, error) {
	return p.Vault.Group(ctx, c, c.Grant, in.found, in.IncludeMembers)
}

// GroupName is another name for a group.
type GroupName struct {
	GroupRef
	// Name is the name, required.
	Name string `json:"groupName"`
}

func (g *GroupName) take(r *op.Request) error {
	if err := wire.Read(r.Body, g); err != nil {
		return err
	}
	return g.GroupRef.take(r)
}

// Check wants a name.
func (g *GroupName) Check() error { return named(g.Name) }

// RenameGroup gives a group another name. The caller must hold the rights that the role carries. pvwa.yaml, PUT
// /PasswordVault/API/UserGroups/{groupId}.
func (p PVWA) RenameGroup(ctx context.Context, c *op.Call, in GroupName) (wire.Group, error) {
	return p.Vault.RenameGroup(ctx, c, in.found.ID, in.Name)
}

// DeleteGroup removes a group with its memberships and rights. pvwa.yaml, DELETE /PasswordVault/API/UserGroups/{groupId}.
func (p PVWA) DeleteGroup(ctx context.Context, c *op.Call, in GroupRef) (op.None, error) {
	return op.None{}, p.Vault.DeleteGroup(ctx, c, in.found.ID)
}

// Member names a user who is to be in a group.
type Member struct {
	GroupRef
	// MemberID is the user's name, required: a name, despite the field's own.
	MemberID string `json:"memberId"`
	// MemberType is vault, also when absent: nobody comes from a domain.
	MemberType string `json:"memberType"`
	// DomainName is not needed.
	DomainName string `json:"domainName"`
}

func (m *Member) take(r *op.Request) error {
	if err := wire.Read(r.Body, m); err != nil {
		return err
	}
	return m.GroupRef.take(r)
}

// Check wants a name of a user of the Vault.
func (m *Member) Check() error {
	switch {
	case strings.TrimSpace(m.MemberID) == "" || len(m.MemberID) > maxName:
		return vault.ErrValue.At("memberId").Say("memberId is required.")
	case m.MemberType != "" && !strings.EqualFold(m.MemberType, "vault"):
		return vault.ErrValue.At("memberType").Say("memberType can be vault: no domain is mapped.")
	}
	return nil
}

// Membership is who was put into a group.
type Membership struct {
	// MemberID is the user's name as it was given.
	MemberID string `json:"memberId"`
	// MemberType is vault.
	MemberType string `json:"memberType"`
	// DomainName is empty.
	DomainName string `json:"domainName"`
}

// Status is that of something new.
func (Membership) Status() int { return http.StatusCreated }

// AddMember puts a user into a group. The caller must hold the rights that the role carries. pvwa.yaml, POST
// /PasswordVault/API/UserGroups/{groupId}/Members.
func (p PVWA) AddMember(ctx context.Context, c *op.Call, in Member) (Membership, error) {
	return Membership{in.MemberID, "vault", ""}, p.Vault.Join(ctx, c, in.found.ID, in.MemberID)
}

// FormerMember names a user who is to leave a group.
type FormerMember struct {
	GroupRef
	// MemberName is the user's name, in the path.
	MemberName string `json:"memberName"`
}

func (m *FormerMember) take(r *op.Request) error {
	m.MemberName = r.Path["memberName"]
	return m.GroupRef.take(r)
}

// RemoveMember takes a user out of a group. The caller must hold the rights that the role carries. pvwa.yaml, DELETE
// /PasswordVault/API/UserGroups/{groupId}/members/{memberName}.
func (p PVWA) RemoveMember(ctx context.Context, c *op.Call, in FormerMember) (op.None, error) {
	return op.None{}, p.Vault.Leave(ctx, c, in.found.ID, in.MemberName)
}

// OlderMember names a group and a user who is to be in it.
type OlderMember struct {
	// GroupName is the group's name, in the path.
	GroupName string `json:"groupName"`
	// UserName is the user's name, required.
	UserName string `json:"UserName"`
	found    role.Role
}

func (m *OlderMember) take(r *op.Request) error {
	err := wire.Read(r.Body, m)
	m.GroupName = r.Path["groupName"]
	return err
}

// Check wants a user.
func (m *OlderMember) Check() error {
	if strings.TrimSpace(m.UserName) == "" || len(m.UserName) > maxName {
		return vault.ErrValue.At("UserName").Say("UserName is required.")
	}
	return nil
}

// Resolve finds the group.
func (m *OlderMember) Resolve(ctx context.Context, c *op.Call) (err error) {
	m.found, err = vault.GroupNamed(ctx, c, m.GroupName)
	return err
}

// Target is the role that the call is about.
func (m *OlderMember) Target() op.Target { return op.Target{ID: m.found.ID, Org: m.found.Org} }

// MadeMember is the answer of the first generation: nothing but that something is new.
type MadeMember struct{}

// Status is that of something new.
func (MadeMember) Status() int { return http.StatusCreated }

// AddOlderMember puts a user into a group by the names of both. pvwa.yaml, POST
// /PasswordVault/WebServices/PIMServices.svc/Groups/{groupName}/Users.
func (p PVWA) AddOlderMember(ctx context.Context, c *op.Call, in OlderMember) (MadeMember, error) {
	return MadeMember{}, p.Vault.Join(ctx, c, in.found.ID, in.UserName)
}
