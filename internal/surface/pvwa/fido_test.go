package pvwa_test

import (
	"context"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor/passkey"
	"limen/internal/core/factor/passkey/passkeytest"
	"limen/internal/core/session"
)

// devices gives plain and the administrator passkeys, and plain a logon of long ago.
func devices(t *testing.T, s *apptest.Site, name string) map[string]string {
	if name != "DeletePasskey" && name != "DeleteOwnPasskey" {
		return nil
	}
	return map[string]string{
		"key": s.Key(t, s.Plain.ID, passkey.Passkey).Handle(), "adminKey": s.Key(t, s.Admin.ID, passkey.Passkey).Handle(), "unknown": passkeytest.New("https://" + s.Host).Handle(),
		"plainNumber": s.Number(t, "User", s.Plain.ID), "old": aged(t, s, s.Plain.ID),
	}
}

// aged gives the token of a session that somebody opened longer ago than a proof is good.
func aged(t *testing.T, s *apptest.Site, userID string) (token string) {
	t.Helper()
	s.Do(t, audit.Login, func(ctx context.Context, c *call.Call) (err error) {
		then := *c
		then.Now = c.Now.Add(-16 * time.Minute)
		token, _, err = s.App.Sessions.Create(ctx, &then, session.New{User: userID, Idle: time.Hour})
		return err
	})
	return token
}
