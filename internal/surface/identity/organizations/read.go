package organizations

import (
	"context"
	"strings"
	"time"

	"limen/internal/core/org"
	"limen/internal/core/right"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/identity/page"
	"limen/internal/wire/rpc"
)

// Organization is one with who administers it.
type Organization struct {
	Made
	Administrators []Administrator `json:"Administrators"`
	MemberCount    int64           `json:"MemberCount"` // people
}

// Administrator is who administers an organization.
type Administrator struct {
	ID          string `json:"ID"` // UUID of a person, id of a role
	Name        string `json:"Name"`
	DisplayName string `json:"DisplayName"`
	Type        string `json:"Type"` // User or Role
	Held
}

// Held is since when and until when somebody holds something, why, and who gave it. It is beyond the contract.
type Held struct {
	From      *time.Time `json:"From"`  // null: it has begun
	Until     *time.Time `json:"Until"` // null: it does not end
	Reason    string     `json:"Reason"`
	GrantedBy string     `json:"GrantedBy"` // login name; empty when nobody is known
}

// date is a moment, of milliseconds since 1970 UTC; null for none.
func date(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := time.UnixMilli(ms).UTC()
	return &t
}

func listed(l org.Listed) Organization {
	out := Organization{Made: made(l.Org), Administrators: []Administrator{}, MemberCount: l.Members}
	for _, a := range l.Administrators {
		out.Administrators = append(out.Administrators, Administrator{a.ID, a.Name, a.Display, a.Kind, Held{date(a.Since), date(a.Until), a.Reason, a.Granter}})
	}
	return out
}

// Get returns one organization with its administrators and the number of people in it.
//
// Holders of any right over the tenant may read each; others those that they administer. organizations.yaml n 139.
func (o Organizations) Get(ctx context.Context, c *op.Call, in Ref) (Organization, error) {
	l, err := o.Orgs.Get(ctx, c, in.found.ID)
	return listed(l), err
}

// Listing asks for organizations.
type Listing struct {
	// Format Query gives a list with columns and rows; anything else a bare array.
	Format string `json:"format"`
}

var orgColumns = []rpc.Column{
	{Name: "ID", IsHidden: true, TableKey: "Primary"}, {Name: "Name"}, {Name: "Path", TableKey: "Alternate"}, {Name: "Description"},
	{Name: "ParentId", IsHidden: true}, {Name: "Administrators", Type: rpc.TypeObject}, {Name: "MemberCount", Type: rpc.TypeText},
}

// ListAll lists the organizations by path: all of them for holders of a right over the tenant, for others those that they
// administer. organizations.yaml n 143.
func (o Organizations) ListAll(ctx context.Context, c *op.Call, in Listing) (any, error) {
	rows, err := o.Orgs.List(ctx, c, c.Grant)
	if err != nil {
		return nil, err
	}
	out := make([]Organization, len(rows))
	for i, r := range rows {
		out[i] = listed(r)
	}
	if !strings.EqualFold(in.Format, "Query") {
		return out, nil
	}
	q := rpc.Query{Columns: orgColumns, FullCount: len(out), Results: make([]rpc.Row, len(out))}
	for i, r := range out {
		q.Results[i] = rpc.Row{
			Entities: []rpc.Entity{{Type: "Organization", Key: r.ID}},
			Row:      []any{r.ID, r.Name, r.Path, r.Description, r.ParentID, r.Administrators, r.MemberCount},
		}
	}
	return q, nil
}

// Members asks for what belongs to an organization.
type Members struct {
	Ref
	// Args say which page.
	Args page.Args `json:"Args"`
}

// maxRows is the most rows that one page has.
const maxRows = 10_000

// paged cuts the page out of rows.
func paged(columns []rpc.Column, rows []rpc.Row, args page.Args) rpc.Query {
	size, full := args.Size(maxRows), len(rows)
	from := min(int64(args.Number()-1)*int64(size), int64(full))
	rows = rows[from:min(from+int64(args.Rows(maxRows)), int64(full))]
	return rpc.Query{Columns: columns, FullCount: full, Results: rows}
}

var adminColumns = []rpc.Column{
	{Name: "ID", IsHidden: true, TableKey: "Primary"}, {Name: "Guid", IsHidden: true}, {Name: "Name"}, {Name: "DisplayName"}, {Name: "Type"},
	{Name: "DirectoryServiceUuid", IsHidden: true}, {Name: "OrgId", IsHidden: true},
	{Name: "From", Type: rpc.TypeDate}, {Name: "Until", Type: rpc.TypeDate}, {Name: "Reason"}, {Name: "GrantedBy"},
}

// GetAdministrators lists who administers an organization itself; who administers one above it is not repeated.
// organizations.yaml n 140.
func (o Organizations) GetAdministrators(ctx context.Context, c *op.Call, in Members) (rpc.Query, error) {
	admins, err := o.Orgs.Administrators(ctx, c, in.found.ID)
	rows := []rpc.Row{}
	for _, a := range admins {
		rows = append(rows, rpc.Row{
			Entities: []rpc.Entity{{Type: a.Kind, Key: a.ID}},
			Row:      []any{a.ID, a.ID, a.Name, a.Display, a.Kind, user.Source, in.found.ID, date(a.Since), date(a.Until), a.Reason, a.Granter},
		})
	}
	return paged(adminColumns, rows, in.Args), err
}

// Permission is what somebody holds over an organization.
type Permission struct {
	Right         []string `json:"Right"`     // names of rights
	Principal     string   `json:"Principal"` // UUID of a person, id of a role
	PrincipalType string   `json:"PrincipalType"`
	PrincipalName string   `json:"PrincipalName"`
	Held
}

// GetPermission lists which rights people and roles hold over an organization itself and so over all below it; the rights
// of its administrators are among them. organizations.yaml n 141.
func (o Organizations) GetPermission(ctx context.Context, c *op.Call, in Ref) ([]Permission, error) {
	held, err := o.Orgs.Permissions(ctx, c, in.found.ID)
	out := []Permission{}
	for _, h := range held {
		since, until := h.Millis()
		p := Permission{Principal: h.ID, PrincipalType: h.Kind, PrincipalName: h.Name, Held: Held{date(since), date(until), h.Reason, h.Granter}}
		for _, r := range h.Rights {
			p.Right = append(p.Right, r.String())
		}
		out = append(out, p)
	}
	return out, err
}

// Right is an administrative right that a role carries.
type Right struct {
	Description string `json:"Description"`
	Path        string `json:"Path"`
}

var roleColumns = []rpc.Column{
	{Name: "ID", IsHidden: true, TableKey: "Primary"}, {Name: "_ID", IsHidden: true}, {Name: "Name"}, {Name: "Description"}, {Name: "RoleType"},
	{Name: "OrgId", IsHidden: true}, {Name: "OrgPath"}, {Name: "AdministrativeRights", Type: rpc.TypeObject},
}

// GetRoles lists the roles that belong to an organization itself, each with the rights that it gives over the organization
// and all below it. organizations.yaml n 142.
func (o Organizations) GetRoles(ctx context.Context, c *op.Call, in Members) (rpc.Query, error) {
	roles, err := o.Orgs.RolesIn(ctx, c, in.found.ID)
	rows := []rpc.Row{}
	for _, r := range roles {
		paths, err := o.Roles.Rights(ctx, c, r.ID)
		if err != nil {
			return rpc.Query{}, err
		}
		rights := []Right{}
		for _, p := range paths {
			rights = append(rights, Right{name(p), p})
		}
		rows = append(rows, rpc.Row{
			Entities: []rpc.Entity{{Type: "Role", Key: r.ID}},
			Row:      []any{r.ID, r.ID, r.Name, r.Description, r.Kind, r.Org, in.found.Path, rights},
		})
	}
	return paged(roleColumns, rows, in.Args), err
}

// name is that of a right by its path; another service's right is called as in its path.
func name(path string) string {
	if r := right.Parse(path); r != right.None {
		return r.String()
	}
	return strings.TrimPrefix(path, "ServiceRight/")
}

// Task is what somebody may want to do.
type Task struct {
	// Task is the name or path of a right, required.
	Task string `json:"task"`
	// OrgID is an organization's id; absent: whether the right is held over the tenant or any organization.
	OrgID string `json:"OrgId"`

	found org.Org
}

// Check wants a task.
func (t *Task) Check() error {
	if strings.TrimSpace(t.Task) == "" {
		return fault.Missing("task")
	}
	return nil
}

// Resolve finds the organization.
func (t *Task) Resolve(ctx context.Context, c *op.Call) (err error) {
	if id := strings.TrimSpace(t.OrgID); id != "" {
		t.found, err = org.ByID(ctx, c, id)
	}
	return err
}

// TaskCheck says whether the caller holds a right, over one organization when that is named. Whoever may not know an
// organization gets false. organizations.yaml n 145.
func (o Organizations) TaskCheck(_ context.Context, c *op.Call, in Task) (bool, error) {
	r, held := right.Parse(in.Task), c.Caller.Held
	reach := held.Tenant.Reach()
	if in.found.ID != "" {
		return (held.Tenant | held.At(in.found.ID)).Reach().Has(r) && r != right.None, nil
	}
	for _, s := range held.Orgs {
		reach |= s.Reach()
	}
	return reach.Has(r) && r != right.None, nil
}
