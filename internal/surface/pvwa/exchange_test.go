package pvwa_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/core/authority"
	made "limen/internal/wire/certificate/certificatetest"
)

func TestExchanges(t *testing.T) { apptest.Exchanges(t, "testdata", certified, devices) }

// certified has the logons by certificates go over TLS. Root vouches for people by principal names, with a list of revoked certificates; Mail
// does by mail addresses.
func certified(t *testing.T, s *apptest.Site, name string) map[string]string {
	if !strings.HasPrefix(name, "LogonPKI") {
		return nil
	}
	root, mail, stranger := made.Root(t, "Root"), made.Root(t, "Mail"), made.Root(t, "Root")
	var list []byte
	lists := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(list) }))
	t.Cleanup(lists.Close)
	listed, plain := made.Listed(lists.URL+"/people.crl"), made.Called(s.Plain.Name)
	dated := func(from, until time.Duration) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = time.Now().Add(from), time.Now().Add(until) }
	}
	of := map[string]tls.Certificate{
		"good": root.Issue(t, plain, listed), "short": root.Issue(t, made.Called("admin"), listed), "revoked": root.Issue(t, plain, listed),
		"unlisted": root.Issue(t, plain), "expired": root.Issue(t, plain, listed, dated(-2*time.Hour, -time.Hour)), "early": root.Issue(t, plain, listed, dated(time.Hour, 2*time.Hour)),
		"server":   root.Issue(t, plain, listed, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }),
		"stranger": stranger.Issue(t, plain, listed), "nobody": root.Issue(t, made.Called("nobody-here"), listed),
		"mail": mail.Issue(t, func(c *x509.Certificate) { c.EmailAddresses = []string{s.Plain.Name} }),
	}
	list = root.List(t, nil, of["revoked"])
	s.Trust(t, "Root", authority.Principal, " ", root.Cert) // lists are looked for where certificates say
	s.Trust(t, "Mail", authority.Mail, "", mail.Cert)
	s.ByCertificate(t, of)
	return nil
}
