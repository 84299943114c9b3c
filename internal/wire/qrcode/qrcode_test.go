package qrcode_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image/png"
	"strings"
	"testing"

	"rsc.io/qr"

	"limen/internal/wire/qrcode"
)

// The drawing and the image show the modules that the encoder made, with white around them.
func TestDrawingsAreOfTheSameCode(t *testing.T) {
	const text = "https://id.acme.test/Security/SubmitQRCode?sessionId=zX8Hk2mQ0aVbN4pR7tYc1sWdEfGhJkLmNoPqRsTuVwX"
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		t.Fatal(err)
	}
	d, err := qrcode.Draw(text)
	if err != nil || d.Size != code.Size+8 {
		t.Fatal(d.Size, err)
	}
	dark := map[[2]int]bool{}
	for _, run := range strings.Split(d.Path, "z") {
		var x, y, n, back int
		if run == "" {
			continue
		}
		if _, err := fmt.Sscanf(run, "M%d %dh%dv1h-%d", &x, &y, &n, &back); err != nil || n != back || n < 1 {
			t.Fatal(run, err)
		}
		for i := range n {
			dark[[2]int{x + i, y}] = true
		}
	}
	uri, err := qrcode.PNG(text)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(uri, "data:image/png;base64,"))
	if err != nil || len(raw) > 3<<10 {
		t.Fatal(len(raw), err) // clients refuse packages over 10 KiB
	}
	img, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	pixels := img.Bounds().Dx() / d.Size
	for y := range d.Size {
		for x := range d.Size {
			want := code.Black(x-4, y-4)
			r, _, _, _ := img.At(x*pixels+pixels/2, y*pixels+pixels/2).RGBA()
			if dark[[2]int{x, y}] != want || (r < 0x8000) != want {
				t.Fatal(x, y, want)
			}
		}
	}
}

func TestTooLongForACode(t *testing.T) {
	long := strings.Repeat("x", 5000)
	if _, err := qrcode.Draw(long); err == nil {
		t.Error("drawn")
	}
	if _, err := qrcode.PNG(long); err == nil {
		t.Error("drawn")
	}
}
