package login_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor/recovery"
)

// The pages ask for a recovery code in words of its own, and take each once.
func TestRecoveryCode(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		s.Set(t, "Authentication.Challenges", "UP;RECOVERY")
		s.Settle(t, s.Plain.ID, "", "")
		if err := s.App.Logins.Ensure(t.Context(), s.ID); err != nil {
			t.Fatal(err)
		}
		var made recovery.New
		s.Do(t, audit.RecoveryCodes, func(ctx context.Context, c *call.Call) (err error) {
			if made, err = s.App.Logins.Codes.Draw(ctx, c, s.Plain.ID); err == nil {
				err = s.App.Logins.Codes.Put(ctx, c, s.Plain.ID, made)
			}
			return err
		})
		for i, code := range []string{made.Codes[0], made.Codes[0], made.Codes[1]} {
			b := newBrowser(t, s)
			b.do("GET", b.do("POST", "/login", url.Values{"user": {s.Plain.Name}}), nil)
			b.do("GET", b.do("POST", "/login/answer", url.Values{"mechanism": {b.field("mechanism")}, "answer": {apptest.Password}}), nil)
			b.sees(http.StatusOK, "Enter a recovery code", "Each of your recovery codes works once.")
			b.do("POST", "/login/answer", url.Values{"mechanism": {b.field("mechanism")}, "answer": {code}})
			if i == 1 {
				b.sees(http.StatusForbidden)
				continue
			}
			b.signedIn(s.Plain.ID, "UP", "RECOVERY")
		}
	})
}
