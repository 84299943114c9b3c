package token_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/key"
	"limen/internal/core/token"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

func build(t testing.TB, db *dbx.DB) (token.Tokens, *call.Call) {
	keys := key.Keys{DB: db}
	master, err := crypt.NewMaster(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	ring := &crypt.Ring{Master: master, Load: keys.Seals, Store: keys.AddSeal, Now: time.Now}
	signers := &crypt.Signers{Ring: ring, Load: keys.Signs, Store: keys.SetSigns, Now: time.Now}
	c := &call.Call{Tenant: call.Tenant{ID: "TOK0001", Host: "id.acme.test"}, Now: time.Now(), Rand: rand.Reader}
	return token.Tokens{Signers: signers, Alg: crypt.ES256, Known: func(_ context.Context, id string) bool { return strings.HasPrefix(id, "TOK") }}, c
}

func TestPlatform(t *testing.T) {
	tk, c := build(t, dbxtest.Fresh(t, dbx.SQLite))
	h := token.Holder{User: "u1", Name: "alice@acme.test", Session: "s1", Expires: c.Now.Add(time.Hour).UnixMilli()}
	sign, life := tk.Platform(c, h)
	jwt, err := sign(t.Context())
	if err != nil || life != 900 {
		t.Fatal(life, err)
	}
	got, err := tk.Verify(t.Context(), jwt, c.Now)
	if err != nil || got.Subject != "u1" || got.UniqueName != "alice@acme.test" || got.Session != "s1" || got.Tenant != "TOK0001" ||
		got.Subdomain != "id" || got.Domain != "acme.test" || got.Issuer != "https://id.acme.test" || got.Expires != c.Now.Unix()+900 {
		t.Fatalf("%+v %v", got, err)
	}
	if _, err := tk.Verify(t.Context(), jwt, c.Now.Add(900*time.Second)); !errors.Is(err, token.ErrExpired) {
		t.Fatal(err)
	}
	if old, err := tk.Old(t.Context(), jwt); err != nil || old.Session != "s1" {
		t.Fatal(err)
	}
	if _, err := tk.Verify(t.Context(), jwt, c.Now.Add(-time.Hour)); !errors.Is(err, token.ErrInvalid) {
		t.Fatal("used before its time", err)
	}
	h.Expires = c.Now.Add(time.Minute).UnixMilli()
	if _, life := tk.Platform(c, h); life > 60 {
		t.Fatal("outlives the session", life)
	}
}

func TestForgedPlatform(t *testing.T) {
	tk, c := build(t, dbxtest.Fresh(t, dbx.SQLite))
	ctx := t.Context()
	claims := token.Claims{Subject: "u", Session: "s", Tenant: "TOK0001", Expires: c.Now.Unix() + 60}
	sign := func(tenant, typ string, claims token.Claims) string {
		out, err := tk.Signers.Sign(ctx, tenant, crypt.ES256, typ, claims)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	good := sign("TOK0001", token.Type, claims)
	if _, err := tk.Verify(ctx, good, c.Now); err != nil {
		t.Fatal(err)
	}
	unknown, none := claims, claims
	unknown.Tenant, none.Session = "XXX0001", ""
	parts := strings.Split(good, ".")
	for name, bad := range map[string]string{
		"an ID token of the same keys": sign("TOK0001", "JWT", claims),
		"another tenant's keys":        sign("TOK0002", token.Type, claims),
		"no tenant of ours":            sign("TOK0001", token.Type, unknown),
		"no session":                   sign("TOK0001", token.Type, none),
		"altered":                      parts[0] + "." + parts[1] + "." + strings.Repeat("A", len(parts[2])),
		"unsigned":                     "eyJhbGciOiJub25lIn0." + parts[1] + ".",
		"session token":                strings.Repeat("A", 64),
		"long":                         strings.Repeat("a", 9000) + "..",
		"":                             "",
	} {
		if _, err := tk.Verify(ctx, bad, c.Now); err == nil {
			t.Error(name)
		}
	}
}

func TestRefresh(t *testing.T) {
	for _, e := range dbxtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			db := dbxtest.Fresh(t, e)
			tk, c := build(t, db)
			ctx := t.Context()
			h := token.Holder{User: "u1", Session: "s1", Expires: c.Now.Add(time.Hour).UnixMilli()}
			var plain string
			in := func(f func() error) {
				t.Helper()
				if err := db.Write(ctx, func(tx *dbx.Tx) error { c.Tx = tx; return f() }); err != nil {
					t.Fatal(err)
				}
			}
			in(func() (err error) { plain, err = tk.Refresh(ctx, c, h); return err })
			in(func() error {
				c.Tenant.ID = "TOK0002"
				if _, err := tk.Use(ctx, c, plain); !errors.Is(err, token.ErrInvalid) {
					t.Fatal("another tenant's", err)
				}
				c.Tenant.ID = "TOK0001"
				got, err := tk.Use(ctx, c, plain)
				if got != h {
					t.Fatal(got)
				}
				return err
			})
			in(func() error {
				got, err := tk.Use(ctx, c, plain)
				if !errors.Is(err, token.ErrReused) || got.Session != "s1" {
					t.Fatal(got, err)
				}
				return nil
			})
			in(func() (err error) { plain, err = tk.Refresh(ctx, c, h); return err })
			c.Now = c.Now.Add(time.Hour)
			in(func() error {
				for _, bad := range []string{plain, "", "x", strings.Repeat("x", 9000)} {
					if _, err := tk.Use(ctx, c, bad); !errors.Is(err, token.ErrInvalid) {
						t.Fatal(bad, err)
					}
				}
				return nil
			})
			if err := tk.Sweep(ctx, db, c.Now.Add(time.Second)); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func FuzzVerify(f *testing.F) {
	tk, c := build(f, dbxtest.Fresh(f, dbx.SQLite))
	sign, _ := tk.Platform(c, token.Holder{User: "u", Session: "s"})
	jwt, err := sign(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(jwt)
	f.Add("a.b.c")
	f.Add("eyJhbGciOiJub25lIn0.eyJ0ZW5hbnRfaWQiOiJUT0swMDAxIn0.")
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := tk.Verify(context.Background(), text, c.Now); err == nil && got.Subject != "u" {
			t.Fatal("forged", got)
		}
	})
}
