package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/user"
	"limen/internal/surface/dev"
)

// conversation is a sign-in over the API.
type conversation struct {
	Summary    string
	SessionID  string `json:"SessionId"`
	Challenges []struct {
		Mechanisms []struct{ Name, MechanismID string }
	}
}

// asks sends one request of a conversation, and gives its result.
func asks(t *testing.T, site *apptest.Site, path string, body map[string]any) (out conversation) {
	t.Helper()
	body["TenantId"], body["Version"] = site.ID, "1.0"
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, site.URL+path, bytes.NewReader(raw))
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
	answer := struct {
		Success bool
		Message string
		Result  *conversation
	}{Result: &out}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || !answer.Success {
		t.Fatalf("%s %s: %v %+v", path, raw, err, answer)
	}
	return out
}

// starts has a mechanism of a challenge send its code to an address, and gives the message.
func (p conversation) starts(t *testing.T, site *apptest.Site, challenge int, name, to string) dev.Message {
	t.Helper()
	before := len(site.App.Tray.To(to))
	asks(t, site, "/Security/AdvanceAuthentication", map[string]any{"SessionId": p.SessionID, "MechanismId": p.mechanism(t, challenge, name), "Action": "StartOOB"})
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if got := site.App.Tray.To(to); len(got) > before {
			return got[0]
		}
	}
	t.Fatalf("no message to %s", to)
	return dev.Message{}
}

func (p conversation) mechanism(t *testing.T, challenge int, name string) string {
	t.Helper()
	if challenge < len(p.Challenges) {
		for _, m := range p.Challenges[challenge].Mechanisms {
			if m.Name == name {
				return m.MechanismID
			}
		}
	}
	t.Fatalf("challenge %d has no %s: %+v", challenge, name, p)
	return ""
}

// The code for a new password says so: who is asked for "the sign-in code" by somebody on the telephone has none to give.
func TestCodesSayWhatTheyAreFor(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		mail, mobile := "admin@"+site.Suffix, "+14155550123"
		site.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
			_, err := s.App.People.Change(ctx, c, site.Admin.ID, user.Change{Mail: &mail, Mobile: &mobile})
			return err
		})
		begin := func() conversation {
			return asks(t, site, "/Security/StartAuthentication", map[string]any{"User": site.Admin.Name})
		}

		signIn := begin()
		asks(t, site, "/Security/AdvanceAuthentication", map[string]any{
			"SessionId": signIn.SessionID, "MechanismId": signIn.mechanism(t, 0, "UP"), "Action": "Answer", "Answer": site.Admin.Password,
		})
		if got := signIn.starts(t, site, 1, "EMAIL", mail); got.Subject != "Your sign-in code for Limen" || !strings.Contains(got.Text, "https://") {
			t.Errorf("a sign-in's mail: %q\n%s", got.Subject, got.Text)
		}
		if got := signIn.starts(t, site, 1, "SMS", mobile); !strings.Contains(got.Text, "is your sign-in code for Limen") {
			t.Errorf("a sign-in's text message: %s", got.Text)
		}

		recovery := asks(t, site, "/Security/AdvanceAuthentication", map[string]any{"SessionId": begin().SessionID, "Action": "ForgotPassword"})
		if got := recovery.starts(t, site, 0, "EMAIL", mail); got.Subject != "Your code for a new password at Limen" ||
			strings.Contains(got.Text, "https://") || strings.Contains(got.Text, "sign-in code") {
			t.Errorf("a recovery's mail: %q\n%s", got.Subject, got.Text)
		}
		if got := recovery.starts(t, site, 0, "SMS", mobile); !strings.Contains(got.Text, "is your code for a new password at Limen") {
			t.Errorf("a recovery's text message: %s", got.Text)
		}
	})
}
