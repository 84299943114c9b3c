package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"limen/internal/app"
	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/network"
	"limen/internal/core/policy"
)

// lets says whether the administrator's password lets in.
func lets(t *testing.T, site *apptest.Site) bool {
	t.Helper()
	body := `{"user":"` + site.Admin.Name + `","password":"` + apptest.Password + `"}`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, site.URL+"/Security/Login", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = site.Host
	r.Header.Set("Content-Type", "application/json")
	res, err := site.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var out struct{ Success bool }
	b, err := io.ReadAll(res.Body)
	if err := errors.Join(err, json.Unmarshal(b, &out)); err != nil {
		t.Fatal(err, string(b))
	}
	return out.Success
}

// TestLockOutIsUndone shows that whoever owns the machine undoes what policies and blocked ranges have done.
func TestLockOutIsUndone(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		if !lets(t, site) {
			t.Fatal("before anything is")
		}
		ctx := t.Context()
		settings, err := s.App.Policies.Check(ctx, s.App.Shell(site.ID), map[string]json.RawMessage{
			"AuthenticationEnabled": json.RawMessage(`true`), "/Core/Authentication/AuthenticationRulesDefaultProfileId": json.RawMessage(`"-1"`),
		})
		if err != nil {
			t.Fatal(err)
		}
		site.Do(t, audit.PolicyChange, func(ctx context.Context, c *call.Call) error {
			in := policy.Save{Path: "Closed", New: true, Settings: settings, Links: []policy.Listed{{Path: "Closed", Link: policy.Link{Type: policy.Global}}}}
			_, err := s.App.Policies.Save(ctx, c, in)
			return err
		})
		if lets(t, site) {
			t.Fatal("nobody may")
		}
		if _, err := s.App.RecoverSignIn(ctx, site.ID, site.Plain.Name, time.Hour); !errors.Is(err, app.ErrAdministrator) {
			t.Error(err)
		}
		site.DropEvents()
		if until, err := s.App.RecoverSignIn(ctx, site.ID, site.Admin.Name, 15*time.Minute); err != nil || time.Until(until) < 10*time.Minute {
			t.Fatal(until, err)
		}
		if events := site.Events(t); !strings.HasPrefix(events, audit.SignInRecover+" success User "+site.Admin.ID) {
			t.Error(events)
		}
		if !lets(t, site) {
			t.Error("the password alone lets in")
		}
		if events := site.Events(t); !strings.Contains(events, `"Recovered":true`) {
			t.Error(events)
		}
		if _, err := s.App.RecoverSignIn(ctx, site.ID, site.Admin.Name, 0); err != nil || lets(t, site) {
			t.Error("it was ended", err)
		}
		if _, err := s.App.RecoverSignIn(ctx, site.ID, site.Admin.Name, time.Hour); err != nil {
			t.Fatal(err)
		}
		site.Do(t, audit.RangeCreate, func(ctx context.Context, c *call.Call) error {
			_, err := s.App.Networks.Save(ctx, c, network.Range{Kind: network.Blocked, Label: "All", Value: "0.0.0.0/0,::/0"}, true)
			return err
		})
		if lets(t, site) {
			t.Error("everybody is blocked")
		}
		if n, err := s.App.Unblock(ctx, site.ID, netip.MustParseAddr("127.0.0.1")); n != 1 || err != nil || !lets(t, site) {
			t.Error(n, err)
		}
	})
}
