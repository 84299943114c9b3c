package settings_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"limen/internal/app/apptest"
)

// signIn tries to sign somebody in.
func signIn(t *testing.T, s *apptest.Site, name, password string) (status int, token string) {
	t.Helper()
	status, answer := s.Call(t, "", http.MethodPost, "/uauth/auth/login/user", map[string]string{"username": name, "password": password})
	var in struct{ Token string }
	_ = json.Unmarshal(answer, &in)
	return status, in.Token
}

// A workspace's lock-out rule keeps its people out after so many failures, though the password is right then, and nobody else.
func TestBanLocksPeopleOfTheWorkspace(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		vars := apptest.Workspaces(t, s, "")
		ban := map[string]any{"enabled": true, "maxFailedAttempts": 3, "banTimeInSeconds": 3600}
		if status, answer := s.Call(t, vars["bossToken"], http.MethodPost, "/sauth/settings/ban", ban); status != http.StatusOK {
			t.Fatalf("%d %s", status, answer)
		}
		for who, want := range map[string]int{"mia": http.StatusUnauthorized, "sven": http.StatusOK} {
			for range 3 {
				if status, _ := signIn(t, s, vars[who+"Name"], "wrong"); status != http.StatusUnauthorized {
					t.Fatalf("%s signs in with a wrong password: %d", who, status)
				}
			}
			if status, _ := signIn(t, s, vars[who+"Name"], apptest.Password); status != want {
				t.Errorf("%s after three failures: %d, want %d", who, status, want)
			}
		}
	})
}

// Tokens for a workspace live as long as it says; those for another one, and for none, as long as the installation says.
func TestTokensLiveAsTheirWorkspaceSays(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		vars := apptest.Workspaces(t, s, "")
		if status, answer := s.Call(t, vars["bossToken"], http.MethodPost, "/sauth/settings/general", map[string]any{"tokenLifetimeInSeconds": 120}); status != http.StatusOK {
			t.Fatalf("%d %s", status, answer)
		}
		life := func(token string) int64 {
			var claims struct{ Iat, Exp int64 }
			raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
			if err != nil || json.Unmarshal(raw, &claims) != nil {
				t.Fatal(token, err)
			}
			return claims.Exp - claims.Iat
		}
		for who, want := range map[string]int64{"mia": 120, "sven": 3600} {
			if _, token := signIn(t, s, vars[who+"Name"], apptest.Password); life(token) != want {
				t.Errorf("a token of %s lives %d seconds, want %d", who, life(token), want)
			}
		}
		s.Set(t, "Workspace.TokenMinutes", "1")
		if _, token := signIn(t, s, vars["miaName"], apptest.Password); life(token) != 60 {
			t.Errorf("a token lives %d seconds, longer than the installation lets", life(token))
		}
	})
}
