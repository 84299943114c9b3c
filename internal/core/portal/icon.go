package portal

import (
	"bytes"
	"context"
	"encoding/base64"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"strings"

	"limen/internal/call"
	"limen/internal/core/user"
)

// side is how many pixels an icon has at most on each side: all of somebody's icons go into one answer.
const side = 128

// Redraw makes an icon of a PNG, JPEG or GIF of at most 512 KB: of its pixels alone, and scaled down to 128 pixels on a side.
// It takes up to some hundred milliseconds and needs no store. ErrIcon.
func Redraw(raw []byte) (user.Picture, error) {
	p, err := user.Redraw(raw)
	if err != nil {
		return p, ErrIcon.Because(err)
	}
	img, _, err := image.Decode(bytes.NewReader(p.Body))
	if err != nil {
		return p, ErrIcon.Because(err)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, shrunk(img)); err != nil {
		return p, ErrIcon.Because(err)
	}
	return user.Picture{Type: "image/png", Body: out.Bytes()}, nil
}

// shrunk is a picture of at most side pixels on a side, each the mean of those that it stands for.
func shrunk(img image.Image) image.Image {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	if w <= side && h <= side {
		return img
	}
	from := image.NewNRGBA64(image.Rect(0, 0, w, h))
	draw.Draw(from, from.Bounds(), img, b.Min, draw.Src)
	most := max(w, h)
	to := image.NewNRGBA(image.Rect(0, 0, max(w*side/most, 1), max(h*side/most, 1)))
	tw, th := to.Bounds().Dx(), to.Bounds().Dy()
	for y := range th {
		for x := range tw {
			to.Set(x, y, mean(from, image.Rect(x*w/tw, y*h/th, max((x+1)*w/tw, x*w/tw+1), max((y+1)*h/th, y*h/th+1))))
		}
	}
	return to
}

// mean is the mean colour of an area; what cannot be seen has no say in it.
func mean(img *image.NRGBA64, area image.Rectangle) color.Color {
	var r, g, b, a, n uint64
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			c := img.NRGBA64At(x, y)
			v := uint64(c.A)
			r, g, b, a, n = r+uint64(c.R)*v, g+uint64(c.G)*v, b+uint64(c.B)*v, a+v, n+1
		}
	}
	if a == 0 || n == 0 {
		return color.NRGBA64{}
	}
	return color.NRGBA64{R: uint16(r / a), G: uint16(g / a), B: uint16(b / a), A: uint16(a / n)}
}

// SetAppIcon gives an application of the caller's own a picture that Redraw made, and answers it as a data URI. Faults:
// ErrNotFound, ErrMany.
func (p *Portal) SetAppIcon(ctx context.Context, c *call.Call, key string, pic user.Picture) (string, error) {
	t, err := p.personal(ctx, c, key)
	if err != nil {
		return "", err
	}
	return p.setIcon(ctx, c, t, pic)
}

// SetSecuredIcon is SetAppIcon for a secured item.
func (p *Portal) SetSecuredIcon(ctx context.Context, c *call.Call, id string, pic user.Picture) (string, error) {
	t, err := p.item(ctx, c, id, Secured)
	if err != nil {
		return "", err
	}
	return p.setIcon(ctx, c, t, pic)
}

func (p *Portal) setIcon(ctx context.Context, c *call.Call, t Target, pic user.Picture) (string, error) {
	about(c, t.kind(), t.ID, "Icon")
	now := c.Now.UnixMilli()
	if _, err := markIcon.Do(ctx, c.Tx, now, now, c.Tenant.ID, t.ID, c.User()); err != nil {
		return "", err
	}
	if _, err := putIcon.Do(ctx, c.Tx, c.Tenant.ID, t.ID, pic.Type, pic.Body); err != nil {
		return "", err
	}
	n, err := countIcon.One(ctx, c.Tx, c.Tenant.ID, c.User())
	if err == nil && n > maxIcons {
		err = ErrMany.Say("A person may have %d icons of their own.", maxIcons)
	}
	return dataURI(pic.Type, pic.Body), err
}

// pictures are somebody's icons as data URIs, by item.
func pictures(ctx context.Context, c *call.Call, userID, kind string) (map[string]string, error) {
	rows, err := icons.All(ctx, c.Tx, c.Tenant.ID, userID, kind)
	out := make(map[string]string, len(rows))
	for _, r := range rows {
		out[r.Item] = dataURI(r.Type, r.Body)
	}
	return out, err
}

func dataURI(kind string, body []byte) string {
	var b strings.Builder
	b.WriteString("data:" + kind + ";base64,")
	b.WriteString(base64.StdEncoding.EncodeToString(body))
	return b.String()
}
