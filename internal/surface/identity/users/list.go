package users

import (
	"context"
	"strings"
	"time"

	"limen/internal/core/right"
	"limen/internal/core/user"
	"limen/internal/op"
	"limen/internal/surface/identity/page"
	"limen/internal/wire/rpc"
)

// maxRows is the most rows that one page has.
const maxRows = 10_000

// Listing asks for users.
type Listing struct {
	// Args say which page.
	Args page.Args `json:"Args"`
}

var userColumns = []rpc.Column{
	{Name: "Uuid", IsHidden: true, TableKey: "Primary"}, {Name: "Name", TableKey: "Alternate"}, {Name: "DisplayName"}, {Name: "Mail"}, {Name: "Description"},
	{Name: "State"}, {Name: "CloudState"}, {Name: "StatusEnum"}, {Name: "MobileNumber"}, {Name: "OfficeNumber"}, {Name: "HomeNumber"},
	{Name: "ReportsTo"}, {Name: "ServiceUser", Type: rpc.TypeBool}, {Name: "OauthClient", Type: rpc.TypeBool}, {Name: "InEverybodyRole", Type: rpc.TypeBool},
	{Name: "LastLogin", Type: rpc.TypeDate}, {Name: "LastInvite", Type: rpc.TypeDate}, {Name: "LastPasswordChangeDate", Type: rpc.TypeDate},
	{Name: "CreateDate", Type: rpc.TypeDate}, {Name: "OrgId", IsHidden: true}, {Name: "OrgPath"},
}

// userRows makes rows of what points to the users: text in an interface would be allocated for each value.
func userRows(users []user.Listed, path func(org string) string) []rpc.Row {
	out := make([]rpc.Row, len(users))
	entities := make([]rpc.Entity, len(users))
	values := make([]any, 0, len(users)*len(userColumns))
	for i := range users {
		p, from := &users[i], len(values)
		values = append(values,
			&p.ID, &p.Name, &p.Display, &p.Mail, &p.Description, p.State().String(), cloudState(p.CloudLocked), string(p.Status()), &p.Mobile,
			&p.Office, &p.Home, &p.ReportsTo, p.Service, p.OAuthClient, p.Everybody, date(p.LastLogin), date(p.Invited), date(p.PasswordChanged), date(p.Created),
			&p.Org, path(p.Org))
		entities[i] = rpc.Entity{Type: "User", Key: p.ID}
		out[i] = rpc.Row{Entities: entities[i : i+1 : i+1], Row: values[from:]}
	}
	return out
}

// date is a stored time, nothing when 0.
func date(ms int64) any {
	if ms == 0 {
		return nil
	}
	return time.UnixMilli(ms)
}

var sorts = map[string]user.Sort{"displayname": user.ByDisplay, "mail": user.ByMails, "createdate": user.ByCreation}

// GetUsers lists the users of the built-in directory whom the caller administers, sorted by Name unless SortBy is
// DisplayName, Mail or CreateDate. A page has at most 10,000 rows. users.yaml n 98.
func (u Users) GetUsers(ctx context.Context, c *op.Call, in Listing) (rpc.Query, error) {
	q := user.Query{Sort: sorts[strings.ToLower(in.Args.SortBy)], Desc: in.Args.Desc(), Limit: in.Args.Size(maxRows)}
	rows, err := u.People.Page(ctx, c, c.Grant, q, in.Args.Number())
	if err != nil {
		return rpc.Query{}, err
	}
	rows = rows[:min(len(rows), in.Args.Rows(maxRows))]
	n, err := u.People.Count(ctx, c, c.Grant, user.Query{})
	if err != nil {
		return rpc.Query{}, err
	}
	path, err := u.Orgs.Paths(ctx, c)
	if err != nil {
		return rpc.Query{}, err
	}
	return rpc.Query{Columns: userColumns, FullCount: int(n), Results: userRows(rows, path)}, nil
}

// RightRow is an administrative right as lists show it.
type RightRow struct {
	// Description is free text.
	Description string  `json:"Description"`
	Path        string  `json:"Path"`
	ServiceName *string `json:"ServiceName"`
}

var roleColumns = []rpc.Column{
	{Name: "_ID", IsHidden: true, TableKey: "Primary"}, {Name: "Name"}, {Name: "RoleName"}, {Name: "Description"},
	{Name: "IsHidden", IsHidden: true, Type: rpc.TypeBool}, {Name: "AdministrativeRights", Type: rpc.TypeObject},
}

// GetUsersRolesAndAdministrativeRights lists the roles that a user is in, directly, by nesting or as everybody is, each
// with the administrative rights that it gives. users.yaml n 104.
func (u Users) GetUsersRolesAndAdministrativeRights(ctx context.Context, c *op.Call, in UserRef) (rpc.Query, error) {
	roles, err := u.Roles.Carries(ctx, c, in.found.ID)
	if err != nil {
		return rpc.Query{}, err
	}
	out := rpc.Query{Columns: roleColumns, Results: []rpc.Row{}}
	for _, r := range roles {
		out.Results = append(out.Results, rpc.Row{
			Entities: []rpc.Entity{{Type: "Role", Key: r.ID}},
			Row:      []any{r.ID, r.Name, r.Name, r.Description, false, RightRows(r.ID, r.Paths)},
		})
	}
	out.FullCount = len(out.Results)
	return out, nil
}

// RightRows shows the rights of a role. System administrators hold every right without being given any.
func RightRows(roleID string, paths []string) []RightRow {
	out := []RightRow{}
	if roleID == "sysadmin" {
		for _, i := range right.All() {
			out = append(out, RightRow{Description: i.Name, Path: i.Path})
		}
		return out
	}
	for _, p := range paths {
		row := RightRow{Description: right.Parse(p).Info().Name, Path: p}
		if service, ok := strings.CutPrefix(p, "ServiceRight/"); ok {
			row.Description, row.ServiceName = service, &service
		}
		out = append(out, row)
	}
	return out
}
