package e2e

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/png"
	"net/url"
	"strings"
	"testing"

	"rsc.io/qr"
	"rsc.io/qr/coding"
)

// secretOf reads a QR code as a telephone's camera would and gives the secret in it, in base32. The picture is clean, so
// nothing has to be corrected; which level and mask it has is found by trying.
func secretOf(t *testing.T, dataURI string) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(dataURI[strings.IndexByte(dataURI, ',')+1:])
	if err != nil {
		t.Fatal(err)
	}
	if len(raw) > 10<<10 {
		t.Errorf("the picture has %d bytes; some clients refuse bodies over 10 KiB", len(raw))
	}
	img, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	modules := modulesOf(t, img)
	version := coding.Version((len(modules) - 17) / 4)
	for level := coding.L; level <= coding.H; level++ {
		for mask := coding.Mask(0); mask < 8; mask++ {
			plan, err := coding.NewPlan(version, level, mask)
			if err != nil {
				t.Fatal(err)
			}
			if u, err := url.Parse(textOf(plan, modules)); err == nil && u.Scheme == "otpauth" {
				if u.Host != "totp" || u.Query().Get("issuer") == "" || u.Query().Get("secret") == "" {
					t.Errorf("authenticator apps cannot read the path %s", u.Path)
				}
				return u.Query().Get("secret")
			}
		}
	}
	t.Fatal("the picture is no QR code of an otpauth address")
	return ""
}

// modulesOf finds the code's squares: the first dark run is the top of a finder pattern, seven modules wide.
func modulesOf(t *testing.T, img image.Image) [][]bool {
	t.Helper()
	dark := func(x, y int) bool {
		r, g, b, a := img.At(x, y).RGBA()
		return a > 0x8000 && r+g+b < 3*0x8000
	}
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if !dark(x, y) {
				continue
			}
			end, last := x, x
			for dark(end, y) {
				end++
			}
			for i := x; i < b.Max.X; i++ {
				if dark(i, y) {
					last = i
				}
			}
			scale := (end - x) / 7
			if scale == 0 || x < 4*scale || y < 4*scale {
				t.Fatalf("the code has no quiet zone of four modules: it begins at %d,%d and a module has %d", x, y, scale)
			}
			out := make([][]bool, (last+1-x)/scale)
			for i := range out {
				out[i] = make([]bool, len(out))
				for j := range out[i] {
					out[i][j] = dark(x+j*scale+scale/2, y+i*scale+scale/2)
				}
			}
			return out
		}
	}
	t.Fatal("the picture is blank")
	return nil
}

// textOf reads the data of a code in byte mode under a plan.
func textOf(p *coding.Plan, modules [][]bool) string {
	data := make([]byte, p.DataBytes)
	for y, row := range p.Pixel {
		for x, pix := range row {
			if pix.Role() == coding.Data && modules[y][x] != (pix&coding.Black != 0) {
				o := pix.Offset()
				data[o/8] |= 1 << (7 - o%8)
			}
		}
	}
	if len(data) < 3 || data[0]>>4 != 4 {
		return ""
	}
	// Four bits of mode and, up to version 9, eight of length stand before the text; later versions have sixteen.
	at, n := 1, int(data[0]&15)<<4|int(data[1]>>4)
	if p.Version > 9 {
		at, n = 2, n<<8|int(data[1]&15)<<4|int(data[2]>>4)
	}
	if at+n >= len(data) {
		return ""
	}
	text := make([]byte, n)
	for i := range text {
		text[i] = data[at+i]<<4 | data[at+i+1]>>4
	}
	return string(text)
}

// TestQR reads what the library writes, so that a failure of the reader is not taken for one of the program.
func TestQR(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{"JBSWY3DPEHPK3PXP", strings.Repeat("ABCDEFGH", 20)} {
		code, err := qr.Encode("otpauth://totp/Limen:anna%40limen?issuer=Limen&secret="+secret, qr.M)
		if err != nil {
			t.Fatal(err)
		}
		if got := secretOf(t, "data:image/png;base64,"+base64.StdEncoding.EncodeToString(code.PNG())); got != secret {
			t.Errorf("read %q, want %q", got, secret)
		}
	}
}
