package analytics_test

import (
	"testing"

	"limen/internal/app/apptest"
)

func TestExchanges(t *testing.T) { apptest.Exchanges(t, "testdata") }
