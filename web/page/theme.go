package page

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Theme is what a tenant's pages look like besides their texts. Colors are "#rrggbb"; empty: the frame's own. What cannot be
// used is left out: a page in plain clothes is better than one that nobody can read.
type Theme struct {
	Color  string // of buttons and links by day
	Dark   string // the same by night; empty: Color, made as much lighter as is needed
	Ground string // behind everything, by day
	Logo   string // path of a picture on this server; empty: the frame's own sign
}

// IsColor says whether a text is a color of a theme.
func IsColor(s string) bool {
	_, ok := parse(s)
	return ok
}

func (t Theme) logo() string {
	if len(t.Logo) < 2 || t.Logo[0] != '/' || t.Logo[1] == '/' || strings.ContainsAny(t.Logo, `\"'<> `) {
		return ""
	}
	return t.Logo
}

// The colors of style.css that a theme's meet.
var (
	sheet     = [3]float64{0xff, 0xff, 0xff} // --sheet and --on by day
	ground    = [3]float64{0xf2, 0xf4, 0xf7} // --ground by day
	text      = [3]float64{0x1a, 0x20, 0x28} // --text by day
	soft      = [3]float64{0x4f, 0x59, 0x66} // --soft by day
	darkSheet = [3]float64{0x1b, 0x21, 0x29} // --sheet by night, which is lighter than the ground
	darkOn    = [3]float64{0x10, 0x14, 0x18} // on buttons by night
)

// Least is the contrast that text needs (WCAG 2.2, 1.4.3).
const Least = 4.5

// spare keeps colors that are made here above it after rounding.
const spare = Least + .1

// Flaw is a color with which text could not be read.
type Flaw struct {
	Field    string  // of Theme: Color, Dark or Ground
	On       string  // the color that it meets, "#rrggbb"
	Contrast float64 // of the two
}

// Flaw is the first color of the theme that text could not be read with; nil: all are well, or none.
func (t Theme) Flaw() *Flaw {
	under := ground
	if g, ok := parse(t.Ground); ok {
		under = g
		for _, c := range [][3]float64{text, soft} {
			if got := between(g, c); got < Least {
				return &Flaw{"Ground", hex(c), got}
			}
		}
	}
	if c, ok := parse(t.Color); ok {
		for _, on := range [][3]float64{sheet, under} {
			if got := between(c, on); got < Least {
				return &Flaw{"Color", hex(on), got}
			}
		}
	}
	if c, ok := parse(t.Dark); ok {
		for _, on := range [][3]float64{darkSheet, darkOn} {
			if got := between(c, on); got < Least {
				return &Flaw{"Dark", hex(on), got}
			}
		}
	}
	return nil
}

// style sets the frame's variables of color, for light and dark.
func (t Theme) style() string {
	if t.Flaw() != nil {
		return ""
	}
	var out strings.Builder
	day, ok := parse(t.Color)
	if ok {
		fmt.Fprintf(&out, ":root { --accent: %s; --press: %s; --on: #ffffff; }\n", hex(day), hex(mix(day, 0, .2)))
	}
	if g, ok := parse(t.Ground); ok {
		fmt.Fprintf(&out, ":root { --ground: %s; }\n", hex(g))
	}
	night, own := parse(t.Dark)
	if !own && ok {
		night, own = apart(day, darkSheet, 255), true
	}
	if out.Len() == 0 && !own {
		return ""
	}
	out.WriteString("@media (prefers-color-scheme: dark) { :root { --ground: #12161b;")
	if own {
		fmt.Fprintf(&out, " --accent: %s; --press: %s; --on: %s;", hex(night), hex(mix(night, 255, .3)), hex(darkOn))
	}
	out.WriteString(" } }\n")
	return out.String()
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

// apart moves a color towards black or white until it stands out from what is behind it.
func apart(c, behind [3]float64, to float64) [3]float64 {
	for range 100 {
		if between(c, behind) >= spare {
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
