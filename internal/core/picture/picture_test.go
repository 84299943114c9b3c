package picture_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/picture"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

// drawn is a picture of a size in a form, as a data URL that lies about the form.
func drawn(t testing.TB, form string, side int) string {
	t.Helper()
	m := image.NewPaletted(image.Rect(0, 0, side, side), []color.Color{color.White, color.Black})
	var b bytes.Buffer
	var err error
	switch form {
	case "png":
		err = png.Encode(&b, m)
	case "jpeg":
		err = jpeg.Encode(&b, m, nil)
	case "gif":
		err = gif.Encode(&b, m, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(b.Bytes())
}

func TestOnlyPictures(t *testing.T) {
	for _, form := range []string{"png", "jpeg", "gif"} {
		p, err := picture.Read(drawn(t, form, 40))
		if err != nil || p.Type != "image/"+form || len(p.ID) != 32 || p.At() != "/picture/"+p.ID {
			t.Errorf("%s: %v %s %s", form, err, p.Type, p.ID)
		}
	}
	whole := drawn(t, "png", 40)
	noise := base64.StdEncoding.EncodeToString([]byte("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"))
	for text, want := range map[string]error{
		"": picture.ErrForm, "data:image/png;base64,": picture.ErrForm, "data:image/svg+xml;base64," + noise: picture.ErrForm,
		"https://example.com/logo.png": picture.ErrForm, "data:text/html;base64," + noise: picture.ErrForm, whole[:len(whole)/2]: picture.ErrForm,
		whole + "!": picture.ErrForm, drawn(t, "png", 2001): picture.ErrLarge,
		"data:image/png;base64," + strings.Repeat("A", 400<<10): picture.ErrLarge,
	} {
		if _, err := picture.Read(text); !errors.Is(err, want) {
			t.Errorf("%.60s: %v, want %v", text, err, want)
		}
	}
}

func TestPicturesAreKept(t *testing.T) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		one, _ := picture.Read(drawn(t, "png", 10))
		two, _ := picture.Read(drawn(t, "gif", 20))
		pics := picture.Pictures{}
		do := func(tenant string, f func(ctx context.Context, c *call.Call) error) error {
			return db.Write(t.Context(), func(tx *dbx.Tx) error {
				return f(t.Context(), &call.Call{Tenant: call.Tenant{ID: tenant}, Now: time.Now(), Tx: tx})
			})
		}
		mine, theirs := "T"+t.Name(), "U"+t.Name()
		err := do(mine, func(ctx context.Context, c *call.Call) error {
			return errors.Join(pics.Put(ctx, c, one), pics.Put(ctx, c, one), pics.Put(ctx, c, two))
		})
		if err != nil {
			t.Fatal(err)
		}
		err = do(theirs, func(ctx context.Context, c *call.Call) error {
			if err := pics.Keep(ctx, c, ""); err != nil {
				return err
			}
			_, err := pics.Find(ctx, c, one.ID)
			return err
		})
		if !errors.Is(err, picture.ErrNotFound) {
			t.Errorf("another tenant: %v", err)
		}
		err = do(mine, func(ctx context.Context, c *call.Call) error {
			got, err := pics.Find(ctx, c, one.ID)
			if err != nil || got.Type != "image/png" || !bytes.Equal(got.Body, one.Body) {
				t.Errorf("%v %+v", err, got)
			}
			if err := pics.Keep(ctx, c, two.At()); err != nil {
				return err
			}
			_, err = pics.Find(ctx, c, two.ID)
			if err != nil {
				t.Error(err)
			}
			_, err = pics.Find(ctx, c, one.ID)
			return err
		})
		if !errors.Is(err, picture.ErrNotFound) {
			t.Errorf("what is not kept: %v", err)
		}
	})
}

// Whatever is sent, it is refused or small, and of a form that browsers do not take for a page.
func FuzzRead(f *testing.F) {
	for _, form := range []string{"png", "jpeg", "gif"} {
		_, b64, _ := strings.Cut(drawn(f, form, 3), ",")
		b, _ := base64.StdEncoding.DecodeString(b64)
		f.Add(b)
	}
	f.Add([]byte("<svg/>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := picture.Read("data:image/png;base64," + base64.StdEncoding.EncodeToString(b))
		if err != nil {
			return
		}
		if len(p.Body) > picture.MaxBytes || p.Type != "image/png" && p.Type != "image/jpeg" && p.Type != "image/gif" {
			t.Fatalf("%d bytes of %s", len(p.Body), p.Type)
		}
	})
}
