package policy_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/policy"
	"limen/internal/core/profile"
	"limen/internal/core/right"
	"limen/internal/fault"
)

func TestNobodyLocksThemselvesOut(t *testing.T) {
	each(t, func(w *world) {
		w.save("Mine", everybody, nil)
		for _, v := range []values{
			{enabled: true, otherwise: policy.Never}, {enabled: true, otherwise: w.strong},
			{enabled: true, otherwise: w.weak, rulesKey: rule(policy.Never)},
		} {
			in := w.wish("Mine", everybody, v)
			w.refused(policy.ErrLockout, func(ctx context.Context, c *call.Call) error { _, err := w.p.Save(ctx, c, in); return err })
			if len(w.rsop(w.admin.ID).All()) != 0 {
				t.Fatal("the change was made")
			}
			in.Links[0].Type = policy.Inactive
			w.must(func(ctx context.Context, c *call.Call) error { _, err := w.p.Save(ctx, c, in); return err })
			in = w.wish("Mine", everybody, v)
			w.refused(policy.ErrLinkLockout, func(ctx context.Context, c *call.Call) error { _, err := w.p.Save(ctx, c, in); return err })
			w.save("Mine", everybody, nil)
		}
		// A set above lets the administrator in, and must stay.
		w.save("Mine", everybody, values{enabled: true, otherwise: policy.Never})
		w.save("Safe", policy.Link{Type: policy.Role, Params: []string{"sysadmin"}}, values{otherwise: w.weak})
		w.refused(policy.ErrLinkLockout, func(ctx context.Context, c *call.Call) error { return w.p.Delete(ctx, c, "Safe", false) })
		w.must(func(ctx context.Context, c *call.Call) error { return w.p.Delete(ctx, c, "Safe", true) })
	})
}

// The warning tells whether somebody else is left who could undo the change.
func TestTheWarningSaysWhoIsLeft(t *testing.T) {
	each(t, func(w *world) {
		w.save("Mine", everybody, nil)
		in := w.wish("Mine", everybody, values{enabled: true, otherwise: w.strong})
		told := func(want string) {
			t.Helper()
			err := w.try(func(ctx context.Context, c *call.Call) error { _, err := w.p.Save(ctx, c, in); return err })
			if !errors.Is(err, policy.ErrLockout) || !strings.HasPrefix(fault.Of(err).Public, want) {
				t.Fatal(err)
			}
		}
		told("With this change no system administrator could")
		w.l.Enroll(w.anna.ID)
		w.l.Promote(w.anna.ID)
		told("With this change you could not")
		if err := w.l.Try(func(ctx context.Context, c *call.Call) error {
			c.Caller = &call.Caller{Means: call.ByShell, Held: right.Held{Tenant: right.Of(right.System)}}
			return w.l.People.SetCloudLock(ctx, c, w.anna.ID, true)
		}); err != nil {
			t.Fatal(err)
		}
		told("With this change no system administrator could")
	})
}

// A profile in force is replaced only when who replaces it could still sign in.
func TestAProfileInForce(t *testing.T) {
	each(t, func(w *world) {
		w.save("Mine", everybody, values{enabled: true, otherwise: w.weak})
		w.l.Profiles.Lockout = w.p.Lockout
		n := profile.Profile{ID: w.weak, Name: "Weak", Challenges: [][]string{{"UP"}, {"OATH"}}}
		change := func(confirmed bool) func(ctx context.Context, c *call.Call) error {
			return func(ctx context.Context, c *call.Call) error {
				_, err := w.l.Profiles.Change(ctx, c, n, confirmed)
				return err
			}
		}
		w.refused(profile.ErrLockout, change(false))
		if !w.signsIn("root") {
			t.Fatal("the change was made")
		}
		w.must(change(true))
		if w.signsIn("root") {
			t.Fatal("the change was not made")
		}
	})
}

// Whoever owns the machine lets an administrator in with the password alone, for a while.
func TestRecover(t *testing.T) {
	each(t, func(w *world) {
		w.l.Logins.Rescued = w.p.Recovering
		recovers := func(lasts time.Duration) error {
			return w.l.Try(func(ctx context.Context, c *call.Call) error {
				_, err := w.p.Recover(ctx, c, w.admin.ID, lasts)
				return err
			})
		}
		w.save("Nobody", everybody, values{enabled: true, otherwise: policy.Never})
		for _, lasts := range []time.Duration{-1, time.Second, policy.LongestRecovery + 1} {
			if err := recovers(lasts); !errors.Is(err, policy.ErrSpan) {
				t.Error(lasts, err)
			}
		}
		if w.signsIn("root") {
			t.Fatal("nobody may")
		}
		if err := recovers(15 * time.Minute); err != nil || !w.signsIn("root") || w.signsIn("anna") {
			t.Fatal(err)
		}
		// It is no way in that lasts, so a change that leaves no other is warned of.
		in := w.wish("Nobody", everybody, values{enabled: true, otherwise: w.strong})
		w.refused(policy.ErrLockout, func(ctx context.Context, c *call.Call) error { _, err := w.p.Save(ctx, c, in); return err })
		w.l.Now = w.l.Now.Add(16 * time.Minute)
		if w.signsIn("root") {
			t.Error("the time is over")
		}
		if err := errors.Join(recovers(time.Hour), recovers(0)); err != nil || w.signsIn("root") {
			t.Error("it was ended", err)
		}
	})
}
