package pvwa_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/factor/oath"
	"limen/internal/core/factor/recovery"
)

const seed = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

// armed makes a user who has an authenticator.
func (c *client) armed(name string, more ...map[string]any) *client {
	c.t.Helper()
	c.make(name, append(more, nil)[0])
	if err := c.s.App.Ring.Ensure(c.t.Context(), c.s.ID, factor.PurposeOATH); err != nil {
		c.t.Fatal(err)
	}
	c.domain(func(ctx context.Context, call *call.Call) error {
		u, err := c.s.App.People.ByName(ctx, call, name+"@"+c.s.Suffix)
		if err == nil {
			_, err = c.s.App.OATH.Set(ctx, call, u.ID, oath.Seed{Name: "app", Secret: seed})
		}
		return err
	})
	return &client{t: c.t, s: c.s}
}

// code is what the authenticator shows some steps from now.
func code(t *testing.T, steps int64) string {
	t.Helper()
	out, err := oath.Code(seed, "SHA1", 6, time.Now().Unix()/30+steps)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A code behind the password answers the challenge in the same call; a code that nothing asks for makes no password right.
func TestCodeBehindThePassword(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		c := administrator(t, s)
		anna := c.armed("anna")
		c.s.Set(t, "Lockout.Password.Free", "100")
		c.s.Set(t, "Lockout.Factor.Free", "100")
		first := code(t, 0)
		for _, wrong := range []string{password + ",000000", "wrong," + first, password + "," + first + "0", "," + first, first, password + ","} {
			if a := anna.logon(403, "RADIUS", "anna", wrong, false); a["ErrorCode"] != "ITATS004E" {
				t.Error(wrong, a)
			}
		}
		if a := anna.logon(403, "CyberArk", "anna", password+","+first, false); a["ErrorCode"] != "ITATS004E" {
			t.Error("a logon that takes passwords only", a)
		}
		anna.logon(200, "RADIUS", "anna", password+","+first, false)
		anna.want(200, "GET", "/LoginsInfo", nil)
		if a := anna.logon(403, "RADIUS", "anna", password+","+first, false); a["ErrorCode"] != "ITATS004E" {
			t.Error("a code that was used", a)
		}
		c.make("bert", nil)
		bert := &client{t: t, s: c.s}
		bert.logon(200, "RADIUS", "bert", password, false)
		bert.logon(403, "RADIUS", "bert", password+",123456", false)
		comma := c.armed("comma", map[string]any{"initialPassword": "First-Horse,123456"}) // whose password looks like both
		comma.logon(500, "RADIUS", "comma", "First-Horse,123456", false)
	})
}

// Where policies take a code alone, it may come in place of the password.
func TestCodeAlone(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		c := administrator(t, s)
		anna := c.armed("anna")
		anna.logon(403, "RADIUS", "anna", code(t, 0), false)
		c.s.Set(t, "Authentication.Challenges", "UP,OATH")
		anna.logon(403, "RADIUS", "anna", "000000", false)
		anna.logon(403, "CyberArk", "anna", code(t, 0), false)
		anna.logon(200, "RADIUS", "anna", code(t, 0), false)
		anna.logon(200, "RADIUS", "anna", password, false)
		anna.logon(403, "RADIUS", "anna", password+","+code(t, 1), false)
		c.s.Set(t, "Authentication.Challenges", "OATH")
		anna.logon(200, "RADIUS", "anna", code(t, 1), false)
	})
}

// Codes that are guessed behind a right password, or alone, count as those that answer a challenge do.
func TestJoinedCodesAreCounted(t *testing.T) {
	for name, with := range map[string]string{"behind the password": password + ",", "alone": ""} {
		t.Run(name, func(t *testing.T) {
			apptest.Each(t, func(t *testing.T, s *apptest.Server) {
				c := administrator(t, s)
				if with == "" {
					c.s.Set(t, "Authentication.Challenges", "UP,OATH")
				}
				anna := c.armed("anna")
				for range 12 {
					anna.logon(403, "RADIUS", "anna", with+"000000", false)
				}
				anna.logon(403, "RADIUS", "anna", with+code(t, 0), false)
			})
		})
	}
}

// A recovery code behind the password does as well, once, where the second challenge takes one.
func TestRecoveryCodeBehindThePassword(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		c := administrator(t, s)
		anna := c.armed("anna")
		c.s.Set(t, "Authentication.Challenges", "UP;OATH,RECOVERY")
		var codes recovery.New
		c.domain(func(ctx context.Context, call *call.Call) error {
			u, err := c.s.App.People.ByName(ctx, call, "anna@"+c.s.Suffix)
			if err == nil {
				codes, err = c.s.App.Logins.Codes.Draw(ctx, call, u.ID)
			}
			if err == nil {
				err = c.s.App.Logins.Codes.Put(ctx, call, u.ID, codes)
			}
			return err
		})
		anna.logon(200, "RADIUS", "anna", password+","+codes.Codes[0], false)
		if a := anna.logon(403, "RADIUS", "anna", password+","+codes.Codes[0], false); a["ErrorCode"] != "ITATS004E" {
			t.Error("a code that was used", a)
		}
		anna.logon(200, "RADIUS", "anna", password+","+strings.ToLower(codes.Codes[1]), false)
	})
}
