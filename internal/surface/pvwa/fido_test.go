package pvwa_test

import (
	"context"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor"
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
		"key": registered(t, s, s.Plain.ID), "adminKey": registered(t, s, s.Admin.ID), "unknown": passkeytest.New("https://" + s.Host).Handle(),
		"plainNumber": s.Number(t, "User", s.Plain.ID), "old": aged(t, s, s.Plain.ID),
	}
}

// registered gives somebody a passkey and its handle.
func registered(t *testing.T, s *apptest.Site, userID string) string {
	t.Helper()
	a := passkeytest.New("https://" + s.Host)
	var o passkey.Creation
	s.Do(t, audit.FactorEnroll, func(ctx context.Context, c *call.Call) (err error) {
		o, err = s.App.Passkeys.Begin(ctx, c, factor.Person{ID: userID, Name: userID}, passkey.Registration{
			Name: "Phone", Kind: passkey.Passkey, Site: passkey.Site{RP: s.Host, Origin: a.Origin},
		})
		return err
	})
	r, err := s.App.Passkeys.Check(t.Context(), s.App.Shell(s.ID), userID, a.Register(o))
	if err != nil {
		t.Fatal(err)
	}
	s.Do(t, audit.FactorEnroll, func(ctx context.Context, c *call.Call) error {
		_, err := s.App.Passkeys.Finish(ctx, c, userID, r)
		return err
	})
	return a.Handle()
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
