package key_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"limen/internal/core/key"
	"limen/internal/crypt"
	"limen/internal/dbx/dbxtest"
)

func each(t *testing.T, f func(t *testing.T, k key.Keys, ring *crypt.Ring)) {
	for _, e := range dbxtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			k := key.Keys{DB: dbxtest.Fresh(t, e)}
			f(t, k, ring(t, k, 1))
		})
	}
}

func ring(t *testing.T, k key.Keys, b byte) *crypt.Ring {
	master, err := crypt.NewMaster(bytes.Repeat([]byte{b}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return &crypt.Ring{Master: master, Load: k.Seals, Store: k.AddSeal, Now: time.Now}
}

func TestSealingKeysLast(t *testing.T) {
	each(t, func(t *testing.T, k key.Keys, r *crypt.Ring) {
		ctx := t.Context()
		sealed, err := r.Seal(ctx, "ABC0001", "secret", []byte("hello"), "here")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Rotate(ctx, "ABC0001", "secret"); err != nil {
			t.Fatal(err)
		}
		again := ring(t, k, 1) // another start
		if err := again.Check(ctx); err != nil {
			t.Fatal(err)
		}
		plain, err := again.Open(ctx, "ABC0001", "secret", sealed, "here")
		if err != nil || string(plain) != "hello" {
			t.Fatal(string(plain), err)
		}
		if err := ring(t, k, 2).Check(ctx); !errors.Is(err, crypt.ErrMaster) {
			t.Fatal("a wrong master key", err)
		}
		rows, err := k.Seals(ctx)
		if err != nil || len(rows) != 2 {
			t.Fatal(rows, err)
		}
		if err := k.AddSeal(ctx, rows[0]); !errors.Is(err, crypt.ErrKeyTaken) {
			t.Fatal(err)
		}
	})
}

func TestRewrap(t *testing.T) {
	each(t, func(t *testing.T, k key.Keys, r *crypt.Ring) {
		ctx := t.Context()
		sealed, err := r.Seal(ctx, "ABC0001", "secret", []byte("hello"), "")
		if err != nil {
			t.Fatal(err)
		}
		other := ring(t, k, 2)
		rows, err := r.Rewrap(ctx, other.Master)
		if err != nil {
			t.Fatal(err)
		}
		if err := k.Rewrap(ctx, rows); err != nil {
			t.Fatal(err)
		}
		if plain, err := other.Open(ctx, "ABC0001", "secret", sealed, ""); err != nil || string(plain) != "hello" {
			t.Fatal(err)
		}
		rows[0].Version = 9
		if err := k.Rewrap(ctx, rows); !errors.Is(err, crypt.ErrSlot) {
			t.Fatal(err)
		}
	})
}

func TestSigningKeysLast(t *testing.T) {
	each(t, func(t *testing.T, k key.Keys, r *crypt.Ring) {
		ctx := t.Context()
		signers := func() *crypt.Signers {
			return &crypt.Signers{Ring: r, Load: k.Signs, Store: k.SetSigns, Now: time.Now}
		}
		token, err := signers().Sign(ctx, "ABC0001", crypt.ES256, "JWT", map[string]string{"sub": "x"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := signers().Rotate(ctx, "ABC0001", crypt.ES256, false); err != nil {
			t.Fatal(err)
		}
		if _, err := signers().Verify(ctx, "ABC0001", token, crypt.ES256); err != nil {
			t.Fatal("the old key is published still:", err)
		}
		if _, err := signers().Verify(ctx, "ABC0002", token, crypt.ES256); !errors.Is(err, crypt.ErrToken) {
			t.Fatal("another tenant's keys", err)
		}
		rows, err := k.Signs(ctx, "ABC0001")
		if err != nil || len(rows) != 2 {
			t.Fatal(rows, err)
		}
		if _, err := signers().Rotate(ctx, "ABC0001", crypt.ES256, true); err != nil {
			t.Fatal(err)
		}
		if _, err := signers().Verify(ctx, "ABC0001", token, crypt.ES256); !errors.Is(err, crypt.ErrToken) {
			t.Fatal("the withdrawn key is still good", err)
		}
	})
}
