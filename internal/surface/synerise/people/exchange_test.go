package people_test

import (
	"testing"

	"limen/internal/app/apptest"
)

func TestExchanges(t *testing.T) {
	apptest.Exchanges(t, "testdata", apptest.Workspaces, func(t *testing.T, s *apptest.Site, _ string) map[string]string {
		s.Prove(t, "Nord", "example.com")
		return nil
	})
}
