package people_test

import (
	"context"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/domain"
)

func TestExchanges(t *testing.T) {
	apptest.Exchanges(t, "testdata", apptest.Workspaces, func(t *testing.T, s *apptest.Site, _ string) map[string]string {
		prove(t, s, "Nord", "example.com")
		return nil
	})
}

// prove makes a mail domain one of an organization's.
func prove(t *testing.T, s *apptest.Site, path, name string) {
	t.Helper()
	var d domain.Domain
	s.Do(t, audit.DomainCode, func(ctx context.Context, c *call.Call) error {
		o, err := s.App.Orgs.Find(ctx, c, path)
		if err != nil {
			return err
		}
		d, err = s.App.Domains.Issue(ctx, c, o.ID, name)
		return err
	})
	found := &domain.Domains{DB: s.App.DB, TXT: func(context.Context, string) ([]string, error) { return []string{d.Record()}, nil }}
	proof, err := found.Look(t.Context(), s.App.Shell(s.ID), d.Org, name, domain.TXT)
	if err != nil {
		t.Fatal(err)
	}
	s.Do(t, audit.DomainVerify, func(ctx context.Context, c *call.Call) error {
		_, err := found.Prove(ctx, c, d.Org, proof)
		return err
	})
}
