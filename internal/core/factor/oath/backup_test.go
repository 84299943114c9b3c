package oath_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"limen/internal/call"
	"limen/internal/core/factor/factortest"
	"limen/internal/core/factor/oath"
)

// A backup code fits its person's profile, as long as there is that profile, and no other one.
func TestBackup(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		p := oath.Profiles{Ring: w.Ring}
		fits := func(userID, text string, want bool) {
			t.Helper()
			w.Write(func(ctx context.Context, c *call.Call) error {
				if got, err := p.FitsBackup(ctx, c, userID, text); err != nil || got != want {
					t.Errorf("%s %q: %v %v", userID, text, got, err)
				}
				return nil
			})
		}
		var code string
		w.Write(func(ctx context.Context, c *call.Call) error {
			alice, err := p.Set(ctx, c, "alice", oath.Seed{Secret: aliceKey})
			if err != nil {
				return err
			}
			if _, err := p.Set(ctx, c, "bob", oath.Seed{Secret: bobKey}); err != nil {
				return err
			}
			if has, err := p.HasBackup(ctx, c, "alice"); has || err != nil {
				t.Error("a profile has a code from the start", err)
			}
			if _, err := p.Backup(ctx, c, "bob", alice.ID); !errors.Is(err, oath.ErrNotFound) {
				t.Error("somebody else's profile:", err)
			}
			pending, _, err := p.Begin(ctx, c, "carol", "carol", "Limen")
			if err != nil {
				return err
			}
			if _, err := p.Backup(ctx, c, "carol", pending.ID); !errors.Is(err, oath.ErrNotFound) {
				t.Error("a pending profile:", err)
			}
			code, err = p.Backup(ctx, c, "alice", alice.ID)
			return err
		})
		if len(code) != 19 {
			t.Fatal(code)
		}
		fits("alice", code, true)
		fits("alice", strings.ToLower(strings.ReplaceAll(code, "-", " ")), true)
		for _, text := range []string{"", "-", code + "A", code[:14]} {
			fits("alice", text, false)
			fits("bob", text, false)
		}
		fits("bob", code, false)
		w.Write(func(ctx context.Context, c *call.Call) error {
			_, err := p.Set(ctx, c, "alice", oath.Seed{Secret: aliceKey})
			return err
		})
		fits("alice", code, false)
	})
}
