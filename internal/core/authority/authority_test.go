package authority_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/authority"
	"limen/internal/core/change"
	"limen/internal/core/revocation"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
	"limen/internal/fault"
	made "limen/internal/wire/certificate/certificatetest"
)

const here = "http://crl.acme.test/people"

// world is a tenant without authorities, and where lists of revoked certificates lie.
type world struct {
	*testing.T
	*authority.Authorities
	id      string
	event   *call.Event
	lists   map[string][]byte
	lenient bool
}

func each(t *testing.T, f func(w *world)) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		changes := &change.Log{DB: db}
		if err := changes.Poll(t.Context()); err != nil {
			t.Fatal(err)
		}
		w := &world{T: t, id: "CA" + call.NewID(time.Now(), rand.Reader)[24:], lists: map[string][]byte{}}
		w.Authorities = &authority.Authorities{
			DB: db, Changes: changes, Lenient: func(context.Context, *call.Call) (bool, error) { return w.lenient, nil },
			Suffixed: func(_ context.Context, _ *call.Call, name string) (string, error) {
				if !strings.Contains(name, "@") {
					name += "@acme.test"
				}
				return name, nil
			},
		}
		w.forget()
		w.Start()
		f(w)
	})
}

// forget has lists fetched anew.
func (w *world) forget() {
	w.Lists = &revocation.Lists{Fetch: func(_ context.Context, uri string) ([]byte, error) {
		if w.lists[uri] == nil {
			return nil, errors.New("no answer")
		}
		return w.lists[uri], nil
	}}
}

func (w *world) try(f func(ctx context.Context, c *call.Call) error) error {
	return w.DB.Write(w.Context(), func(tx *dbx.Tx) error {
		c := &call.Call{Tenant: call.Tenant{ID: w.id}, Now: time.Now(), Rand: rand.Reader, Event: &call.Event{}, Tx: tx}
		w.event = c.Event
		return f(w.Context(), c)
	})
}

// trust adds an authority.
func (w *world) trust(name string, wish authority.Wish, certs ...*x509.Certificate) (authority.Authority, error) {
	w.Helper()
	chain, err := authority.ReadChain(made.PEM(certs...), time.Now())
	if err != nil {
		w.Fatal(err)
	}
	var a authority.Authority
	wish.Name, wish.Chain = &name, chain
	return a, w.try(func(ctx context.Context, c *call.Call) (err error) {
		a, err = w.Add(ctx, c, wish)
		return err
	})
}

// shows is what comes of a certificate that a client shows, with what it sends along.
func (w *world) shows(leaf tls.Certificate, along ...*x509.Certificate) authority.Shown {
	w.Helper()
	c := &call.Call{Tenant: call.Tenant{ID: w.id}, Now: time.Now()}
	c.Client.Certs = append([]*x509.Certificate{leaf.Leaf}, along...)
	s, err := w.Identify(w.Context(), c)
	if err != nil {
		w.Fatal(err)
	}
	return s
}

func ptr[T any](v T) *T { return &v }

func TestReadChain(t *testing.T) {
	root, other := made.Root(t, "Root"), made.Root(t, "Other")
	between := root.Between(t, "Between")
	below := between.Between(t, "Below")
	expired := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }
	for name, tt := range map[string]struct {
		file []byte
		want int
	}{
		"a root": {made.PEM(root.Cert), 1}, "a chain, in any order": {made.PEM(root.Cert, below.Cert, between.Cert), 3}, "a bundle": {made.Bundle(below.Cert, between.Cert, root.Cert), 3},
		"no root": {made.PEM(between.Cert), 0}, "the one between is missing": {made.PEM(below.Cert, root.Cert), 0}, "of another root": {made.PEM(between.Cert, other.Cert), 0},
		"two roots": {made.PEM(root.Cert, other.Cert), 0}, "somebody's own": {made.PEM(root.Issue(t).Leaf, root.Cert), 0},
		"no authority":       {made.PEM(made.Root(t, "R", func(c *x509.Certificate) { c.IsCA = false }).Cert), 0},
		"may not sign":       {made.PEM(made.Root(t, "R", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign }).Cert), 0},
		"expired":            {made.PEM(made.Root(t, "R", expired).Cert), 0},
		"expired between":    {made.PEM(root.Between(t, "B", expired).Cert, root.Cert), 0},
		"under its own name": {made.PEM(root.Between(t, "Root").Cert), 0}, // says that it signs for itself
		"nothing":            {nil, 0},
	} {
		chain, err := authority.ReadChain(tt.file, time.Now())
		if len(chain) != tt.want || (err == nil) != (tt.want > 0) || err != nil && !errors.Is(err, authority.ErrFile) {
			t.Errorf("%s: %d, %v", name, len(chain), err)
		}
		if tt.want > 0 && chain[len(chain)-1].Subject.CommonName != "Root" {
			t.Errorf("%s: the root is not last", name)
		}
	}
}

func TestAuthorities(t *testing.T) {
	each(t, func(w *world) {
		one, two := made.Root(t, "One"), made.Root(t, "Two")
		a, err := w.trust("Acme", authority.Wish{}, one.Cert)
		if err != nil || a.Login != authority.Principal || !a.Revoked || w.event.Target != a.ID || w.event.Changes["Name"].New != "Acme" {
			t.Fatalf("%+v, %v, %+v", a, err, w.event)
		}
		if _, err := w.trust("ACME", authority.Wish{}, two.Cert); !errors.Is(err, authority.ErrTaken) {
			t.Error("the name is taken:", err)
		}
		if _, err := w.trust("Other", authority.Wish{}, one.Cert); !errors.Is(err, authority.ErrTrusted) {
			t.Error("the root is trusted:", err)
		}
		for field, wish := range map[string]authority.Wish{"RevocationList": {List: ptr("ftp://acme.test/crl")}, "Name": {}} {
			name := "Other"
			if field == "Name" {
				name = "\x07"
			}
			if _, err := w.trust(name, wish, two.Cert); fault.Of(err) == nil || fault.Of(err).Field != field {
				t.Errorf("%s: %v", field, err)
			}
		}
		b, err := w.trust("Other", authority.Wish{Login: ptr(authority.Mail), Revoked: ptr(false), List: ptr(here)}, two.Cert)
		if err != nil {
			t.Fatal(err)
		}
		change := func(id string, wish authority.Wish) error {
			return w.try(func(ctx context.Context, c *call.Call) error { return w.Change(ctx, c, id, wish) })
		}
		chain, _ := authority.ReadChain(one.Cert.Raw, time.Now())
		for what, tt := range map[string]struct {
			id   string
			wish authority.Wish
			want error
		}{
			"none": {"00000000-0000-0000-0000-000000000000", authority.Wish{}, authority.ErrNotFound}, "a name that is taken": {b.ID, authority.Wish{Name: ptr("acme")}, authority.ErrTaken},
			"a root that is trusted": {b.ID, authority.Wish{Chain: chain}, authority.ErrTrusted}, "nothing": {b.ID, authority.Wish{}, nil}, "its name": {b.ID, authority.Wish{Name: ptr("OTHER")}, nil},
		} {
			if err := change(tt.id, tt.wish); !errors.Is(err, tt.want) {
				t.Errorf("%s: %v", what, err)
			}
		}
		c := &call.Call{Tenant: call.Tenant{ID: w.id}, Now: time.Now()}
		all, err := w.All(t.Context(), c)
		if err != nil || len(all) != 2 || all[1].Name != "OTHER" || all[1].Login != authority.Mail || all[1].Revoked || all[1].List != here {
			t.Errorf("%+v, %v", all, err)
		}
		c.Tenant.ID = "elsewhere"
		if all, err := w.All(t.Context(), c); err != nil || len(all) != 0 {
			t.Errorf("another tenant: %+v, %v", all, err)
		}
		if err := w.try(func(ctx context.Context, c *call.Call) error { return w.Remove(ctx, c, strings.ToUpper(a.ID)) }); err != nil {
			t.Fatal(err)
		}
		if got := w.shows(one.Issue(t, made.Called("anna@acme.test"))); got.Login != "" {
			t.Errorf("of one that is trusted no more: %+v", got)
		}
	})
}

func TestIdentify(t *testing.T) {
	each(t, func(w *world) {
		root, stranger := made.Root(t, "Root"), made.Root(t, "Root")
		between, unlisted := root.Between(t, "Between"), root.Between(t, "Unlisted")
		if got := w.shows(root.Issue(t, made.Called("anna@acme.test"))); got.Login != "" || got.Why == "" {
			t.Errorf("nobody is trusted: %+v", got)
		}
		if _, err := w.trust("Acme", authority.Wish{Revoked: ptr(false)}, between.Cert, root.Cert); err != nil {
			t.Fatal(err)
		}
		called := made.Called("anna@acme.test")
		dated := func(from, until time.Duration) func(*x509.Certificate) {
			return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = time.Now().Add(from), time.Now().Add(until) }
		}
		use := func(all ...x509.ExtKeyUsage) func(*x509.Certificate) {
			return func(c *x509.Certificate) { c.ExtKeyUsage = all }
		}
		narrow := made.Root(t, "Narrow", func(c *x509.Certificate) {
			c.PermittedEmailAddresses = []string{"acme.test"}
			c.PermittedDNSDomainsCritical = true
		})
		if _, err := w.trust("Narrow", authority.Wish{Revoked: ptr(false), Login: ptr(authority.Mail)}, narrow.Cert); err != nil {
			t.Fatal(err)
		}
		mail := func(m string) func(*x509.Certificate) {
			return func(c *x509.Certificate) { c.EmailAddresses = []string{m} }
		}
		for name, tt := range map[string]struct {
			leaf  tls.Certificate
			along []*x509.Certificate
			want  string
		}{
			"of the root": {root.Issue(t, called), nil, "anna@acme.test"}, "of the one between": {between.Issue(t, called), nil, "anna@acme.test"},
			"of one that the file has not": {unlisted.Issue(t, called), []*x509.Certificate{unlisted.Cert}, ""},
			"a stranger's":                 {stranger.Issue(t, called), nil, ""}, "a stranger's, sent along": {stranger.Issue(t, called), []*x509.Certificate{stranger.Cert, root.Cert}, ""},
			"expired": {root.Issue(t, called, dated(-2*time.Hour, -time.Hour)), nil, ""}, "not yet good": {root.Issue(t, called, dated(time.Hour, 2*time.Hour)), nil, ""},
			"for servers": {root.Issue(t, called, use(x509.ExtKeyUsageServerAuth)), nil, ""}, "for nothing in particular": {root.Issue(t, called, use()), nil, ""},
			"for anything": {root.Issue(t, called, use(x509.ExtKeyUsageAny)), nil, ""}, "for several things": {root.Issue(t, called, use(x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth)), nil, "anna@acme.test"},
			"for encryption": {root.Issue(t, called, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), nil, ""},
			"an authority's": {tls.Certificate{Leaf: root.Between(t, "B", called, use(x509.ExtKeyUsageClientAuth)).Cert}, nil, ""},
			"nameless":       {root.Issue(t), nil, ""}, "by mail where principals count": {root.Issue(t, mail("anna@acme.test")), nil, ""},
			"without a subject": {root.Issue(t, func(c *x509.Certificate) {
				c.Subject, c.ExtraExtensions = pkix.Name{}, []pkix.Extension{made.UPN(true, "anna@acme.test")}
			}), nil, "anna@acme.test"},
			"critical, and unknown": {root.Issue(t, called, func(c *x509.Certificate) {
				c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}})
			}), nil, ""},
			"without a suffix":   {root.Issue(t, made.Called("anna")), nil, "anna@acme.test"},
			"by mail":            {narrow.Issue(t, mail("anna@acme.test")), nil, "anna@acme.test"},
			"beyond constraints": {narrow.Issue(t, mail("anna@other.test")), nil, ""},
		} {
			got := w.shows(tt.leaf, tt.along...)
			if got.Login != tt.want || (got.Why == "") != (tt.want != "") {
				t.Errorf("%s: %+v", name, got)
			}
		}
		c := &call.Call{Tenant: call.Tenant{ID: w.id}, Now: time.Now()}
		c.Client.Certs = []*x509.Certificate{narrow.Issue(t, mail("anna@acme.test"), called).Leaf}
		if got, err := w.Identify(t.Context(), c, authority.Principal); err != nil || got.Login != "" {
			t.Errorf("an authority that goes by mail was asked for a principal: %+v, %v", got, err)
		}
		c.Client.Certs = []*x509.Certificate{root.Issue(t, called).Leaf}
		c.Tenant.ID = "elsewhere"
		if got, err := w.Identify(t.Context(), c); err != nil || got.Login != "" {
			t.Errorf("another tenant: %+v, %v", got, err)
		}
	})
}

func TestRevoked(t *testing.T) {
	each(t, func(w *world) {
		root := made.Root(t, "Root")
		between := root.Between(t, "Between", made.Listed(here+"/root"))
		if _, err := w.trust("Acme", authority.Wish{}, between.Cert, root.Cert); err != nil {
			t.Fatal(err)
		}
		own := made.Root(t, "Own")
		if _, err := w.trust("Own", authority.Wish{List: ptr(here + "/own")}, own.Cert); err != nil {
			t.Fatal(err)
		}
		called, listed := made.Called("anna@acme.test"), made.Listed(here)
		good, bad, bare := between.Issue(t, called, listed), between.Issue(t, called, listed), between.Issue(t, called)
		mine, lost := own.Issue(t, called), own.Issue(t, called)
		look := func(what string, leaf tls.Certificate, want string) {
			t.Helper()
			w.forget()
			got := w.shows(leaf)
			if (got.Login == "") != (want != "") || !strings.Contains(got.Why, want) {
				t.Errorf("%s: %+v", what, got)
			}
		}
		look("no list is to be had", good, "cannot be found out")
		look("none is named", bare, "names no list")
		w.lenient = true
		look("no list is to be had, which is allowed", good, "")
		look("none is named, which is allowed", bare, "")
		w.lists[here] = between.List(t, nil, bad)
		look("revoked, where no list need be had", bad, "has been revoked")
		w.lenient = false
		look("that of the authority between is not to be had", good, "cannot be found out")
		w.lists[here+"/root"] = root.List(t, nil)
		look("good", good, "")
		look("revoked", bad, "has been revoked")
		w.lists[here+"/own"] = own.List(t, nil, lost)
		look("good by the authority's address", mine, "")
		look("revoked by the authority's address", lost, "has been revoked")
		w.lists[here+"/root"] = root.List(t, nil, tls.Certificate{Leaf: between.Cert})
		look("the authority between was revoked", good, "has been revoked")
	})
}
