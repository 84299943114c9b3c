package account_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/factor/oath"
	"limen/internal/core/session"
	"limen/internal/core/workspace"
)

func TestExchanges(t *testing.T) {
	apptest.Exchanges(t, "testdata", apptest.Workspaces, func(t *testing.T, s *apptest.Site, name string) map[string]string {
		switch name {
		case "ConfirmMFA":
			return enrolment(t, s)
		case "InitializeMFA":
			unproved(t, s, named(t, s, "boss"), "boss.unproved@"+s.Suffix)
		case "RemoveMFA":
			return authenticators(t, s)
		}
		return nil
	})
}

// named finds a person of the site by the first part of the login name.
func named(t *testing.T, s *apptest.Site, name string) (id string) {
	t.Helper()
	c := s.App.Shell(s.ID)
	if err := c.Snapshot(t.Context(), func() error {
		u, err := s.App.People.ByName(t.Context(), c, name+"@"+s.Suffix)
		id = u.ID
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return id
}

// at gives the code of a secret some steps from now.
func at(t *testing.T, secret string, steps int64) string {
	t.Helper()
	code, err := oath.Code(secret, "SHA1", 6, time.Now().Unix()/30+steps)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// enrolment begins to enrol an authenticator for mia.
func enrolment(t *testing.T, s *apptest.Site) map[string]string {
	vars := map[string]string{}
	ensure(t, s)
	s.Do(t, audit.FactorEnroll, func(ctx context.Context, c *call.Call) error {
		made, uri, err := s.App.OATH.Begin(ctx, c, named(t, s, "mia"), "mia", "Acme")
		if err != nil {
			return err
		}
		u, err := url.Parse(uri)
		secret := u.Query().Get("secret")
		vars["profile"], vars["code"], vars["old"] = made.ID, at(t, secret, 0), at(t, secret, -9)
		return err
	})
	return vars
}

// authenticators gives mia and boss authenticators with backup codes, reader one without, and sven one whom Sued asks for a second factor.
// boss and sven have tokens of sessions that showed it (strongBossToken, strongSvenToken).
func authenticators(t *testing.T, s *apptest.Site) map[string]string {
	vars := map[string]string{}
	ensure(t, s)
	s.Do(t, audit.FactorEnroll, func(ctx context.Context, c *call.Call) error {
		for _, name := range []string{"mia", "boss", "reader", "sven"} {
			made, err := s.App.OATH.Set(ctx, c, named(t, s, name), oath.Seed{Name: name, Issuer: "Acme", Secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"})
			if err != nil {
				return err
			}
			vars[name+"Profile"] = made.ID
			if name == "reader" {
				continue
			}
			if vars[name+"Backup"], err = s.App.OATH.Backup(ctx, c, made.User, made.ID); err != nil {
				return err
			}
		}
		return nil
	})
	vars["strongBossToken"], vars["strongSvenToken"] = strong(t, s, "boss"), strong(t, s, "sven")
	s.Do(t, audit.PolicyChange, func(ctx context.Context, c *call.Call) error {
		o, err := s.App.Orgs.Find(ctx, c, "Sued")
		if err == nil {
			_, err = s.App.Demands.RequireMFA(ctx, c, o.ID, true)
		}
		return err
	})
	return vars
}

// strong is a token, for no workspace, of a session that showed two factors.
func strong(t *testing.T, s *apptest.Site, name string) string {
	t.Helper()
	var made workspace.Unsigned
	s.Do(t, audit.Login, func(ctx context.Context, c *call.Call) error {
		id := named(t, s, name)
		_, in, err := s.App.Sessions.Create(ctx, c, session.New{User: id, Level: session.High, Idle: time.Hour, Life: time.Hour})
		if err != nil {
			return err
		}
		made, err = s.App.WorkspaceTokens.Make(ctx, c, workspace.TypeUser, workspace.Claims{Subject: id, Session: in.ID}, 0)
		return err
	})
	token, err := made.Sign(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func ensure(t *testing.T, s *apptest.Site) {
	t.Helper()
	if err := s.App.Ring.Ensure(t.Context(), s.ID, factor.PurposeOATH); err != nil {
		t.Fatal(err)
	}
}
