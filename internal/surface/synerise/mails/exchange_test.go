package mails_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/message"
	"limen/internal/core/template"
	"limen/internal/core/user"
)

// codes shows a code, both a link or a code with the workspace's name; hello nothing of either.
var texts = map[string]string{
	"codes": `<p>Your code: <b>{{.Code}}</b></p>`,
	"both":  `<h1>Nord</h1>{{if .Link}}<a href="{{.Link}}">Come in</a>{{else }}<p>{{.App}}: {{.Code}}</p>{{end }}`,
	"hello": `<p>Hello {{.Name}}</p>`,
}

func write(t *testing.T, s *apptest.Site, org, name string) (id string) {
	t.Helper()
	made := template.Template{Name: name, Subject: "{{.Tenant}}: " + name, HTML: texts[name]}
	done, err := s.App.MailTemplates.Prepare(t.Context(), s.App.Shell(s.ID), org, "", made)
	if err != nil {
		t.Fatal(err)
	}
	s.Do(t, audit.PolicyChange, func(ctx context.Context, c *call.Call) error {
		x, err := s.App.MailTemplates.Create(ctx, c, org, made, done)
		id = x.ID
		return err
	})
	return id
}

// Nord has the templates codes, both and hello, and Sued has codes (suedCodes).
func TestExchanges(t *testing.T) {
	apptest.Exchanges(t, "testdata", func(t *testing.T, s *apptest.Site, name string) map[string]string {
		vars := apptest.Workspaces(t, s, name)
		for name := range texts {
			vars[name] = write(t, s, vars["nord"], name)
		}
		vars["suedCodes"] = write(t, s, vars["sued"], "codes")
		return vars
	})
}

// mailed waits for a mail to an address that has a text in its HTML.
func mailed(t *testing.T, s *apptest.Site, to, text string) (subject, html string) {
	t.Helper()
	for range 2000 {
		for _, m := range s.App.Tray.To(to) {
			if m.Tenant == s.ID && strings.Contains(m.HTML, text) {
				return m.Subject, m.HTML
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("no mail to %s has %s", to, text)
	return "", ""
}

// A workspace's mails go out in its words, in whatever language its reader has, and nobody else's do.
func TestMailsSpeakForTheirWorkspace(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		vars := apptest.Workspaces(t, s, "")
		choice := map[string]any{
			"confirmationMailTemplateId": write(t, s, vars["nord"], "both"), "confirmationMailSubject": "Welcome to {{.Tenant}}'s <Nord>",
			"passwordResetMailTemplateId": write(t, s, vars["nord"], "codes"),
		}
		if status, answer := s.Call(t, vars["bossToken"], http.MethodPost, "/sauth/settings/templates", choice); status != http.StatusOK {
			t.Fatalf("%d %s", status, answer)
		}
		invite := func(by, mail, language string) {
			t.Helper()
			body := map[string]any{"email": mail, "language": language}
			if status, answer := s.Call(t, vars[by+"Token"], http.MethodPost, "/uauth/users/invitations/invite", body); status != http.StatusOK {
				t.Fatalf("%d %s", status, answer)
			}
		}
		to := func(name string) string { return name + "@" + s.Suffix }
		invite("boss", to("fresh"), "de")
		if subject, html := mailed(t, s, to("fresh"), "<h1>Nord</h1>"); !strings.HasSuffix(subject, "'s <Nord>") || !regexp.MustCompile(`<a href="https?://[^"]+">Come in</a>`).MatchString(html) {
			t.Error(subject, html)
		}
		mail := to("sven")
		s.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
			_, err := s.App.People.Change(ctx, c, vars["sven"], user.Change{Mail: &mail})
			return err
		})
		invite("boss", mail, "")
		mailed(t, s, mail, "<p>Nord: ")
		invite("sven", to("other"), "")
		if _, html := mailed(t, s, to("other"), "<html"); strings.Contains(html, "<h1>Nord") {
			t.Error("Sued writes in Nord's words:", html)
		}
		mia := to("mia")
		s.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
			_, err := s.App.People.Change(ctx, c, vars["mia"], user.Change{Mail: &mia})
			return err
		})
		if status, _ := s.Call(t, "", http.MethodPost, "/uauth/password-reset/request", map[string]string{"email": mia}); status != http.StatusOK {
			t.Fatal(status)
		}
		if subject, _ := mailed(t, s, mia, "<p>Your code: <b>"); !strings.HasSuffix(subject, ": codes") {
			t.Error(subject)
		}
		if template.Worded(message.TestMail) {
			t.Error("everything can be worded")
		}
	})
}
