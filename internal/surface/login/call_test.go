package login_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/user"
)

// The pages have somebody called, wait for the key, and go on when it was pressed.
func TestCall(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		s.Telephones(t)
		s.Set(t, "Authentication.Challenges", "UP;PF")
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
		s.Press(t, mobile)
		b.do("GET", "/login?wait=1", nil)
		b.do("GET", "/login", nil)
		b.sees(http.StatusOK, "You are signed in", s.Plain.Name)
	})
}
