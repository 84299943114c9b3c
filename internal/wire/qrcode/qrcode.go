// Package qrcode draws QR codes for screens. A screen loses nothing, so the least error correction does, and keeps the codes small.
package qrcode

import (
	"encoding/base64"
	"strconv"
	"strings"

	"rsc.io/qr"
)

const (
	scale = 5 // pixels of a module
	quiet = 4 // modules of white around the code (ISO/IEC 18004)
)

// PNG is the code of a text as an image in a data URI.
func PNG(text string) (string, error) {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return "", err
	}
	code.Scale = scale
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(code.PNG()), nil
}

// Drawing is a code as a path of SVG, one unit a module.
type Drawing struct {
	Path string // of the dark modules; empty: there is no code
	Size int    // of each side, with the white around
}

// Draw is the code of a text as a drawing.
func Draw(text string) (Drawing, error) {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return Drawing{}, err
	}
	var b strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; {
			n := 0
			for x+n < code.Size && code.Black(x+n, y) {
				n++
			}
			if n > 0 {
				run := strconv.Itoa(n)
				b.WriteString("M" + strconv.Itoa(x+quiet) + " " + strconv.Itoa(y+quiet) + "h" + run + "v1h-" + run + "z")
			}
			x += n + 1
		}
	}
	return Drawing{b.String(), code.Size + 2*quiet}, nil
}
