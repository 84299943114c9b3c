package user_test

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"testing"

	"limen/internal/call"
	"limen/internal/core/user"
)

func noise(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	r := rand.New(rand.NewPCG(1, 2))
	for i := range m.Pix {
		m.Pix[i] = byte(r.Uint32())
	}
	return m
}

func pngOf(m image.Image) []byte {
	var b bytes.Buffer
	_ = png.Encode(&b, m)
	return b.Bytes()
}

func TestRedraw(t *testing.T) {
	small := noise(20, 10)
	small.SetNRGBA(3, 4, color.NRGBA{200, 100, 50, 255})
	var jpg, anim bytes.Buffer
	_ = jpeg.Encode(&jpg, small, nil)
	_ = gif.Encode(&anim, small, nil)
	for what, x := range map[string]struct {
		raw  []byte
		want string
	}{
		"png":          {append(pngOf(small), "<?php secret-tail ?>"...), "image/png"},
		"jpeg":         {append(jpg.Bytes(), "secret-tail"...), "image/jpeg"},
		"gif":          {append(anim.Bytes(), "secret-tail"...), "image/png"},
		"incompressed": {pngOf(noise(340, 340)), "image/png"},
	} {
		got, err := user.Redraw(x.raw)
		if err != nil || got.Type != x.want || bytes.Contains(got.Body, []byte("secret-tail")) || len(got.Body) > user.MaxPicture {
			t.Error(what, got.Type, len(got.Body), err)
			continue
		}
		m, _, err := image.Decode(bytes.NewReader(got.Body))
		if err != nil {
			t.Error(what, err)
		} else if what == "png" && m.At(3, 4) != (color.NRGBA{200, 100, 50, 255}) {
			t.Error("the pixels changed", m.At(3, 4))
		}
	}
}

func TestRedrawRefuses(t *testing.T) {
	bomb := pngOf(image.NewGray(image.Rect(0, 0, 1, 1)))
	// A header that claims 30000 by 30000 pixels, with a right checksum.
	copy(bomb[16:], []byte{0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30})
	sum := crc32.ChecksumIEEE(bomb[12:29])
	copy(bomb[29:], []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
	for what, raw := range map[string][]byte{
		"nothing": nil, "text": []byte("hello"), "svg": []byte("<svg xmlns='http://www.w3.org/2000/svg'/>"), "a bomb": bomb,
		"many pixels": pngOf(image.NewGray(image.Rect(0, 0, 3000, 2000))), "a long side": pngOf(image.NewGray(image.Rect(0, 0, 5000, 2))),
		"cut off": pngOf(noise(20, 20))[:200], "too large": make([]byte, user.MaxPicture+1),
	} {
		if _, err := user.Redraw(raw); !errors.Is(err, user.ErrPicture) {
			t.Error(what, err)
		}
	}
}

func TestPictures(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		u := w.add("anna")
		pic, err := user.Redraw(pngOf(noise(8, 8)))
		expect(t, err, nil)
		w.read(func(ctx context.Context, c *call.Call) error {
			_, err := w.users.Picture(ctx, c, u.ID)
			expect(t, err, user.ErrNoPicture)
			return nil
		})
		for range 2 {
			w.write(nil, func(ctx context.Context, c *call.Call) error { return w.users.SetPicture(ctx, c, u.ID, pic) })
		}
		w.read(func(ctx context.Context, c *call.Call) error {
			got, err := w.users.Picture(ctx, c, u.ID)
			if !bytes.Equal(got.Body, pic.Body) || got.Type != "image/png" || w.at(ctx, c, u.ID).Picture == 0 {
				t.Error(got.Type, len(got.Body))
			}
			return err
		})
		for range 2 {
			w.write(nil, func(ctx context.Context, c *call.Call) error { return w.users.DropPicture(ctx, c, u.ID) })
			w.read(func(ctx context.Context, c *call.Call) error {
				_, err := w.users.Picture(ctx, c, u.ID)
				expect(t, err, user.ErrNoPicture)
				if w.at(ctx, c, u.ID).Picture != 0 {
					t.Error("the person has a picture still")
				}
				return nil
			})
		}
		w.write(nil, func(ctx context.Context, c *call.Call) error { return w.users.SetPicture(ctx, c, u.ID, pic) })
		w.write(nil, func(ctx context.Context, c *call.Call) error { return w.users.Delete(ctx, c, u.ID) })
		w.read(func(ctx context.Context, c *call.Call) error {
			_, err := w.users.Picture(ctx, c, u.ID)
			expect(t, err, user.ErrNoPicture)
			return nil
		})
	})
}

func FuzzRedraw(f *testing.F) {
	var jpg, anim bytes.Buffer
	_ = jpeg.Encode(&jpg, noise(4, 4), nil)
	_ = gif.Encode(&anim, noise(4, 4), nil)
	f.Add(pngOf(noise(4, 4)))
	f.Add(jpg.Bytes())
	f.Add(anim.Bytes())
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := user.Redraw(raw)
		if err != nil {
			if !errors.Is(err, user.ErrPicture) {
				t.Fatal(err)
			}
			return
		}
		if _, err := user.Redraw(p.Body); err != nil {
			t.Fatal("its own output is refused:", err)
		}
	})
}
