package authentication_test

import (
	"strings"
	"testing"

	"limen/internal/app/apptest"
)

func TestExchanges(t *testing.T) { apptest.Exchanges(t, "testdata", prepare) }

// prepare gives the exchanges the administrator's password, and the first label of the tenant's host.
func prepare(_ *testing.T, s *apptest.Site, _ string) map[string]string {
	label, _, _ := strings.Cut(s.Host, ".")
	return map[string]string{"password": apptest.Password, "label": label}
}
