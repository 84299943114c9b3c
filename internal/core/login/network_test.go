package login_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor/network"
	"limen/internal/core/login"
	"limen/internal/core/login/logintest"
	"limen/internal/core/session"
)

// A network password is made after a recent proof alone, where the tenant lets people have one, and its owner is told.
func TestMakeNetworkPassword(t *testing.T) {
	each(t, func(w talk) {
		anna := w.Add("anna", withoutMail)
		in := w.expect(w.signIn(anna.Name, logintest.Secret), login.Succeeded).Success
		w.Sessions.Proof = func(context.Context, *call.Call) (time.Duration, error) { return 15 * time.Minute, nil }
		proved := w.Now
		draw := func() error {
			c := w.Call()
			c.Caller = &call.Caller{User: anna.ID, Session: in.Session.ID, Means: call.BySession, Proved: proved}
			n, err := w.Logins.DrawNetworkPassword(t.Context(), c, w.Get(anna.ID))
			if err != nil {
				return err
			}
			return w.Try(func(ctx context.Context, tx *call.Call) error {
				tx.Caller = c.Caller
				return w.Logins.PutNetworkPassword(ctx, tx, w.Get(anna.ID), n)
			})
		}
		if err := draw(); !errors.Is(err, network.ErrOff) {
			t.Error("one where the tenant has none:", err)
		}
		w.Set("Radius.NetworkPasswords", "true")
		w.Told = nil
		if err := draw(); err != nil {
			t.Fatal(err)
		}
		if len(w.Told) != 1 || w.Told[0].What != login.NetworkPassword {
			t.Error("told:", w.Told)
		}
		proved = w.Now.Add(-time.Hour)
		if err := draw(); !errors.Is(err, session.ErrStale) {
			t.Error("one long after a proof:", err)
		}
	})
}
