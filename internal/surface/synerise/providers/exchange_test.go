package providers_test

import (
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/core/upstream"
	"limen/internal/core/upstream/upstreamtest"
)

// TestExchanges plays the golden exchanges; {{key}} is a private key as Apple gives them out.
func TestExchanges(t *testing.T) {
	apptest.Exchanges(t, "testdata", func(t *testing.T, s *apptest.Site, name string) map[string]string {
		vars := apptest.Workspaces(t, s, name)
		vars["key"] = strings.ReplaceAll(upstreamtest.Run(t, upstream.Apple).AppleKey(), "\n", `\n`)
		return vars
	})
}
