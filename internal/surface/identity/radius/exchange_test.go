package radius_test

import (
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/wire/certificate/certificatetest"
)

func TestExchanges(t *testing.T) {
	apptest.Exchanges(t, "testdata", func(t *testing.T, _ *apptest.Site, name string) map[string]string {
		if name != "SetRadiusClient" {
			return nil
		}
		text := func(a *certificatetest.Authority) string {
			return strings.ReplaceAll(string(certificatetest.PEM(a.Cert)), "\n", `\n`)
		}
		return map[string]string{
			"authority": text(certificatetest.Root(t, "Devices")),
			"over":      text(certificatetest.Root(t, "Devices", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })),
		}
	})
}
