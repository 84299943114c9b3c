package authenticator_test

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/factor/authenticator"
	"limen/internal/core/factor/authenticator/authenticatortest"
	"limen/internal/core/factor/factortest"
	"limen/internal/core/factor/oath"
	"limen/internal/wire/push"
)

func TestSuite(t *testing.T) {
	factortest.Run(t, func(t *testing.T, f *factortest.World) factortest.Bench {
		w := world{f, authenticator.Devices{Ring: f.Ring}}
		phone := w.enroll("alice", "Phone")
		w.enroll("alice", "Tablet")
		w.enroll("bob", "Phone")
		return factortest.Bench{
			Mechanism: authenticator.Mechanism{Devices: w.Devices}, Enrolled: factor.Person{ID: "alice"}, Other: factor.Person{ID: "bob"},
			Stranger: factor.Person{ID: "carol"},
			Right:    func(factor.Challenge) factor.Answer { return factor.Answer{Text: codeOf(t, phone, f.Now)} },
			Wrong:    factor.Answer{Text: "12345"}, Life: 90 * time.Second,
		}
	})
}

func codeOf(t *testing.T, d *authenticatortest.Device, at time.Time) string {
	t.Helper()
	code, err := oath.Code(d.Secret, authenticator.Algorithm, authenticator.Digits, at.Unix()/authenticator.Period)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// Messages go to all devices that take some, or to the one used last where policies want one alone.
func TestMessages(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		phone, tablet := w.enroll("alice", "Phone"), w.enroll("alice", "Tablet")
		w.enroll("alice", "Watch") // takes no messages
		many, sent := true, []string{}
		w.Send = func(_ context.Context, _ *call.Call, p authenticator.Push, until time.Time) error {
			if p.Ask == "" || !until.After(w.Now) {
				t.Error(p, until)
			}
			sent = append(sent, p.Device)
			return nil
		}
		w.Many = func(context.Context, *call.Call, string) (bool, error) { return many, nil }
		b, err := ecdh.P256().GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		encode := base64.RawURLEncoding.EncodeToString
		to := authenticator.Subscription{Endpoint: "https://push.example.net/x", P256DH: encode(b.PublicKey().Bytes()), Auth: encode(make([]byte, 16))}
		start := func(want ...string) {
			t.Helper()
			sent = nil
			ch := factor.Challenge{ID: "m", Name: factor.OTP, From: factor.From{Talk: []byte("talk")}}
			w.Write(func(ctx context.Context, c *call.Call) error {
				return authenticator.Mechanism{Devices: w.Devices}.Start(ctx, c, factor.Person{ID: "alice"}, &ch, "")
			})
			if !slices.Equal(sent, want) {
				t.Errorf("sent to %v, want %v", sent, want)
			}
		}
		start()
		w.Write(func(ctx context.Context, c *call.Call) error {
			for _, id := range []string{phone.ID, tablet.ID} {
				if err := w.Subscribe(ctx, c, authenticator.Device{ID: id, User: "alice"}, to); err != nil {
					return err
				}
			}
			return nil
		})
		start(tablet.ID, phone.ID)
		many = false
		start(tablet.ID)
		w.Write(func(ctx context.Context, c *call.Call) error { return w.Delete(ctx, c, "alice", tablet.ID) })
		start(phone.ID)
		w.Write(func(ctx context.Context, c *call.Call) error {
			public, err := w.PushKey(ctx, c)
			if err != nil {
				return err
			}
			if again, err := w.PushKey(ctx, c); again != public || err != nil {
				t.Error("another key each time", err)
			}
			m, err := w.Message(ctx, c, phone.ID, []byte("hello"), "https://id.acme.test", w.Now.Add(time.Minute))
			if err != nil {
				return err
			}
			text, err := push.Open(b, make([]byte, 16), m.Body)
			if string(text) != "hello" || m.Endpoint != to.Endpoint || m.Header["TTL"] != "60" || !strings.HasSuffix(m.Header["Authorization"], "k="+public) {
				t.Errorf("%q %+v %v", text, m.Header, err)
			}
			if _, err := w.Message(ctx, c, tablet.ID, nil, "", w.Now); !errors.Is(err, authenticator.ErrNowhere) {
				t.Error("to a device that was revoked:", err)
			}
			return err
		})
	})
}
