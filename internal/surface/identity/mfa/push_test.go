package mfa_test

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/core/factor/authenticator"
	"limen/internal/core/factor/authenticator/authenticatortest"
	"limen/internal/platform/egress"
	"limen/internal/wire/push"
)

// subscriber is a browser with a subscription.
type subscriber struct {
	key    *ecdh.PrivateKey
	secret []byte
}

func newSubscriber(t *testing.T) subscriber {
	t.Helper()
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	out := subscriber{key, make([]byte, 16)}
	if _, err := io.ReadFull(rand.Reader, out.secret); err != nil {
		t.Fatal(err)
	}
	return out
}

func (s subscriber) at(endpoint string) authenticator.Subscription {
	encode := base64.RawURLEncoding.EncodeToString
	return authenticator.Subscription{Endpoint: endpoint, P256DH: encode(s.key.PublicKey().Bytes()), Auth: encode(s.secret)}
}

func subscribeCall(s *apptest.Site, d *authenticatortest.Device, at time.Time, to authenticator.Subscription) object {
	ms := at.UnixMilli()
	return object{
		"Device": d.ID, "Time": ms, "Endpoint": to.Endpoint, "P256DH": to.P256DH, "Auth": to.Auth,
		"Signature": d.Sign(authenticator.SubscribeMessage(s.ID, d.ID, ms, to)),
	}
}

// subscriptions has plain's device sign what the exchanges send.
func subscriptions(t *testing.T, s *apptest.Site) map[string]string {
	d, b, now := pageOf(t, s, "plain").enroll(s.Plain.ID, "Phone"), newSubscriber(t), time.Now()
	good, old := b.at("https://push.example.net/x"), now.Add(-time.Hour)
	signed := func(at time.Time, to authenticator.Subscription) string {
		return subscribeCall(s, d, at, to)["Signature"].(string)
	}
	return map[string]string{
		"device": d.ID, "time": fmt.Sprint(now.UnixMilli()), "long": fmt.Sprint(old.UnixMilli()), "p256dh": good.P256DH, "secret": good.Auth,
		"signature": signed(now, good), "noneSignature": signed(now, authenticator.Subscription{}), "oldSignature": signed(old, authenticator.Subscription{}),
		"plainSignature": signed(now, b.at("http://push.example.net/x")), "bareSignature": signed(now, authenticator.Subscription{Endpoint: "https://push.example.net/x"}),
	}
}

// A sign-in has a message sent to the push service that the device's browser named, which only that browser reads, and which says no more than
// that something waits. What the service knows no more is forgotten.
func TestPushMessages(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		got := make(chan *http.Request, 9)
		var status atomic.Int64
		status.Store(http.StatusCreated)
		bodies := make(chan []byte, 9)
		service := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			w.WriteHeader(int(status.Load()))
			got <- r
			bodies <- body
		}))
		t.Cleanup(service.Close)
		roots, was := x509.NewCertPool(), site.App.Egress
		roots.AddCert(service.Certificate())
		site.App.Egress = &egress.Client{Roots: roots, Guard: egress.Guard{Permit: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}}
		t.Cleanup(func() { site.App.Egress = was })

		d, b := pageOf(t, site, "admin").enroll(site.Admin.ID, "Phone"), newSubscriber(t)
		nobody := client{t, site, ""}
		nobody.must("/Authenticator/SetPushSubscription", subscribeCall(site, d, time.Now(), b.at(service.URL+"/one")), nil)
		asked(t, site)
		r, body := <-got, <-bodies
		text, err := push.Open(b.key, b.secret, body)
		if err != nil {
			t.Fatal(err)
		}
		var said struct{ Title, Body string }
		if json.Unmarshal(text, &said) != nil || said.Title != "A sign-in waits" || strings.Contains(string(text), site.Admin.Name) {
			t.Errorf("%s", text)
		}
		if r.Method != http.MethodPost || r.URL.Path != "/one" || r.Header.Get("Content-Encoding") != push.Encoding || r.Header.Get("Urgency") != "high" ||
			!strings.HasPrefix(r.Header.Get("Authorization"), "vapid t=") || r.Header.Get("TTL") == "" || r.Header.Get("TTL") == "0" {
			t.Error(r.Method, r.URL, r.Header)
		}

		status.Store(http.StatusGone)
		asked(t, site)
		<-got
		<-bodies
		for end := time.Now().Add(20 * time.Second); !strings.Contains(site.Events(t), `"Unsubscribed":true`); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("it is not forgotten")
			}
		}
	})
}
