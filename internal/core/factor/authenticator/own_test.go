package authenticator_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/factor/authenticator"
	"limen/internal/core/factor/oath"
)

// The profile that a person's authenticators share answers as their own codes do, once; a revoked authenticator knows nothing of use, and the
// last one takes the profile with it.
func TestSharedProfile(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		p, m, alice := oath.Profiles{Ring: w.Devices.Ring}, authenticator.Mechanism{Devices: w.Devices}, factor.Person{ID: "alice"}
		var secret string
		fetch := func() {
			w.Write(func(ctx context.Context, c *call.Call) error {
				own, _, err := p.EnsureOwn(ctx, c, "alice", oath.Seed{Name: "alice"})
				if err == nil {
					secret, err = p.Secret(ctx, c, own)
				}
				return err
			})
		}
		passes := func(what string, want bool) {
			t.Helper()
			code, err := oath.Code(secret, "SHA1", 6, w.Now.Unix()/30)
			if err != nil {
				t.Fatal(err)
			}
			v, err := m.Check(t.Context(), w.Call(), alice, factor.Challenge{}, factor.Answer{Text: code})
			if err != nil {
				t.Fatal(err)
			}
			w.Write(func(ctx context.Context, c *call.Call) error {
				ok, err := m.Commit(ctx, c, alice, &factor.Challenge{}, v)
				if ok != want {
					t.Errorf("%s: %v", what, ok)
				}
				return err
			})
		}
		fetch()
		passes("without an authenticator", false)
		phone, tablet := w.enroll("alice", "Phone"), w.enroll("alice", "Tablet")
		passes("a code of it", true)
		passes("the same once more", false)
		w.Write(func(ctx context.Context, c *call.Call) error { return w.Delete(ctx, c, "alice", phone.ID) })
		passes("what a revoked one shows", false)
		fetch()
		passes("the new secret", false) // its steps are used up until the next one: the time stands still here
		w.Now = w.Now.Add(time.Minute)
		passes("the new secret later", true)
		w.Write(func(ctx context.Context, c *call.Call) error {
			if err := w.Delete(ctx, c, "alice", tablet.ID); err != nil {
				return err
			}
			if _, err := p.Own(ctx, c, "alice"); !errors.Is(err, oath.ErrNotFound) {
				t.Error("stays without an authenticator:", err)
			}
			return nil
		})
	})
}
