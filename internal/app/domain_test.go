package app

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/domain"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
	"limen/internal/platform/dns"
	"limen/internal/platform/dns/dnstest"
	"limen/internal/platform/egress"
)

// A domain is proved to a real name server, and by a real file that is served by TLS under the domain's name. What is served at an
// address that may not be reached proves nothing, and neither does a file behind a redirect to another host.
func TestDomainsAreProved(t *testing.T) {
	files := map[string]string{}
	site := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := files[r.Host+r.URL.Path]
		switch {
		case strings.HasPrefix(body, "https://"):
			http.Redirect(w, r, body, http.StatusFound)
		case ok:
			_, _ = w.Write([]byte(body))
		default:
			http.NotFound(w, r)
		}
	}))
	defer site.Close()
	_, port, _ := net.SplitHostPort(site.Listener.Addr().String())
	var zone dnstest.Zone
	zone.At("example.com", [4]byte{127, 0, 0, 1})
	roots := x509.NewCertPool()
	roots.AddCert(site.Certificate()) // names example.com and *.example.com
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		resolver := &dns.Resolver{Server: zone.Serve(t)}
		a := &App{DB: db, Resolver: resolver, Egress: &egress.Client{Resolver: resolver.Net(), Roots: roots}}
		permit := func(ps ...netip.Prefix) {
			a.Egress = &egress.Client{Resolver: resolver.Net(), Roots: roots, Guard: egress.Guard{Permit: ps}}
		}
		all := &domain.Domains{DB: db, TXT: a.Resolver.TXT, Page: func(ctx context.Context, url string) (int, []byte, error) {
			return a.askPage(ctx, strings.Replace(url, "example.com/", "example.com:"+port+"/", 1)) // a test cannot listen at port 443
		}}
		c := &call.Call{Tenant: call.Tenant{ID: "DOM" + call.NewID(time.Now(), rand.Reader)[24:]}, Now: time.Now(), Rand: rand.Reader}
		within := func(in func(context.Context, func(*dbx.Tx) error) error) func(context.Context, func() error) error {
			return func(ctx context.Context, f func() error) error {
				return in(ctx, func(tx *dbx.Tx) error {
					c.Tx = tx
					defer func() { c.Tx = nil }()
					return f()
				})
			}
		}
		c.Snapshot = within(db.Read)
		write := within(func(ctx context.Context, f func(*dbx.Tx) error) error { return db.Write(ctx, f) })
		var d domain.Domain
		if err := write(t.Context(), func() (err error) {
			d, err = all.Issue(t.Context(), c, "org", "example.com")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		try := func(what string, by domain.Method, want error) {
			t.Helper()
			if _, err := all.Look(t.Context(), c, "org", "example.com", by); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", what, err, want)
			}
		}
		at := "example.com:" + port + "/" + domain.FilePath
		zone.Set("example.com", "v=spf1 -all")
		clear(files)
		permit(netip.MustParsePrefix("127.0.0.0/8"))
		try("no record", domain.TXT, domain.ErrNoProof)
		try("no file", domain.File, domain.ErrNoProof)
		files[at] = "https://other.example.com:" + port + "/" + domain.FilePath
		files["other."+at] = d.Record()
		zone.At("other.example.com", [4]byte{127, 0, 0, 1})
		try("a file elsewhere", domain.File, domain.ErrNoProof)
		files[at] = d.Record()
		permit()
		try("an address that may not be reached", domain.File, domain.ErrNoProof)
		permit(netip.MustParsePrefix("127.0.0.0/8"))
		try("a file", domain.File, nil)
		zone.Set("example.com", "v=spf1 -all", d.Record())
		try("a record", domain.TXT, nil)
	})
}
