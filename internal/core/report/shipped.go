package report

import (
	"context"
	"strings"

	"limen/internal/call"
	"limen/internal/core/right"
	"limen/internal/fold"
	"limen/internal/wire/redrock"
)

// shipped are the reports of the product, by folded name (redrock.yaml, @@{Report name}).
var shipped = map[string]string{
	"all users": `SELECT ID, Username, DisplayName, Email, LastLogin, LastInvite, Status, StatusEnum, SourceDs, SourceDsLocalized, SourceDsType, DirectoryServiceUuid, ServiceUser FROM User ORDER BY Username COLLATE NOCASE`,
}

// rolesWithMembers lists every role with its direct members, a row each; a role without members has one row, too.
const rolesWithMembers = `SELECT Role.ID, Role.Name, Role.Description, Role.RoleType, Role.ReadOnly, RoleMember.Guid AS MemberGuid,
	RoleMember.Name AS MemberName, RoleMember.Type AS MemberType
	FROM Role LEFT JOIN RoleMember ON RoleMember.RoleId = Role.ID ORDER BY Role.Name COLLATE NOCASE, RoleMember.Name COLLATE NOCASE`

// activity is what a person's or object's recent events show.
const activity = `SELECT WhenOccurred AS "When", EventMessage AS Detail, EventType, FromIPAddress FROM Event WHERE %s ORDER BY WhenOccurred DESC LIMIT 1000`

// library answers a library script (redrock.yaml, @/lib/...).
func (r *Reports) library(ctx context.Context, c *call.Call, s redrock.Script, args redrock.Args) (Answer, error) {
	switch name := strings.ToLower(s.Name); {
	case name == "/lib/get_superrights.js":
		return superRights(s.Args["excludeRight"]), nil
	case name == "/lib/all_roles_with_members.js":
		return r.query(ctx, c, rolesWithMembers, args)
	case name == "/lib/get_user_activity_for_admin.js":
		id := literal(s.Args["userid"])
		return r.query(ctx, c, strings.ReplaceAll(activity, "%s", "UserGuid = "+id+" OR TargetUserID = "+id), args)
	case strings.HasPrefix(name, "/lib/server/get_activity_for_"):
		return r.query(ctx, c, strings.ReplaceAll(activity, "%s", "EntityUuid = "+literal(s.Args["id"])), args)
	}
	return Answer{}, ErrUnknown.Say("There is no script %q.", s.Name)
}

// literal writes a text of the dialect.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// superRights lists every right that a role can be given, but for one named by path or name.
func superRights(without string) Answer {
	out := Answer{Columns: []redrock.OutColumn{
		{Name: "Description", DDName: "Description", Title: "Description", DDTitle: "Description", Type: redrock.Text, TableKey: redrock.NotAKey},
		{Name: "Path", DDName: "Path", Title: "Path", DDTitle: "Path", Type: redrock.Text, TableKey: redrock.NotAKey},
	}}
	for _, i := range right.All() {
		if key := fold.Key(without); key != "" && (key == fold.Key(i.Path) || key == fold.Key(i.Name)) {
			continue
		}
		out.Rows = append(out.Rows, []any{i.Name, i.Path})
	}
	out.Full = int64(len(out.Rows))
	return out
}
