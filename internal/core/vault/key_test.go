package vault

import (
	"context"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/role"
	"limen/internal/core/session"
	"limen/internal/core/sshkey"
	"limen/internal/core/user"
	wire "limen/internal/wire/sshkey"
)

// Keys go to those whose account the caller could take over anyway; one's own needs a logon that is not long ago.
func TestLendKey(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.v.Sessions = &session.Sessions{Proof: func(context.Context, *call.Call) (time.Duration, error) { return time.Minute, nil }}
		w.v.Keys = &sshkey.Keys{People: w.v.People, Life: func(context.Context, *call.Call) (time.Duration, error) { return time.Hour, nil }}
		made := sshkey.Made{Public: wire.Public{Algorithm: "ssh-ed25519", Body: "AAAA"}}
		lead, anna, root := w.user("lead", ""), w.user("anna", w.sales), w.user("root", "")
		w.give(nil, lead, "ResetUsersPasswords")
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			return w.v.Roles.Add(ctx, c, role.System, role.Member{Kind: role.User, ID: root})
		})
		lend := func(want error, to string, g grant.Grant) {
			t.Helper()
			w.write(want, func(ctx context.Context, c *call.Call) error {
				c.Grant = g
				_, err := w.v.LendKey(ctx, c, to, made)
				return err
			})
		}
		w.as(lead)
		lend(session.ErrStale, lead, grant.All())
		w.caller.Proved = w.now
		lend(nil, lead, grant.Rows()) // which takes no right
		lend(nil, anna, grant.All())
		lend(ErrUser, anna, grant.Rows(lead))
		lend(ErrSystem, root, grant.All())
		w.as("")
		w.give(nil, anna, "AddUpdateUsers")
		w.as(lead)
		lend(user.ErrStronger, anna, grant.All())
		w.write(ErrUser, func(ctx context.Context, c *call.Call) error {
			c.Grant = grant.Rows(lead)
			return w.v.RecallKey(ctx, c, anna)
		})
	})
}
