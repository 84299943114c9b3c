package authenticator_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor/authenticator"
	"limen/internal/core/factor/authenticator/authenticatortest"
	"limen/internal/core/factor/factortest"
	"limen/internal/fault"
)

// world is a store with authenticators.
type world struct {
	*factortest.World
	authenticator.Devices
}

func each(t *testing.T, f func(t *testing.T, w world)) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		f(t, world{w, authenticator.Devices{Ring: w.Ring}})
	})
}

// enroll gives somebody a device.
func (w world) enroll(userID, name string) *authenticatortest.Device {
	w.T.Helper()
	d := authenticatortest.New()
	w.Now = w.Now.Add(time.Second)
	w.Write(func(ctx context.Context, c *call.Call) error {
		made, err := w.Enroll(ctx, c, userID, authenticator.New{
			Name: name, Platform: "Android", PublicKey: d.PublicKey(), Signature: d.Sign(authenticator.EnrollMessage(c.Tenant.ID, userID, d.PublicKey())),
		})
		d.ID, d.Secret = made.Device.ID, made.Secret
		return err
	})
	return d
}

func TestEnrolment(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		phone, tablet := w.enroll("alice", "Phone"), w.enroll("alice", "Tablet")
		bobs := w.enroll("bob", "Phone")
		w.Write(func(ctx context.Context, c *call.Call) error {
			list, err := w.List(ctx, c, "alice")
			if err != nil {
				return err
			}
			if len(list) != 2 || list[0].ID != phone.ID || list[1].Name != "Tablet" || list[0].Platform != "Android" || list[0].Used != 0 {
				t.Errorf("%+v", list)
			}
			if strings.Contains(list[0].Secret, phone.Secret) || len(phone.Secret) != 32 || phone.Secret == tablet.Secret {
				t.Error("the secret is not sealed, or not drawn")
			}
			if err := w.Delete(ctx, c, "bob", phone.ID); !errors.Is(err, authenticator.ErrNotFound) {
				t.Error("somebody else's:", err)
			}
			if err := w.Delete(ctx, c, "alice", phone.ID); err != nil {
				return err
			}
			if _, err := w.Find(ctx, c, phone.ID); !errors.Is(err, authenticator.ErrNotFound) {
				t.Error("revoked:", err)
			}
			if err := w.Drop(ctx, c, "alice"); err != nil {
				return err
			}
			if _, err := w.Find(ctx, c, tablet.ID); !errors.Is(err, authenticator.ErrNotFound) {
				t.Error("dropped:", err)
			}
			_, err = w.Find(ctx, c, bobs.ID)
			return err
		})
	})
}

// What is no key of a device, and whoever does not hold it.
func TestEnrolmentRefused(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		d, other := authenticatortest.New(), authenticatortest.New()
		good := authenticator.New{Name: "Phone", PublicKey: d.PublicKey(), Signature: d.Sign(authenticator.EnrollMessage(w.Tenant, "alice", d.PublicKey()))}
		wide, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := x509.MarshalPKIXPublicKey(&wide.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		for what, x := range map[string]struct {
			change func(n *authenticator.New)
			want   *fault.Error
		}{
			"no key":         {func(n *authenticator.New) { n.PublicKey = "AAAA" }, authenticator.ErrKey},
			"another curve":  {func(n *authenticator.New) { n.PublicKey = base64.StdEncoding.EncodeToString(raw) }, authenticator.ErrKey},
			"a line break":   {func(n *authenticator.New) { n.PublicKey = n.PublicKey[:40] + "\n" + n.PublicKey[40:] }, authenticator.ErrKey},
			"somebody's key": {func(n *authenticator.New) { n.PublicKey = other.PublicKey() }, authenticator.ErrSignature},
			"no signature":   {func(n *authenticator.New) { n.Signature = "" }, authenticator.ErrSignature},
			"half of one":    {func(n *authenticator.New) { n.Signature = n.Signature[:40] }, authenticator.ErrSignature},
			"for somebody else": {func(n *authenticator.New) {
				n.Signature = d.Sign(authenticator.EnrollMessage(w.Tenant, "bob", d.PublicKey()))
			}, authenticator.ErrSignature},
			"for another tenant": {func(n *authenticator.New) {
				n.Signature = d.Sign(authenticator.EnrollMessage("X", "alice", d.PublicKey()))
			}, authenticator.ErrSignature},
			"a long name":    {func(n *authenticator.New) { n.Name = strings.Repeat("x", 101) }, fault.ErrInvalid},
			"a bad platform": {func(n *authenticator.New) { n.Platform = "a\nb" }, fault.ErrInvalid},
		} {
			n := good
			x.change(&n)
			w.Write(func(ctx context.Context, c *call.Call) error {
				if _, err := w.Enroll(ctx, c, "alice", n); !errors.Is(err, x.want) {
					t.Errorf("%s: %v", what, err)
				}
				return nil
			})
		}
		for i := range authenticator.MaxDevices {
			w.enroll("alice", fmt.Sprint(i))
		}
		w.Write(func(ctx context.Context, c *call.Call) error {
			if _, err := w.Enroll(ctx, c, "alice", good); !errors.Is(err, authenticator.ErrTooMany) {
				t.Error(err)
			}
			return nil
		})
	})
}
