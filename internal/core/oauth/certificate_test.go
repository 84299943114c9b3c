package oauth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"limen/internal/call"
	"limen/internal/core/oauth"
	"limen/internal/core/revocation"
	wire "limen/internal/wire/oauth"
)

// issuer is an authority of a test, or a client that signs for itself.
type issuer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func (w *world) certificate(by *issuer, change func(*x509.Certificate)) *issuer {
	w.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "client-1", Organization: []string{"Acme"}}, DNSNames: []string{"client.acme.test"},
		NotBefore: w.c.Now.Add(-time.Hour), NotAfter: w.c.Now.Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	change(c)
	if by == nil {
		by = &issuer{c, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by.cert, key.Public(), by.key)
	if err != nil {
		w.t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		w.t.Fatal(err)
	}
	return &issuer{c, key}
}

func authority(c *x509.Certificate) {
	c.IsCA, c.KeyUsage, c.ExtKeyUsage, c.Subject = true, x509.KeyUsageCertSign, nil, pkix.Name{CommonName: "authority"}
}

func same(*x509.Certificate) {}

// connects has the client make its connection by certificates.
func (w *world) connects(chain ...*issuer) {
	w.c.Client.Certs = nil
	for _, one := range chain {
		w.c.Client.Certs = append(w.c.Client.Certs, one.cert)
	}
}

func (w *world) certified() error {
	_, err := w.s.Authenticate(w.t.Context(), w.c, w.apps["web"], wire.Credentials{ClientID: "client-1", Method: wire.None})
	return err
}

func TestTLSClient(t *testing.T) {
	each(t, func(w *world) {
		ca, strange := w.certificate(nil, authority), w.certificate(nil, authority)
		between := w.certificate(ca, func(c *x509.Certificate) { authority(c); c.Subject.CommonName = "between" })
		w.own(wire.Metadata{AuthMethod: wire.TLSClient, TLSSubject: "CN=client-1,O=Acme"})
		good := w.certificate(ca, same)
		w.connects(good)
		if err := w.certified(); !errors.Is(err, oauth.ErrClient) {
			t.Error("no authority is trusted:", err)
		}
		a := w.apps["web"]
		a.Profile.Authorities = x509.NewCertPool()
		a.Profile.Authorities.AddCert(ca.cert)
		w.apps["web"] = a
		for name, tt := range map[string]struct {
			chain []*issuer
			want  bool
		}{
			"good": {[]*issuer{good}, true}, "by another between": {[]*issuer{w.certificate(between, same), between}, true}, "the one between is missing": {[]*issuer{w.certificate(between, same)}, false},
			"none": {nil, false}, "of a stranger": {[]*issuer{w.certificate(strange, same)}, false}, "of a stranger, who sends the authority along": {[]*issuer{w.certificate(strange, same), strange}, false},
			"signed by itself": {[]*issuer{w.certificate(nil, same)}, false}, "by another client": {[]*issuer{w.certificate(good, same), good}, false},
			"another name":        {[]*issuer{w.certificate(ca, func(c *x509.Certificate) { c.Subject.CommonName = "client-2" })}, false},
			"expired":             {[]*issuer{w.certificate(ca, func(c *x509.Certificate) { c.NotAfter = w.c.Now.Add(-time.Minute) })}, false},
			"for servers":         {[]*issuer{w.certificate(ca, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })}, false},
			"the authority's own": {[]*issuer{ca}, false},
		} {
			w.connects(tt.chain...)
			if err := w.certified(); (err == nil) != tt.want || err != nil && !errors.Is(err, oauth.ErrClient) {
				t.Errorf("%s: %v", name, err)
			}
		}
		w.connects(good)
		for name, header := range map[string]string{"its secret instead": basic("client-1", "s3cret")} {
			w.connects()
			if _, err := w.token("web", header, "grant_type=refresh_token&refresh_token=x", ""); !errors.Is(err, oauth.ErrClient) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// TestRevokedClient looks certificates of clients up that name a list of revoked ones.
func TestRevokedClient(t *testing.T) {
	each(t, func(w *world) {
		const here = "http://crl.acme.test/clients"
		ca := w.certificate(nil, func(c *x509.Certificate) { authority(c); c.KeyUsage |= x509.KeyUsageCRLSign })
		w.own(wire.Metadata{AuthMethod: wire.TLSClient, TLSSubject: "CN=client-1,O=Acme"})
		a := w.apps["web"]
		a.Profile.Authorities = x509.NewCertPool()
		a.Profile.Authorities.AddCert(ca.cert)
		w.apps["web"] = a
		numbered := func(n int64) func(*x509.Certificate) {
			return func(c *x509.Certificate) { c.SerialNumber, c.CRLDistributionPoints = big.NewInt(n), []string{here} }
		}
		good, bad, bare := w.certificate(ca, numbered(7)), w.certificate(ca, numbered(8)), w.certificate(ca, same)
		list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
			Number: big.NewInt(1), ThisUpdate: w.c.Now.Add(-time.Minute), NextUpdate: w.c.Now.Add(time.Hour),
			RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(8), RevocationTime: w.c.Now.Add(-time.Minute)}},
		}, ca.cert, ca.key)
		if err != nil {
			t.Fatal(err)
		}
		there, lenient := true, false
		w.s.Unchecked = func(context.Context, *call.Call) (bool, error) { return lenient, nil }
		for _, tt := range []struct {
			name           string
			there, lenient bool
			cert           *issuer
			want           bool
		}{
			{"good", true, false, good, true}, {"revoked", true, false, bad, false}, {"names no list", true, false, bare, true}, {"no list is to be had", false, false, good, false},
			{"no list is to be had, which is allowed", false, true, good, true}, {"revoked, where no list need be had", true, true, bad, false},
		} {
			there, lenient = tt.there, tt.lenient
			w.s.Revoked = &revocation.Lists{Fetch: func(_ context.Context, uri string) ([]byte, error) {
				if uri != here || !there {
					return nil, errors.New("no answer")
				}
				return list, nil
			}}
			w.connects(tt.cert)
			if err := w.certified(); (err == nil) != tt.want || err != nil && !errors.Is(err, oauth.ErrClient) {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
	})
}

func TestSelfSigned(t *testing.T) {
	each(t, func(w *world) {
		good, other := w.certificate(nil, same), w.certificate(nil, same)
		set := func(k jose.JSONWebKey) json.RawMessage {
			raw, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{k}})
			if err != nil {
				t.Fatal(err)
			}
			return raw
		}
		again := *good // another certificate of the same key
		c := *good.cert
		der, err := x509.CreateCertificate(rand.Reader, &c, &c, good.key.Public(), good.key)
		if err != nil {
			t.Fatal(err)
		}
		if again.cert, err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
		for name, tt := range map[string]struct {
			keys  json.RawMessage
			shows *issuer
			want  bool
		}{
			"x5c":                                 {set(jose.JSONWebKey{Key: good.key.Public(), Certificates: []*x509.Certificate{good.cert}}), good, true},
			"x5c, another certificate of the key": {set(jose.JSONWebKey{Key: good.key.Public(), Certificates: []*x509.Certificate{good.cert}}), &again, false},
			"key":                                 {set(jose.JSONWebKey{Key: good.key.Public()}), &again, true}, "another": {set(jose.JSONWebKey{Key: good.key.Public()}), other, false},
			"for encryption": {set(jose.JSONWebKey{Key: good.key.Public(), Use: "enc"}), good, false},
		} {
			w.own(wire.Metadata{AuthMethod: wire.SelfSignedTLS, Keys: tt.keys})
			w.connects(tt.shows)
			if err := w.certified(); (err == nil) != tt.want {
				t.Errorf("%s: %v", name, err)
			}
		}
		w.own(wire.Metadata{AuthMethod: wire.SelfSignedTLS, KeysURI: "https://client.example/keys"})
		w.s.Fetch = func(context.Context, string) ([]byte, error) {
			return set(jose.JSONWebKey{Key: good.key.Public()}), nil
		}
		w.connects(good)
		if err := w.certified(); err != nil {
			t.Error("keys at an address:", err)
		}
		w.c.Now = w.c.Now.Add(2 * time.Hour)
		if err := w.certified(); !errors.Is(err, oauth.ErrClient) {
			t.Error("expired:", err)
		}
	})
}

// Tokens of a client that wants so are bound to its certificate, and to be had with it only, also by who has its secret.
func TestCertificateBound(t *testing.T) {
	each(t, func(w *world) {
		mine, theirs := w.certificate(nil, same), w.certificate(nil, same)
		w.own(wire.Metadata{TLSBound: true})
		r, err := w.reply(ask + challenge())
		if err != nil {
			t.Fatal(err)
		}
		query := "grant_type=authorization_code&redirect_uri=" + answer + "&code=" + r.Code + "&code_verifier=" + verify
		for _, key := range []string{"", "thief"} { // a proof of possession of another kind does not help
			if _, err := w.token("web", basic("client-1", "s3cret"), query, key); code(err) != oauth.ErrClient.Code {
				t.Fatal("without a certificate:", err)
			}
		}
		w.connects(mine)
		g, err := w.token("web", basic("client-1", "s3cret"), query, "")
		if err != nil || g.Type != "Bearer" {
			t.Fatalf("%+v %v", g, err)
		}
		sum := sha256.Sum256(mine.cert.Raw)
		print := base64.RawURLEncoding.EncodeToString(sum[:])
		if cnf, _ := claims(t, g.Access)["cnf"].(map[string]any); len(cnf) != 1 || cnf["x5t#S256"] != print {
			t.Error("cnf", cnf)
		}
		l, err := w.look(g.Access)
		if err != nil || !l.OfCert() || !l.Certified(w.c) || oauth.Bond(l.Key)["x5t#S256"] != print {
			t.Errorf("%+v %v", l, err)
		}
		if err := l.Holds(w.c, "Bearer", g.Access, wire.Proof{}); err != nil {
			t.Error("its holder:", err)
		}
		if err := l.Holds(w.c, "DPoP", g.Access, wire.Proof{ID: "1", Thumbprint: l.Key}); !errors.Is(err, oauth.ErrToken) {
			t.Error("by a proof that is not its own:", err)
		}
		w.connects(theirs)
		if l.Certified(w.c) || !errors.Is(l.Holds(w.c, "Bearer", g.Access, wire.Proof{}), oauth.ErrToken) {
			t.Error("another certificate")
		}
		w.connects()
		if !errors.Is(l.Holds(w.c, "Bearer", g.Access, wire.Proof{}), oauth.ErrToken) {
			t.Error("a stolen token is good without the certificate")
		}
		if l.Certified(w.c) || (oauth.Live{}).Certified(w.c) {
			t.Error("no certificate")
		}
		if l := (oauth.Live{Key: print}); l.OfCert() || oauth.Bond(l.Key)["jkt"] != print {
			t.Error("a DPoP key passes for a certificate")
		}
	})
}

// A client that has its tokens bound to a DPoP key gets none that are bound to its certificate instead.
func TestDPoPBesideCertificate(t *testing.T) {
	each(t, func(w *world) {
		mine := w.certificate(nil, same)
		set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: mine.key.Public(), KeyID: "k"}}})
		if err != nil {
			t.Fatal(err)
		}
		w.change(func(a *oauth.App) { a.Profile.FAPI = oauth.Security })
		w.own(wire.Metadata{AuthMethod: wire.SelfSignedTLS, Keys: set, DPoPBound: true})
		w.connects(mine)
		const query = "grant_type=refresh_token&refresh_token=x&client_id=client-1"
		if _, err := w.token("web", "", query, ""); code(err) != oauth.ErrProof.Code {
			t.Error("without a proof:", err)
		}
		if _, err := w.token("web", "", query, "its-key"); code(err) != oauth.ErrGrant.Code {
			t.Error("with one:", err)
		}
	})
}
