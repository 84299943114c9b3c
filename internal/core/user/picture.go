package user

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"

	"limen/internal/call"
	"limen/internal/dbx"
)

// Picture is a user's picture as it is served.
type Picture struct {
	Type    string `db:"type"` // image/png or image/jpeg
	Body    []byte `db:"body"`
	Changed int64  `db:"changed"` // ms since 1970 UTC
}

// Limits of pictures.
const (
	MaxPicture = 512 << 10 // bytes, as sent and as stored
	maxSide    = 4096      // pixels
	maxPixels  = 4 << 20   // 16 MiB once decoded
)

// Redraw decodes a PNG, JPEG or GIF and encodes it anew, so that nothing but its pixels is kept: no metadata, no
// trailing bytes, no second meaning. The size is checked before anything is decoded. It takes up to some hundred
// milliseconds and needs no store.
func Redraw(raw []byte) (Picture, error) {
	if len(raw) == 0 || len(raw) > MaxPicture {
		return Picture{}, ErrPicture
	}
	form, kind, err := image.DecodeConfig(bytes.NewReader(raw))
	if err != nil || form.Width <= 0 || form.Height <= 0 || form.Width > maxSide || form.Height > maxSide || form.Width*form.Height > maxPixels {
		return Picture{}, ErrPicture.Because(err)
	}
	decode, ok := map[string]func(*bytes.Reader) (image.Image, error){
		"png":  func(r *bytes.Reader) (image.Image, error) { return png.Decode(r) },
		"jpeg": func(r *bytes.Reader) (image.Image, error) { return jpeg.Decode(r) },
		"gif":  func(r *bytes.Reader) (image.Image, error) { return gif.Decode(r) },
	}[kind]
	if !ok {
		return Picture{}, ErrPicture
	}
	img, err := decode(bytes.NewReader(raw))
	if err != nil {
		return Picture{}, ErrPicture.Because(err)
	}
	return encode(img, kind)
}

// encode keeps PNG and GIF as PNG while that is small enough, and falls back to JPEG on white.
func encode(img image.Image, kind string) (Picture, error) {
	var b bytes.Buffer
	if kind != "jpeg" {
		if err := png.Encode(&b, img); err != nil {
			return Picture{}, ErrPicture.Because(err)
		}
		if b.Len() <= MaxPicture {
			return Picture{Type: "image/png", Body: b.Bytes()}, nil
		}
		flat := image.NewRGBA(img.Bounds())
		draw.Draw(flat, flat.Bounds(), image.White, image.Point{}, draw.Src)
		draw.Draw(flat, flat.Bounds(), img, img.Bounds().Min, draw.Over)
		img = flat
	}
	for _, quality := range []int{90, 75, 50} {
		b.Reset()
		if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
			return Picture{}, ErrPicture.Because(err)
		}
		if b.Len() <= MaxPicture {
			return Picture{Type: "image/jpeg", Body: b.Bytes()}, nil
		}
	}
	return Picture{}, ErrPicture
}

// SetPicture stores a picture that Redraw made.
func (d *Directory) SetPicture(ctx context.Context, c *call.Call, id string, p Picture) error {
	now := c.Now.UnixMilli()
	err := d.rewrite(ctx, c, id, func(u *User) (dbx.Exec, []any) {
		noted(c, u)
		u.Picture, u.Changed = now, now
		return setPicture, []any{now, now}
	})
	if err != nil {
		return err
	}
	if _, err := keepPicture.Do(ctx, c.Tx, c.Tenant.ID, id, p.Type, p.Body, now); err != nil {
		return err
	}
	return d.changed(ctx, c, id)
}

// DropPicture removes a user's picture; that there is none is no error.
func (d *Directory) DropPicture(ctx context.Context, c *call.Call, id string) error {
	n, err := dropPicture.Do(ctx, c.Tx, c.Tenant.ID, id)
	if err != nil || n == 0 {
		return err
	}
	err = d.rewrite(ctx, c, id, func(u *User) (dbx.Exec, []any) {
		noted(c, u)
		u.Picture, u.Changed = 0, c.Now.UnixMilli()
		return setPicture, []any{u.Picture, u.Changed}
	})
	if err != nil {
		return err
	}
	return d.changed(ctx, c, id)
}

// Picture gives a user's picture; ErrNoPicture when there is none.
func (d *Directory) Picture(ctx context.Context, c *call.Call, id string) (Picture, error) {
	p, err := findPicture.One(ctx, c.Tx, c.Tenant.ID, id)
	if errors.Is(err, dbx.ErrNoRow) {
		return Picture{}, ErrNoPicture
	}
	return p, err
}
