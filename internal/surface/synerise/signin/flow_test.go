package signin_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/org"
	"limen/internal/core/role"
	"limen/internal/core/user"
)

type signedIn struct {
	Token    string
	Consumer *struct {
		BusinessProfileID *int64
		Authorities       []string
	}
	MfaMethods []string
}

func ask(t *testing.T, s *apptest.Site, token, method, path string, body any, want int) (out signedIn) {
	t.Helper()
	status, answer := s.Call(t, token, method, path, body)
	if status != want {
		t.Fatalf("%s %s answers %d, want %d: %s", method, path, status, want, answer)
	}
	_ = json.Unmarshal(answer, &out)
	return out
}

var digits = regexp.MustCompile(`\b\d{6}\b`)

// mailed waits for the next code to an address.
func mailed(t *testing.T, s *apptest.Site, to string, before int) string {
	t.Helper()
	for range 2000 {
		if got := s.App.Tray.To(to); len(got) > before {
			if code := digits.FindString(got[0].Subject + " " + got[0].Text); code != "" {
				return code
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("no code was mailed to", to)
	return ""
}

// The second factor is asked for once on a device that the client names, and on no other one, nor of somebody else.
func TestDeviceStandsInForItsPerson(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		vars := twice(t, s)
		to := fmt.Sprintf("twice%s@example.com", s.Suffix)
		s.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
			_, err := s.App.People.Change(ctx, c, vars["twice"], user.Change{Mail: &to})
			return err
		})
		device := "a-device-of-twice-0001"
		login := func(device, password string, want int) signedIn {
			return ask(t, s, "", http.MethodPost, "/uauth/auth/login/user", map[string]any{"username": vars["twiceName"], "password": password, "deviceId": device}, want)
		}
		before := len(s.App.Tray.To(to))
		step := login(device, apptest.Password, 200)
		if !slices.Equal(step.MfaMethods, []string{"EMAIL"}) || step.Consumer != nil {
			t.Fatalf("the first step answers %+v", step)
		}
		verify := "/uauth/auth/login/user/mfa/verification?mfaType=EMAIL"
		done := ask(t, s, step.Token, http.MethodPost, verify, map[string]any{"verificationCode": mailed(t, s, to, before), "deviceId": device}, 200)
		if len(done.MfaMethods) != 0 || done.Consumer == nil || done.Consumer.BusinessProfileID == nil {
			t.Fatalf("the second step answers %+v", done)
		}
		ask(t, s, done.Token, http.MethodGet, "/business-profile-service/business-profiles", nil, 200)
		if again := login(device, apptest.Password, 200); len(again.MfaMethods) != 0 {
			t.Error("the device does not stand in for the factor")
		}
		login(device, "wrong", 401)
		for _, other := range []string{"", "a-device-of-twice-0002", "short"} {
			if again := login(other, apptest.Password, 200); len(again.MfaMethods) == 0 {
				t.Errorf("device %q stands in for the factor", other)
			}
		}
		s.Set(t, "Workspace.RememberDevice", "false")
		if again := login(device, apptest.Password, 200); len(again.MfaMethods) == 0 {
			t.Error("the device stands in although the setting forbids it")
		}
	})
}

// What ends a session, a membership or a right ends what the token opens, at the next call.
func TestTokensEndWithWhatTheyRestOn(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		vars := apptest.Workspaces(t, s, "")
		const list = "/business-profile-service/business-profiles"
		at := func(token string, want int) {
			t.Helper()
			ask(t, s, token, http.MethodGet, list, nil, want)
		}
		ost := ask(t, s, vars["bossToken"], http.MethodPost, "/uauth/auth/login/user/business-profile", map[string]any{"businessProfileGuid": vars["ost"]}, 200).Token
		at(ost, 200)
		s.Do(t, audit.RoleMembers, func(ctx context.Context, c *call.Call) error {
			return s.App.Roles.Remove(ctx, c, vars["chiefs"], role.Member{Kind: role.User, ID: vars["boss"]})
		})
		at(ost, 403)               // the right over it is gone
		at(vars["bossToken"], 200) // boss belongs to Nord still
		s.Do(t, audit.OrgChange, func(ctx context.Context, c *call.Call) error {
			return s.App.Orgs.Join(ctx, c, vars["sued"], []org.Principal{{Kind: role.User, ID: vars["boss"]}}, nil, role.Term{})
		})
		at(vars["bossToken"], 403)
		at(vars["miaToken"], 200)
		s.Do(t, audit.UserState, func(ctx context.Context, c *call.Call) error {
			return s.App.People.SetState(ctx, c, vars["mia"], user.State{Locked: true})
		})
		at(vars["miaToken"], 401)
		s.Do(t, audit.RoleMembers, func(ctx context.Context, c *call.Call) error { // for two seconds
			return s.App.Roles.Add(ctx, c, vars["chiefs"], role.Member{Kind: role.User, ID: vars["sven"], Until: c.Now.Add(2 * time.Second)})
		})
		nord := ask(t, s, vars["svenToken"], http.MethodPost, "/uauth/auth/login/user/business-profile", map[string]any{"businessProfileGuid": vars["nord"]}, 200).Token
		at(nord, 200)
		for n := 0; ; n++ {
			if status, _ := s.Call(t, nord, http.MethodGet, list, nil); status == 403 {
				break
			} else if n == 1000 {
				t.Fatal("the token outlives the right that it rests on")
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
}
