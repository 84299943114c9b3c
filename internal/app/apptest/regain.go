package apptest

import (
	"context"
	"encoding/json"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/policy"
	"limen/internal/core/regain"
	"limen/internal/core/user"
	"limen/internal/dbx"
)

// aged are the statements by which everything about accounts that are regained happened longer ago: messages are delivered by the real clock.
var aged = []dbx.Exec{
	dbx.E("apptest.age_regain", `UPDATE regain SET due = due - ?, started = started - ? WHERE tenant = ?`),
	dbx.E("apptest.age_proposals", `UPDATE regain_proposal SET made = made - ?, expires = expires - ? WHERE tenant = ?`),
	dbx.E("apptest.age_users", `UPDATE users SET created = created - ? + 0 * ? WHERE tenant = ?`),
	dbx.E("apptest.age_moved", `UPDATE regain_moved SET moved = moved - ? + 0 * ? WHERE tenant = ?`),
}

// Pass lets time pass for accounts that are regained, and has the server do what is due.
func (s *Site) Pass(t testing.TB, d time.Duration) {
	t.Helper()
	s.Do(t, audit.RegainAsk, func(ctx context.Context, c *call.Call) error {
		for _, e := range aged {
			if _, err := e.Do(ctx, c.Tx, d.Milliseconds(), d.Milliseconds(), c.Tenant.ID); err != nil {
				return err
			}
		}
		return nil
	})
	s.Tick(t, time.Now())
}

// Tick has the server do what is due of accounts that are regained, at a time.
func (s *Site) Tick(t testing.TB, now time.Time) {
	t.Helper()
	if err := s.App.Regains.Tick(t.Context(), s.App.DB, now); err != nil {
		t.Fatal(err)
	}
}

// Lost makes somebody with a password and a mobile number, whom policies let regain their account.
func (s *Site) Lost(t testing.TB, name, mobile string) Person {
	t.Helper()
	who := s.Person(t, name)
	s.Settle(t, who.ID, "", "")
	settings, err := s.App.Policies.Check(t.Context(), s.App.Shell(s.ID), map[string]json.RawMessage{"/Core/Authentication/AllowDelayedRecovery": json.RawMessage(`true`)})
	if err != nil {
		t.Fatal(err)
	}
	s.Do(t, audit.PolicyChange, func(ctx context.Context, c *call.Call) error {
		in := policy.Save{Path: "/Policy/Recovery", New: true, Settings: settings, Links: []policy.Listed{{Path: "Recovery", Link: policy.Link{Type: policy.Global}}}}
		_, err := s.App.Policies.Save(ctx, c, in)
		return err
	})
	s.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
		_, err := s.App.People.Change(ctx, c, who.ID, user.Change{Mobile: &mobile})
		return err
	})
	s.Pass(t, regain.Hold+time.Hour) // the number is not new any more
	return who
}

// Regaining has somebody of Lost regain their account until they get the link or, where that is early, until the first notice, and gives what they
// were sent: the token of the link, and the code that goes with it.
func (s *Site) Regaining(t testing.TB, who Person, mobile string, early bool) (token, code string) {
	t.Helper()
	s.Do(t, audit.RegainAsk, func(ctx context.Context, c *call.Call) error {
		c.Caller, c.Client = nil, call.Client{IP: netip.MustParseAddr("203.0.113.9")}
		return s.App.Regains.Ask(ctx, c, who.Name)
	})
	s.Tick(t, time.Now())
	path := regain.StopPath
	if !early {
		path = regain.FinishPath
		for range regain.Steps {
			s.Pass(t, 6*time.Hour+time.Minute)
		}
		code = s.Mailed(t, mobile, regexp.MustCompile(`\b\d{8}\b`))
	}
	_, token, _ = strings.Cut(s.Mailed(t, who.Mail, regexp.MustCompile(regexp.QuoteMeta(path)+`\?token=\S+`)), "token=")
	return token, code
}
