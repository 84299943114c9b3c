package users_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/user"
)

const onlySystem = "Only system administrators may"

// attempts are everything by which a user administrator could take over, lock out or impersonate somebody.
func attempts(id string) map[string]string {
	return map[string]string{
		"/CDirectoryService/ChangeUser Mail":     `{"ID":"` + id + `","Mail":"thief@example.com"}`,
		"/CDirectoryService/ChangeUser Mobile":   `{"ID":"` + id + `","MobileNumber":"+12065550123"}`,
		"/CDirectoryService/ChangeUser Password": `{"ID":"` + id + `","Password":"Purple-Staple-7-Wagon"}`,
		"/CDirectoryService/ChangeUser Factors":  `{"ID":"` + id + `","CmaRedirectedUserUuid":""}`,
		"/CDirectoryService/ChangeUser Service":  `{"ID":"` + id + `","ServiceUser":true}`,
		"/CDirectoryService/ChangeUser Name":     `{"ID":"` + id + `","Name":"else@else.test"}`,
		"/UserMgmt/ResetUserPassword":            `{"ID":"` + id + `","newPassword":"Purple-Staple-7-Wagon"}`,
		"/CDirectoryService/SetUserState":        `{"ID":"` + id + `","state":"Disabled"}`,
		"/CDirectoryService/ChangeUserState":     `{"uuid":"` + id + `","state":false}`,
		"/UserMgmt/SetCloudLock":                 `{"user":"` + id + `","lockUser":true}`,
		"/UserMgmt/RemoveUser":                   `{"ID":"` + id + `"}`,
		"/UserMgmt/ResetSecurityQuestions":       `{"ID":"` + id + `"}`,
		"/UserMgmt/UpdateSecurityQuestions":      `{"ID":"` + id + `","Added":[{"QuestionText":"Who?","Answer":"Somebody else"}]}`,
		"/Oath/AddOrUpdateProfile":               `{"UserProfile":{"UserPrincipalName":"` + id + `","SecretKey":"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"}}`,
		"/Security/SubmitOathOtpCode":            `{"userUuid":"` + id + `","otpCode":"000000"}`,
	}
}

// Holders of User Management touch neither a system administrator nor the person whose factors answer for one: with those
// factors the administrator's password is recovered.
func TestSystemAdministratorsAreOutOfReach(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		holder := client{t, site, site.TokenOf(t, "holder User Management")}
		phone, nested, friend := site.Person(t, "phone"), site.Person(t, "nested"), site.Person(t, "friend")
		site.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
			inner, err := s.App.Roles.Create(ctx, c, role.New{Name: "Operators"})
			if err != nil {
				return err
			}
			if err := s.App.Roles.Add(ctx, c, role.System, role.Member{Kind: role.Sub, ID: inner.ID}); err != nil {
				return err
			}
			if err := s.App.Roles.Add(ctx, c, inner.ID, role.Member{Kind: role.User, ID: nested.ID}); err != nil {
				return err
			}
			for of, by := range map[string]string{site.Admin.ID: phone.ID, site.Plain.ID: friend.ID} {
				if _, err := s.App.People.Change(ctx, c, of, user.Change{MfaUser: &by}); err != nil {
					return err
				}
			}
			return nil
		})
		for _, id := range []string{site.Admin.ID, nested.ID} {
			if e := holder.post("/UserMgmt/SignOutEverywhere", `{"id":"`+id+`"}`); e.Success || !strings.Contains(e.Message, onlySystem) {
				t.Errorf("signed out: %+v", e)
			}
		}
		for who, id := range map[string]string{"administrator": site.Admin.ID, "nested administrator": nested.ID, "administrator's factors": phone.ID} {
			for what, body := range attempts(id) {
				path, _, _ := strings.Cut(what, " ")
				if e := holder.post(path, body); e.Success || !strings.Contains(e.Message, onlySystem) {
					t.Errorf("%s: %s: %+v", who, what, e)
				}
			}
			e := holder.post("/UserMgmt/RemoveUsers", `{"Users":["`+id+`"]}`)
			if list, _ := e.Result.(map[string]any)["Exceptions"].(map[string]any)["User"].([]any); len(list) != 1 {
				t.Errorf("%s: RemoveUsers: %+v", who, e)
			}
		}
		if e := holder.post("/UserMgmt/ResetUserPassword", `{"ID":"`+friend.ID+`","newPassword":"Purple-Staple-7-Wagon"}`); !e.Success {
			t.Error("whose factors answer for a plain user is a plain user", e)
		}
	})
}

// Holders of User Management change nothing of those who hold rights that they lack, by any way: with the account they
// would have the rights. What everybody holds, and what they hold themselves, is no more than they have.
func TestStrongerAreOutOfReach(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		holder := client{t, site, site.TokenOf(t, "holder User Management")}
		strong := site.Holder(t, "Report Management")
		phone, later, equal := site.Person(t, "phone"), site.Person(t, "later"), site.Person(t, "equal")
		site.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
			if _, err := s.App.People.Change(ctx, c, strong.ID, user.Change{MfaUser: &phone.ID}); err != nil {
				return err
			}
			for r, m := range map[string]role.Member{
				"Holders of Report Management": {Kind: role.User, ID: later.ID, Since: c.Now.Add(time.Hour)},
				"Holders of User Management":   {Kind: role.User, ID: equal.ID},
			} {
				found, err := s.App.Roles.Get(ctx, c, r)
				if err != nil {
					return err
				}
				if err := s.App.Roles.Add(ctx, c, found.ID, m); err != nil {
					return err
				}
			}
			return s.App.Roles.Assign(ctx, c, role.Everybody, role.Given{Path: right.SharedCredentials.Info().Path})
		})
		for who, id := range map[string]string{"stronger": strong.ID, "factors of a stronger": phone.ID, "stronger in an hour": later.ID} {
			for what, body := range attempts(id) {
				path, _, _ := strings.Cut(what, " ")
				if e := holder.post(path, body); e.Success || e.Message != user.ErrStronger.Public {
					t.Errorf("%s: %s: %+v", who, what, e)
				}
			}
			e := holder.post("/UserMgmt/RemoveUsers", `{"Users":["`+id+`"]}`)
			if list, _ := e.Result.(map[string]any)["Exceptions"].(map[string]any)["User"].([]any); len(list) != 1 {
				t.Errorf("%s: RemoveUsers: %+v", who, e)
			}
		}
		for _, id := range []string{equal.ID, site.Plain.ID} {
			if e := holder.post("/UserMgmt/ResetUserPassword", `{"ID":"`+id+`","newPassword":"Purple-Staple-7-Wagon"}`); !e.Success {
				t.Error("no stronger than the holder", e)
			}
		}
		admin := client{t, site, site.TokenOf(t, "admin")}
		if e := admin.post("/UserMgmt/ResetUserPassword", `{"ID":"`+strong.ID+`","newPassword":"Purple-Staple-7-Wagon"}`); !e.Success {
			t.Error("a system administrator holds everything", e)
		}
	})
}

// Whether a password is, or was, an administrator's is not told to those who may not set it: it would be a way to guess.
func TestNoOracleOfPasswords(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		holder := client{t, site, site.TokenOf(t, "holder User Management")}
		for _, plain := range []string{apptest.Password, "Purple-Staple-7-Wagon", "short"} {
			for what, body := range map[string]string{
				"/UserMgmt/ResetUserPassword":   `{"ID":"` + site.Admin.ID + `","newPassword":"` + plain + `"}`,
				"/CDirectoryService/ChangeUser": `{"ID":"` + site.Admin.ID + `","Password":"` + plain + `"}`,
			} {
				if e := holder.post(what, body); e.Success || !strings.Contains(e.Message, onlySystem) {
					t.Errorf("%s %s: %+v", what, plain, e)
				}
			}
		}
	})
}

// The role that the invited join may have been given rights: whoever lacks them cannot hand them out by an invitation, to
// others or to themselves.
func TestInvitationsGiveNoRights(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		p := site.Holder(t, "User Management")
		holder := client{t, site, site.SignedIn(t, p.ID)}
		invite := `{"Entities":[{"Type":"User","Guid":"` + p.ID + `"}],"EmailInvite":true}`
		if e := holder.post("/UserMgmt/InviteUsers", invite); !e.Success {
			t.Fatal(e)
		}
		site.Do(t, audit.RoleChange, func(ctx context.Context, c *call.Call) error {
			r, err := s.App.Roles.Get(ctx, c, "Invited Users")
			if err != nil {
				return err
			}
			if err := s.App.Roles.Remove(ctx, c, r.ID, role.Member{Kind: role.User, ID: p.ID}); err != nil {
				return err
			}
			parent, err := s.App.Roles.Create(ctx, c, role.New{Name: "Portal"})
			if err != nil {
				return err
			}
			if err := s.App.Roles.Add(ctx, c, parent.ID, role.Member{Kind: role.Sub, ID: r.ID}); err != nil {
				return err
			}
			return s.App.Roles.Assign(ctx, c, parent.ID, role.Given{Path: right.ReportManagement.Info().Path})
		})
		if e := holder.post("/UserMgmt/InviteUsers", invite); e.Success {
			t.Error("a holder of User Management gave themselves Report Management")
		}
		admin := client{t, site, site.TokenOf(t, "admin")}
		if e := admin.post("/UserMgmt/InviteUsers", invite); !e.Success {
			t.Error(e)
		}
	})
}

// An account whose codes an administrator's factors answer would be a further try at guessing them.
func TestAdministratorsLendNoFactors(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		holder := client{t, site, site.TokenOf(t, "holder User Management")}
		for path, body := range map[string]string{
			"/CDirectoryService/CreateUser": `{"Name":"decoy@` + site.Suffix + `","Mail":"d@example.com","CmaRedirectedUserUuid":"` + site.Admin.ID + `"}`,
			"/CDirectoryService/ChangeUser": `{"ID":"` + site.Plain.ID + `","CmaRedirectedUserUuid":"` + site.Admin.Name + `"}`,
		} {
			if e := holder.post(path, body); e.Success || !strings.Contains(e.Message, onlySystem) {
				t.Errorf("%s: %+v", path, e)
			}
		}
		other := site.Person(t, "other")
		if e := holder.post("/CDirectoryService/ChangeUser", `{"ID":"`+site.Plain.ID+`","CmaRedirectedUserUuid":"`+other.ID+`"}`); !e.Success {
			t.Error(e)
		}
		admin := client{t, site, site.TokenOf(t, "admin")}
		if e := admin.post("/CDirectoryService/ChangeUser", `{"ID":"`+site.Plain.ID+`","CmaRedirectedUserUuid":"`+site.Admin.ID+`"}`); !e.Success {
			t.Error(e)
		}
	})
}
