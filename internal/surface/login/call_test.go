package login_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/user"
	"limen/internal/wire/twilio"
)

// The pages have somebody called, wait for the key, and go on when it was pressed.
func TestCall(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		for _, x := range [][2]string{
			{"Twilio.AccountSid", "AC0123456789abcdef0123456789abcdef"}, {"Twilio.AuthToken", "the token"}, {"Twilio.FromNumber", "+12065550100"},
			{"Twilio.UseForVoice", "true"}, {"Twilio.Enabled", "true"}, {"Authentication.Challenges", "UP;PF"},
		} {
			s.Set(t, x[0], x[1])
		}
		s.Settle(t, s.Plain.ID, "", "")
		mobile := "+12065550188"
		s.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
			_, err := s.App.People.Change(ctx, c, s.Plain.ID, user.Change{Mobile: &mobile})
			return err
		})
		b := newBrowser(t, s)
		b.do("GET", b.do("POST", "/login", url.Values{"user": {s.Plain.Name}}), nil)
		b.do("GET", b.do("POST", "/login/answer", url.Values{"mechanism": {b.field("mechanism")}, "answer": {apptest.Password}}), nil)
		b.sees(http.StatusOK, "We will call the number ending in 0188.", "Call me")
		b.do("GET", b.do("POST", "/login/answer", url.Values{"mechanism": {b.field("mechanism")}, "do": {"send"}}), nil)
		b.sees(http.StatusOK, "We are calling you", "I have answered the call")
		b.do("GET", "/login?wait=1", nil)
		b.sees(http.StatusOK, "We are calling you")
		press(t, s, mobile)
		b.do("GET", "/login?wait=1", nil)
		b.signedIn(s.Plain.ID, "UP", "PF")
	})
}

var rings = regexp.MustCompile(`^https://([^/]+)(/.*)$`)

// press presses the key on a telephone that rings.
func press(t *testing.T, s *apptest.Site, mobile string) {
	t.Helper()
	for range 200 {
		for _, m := range s.App.Tray.To(mobile) {
			at := rings.FindStringSubmatch(m.Text)
			if m.Tenant != s.ID || at == nil {
				continue
			}
			form := url.Values{"Digits": {"1"}}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+at[2], strings.NewReader(form.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			r.Host = at[1]
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set(twilio.SignatureHeader, twilio.Sign("the token", m.Text, form))
			res, err := s.HTTP.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatal("no telephone rings")
}
