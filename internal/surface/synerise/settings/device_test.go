package settings_test

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/role"
)

var codeInMail = regexp.MustCompile(`(?m)^\s*\d{6,10}\s*$`)

// step signs somebody in on a device that they name, and says what is asked for then.
func step(t *testing.T, s *apptest.Site, name, device string) (status int, token string, methods []string) {
	t.Helper()
	status, answer := s.Call(t, "", http.MethodPost, "/uauth/auth/login/user", map[string]string{"username": name, "password": apptest.Password, "deviceId": device})
	var in struct {
		Token      string
		MfaMethods []string
	}
	_ = json.Unmarshal(answer, &in)
	return status, in.Token, in.MfaMethods
}

// confirm answers with the code of the newest mail.
func confirm(t *testing.T, s *apptest.Site, token, mail, device string, before int) {
	t.Helper()
	var code string
	for range 2000 {
		if all := codes(s, mail); len(all) > before {
			code = all[0]
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	body := map[string]string{"verificationCode": code, "deviceId": device}
	if status, answer := s.Call(t, token, http.MethodPost, "/uauth/auth/login/user/mfa/verification?mfaType=EMAIL", body); status != http.StatusOK {
		t.Fatalf("%q: %d %s", code, status, answer)
	}
}

// codes are those that were mailed to somebody, the newest first.
func codes(s *apptest.Site, mail string) (out []string) {
	for _, m := range s.App.Tray.To(mail) {
		if found := codeInMail.FindString(m.Text); m.Tenant == s.ID && found != "" {
			out = append(out, strings.TrimSpace(found))
		}
	}
	return out
}

// Where devices are to be confirmed, a password lets in on known ones alone: those that the client names, and no others.
func TestDevicesAreConfirmed(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		vars := apptest.Workspaces(t, s, "")
		s.Set(t, "Workspace.RememberDevice", "false") // so that nothing but the device being known counts
		mail := "mia.device@" + s.Suffix
		at(t, s, vars["mia"], mail)
		if status, answer := s.Call(t, vars["bossToken"], http.MethodPost, "/sauth/settings/device-control", map[string]string{"mode": "APPROVE"}); status != http.StatusOK {
			t.Fatalf("%d %s", status, answer)
		}
		const laptop, other = "laptop-of-mia-0123456789", "another-laptop-0123456789"
		for _, device := range []string{"", laptop, "short"} {
			before := len(codes(s, mail))
			status, token, methods := step(t, s, vars["miaName"], device)
			if status != http.StatusOK || strings.Join(methods, ",") != "EMAIL" {
				t.Fatalf("on %q: %d, asked for %v", device, status, methods)
			}
			confirm(t, s, token, mail, device, before)
		}
		for device, asked := range map[string]bool{laptop: false, other: true, "": true, "short": true} {
			if status, _, methods := step(t, s, vars["miaName"], device); status != http.StatusOK || (len(methods) > 0) != asked {
				t.Errorf("on %q: %d, asked for %v", device, status, methods)
			}
		}
		if status, _, methods := step(t, s, vars["svenName"], ""); status != http.StatusOK || len(methods) > 0 {
			t.Errorf("of another workspace: %d, asked for %v", status, methods)
		}
		at(t, s, vars["mia"], "")
		for device, want := range map[string]int{laptop: http.StatusOK, other: http.StatusUnauthorized} {
			if status, _, methods := step(t, s, vars["miaName"], device); status != want || len(methods) > 0 {
				t.Errorf("without an address on %q: %d, asked for %v", device, status, methods)
			}
		}
	})
}

// A workspace's administrators do not keep out who stands above them: a system administrator with nothing to confirm a device with gets in by what
// the installation asks for, and one who has something confirms.
func TestWorkspaceKeepsNoSystemAdministratorOut(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		vars := apptest.Workspaces(t, s, "")
		at(t, s, vars["mia"], "")
		s.Do(t, audit.RoleChange, func(ctx context.Context, c *call.Call) error {
			return s.App.Roles.Add(ctx, c, role.System, role.Member{ID: vars["mia"], Kind: role.User})
		})
		if status, answer := s.Call(t, vars["bossToken"], http.MethodPost, "/sauth/settings/device-control", map[string]string{"mode": "APPROVE"}); status != http.StatusOK {
			t.Fatalf("%d %s", status, answer)
		}
		if status, _, methods := step(t, s, vars["miaName"], "a-laptop-0123456789"); status != http.StatusOK || len(methods) > 0 {
			t.Errorf("with nothing: %d, asked for %v", status, methods)
		}
		at(t, s, vars["mia"], "mia.above@"+s.Suffix)
		if status, _, methods := step(t, s, vars["miaName"], "other-laptop-0123456789"); status != http.StatusOK || strings.Join(methods, ",") != "EMAIL" {
			t.Errorf("with an address: %d, asked for %v", status, methods)
		}
	})
}

// A client that keeps no cookies, or names its device, is told as an unknown one the first time alone.
func TestClientsWithoutCookiesAreToldOnce(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		vars := apptest.Workspaces(t, s, "")
		mail := "boss.device@" + s.Suffix
		at(t, s, vars["boss"], mail)
		told := func() (n int) {
			for _, m := range s.App.Tray.To(mail) {
				if m.Tenant == s.ID {
					n++
				}
			}
			return n
		}
		const laptop = "laptop-of-boss-0123456789"
		for range 3 {
			step(t, s, vars["bossName"], "")
		}
		for range 3 {
			step(t, s, vars["bossName"], laptop)
		}
		step(t, s, vars["bossName"], laptop+"-another")
		// The mails are delivered in their order, so the last one ends the wait.
		for range 200 {
			if told() > 2 {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		if n := told(); n != 2 {
			t.Errorf("told %d times, want of two named devices", n)
		}
	})
}
