package certificates_test

import (
	"testing"

	"limen/internal/app/apptest"
	made "limen/internal/wire/certificate/certificatetest"
)

func TestExchanges(t *testing.T) {
	root := made.Root(t, "Acme Root")
	between := root.Between(t, "Acme People")
	other, third := made.Root(t, "Other Root"), made.Root(t, "Third Root")
	apptest.Exchanges(t, "testdata", func(*testing.T, *apptest.Site, string) map[string]string {
		return map[string]string{
			"root": string(made.PEM(root.Cert)), "thirdRoot": string(made.PEM(third.Cert)), "chain": string(made.PEM(between.Cert, root.Cert)), "broken": string(made.PEM(between.Cert)), "otherRoot": string(made.PEM(other.Cert)),
		}
	})
}
