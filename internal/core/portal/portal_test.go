package portal

import (
	"encoding/json"
	"image"
	"image/color"
	"strings"
	"testing"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/app"
	"limen/internal/core/user"
)

// Keys name one's own applications alone: the homes of others are empty.
func TestOwnKeys(t *testing.T) {
	c := &call.Call{Caller: &call.Caller{User: "u-1"}}
	for key, want := range map[string]struct {
		id string
		ok bool
	}{
		"@~/apps/a": {"a", true}, "@/home/u-1/apps/a": {"a", true}, "@/home/u-2/apps/a": {"", true}, "@/home/u-1": {"", true},
		"@/home/u-1/apps/": {"", true}, "a": {"", false}, "": {"", false},
	} {
		if id, ok := own(c, key); id != want.id || ok != want.ok {
			t.Errorf("%q: %q %v", key, id, ok)
		}
	}
}

func TestAddress(t *testing.T) {
	for in, want := range map[string]string{
		"": "", " ": "", "example.com": "https://example.com", "example.com/a?b=c": "https://example.com/a?b=c", "HTTP://example.com": "HTTP://example.com",
		" https://example.com:8443/ ": "https://example.com:8443/", "www.example.com": "https://www.example.com",
	} {
		if got, err := address(in); got != want || err != nil {
			t.Errorf("%q: %q %v", in, got, err)
		}
	}
	for _, in := range []string{
		"javascript:alert(1)", "data:text/html,x", "ftp://example.com", "//example.com", "/path", "https://", "https://user:word@example.com", "https://a b",
		"https://example.com/\nx", "android://x", strings.Repeat("a", maxAddress),
	} {
		if got, err := address(in); err == nil {
			t.Errorf("%q: %q", in, got)
		}
	}
}

// One page is known whatever way its address is written.
func TestPage(t *testing.T) {
	if page("https://www.Example.com/in", "Anna") != page("example.com", "ANNA") {
		t.Error("two")
	}
	if page("https://example.com", "anna") == page("https://example.org", "anna") || page("https://example.com", "anna") == page("https://example.com", "ben") {
		t.Error("one")
	}
}

func TestShrunk(t *testing.T) {
	img := image.NewNRGBA(image.Rect(10, 10, 266, 522))
	for y := 10; y < 522; y++ {
		for x := 10; x < 266; x++ {
			if c := (color.NRGBA{R: 100, A: 255}); (x+y)%2 == 0 {
				c.R = 200
				img.SetNRGBA(x, y, c)
			} else {
				img.SetNRGBA(x, y, c)
			}
		}
	}
	got := shrunk(img)
	if got.Bounds() != image.Rect(0, 0, 64, 128) {
		t.Fatal(got.Bounds())
	}
	if c := color.NRGBAModel.Convert(got.At(5, 77)).(color.NRGBA); c != (color.NRGBA{R: 150, A: 255}) {
		t.Error(c)
	}
	if small := image.NewNRGBA(image.Rect(0, 0, 128, 3)); shrunk(small) != image.Image(small) {
		t.Error("a small one is drawn anew")
	}
	if b := shrunk(image.NewNRGBA(image.Rect(0, 0, 4096, 1))).Bounds(); b != image.Rect(0, 0, 128, 1) {
		t.Error(b)
	}
}

// Names with applications come of what administrators have set, and are the person's own where they set nothing else.
func TestLogin(t *testing.T) {
	u := user.User{Name: "Anna@example.com", Mail: "anna@example.org", Display: "Anna"}
	of := func(members string) Tile {
		var out Tile
		out.App.Members = read(t, members)
		out.LoginSet = out.App.Strategy() == app.SetByUser
		out.Secret.Username = "own"
		return out
	}
	for members, want := range map[string]string{
		`{}`:                                                "Anna@example.com",
		`{"UserNameStrategy":"ADAttribute"}`:                "Anna@example.com",
		`{"UserNameArg":"mail"}`:                            "anna@example.org",
		`{"UserNameArg":"sAMAccountName"}`:                  "Anna",
		`{"UserNameArg":"shoeSize"}`:                        "",
		`{"UserNameStrategy":"SetByUser"}`:                  "own",
		`{"UserNameStrategy":"UseScript"}`:                  "",
		`{"UserNameStrategy":"Fixed","UserNameArg":"crew"}`: "",
		`{"UserNameStrategy":"Fixed","UserNameArg":"crew","AllowViewFixedCredentials":true}`:  "crew",
		`{"UserNameStrategy":"Fixed","Username":"crew","AllowViewFixedCredentials":true}`:     "crew",
		`{"UserNameStrategy":"Fixed","UserNameArg":"crew","AllowViewFixedCredentials":false}`: "",
	} {
		if got := nameWith(of(members), u); got != want {
			t.Errorf("%s: %q, want %q", members, got, want)
		}
	}
}

// Whatever a file has in it, what is kept of it is a page, and what the log says of it is no formula.
func FuzzRow(f *testing.F) {
	for _, s := range []string{"example.com", "=1+1", "javascript:x", "https://ü.example/%zz", "\xff@", "@SUM", strings.Repeat("é", 200), "\t=x", "[::1]:80"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, name, at string) {
		full, err := address(at)
		if err == nil && full != "" && (!app.Page(full) || strings.ContainsAny(full, "\n\r\x00")) {
			t.Errorf("%q is kept as %q", at, full)
		}
		if again, err2 := address(full); err == nil && (again != full || err2 != nil) {
			t.Errorf("%q, and then %q", full, again)
		}
		_ = page(at, name)
		s := cell(name)
		if !utf8.ValidString(s) || len(s) > maxName+1 || s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
			t.Errorf("%q is written as %q", name, s)
		}
	})
}

func read(t *testing.T, members string) (out map[string]json.RawMessage) {
	t.Helper()
	if err := json.Unmarshal([]byte(members), &out); err != nil {
		t.Fatal(err)
	}
	return out
}
