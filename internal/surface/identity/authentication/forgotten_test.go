package authentication_test

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/remind"
	"limen/internal/core/user"
)

func forgot(t *testing.T, s *apptest.Site, mail string) string {
	t.Helper()
	status, answer := s.Call(t, "", http.MethodPost, "/Security/ForgotUsername", map[string]any{"SearchKey": mail})
	if status != http.StatusOK {
		t.Fatal(status, string(answer))
	}
	return string(answer)
}

// One mail names all accounts of an address, but for those that cannot be used; others get nothing, and the answer is the same.
func TestForgottenNames(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		if answer := forgot(t, s, s.Plain.Mail); !strings.Contains(answer, "remind.off") {
			t.Error("off, as it is at first:", answer)
		}
		s.Set(t, "ForgotUsername.Allowed", "true")
		second, locked := s.Person(t, "second"), s.Person(t, "locked")
		mail := strings.ToUpper(s.Plain.Mail)
		s.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
			for _, p := range []apptest.Person{second, locked} {
				if _, err := s.App.People.Change(ctx, c, p.ID, user.Change{Mail: &mail}); err != nil {
					return err
				}
			}
			return s.App.People.SetState(ctx, c, locked.ID, user.State{Disabled: true})
		})
		known, unknown := forgot(t, s, s.Plain.Mail), forgot(t, s, "nobody@example.com")
		if known != unknown {
			t.Errorf("%s\n%s", known, unknown)
		}
		text := s.Mailed(t, s.Plain.Mail, regexp.MustCompile(`(?s).*`+regexp.QuoteMeta(second.Name)+`.*`))
		if !strings.Contains(text, s.Plain.Name) || strings.Contains(text, locked.Name) {
			t.Error(text)
		}
		if sent := s.App.Tray.To("nobody@example.com"); len(sent) > 0 {
			t.Error(sent)
		}
	})
}

// Asking is bounded, whether there is anybody or not.
func TestForgottenNamesAreHeldBack(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		s.Set(t, "ForgotUsername.Allowed", "true")
		for _, mail := range []string{s.Plain.Mail, "nobody@example.com"} {
			err := error(nil)
			for range 20 {
				s.Do(t, audit.NameAsked, func(ctx context.Context, c *call.Call) error {
					_, err = s.App.Reminders.Send(ctx, c, mail)
					return nil
				})
			}
			if !errors.Is(err, remind.ErrWait) {
				t.Errorf("%s: %v", mail, err)
			}
		}
	})
}

// A conversation is over after ten minutes, and another tenant's is none.
func TestForgottenTalk(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s, other := srv.Tenant(t), srv.Tenant(t)
		s.Set(t, "ForgotUsername.Allowed", "true")
		talk, err := s.App.Reminders.Start(t.Context(), s.App.Shell(s.ID))
		if err != nil {
			t.Fatal(err)
		}
		at := func(id string, ahead time.Duration, talk remind.Talk) error {
			c := s.App.Shell(id)
			c.Now = c.Now.Add(ahead)
			return s.App.Reminders.Check(t.Context(), c, talk)
		}
		later := talk
		later.Session = "z" + talk.Session
		for name, err := range map[string]error{
			"too late": at(s.ID, 10*time.Minute, talk), "another tenant": at(other.ID, 0, talk), "a later end": at(s.ID, 0, later),
			"nothing": at(s.ID, 0, remind.Talk{}), "too long": at(s.ID, 0, remind.Talk{Session: strings.Repeat("1", 1<<20), Mechanism: talk.Mechanism}),
		} {
			if !errors.Is(err, remind.ErrTalk) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := at(s.ID, 9*time.Minute, talk); err != nil {
			t.Error(err)
		}
	})
}
