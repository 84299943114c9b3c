package regain_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/right"
	"limen/internal/core/user"
)

const mobile = "+41790000002"

// {{lost}} is somebody who may regain their account, and {{helper}} an administrator who has proposed a reset.
func TestExchanges(t *testing.T) {
	apptest.Exchanges(t, "testdata", func(t *testing.T, s *apptest.Site, name string) map[string]string {
		helper := s.Person(t, "helper")
		s.Settle(t, helper.ID, "", s.RoleIn(t, "Helpers", "", right.UserManagement))
		lost := s.Lost(t, "lost", mobile)
		switch name {
		case "ProposeAccountReset":
		case "GetAccountResets", "ApproveAccountReset", "ApproveAccountResetByLink", "WithdrawAccountReset":
			s.Do(t, audit.RegainPropose, func(ctx context.Context, c *call.Call) error {
				c.Caller = &call.Caller{User: helper.ID, Name: helper.Name, Session: "session", Means: call.BySession, Proved: c.Now}
				u, err := s.App.People.ByID(ctx, c, lost.ID)
				if err == nil {
					_, err = s.App.Regains.Propose(ctx, c, u, "Lost the phone")
				}
				return err
			})
		case "StartAccountRecovery":
		case "StartAccountRecoveryCaptcha":
			s.Set(t, "Recovery.RequireCaptcha", "true")
		default:
			s.Regaining(t, lost, mobile, true)
		}
		s.DropEvents()
		return map[string]string{"lost": lost.ID, "lostName": lost.Name, "helper": helper.ID, "helperName": helper.Name}
	})
}

// Administrators of an organization see and stop what is under way in it, and nothing else.
func TestDelegated(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		in, out := site.Org(t, "in", ""), site.Org(t, "out", "")
		lost := site.Lost(t, "lost", mobile)
		helper := site.Person(t, "helper")
		site.Settle(t, helper.ID, in, site.RoleIn(t, "Helpers", in, right.UserManagement))
		site.Regaining(t, lost, mobile, true)
		token := site.SignedIn(t, helper.ID)
		for _, at := range []struct {
			org string
			may bool
		}{{out, false}, {in, true}} {
			site.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
				_, err := s.App.People.Change(ctx, c, lost.ID, user.Change{Org: &at.org})
				return err
			})
			_, body := site.Call(t, token, "POST", "/AccountRecovery/GetAccountRecoveries", map[string]any{})
			if strings.Contains(string(body), lost.ID) != at.may {
				t.Errorf("in %v the list is %s", at, body)
			}
			_, body = site.Call(t, token, "POST", "/AccountRecovery/StopAccountRecovery", map[string]any{"ID": lost.ID})
			var said struct{ Success bool }
			if err := json.Unmarshal(body, &said); err != nil || said.Success != at.may {
				t.Errorf("in %v it is stopped: %s", at, body)
			}
		}
	})
}
