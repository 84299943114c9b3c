package page

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// drawn is a color by chance.
func drawn(t *rapid.T, name string) string {
	return fmt.Sprintf("#%06x", rapid.IntRange(0, 0xffffff).Draw(t, name))
}

// Whatever colors a tenant chooses, they are refused, or text can be read by day and by night.
func TestEveryThemeCanBeRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		theme := Theme{Color: drawn(t, "color"), Ground: rapid.SampledFrom([]string{"", drawn(t, "ground")}).Draw(t, "g"), Dark: rapid.SampledFrom([]string{"", drawn(t, "dark")}).Draw(t, "d")}
		if theme.Flaw() != nil {
			if theme.style() != "" {
				t.Fatalf("%+v is shown", theme)
			}
			return
		}
		day, night, _ := strings.Cut(style+theme.style(), "@media (forced-colors")
		_, own, _ := strings.Cut(night, "@media (prefers-color-scheme: dark)")
		first, plain, _ := strings.Cut(day, "@media (prefers-color-scheme: dark)")
		light := variables(first + theme.style()[:strings.Index(theme.style(), "@media")])
		dark := variables(plain + own)
		for _, v := range []map[string]string{light, dark} {
			for _, pair := range [][2]string{{"accent", "sheet"}, {"accent", "ground"}, {"on", "accent"}, {"on", "press"}, {"press", "sheet"}, {"text", "ground"}, {"soft", "ground"}, {"text", "sheet"}, {"soft", "sheet"}} {
				a, _ := parse(v[pair[0]])
				b, ok := parse(v[pair[1]])
				if got := between(a, b); !ok || got < 4.5 {
					t.Fatalf("%+v: %v has the contrast %.2f: %v", theme, pair, got, v)
				}
			}
		}
	})
}

var variable = regexp.MustCompile(`--([a-z]+): (#[0-9a-f]{6});`)

// variables are the colors that a style sets, the last of each.
func variables(style string) map[string]string {
	out := map[string]string{}
	for _, hit := range variable.FindAllStringSubmatch(style, -1) {
		out[hit[1]] = hit[2]
	}
	return out
}

func TestFlawsNameTheirField(t *testing.T) {
	for want, theme := range map[string]Theme{
		"Color #ffffff":  {Color: "#8ab8f5"},
		"Color #c8d0dc":  {Color: "#4a6fa5", Ground: "#c8d0dc"},
		"Ground #1a2028": {Ground: "#203040"},
		"Ground #4f5966": {Ground: "#888888"},
		"Dark #1b2129":   {Dark: "#1d5aa6"},
		"":               {Color: "#1d5aa6", Ground: "#ffffff", Dark: "#8ab8f5"},
	} {
		got := ""
		if f := theme.Flaw(); f != nil {
			got = f.Field + " " + f.On
			if f.Contrast >= Least || f.Contrast < 1 {
				t.Errorf("%+v: %+v", theme, f)
			}
		}
		if got != want {
			t.Errorf("%+v: %q, want %q", theme, got, want)
		}
	}
}

func TestOnlyPicturesAndColors(t *testing.T) {
	for s, want := range map[string]bool{
		"/image/0a": true, "//evil.example/x.png": false, "https://example.com/x.png": false, "javascript:alert(1)": false, `/image/"`: false, `/\evil`: false, "": false, "data:image/png;base64,AAAA": false,
	} {
		if (Theme{Logo: s}.logo() != "") != want {
			t.Errorf("%s: want %v", s, want)
		}
	}
	for s, want := range map[string]bool{"#1d5aa6": true, "#1D5AA6": true, "": false, "#fff": false, "red": false, "#1d5aa;": false, "#+15aa6": false} {
		if IsColor(s) != want || (Theme{Color: s}.style() != "") != want {
			t.Errorf("%s: want %v", s, want)
		}
	}
}
