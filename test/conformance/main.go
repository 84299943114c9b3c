// Command conformance drives the OpenID Foundation's conformance suite, which runs elsewhere, against a Limen of its own: it starts the
// program, makes an application and its people, puts TLS in front of the suite, runs test plans by the suite's REST interface, plays
// the browser, and writes what came of it to docs/conformance.md.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"limen/test/rig"
)

func main() {
	at := flag.String("suite", "http://127.0.0.1:8088", "where the suite listens, without TLS")
	only := flag.String("plans", "", "plans to run, commas between; all when empty")
	tests := flag.String("tests", "", "tests to run of them, commas between; all when empty")
	binary := flag.String("limen", "", "the program; built when empty")
	trace := flag.Bool("trace", false, "print what the browser opens")
	doc := flag.String("doc", "", "document whose results are replaced; none when empty")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *at, names(*only), runner{tests: names(*tests), trace: *trace}, *binary, *doc)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func names(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}

// The suite's own addresses: what it was started with as its base URL, and that for clients with certificates.
const (
	frontPort = "8443"
	certPort  = "8444"
	frontHost = "localhost.emobix.co.uk" // the suite's own name for the loopback
	frontURL  = "https://" + frontHost + ":" + frontPort
)

func run(ctx context.Context, at string, only []string, r runner, binary, doc string) error {
	u, err := url.Parse(at)
	if err != nil {
		return err
	}
	cert, err := certificate()
	if err != nil {
		return err
	}
	for port, certs := range map[string]bool{frontPort: false, certPort: true} {
		s, err := front(u, port, cert, certs)
		if err != nil {
			return err
		}
		defer s.Close()
	}
	dir, err := os.MkdirTemp("", "limen-conformance")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	w, err := newWorld(ctx, dir, binary, cert)
	if w != nil {
		defer w.server.Close()
	}
	if err != nil {
		return err
	}
	r.suite, r.world = suite{at: at, client: &http.Client{Timeout: 2 * time.Minute}}, w
	done := make([]outcome, len(plans))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce) // tests wait more than they do
	for i, p := range plans {
		if len(only) > 0 && !slices.Contains(only, p.short) {
			continue
		}
		g.Go(func() (err error) {
			if done[i], err = r.plan(ctx, p); err != nil {
				return fmt.Errorf("%s: %w", p.short, errors.Join(err, errors.New(w.server.Log(5))))
			}
			fmt.Println(done[i].row())
			return nil
		})
	}
	err = g.Wait()
	done = slices.DeleteFunc(done, func(o outcome) bool { return len(o.tests) == 0 })
	if doc == "" || len(done) == 0 {
		return err
	}
	return errors.Join(err, write(doc, done))
}

// atOnce is how many plans run at a time.
const atOnce = 4

// certificate is one that nobody has to trust: the suite and the browser here do not ask who signed it.
func certificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now()
	t := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour), DNSNames: []string{frontHost},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	raw, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}, err
}

// world is a Limen with somebody who may use applications.
type world struct {
	server         *rig.Server
	admin          *rig.Client
	name, password string
	other          string // somebody else, who has agreed to nothing
}

func newWorld(ctx context.Context, dir, binary string, trusted tls.Certificate) (*world, error) {
	if binary == "" {
		var err error
		if binary, err = rig.Build(ctx, dir); err != nil {
			return nil, err
		}
	}
	// It tells clients of sign-outs, and trusts nobody but the suite's front then.
	roots := dir + "/front.pem"
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: trusted.Certificate[0]}), 0o600); err != nil {
		return nil, err
	}
	s, err := rig.New(rig.Options{Binary: binary, Data: dir + "/data", Args: []string{"--dev"}, Env: []string{"SSL_CERT_FILE=" + roots}})
	if err != nil {
		return nil, err
	}
	if err := s.Start(ctx); err != nil {
		s.Close()
		return nil, err
	}
	w := &world{server: s, name: "connie@limen", other: "rolf@limen", password: "Walk-the-long-way-7"}
	c, err := s.Client()
	if err != nil {
		return w, err
	}
	if w.admin, err = c.SignIn(ctx, s.Admin, s.Password); err != nil {
		return w, err
	}
	w.admin.Patient = true
	// Both are service users, so that their password alone signs them in.
	for _, u := range []map[string]any{
		{"Name": w.name, "DisplayName": "Connie Stone", "Password": w.password, "ServiceUser": true, "Mail": "connie@example.com", "MobileNumber": "+15550100123"},
		{"Name": w.other, "DisplayName": "Rolf Hill", "Password": w.password, "ServiceUser": true, "Mail": "rolf@example.com"},
	} {
		if err := w.admin.Call(ctx, "/CDirectoryService/CreateUser", u, nil); err != nil {
			return w, err
		}
	}
	return w, nil
}

// app makes an application for a plan and gives its client's id.
func (w *world) app(ctx context.Context, name string, profile map[string]any) (clientID string, err error) {
	var made []struct {
		Key string `json:"_RowKey"`
	}
	if err := w.admin.Call(ctx, "/SaasManage/ImportAppFromTemplate", map[string]any{"ID": []string{"Generic OpenID Connect"}}, &made); err != nil {
		return "", err
	}
	key := made[0].Key
	if err := w.admin.Call(ctx, "/SaasManage/UpdateApplicationDE", map[string]any{"_RowKey": key, "Name": "Suite " + name, "ServiceName": name, "OAuthProfile": profile}, nil); err != nil {
		return "", err
	}
	if err := w.admin.Call(ctx, "/SaasManage/SetApplicationPermissions", map[string]any{
		"ID": key, "Grants": []map[string]any{
			{"PType": "User", "Principal": w.name, "Rights": "View,Execute"}, {"PType": "User", "Principal": w.other, "Rights": "View,Execute"},
		},
	}, nil); err != nil {
		return "", err
	}
	var got struct{ OAuthProfile struct{ ClientID string } }
	err = w.admin.Call(ctx, "/SaasManage/GetApplication", map[string]any{"_RowKey": key}, &got)
	return got.OAuthProfile.ClientID, err
}
