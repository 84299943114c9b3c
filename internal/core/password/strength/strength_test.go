package strength

import (
	"math/rand/v2"
	"strings"
	"testing"

	zxcvbn "github.com/ccojocar/zxcvbn-go"
)

func TestScore(t *testing.T) {
	for plain, want := range map[string]int{
		"":                              0,
		"password":                      0,
		"P4$$w0rd":                      0,
		"qwertyuiop":                    0,
		"zxcvbnm,./":                    0,
		"aaaaaaaaaaaa":                  0,
		"abcdefghijkl":                  0,
		"lkjihgfedcba":                  0,
		"19820413":                      0,
		"1982-04-13":                    0,
		"13.4.82":                       0,
		"Jennifer1982":                  0,
		"correcthorsebatterystaple":     4,
		"Correct-Horse-7-Battery":       4,
		"D0g..................":         0,
		"wXn7_q)Kzr":                    4,
		"grüße-aus-ünlü-çeşme":          4,
		"\xff\xfe\xfd\xfcpassword\xff7": 3,
	} {
		if got := Score(plain, nil); got != want {
			t.Errorf("%q: %d, want %d", plain, got, want)
		}
	}
}

func TestWordsOfThePersonAreNoSecret(t *testing.T) {
	const plain = "Wolkenkuckuck"
	if without, with := Score(plain, nil), Score(plain, []string{"wolkenkuckuck"}); without < 3 || with != 0 {
		t.Error(without, with)
	}
}

// TestAgreesWithTheModule measures passwords that people make beside the module's own search. Ours may find more in them, so
// it may call one weaker, never stronger. No dates: the module counts the sign behind one as part of it.
func TestAgreesWithTheModule(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	words := append(asset("English")[:3000], asset("Passwords")[:3000]...)
	equal, all := 0, 0
	for range 400 {
		plain := people(r, words)
		theirs, ours := zxcvbn.PasswordStrength(plain, []string{}).Score, Score(plain, nil)
		if ours > theirs {
			t.Errorf("%q: %d, the module says %d", plain, ours, theirs)
		}
		if all++; ours == theirs {
			equal++
		}
	}
	if equal < all*9/10 {
		t.Errorf("only %d of %d are equal", equal, all)
	}
}

// people makes a password as people do.
func people(r *rand.Rand, words []string) string {
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	var b strings.Builder
	for range 1 + r.IntN(3) {
		switch r.IntN(8) {
		case 0:
			b.WriteString(pick("123", "201", "7", "99", "abc", "zyxw", "654"))
		case 1:
			b.WriteString(pick("!", "$$", "-", "_", "...", "%&/"))
		case 2:
			b.WriteString(pick("qwert", "asdfgh", "zaq12wsx", "!QAZ", "lkjh"))
		case 3:
			for range 2 + r.IntN(6) {
				b.WriteByte(byte('!' + r.IntN(94)))
			}
		default:
			w := words[r.IntN(len(words))]
			b.WriteString(pick(w, strings.ToUpper(w[:1])+w[1:], strings.NewReplacer("a", "4", "e", "3", "o", "0").Replace(w)))
		}
	}
	return b.String()
}

func FuzzScore(f *testing.F) {
	f.Add("P4$$w0rd 1.2.1999", "name")
	f.Add("grüße\xff", "ß")
	f.Add("İİİ", "i")
	f.Fuzz(func(t *testing.T, plain, known string) {
		if len(plain) > 200 {
			return
		}
		if s := Score(plain, []string{known}); s < 0 || s > 4 {
			t.Error(s)
		}
	})
}

func BenchmarkScore(b *testing.B) {
	for b.Loop() {
		Score("Correct-Horse-7-Battery", []string{"anna"})
	}
}
