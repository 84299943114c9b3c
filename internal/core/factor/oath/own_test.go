package oath_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/factor/factortest"
	"limen/internal/core/factor/oath"
)

// The own profile stands beside a token: neither replaces the other, and the mechanism OATH asks for the token alone.
func TestOwnBesideOthers(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		p := oath.Profiles{Ring: w.Ring}
		w.Write(func(ctx context.Context, c *call.Call) error {
			own, made, err := p.EnsureOwn(ctx, c, "alice", oath.Seed{Name: "alice", Issuer: "Acme"})
			if err != nil || !made {
				t.Fatal(made, err)
			}
			again, made, err := p.EnsureOwn(ctx, c, "alice", oath.Seed{Name: "other"})
			if err != nil || made || again.ID != own.ID || again.Name != "alice" {
				t.Errorf("made twice: %+v %v %v", again, made, err)
			}
			if _, ok, err := (oath.Mechanism{Profiles: p}).Offer(ctx, c, factor.Person{ID: "alice"}); ok || err != nil {
				t.Error("the mechanism of tokens is offered for the own profile", err)
			}
			if _, err := p.Set(ctx, c, "alice", oath.Seed{Secret: aliceKey}); err != nil {
				return err
			}
			if all, err := p.All(ctx, c, "alice"); err != nil || len(all) != 2 || all[0].ID != own.ID {
				t.Errorf("%+v %v", all, err)
			}
			if err := p.Drop(ctx, c, "alice"); err != nil {
				return err
			}
			if _, err := p.Own(ctx, c, "alice"); err != nil {
				t.Error("gone with the token:", err)
			}
			if _, err := p.Own(ctx, c, "bob"); !errors.Is(err, oath.ErrNotFound) {
				t.Error("somebody else's:", err)
			}
			return p.DropOwn(ctx, c, "alice")
		})
	})
}

// Secrets of tokens are told nobody; that of the own profile is another one after each renewal, and codes of the old one are of no use.
func TestOwnSecretIsRenewed(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		p := oath.Profiles{Ring: w.Ring}
		var old, now string
		w.Write(func(ctx context.Context, c *call.Call) error {
			token, err := p.Set(ctx, c, "alice", oath.Seed{Secret: aliceKey})
			if err != nil {
				return err
			}
			if text, err := p.Secret(ctx, c, token); text != "" || !errors.Is(err, oath.ErrNotFound) {
				t.Error("a token's secret was told", err)
			}
			if _, err := p.RenewOwn(ctx, c, "alice"); !errors.Is(err, oath.ErrNotFound) {
				t.Error(err)
			}
			own, _, err := p.EnsureOwn(ctx, c, "alice", oath.Seed{Name: "alice"})
			if err != nil {
				return err
			}
			if old, err = p.Secret(ctx, c, own); err != nil {
				return err
			}
			next, err := p.RenewOwn(ctx, c, "alice")
			if err != nil || next.SecretVersion != 2 || next.ID != own.ID {
				t.Fatalf("%+v %v", next, err)
			}
			stored, err := p.Own(ctx, c, "alice")
			if err != nil || stored.SecretVersion != 2 || stored.Secret != next.Secret {
				t.Errorf("%+v %v", stored, err)
			}
			now, err = p.Secret(ctx, c, stored)
			return err
		})
		if old == now {
			t.Error("the secret is the old one")
		}
		for text, want := range map[string]bool{code(t, old, w.Now): false, code(t, now, w.Now): true} {
			if v, err := p.CheckOwn(t.Context(), w.Call(), "alice", text); err != nil || v.Right != want {
				t.Errorf("%s: %+v %v", text, v, err)
			}
		}
	})
}

// Codes that were shown before another period are not taken after it, and a counter moves forward alone.
func TestReshape(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		p, secret := oath.Profiles{Ring: w.Ring}, ""
		w.Write(func(ctx context.Context, c *call.Call) error {
			own, _, err := p.EnsureOwn(ctx, c, "alice", oath.Seed{Name: "alice"})
			if err != nil {
				return err
			}
			if secret, err = p.Secret(ctx, c, own); err != nil {
				return err
			}
			pressed, _, err := p.EnsureOwn(ctx, c, "bob", oath.Seed{Name: "bob", Counted: true, Counter: 5})
			if err != nil {
				return err
			}
			for _, one := range []struct {
				user, id string
				to       oath.Shape
				want     error
			}{
				{"alice", own.ID, oath.Shape{Digits: 5}, oath.ErrDigits}, {"alice", own.ID, oath.Shape{Digits: 9}, oath.ErrDigits},
				{"alice", own.ID, oath.Shape{Period: 14}, oath.ErrPeriod}, {"alice", own.ID, oath.Shape{Counter: 7}, oath.ErrTimed},
				{"alice", own.ID, oath.Shape{Digits: 8, Version: 2}, oath.ErrVersion}, {"alice", pressed.ID, oath.Shape{Digits: 8}, oath.ErrNotFound},
				{"carol", own.ID, oath.Shape{Digits: 8}, oath.ErrNotFound}, {"bob", pressed.ID, oath.Shape{Period: 60}, oath.ErrCounted},
				{"bob", pressed.ID, oath.Shape{Counter: 4}, oath.ErrBack}, {"bob", pressed.ID, oath.Shape{Counter: -1}, oath.ErrCounter},
				{"bob", pressed.ID, oath.Shape{Counter: 9, Digits: 8, Version: 1}, nil}, {"alice", own.ID, oath.Shape{Period: 60, Version: 1}, nil},
				{"alice", own.ID, oath.Shape{}, nil},
			} {
				if _, _, err := p.Reshape(ctx, c, one.user, one.id, one.to); !errors.Is(err, one.want) {
					t.Errorf("%+v: %v", one, err)
				}
			}
			if now, err := p.Own(ctx, c, "bob"); err != nil || now.LastStep != 8 || now.Digits != 8 {
				t.Errorf("%+v %v", now, err)
			}
			return nil
		})
		for back := time.Duration(-90); back <= 30; back += 30 {
			for _, period := range []int64{30, 60} {
				text, err := oath.Code(secret, "SHA1", 6, w.Now.Add(back*time.Second).Unix()/period)
				if err != nil {
					t.Fatal(err)
				}
				if v, err := p.CheckOwn(t.Context(), w.Call(), "alice", text); err != nil || v.Right {
					t.Errorf("a code of %d s before, by periods of %d s: %+v %v", back, period, v, err)
				}
			}
		}
	})
}
