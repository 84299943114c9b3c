package app_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/org"
	"limen/internal/core/right"
	"limen/internal/core/role"
)

// Whoever administers for a time does nothing by which they, or others, would have for longer what they hold until then: they
// take over no account with rights that last longer, and move nothing to where others administer it for good.
func TestAdministrationForATimeOutlastsNothing(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		b := plant(t, s)
		for _, name := range []string{"passing", "brief", "ending"} {
			b.person(name, "")
		}
		soon, later := time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
		users := b.idOf("managers")
		b.do(audit.RoleMembers, func(ctx context.Context, c *call.Call) error {
			until := func(name string, end time.Time) role.Member {
				return role.Member{Kind: role.User, ID: b.id[name], Until: end}
			}
			return errors.Join(
				s.App.Roles.Add(ctx, c, role.System, until("passing", later), until("ending", soon)),
				s.App.Roles.Add(ctx, c, users, until("brief", soon)),
				s.App.Orgs.Permit(ctx, c, b.org["child"], []org.Held{{
					Principal: org.Principal{Kind: role.User, ID: b.id["none"]}, Term: role.Term{Until: soon}, Rights: []right.Right{right.ReadUsers},
				}}, nil),
			)
		})
		lasting := b.site.Admin.ID
		const stronger, given = "user.stronger", "role.right_not_held"
		type in = map[string]any
		for _, x := range []struct {
			who, path string
			in        in
			want      string
		}{
			{"passing", "/UserMgmt/ResetUserPassword", in{"ID": lasting, "newPassword": "Purple-Staple-7-Wagon"}, stronger},
			{"passing", "/UserMgmt/ResetUserPassword", in{"ID": b.id["strong"], "newPassword": "Purple-Staple-7-Wagon"}, stronger},
			{"passing", "/UserMgmt/ResetUserPassword", in{"ID": b.id["ending"], "newPassword": "Purple-Staple-7-Wagon"}, ""},
			{"passing", "/UserMgmt/ResetUserPassword", in{"ID": b.id["this"], "newPassword": "Purple-Staple-7-Wagon"}, ""},
			{"passing", "/UserMgmt/ResetUserPassword", in{"ID": b.id["none"], "newPassword": "Purple-Staple-7-Wagon"}, ""}, // holds less, for less long
			{"ending", "/UserMgmt/ResetUserPassword", in{"ID": b.id["passing"], "newPassword": "Purple-Staple-7-Wagon"}, stronger},
			{"brief", "/UserMgmt/ResetUserPassword", in{"ID": b.id["strong"], "newPassword": "Purple-Staple-7-Wagon"}, stronger},
			{"brief", "/UserMgmt/ResetUserPassword", in{"ID": b.id["child"], "newPassword": "Purple-Staple-7-Wagon"}, ""},
			{"passing", "/CDirectoryService/ChangeUser", in{"ID": lasting, "Mail": "mine@example.com"}, stronger},
			{"passing", "/CDirectoryService/SetUserState", in{"ID": lasting, "state": "Locked"}, stronger},
			{"passing", "/UserMgmt/ResetSecurityQuestions", in{"ID": lasting}, stronger},
			{"admin", "/CDirectoryService/ChangeUser", in{"ID": b.id["passing"], "Mail": "passing2@example.com"}, ""},
			// "of foreign" administers foreign for good, and so would what is moved there.
			{"passing", "/Org/Update", in{"OrgId": b.org["child"], "Parent": "/foreign"}, given},
			{"passing", "/Org/Update", in{"OrgId": b.org["child"], "Parent": "/parent"}, ""}, // who administers that did so before
			{"passing", "/Org/ChangeMembership", in{"OrgId": b.org["foreign"], "Add": []in{{"ID": b.id["this"]}}}, given},
			{"passing", "/CDirectoryService/ChangeUser", in{"ID": b.id["child"], "OrgPath": "/foreign"}, given},
			{"brief", "/CDirectoryService/ChangeUser", in{"ID": b.id["child"], "OrgPath": "/foreign"}, given},
			{"passing", "/CDirectoryService/ChangeUser", in{"ID": b.id["child"], "OrgPath": "/parent"}, ""},
			{"admin", "/Org/Update", in{"OrgId": b.org["child"], "Parent": "/foreign"}, ""},
		} {
			if got := b.ask(b.token(x.who), x.path, x.in); got.MessageID != x.want || got.Success != (x.want == "") {
				t.Errorf("%s: %s %v: %v %q, want %q", x.who, x.path, x.in, got.Success, got.MessageID, x.want)
			}
		}
	})
}
