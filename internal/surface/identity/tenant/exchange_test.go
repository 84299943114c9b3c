package tenant_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/platform/egress"
	"limen/internal/platform/mail/mailtest"
)

func TestExchanges(t *testing.T) {
	apptest.Exchanges(t, "testdata", func(t *testing.T, s *apptest.Site, name string) map[string]string {
		switch name {
		case "TestSmtpConfig":
			return mailServer(t, s)
		case "TestTwilioConfig":
			return gateway(t, s)
		}
		return map[string]string{"label": strings.ToLower(s.ID)} // of the host names that are registered
	})
}

// mailServer starts a mail server, and lets the program talk to this machine besides public networks.
func mailServer(t *testing.T, s *apptest.Site) map[string]string {
	s.App.Mailer.Allow = egress.Guard{Permit: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}.Allow
	m := mailtest.Run(t, mailtest.Config{Clear: true, User: "limen", Password: "hush-hush"})
	m.Fail(mailtest.Rcpt, 1, 550, "No such person here")
	m.Fail(mailtest.Rcpt, 1, 451, "Try again later")
	t.Cleanup(func() {
		got := m.To("ada@example.com")
		if len(got) != 2 {
			t.Errorf("%d mails arrived, want the two that were said to be sent", len(got))
		}
		for _, r := range got {
			if r.From != "no-reply@example.com" || !r.Authenticated || r.Subject == "" {
				t.Errorf("%+v", r)
			}
		}
	})
	return map[string]string{"smtpPort": strconv.Itoa(m.Port)}
}

// gateway starts what answers as Twilio does, and lets the program talk to it.
func gateway(t *testing.T, s *apptest.Site) map[string]string {
	sent := 0
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, token, _ := r.BasicAuth()
		code, answer := http.StatusCreated, map[string]any{"sid": "SM0123456789abcdef0123456789abcdef", "status": "queued"}
		switch {
		case user != "AC0123456789abcdef0123456789abcdef" || token != "hush-hush":
			code, answer = http.StatusUnauthorized, map[string]any{"code": 20003, "message": "Authenticate", "status": 401}
		case strings.HasSuffix(r.FormValue("To"), "99"):
			code, answer = http.StatusBadRequest, map[string]any{"code": 21211, "message": "Invalid 'To' Phone Number", "status": 400}
		case r.FormValue("From") != "+12065550100" || r.FormValue(map[bool]string{true: "Twiml", false: "Body"}[strings.HasSuffix(r.URL.Path, "/Calls.json")]) == "":
			t.Errorf("%v", r.Form)
		default:
			sent++
		}
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(func() {
		front.Close()
		if sent != 3 {
			t.Errorf("%d messages and calls arrived, want the three that were said to be made", sent)
		}
	})
	s.App.Gateway.HTTP = front.Client()
	return map[string]string{"gateway": front.URL}
}
