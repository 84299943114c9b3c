package page

import (
	"encoding/base64"
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// Theme is what a tenant's pages look like besides their texts. What cannot be used is left out: a page in plain clothes is
// better than one that nobody can read.
type Theme struct {
	Color string // "#rrggbb", of buttons and links; its lightness is moved until it can be read; empty: the frame's own
	Logo  string // data:image/png;base64,... or another of logoTypes; empty: the frame's own sign
}

// logoTypes are the media types of logos. A picture that is loaded as one runs no script, SVG included.
var logoTypes = []string{"image/png", "image/jpeg", "image/webp", "image/svg+xml"}

// IsColor says whether a text is a color of a theme.
func IsColor(s string) bool {
	_, ok := parse(s)
	return ok
}

// IsLogo says whether a text is a logo of a theme.
func IsLogo(s string) bool {
	for _, t := range logoTypes {
		if rest, ok := strings.CutPrefix(s, "data:"+t+";base64,"); ok {
			_, err := base64.StdEncoding.Strict().DecodeString(rest)
			return err == nil && rest != ""
		}
	}
	return false
}

func (t Theme) logo() template.URL {
	if !IsLogo(t.Logo) {
		return ""
	}
	return template.URL(t.Logo) //nolint:gosec // checked: a picture in the address itself
}

// The grounds on which a theme's color is read, of style.css.
var (
	light = [3]float64{0xf2, 0xf4, 0xf7}
	dark  = [3]float64{0x1b, 0x21, 0x29}
)

// contrast that text needs (WCAG 2.2, 1.4.3), with a little to spare for rounding.
const contrast = 4.6

// style sets the frame's variables of color, for light and dark.
func (t Theme) style() string {
	c, ok := parse(t.Color)
	if !ok {
		return ""
	}
	day, night := apart(c, light, 0), apart(c, dark, 255)
	return fmt.Sprintf(":root { --accent: %s; --press: %s; --on: #ffffff; }\n@media (prefers-color-scheme: dark) { :root { --accent: %s; --press: %s; --on: #101418; } }\n",
		hex(day), hex(mix(day, 0, .2)), hex(night), hex(mix(night, 255, .3)))
}

func parse(s string) (c [3]float64, ok bool) {
	if len(s) != 7 || s[0] != '#' {
		return c, false
	}
	n, err := strconv.ParseUint(s[1:], 16, 32)
	return [3]float64{float64(n >> 16), float64(n >> 8 & 255), float64(n & 255)}, err == nil
}

func hex(c [3]float64) string {
	return fmt.Sprintf("#%02x%02x%02x", int(math.Round(c[0])), int(math.Round(c[1])), int(math.Round(c[2])))
}

// mix moves a color towards black (0) or white (255).
func mix(c [3]float64, to, part float64) [3]float64 {
	for i := range c {
		c[i] += (to - c[i]) * part
	}
	return c
}

// apart moves a color towards black or white until it can be read on a ground.
func apart(c, ground [3]float64, to float64) [3]float64 {
	for range 100 {
		if between(c, ground) >= contrast {
			break
		}
		c = mix(c, to, .05)
	}
	return c
}

// between is the contrast of two colors (WCAG 2.2, contrast ratio).
func between(a, b [3]float64) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + .05) / (min(x, y) + .05)
}

func luminance(c [3]float64) float64 {
	for i := range c {
		if c[i] /= 255; c[i] <= .04045 {
			c[i] /= 12.92
		} else {
			c[i] = math.Pow((c[i]+.055)/1.055, 2.4)
		}
	}
	return .2126*c[0] + .7152*c[1] + .0722*c[2]
}
