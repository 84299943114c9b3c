package page

import (
	"testing"

	"pgregory.net/rapid"
)

// Whatever color a tenant chooses, its links and buttons can be read by day and by night.
func TestEveryColorCanBeRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := [3]float64{}
		for i := range c {
			c[i] = float64(rapid.IntRange(0, 255).Draw(t, "c"))
		}
		day, night := apart(c, light, 0), apart(c, dark, 255)
		for what, pair := range map[string][2][3]float64{
			"link by day": {day, light}, "button by day": {{255, 255, 255}, day}, "pressed by day": {{255, 255, 255}, mix(day, 0, .2)},
			"link by night": {night, dark}, "button by night": {{0x10, 0x14, 0x18}, night}, "pressed by night": {{0x10, 0x14, 0x18}, mix(night, 255, .3)},
		} {
			if got := between(pair[0], pair[1]); got < 4.5 {
				t.Fatalf("%v: %s has the contrast %.2f", c, what, got)
			}
		}
	})
}

func TestOnlyPicturesAndColors(t *testing.T) {
	for s, want := range map[string]bool{
		"data:image/png;base64,AAAA": true, "data:image/svg+xml;base64,AAAA": true, "data:image/png;base64,": false, "data:text/html;base64,AAAA": false,
		"https://example.com/x.png": false, "javascript:alert(1)": false, `data:image/png;base64,AA"A`: false,
	} {
		if IsLogo(s) != want || (Theme{Logo: s}.logo() != "") != want {
			t.Errorf("%s: want %v", s, want)
		}
	}
	for s, want := range map[string]bool{"#1d5aa6": true, "#1D5AA6": true, "": false, "#fff": false, "red": false, "#1d5aa;": false, "#+15aa6": false} {
		if IsColor(s) != want || (Theme{Color: s}.style() != "") != want {
			t.Errorf("%s: want %v", s, want)
		}
	}
}
