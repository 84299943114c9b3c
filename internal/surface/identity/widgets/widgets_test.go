package widgets_test

import (
	"testing"

	"limen/internal/app/apptest"
)

func TestMain(m *testing.M) { apptest.Main(m) }

func TestExchanges(t *testing.T) { apptest.Exchanges(t, "testdata") }
