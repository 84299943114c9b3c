package password

import (
	"crypto/rand"
	"io"
	"math/big"
	"slices"
)

// The alphabets of generated passwords: no signs that look alike or that people cannot dictate.
const (
	lowers  = "abcdefghijkmnpqrstuvwxyz"
	uppers  = "ABCDEFGHJKLMNPQRSTUVWXYZ"
	digits  = "23456789"
	symbols = "!#$%*+-=?@_"
	beyond  = "äöüéèñçß"
)

// generated is the length that a password gets when nobody says.
const generated = 16

// Generate draws a password that satisfies the policy; length 0 takes the policy's own (16 where that fits). It fails
// with ErrLength when the policy does not allow the length.
func (p Policy) Generate(random io.Reader, length int) (string, error) {
	sets := p.sets()
	least := max(p.MinLength, len(sets), 4)
	if length == 0 {
		length = max(generated, least)
		if p.MaxLength > 0 {
			length = min(length, p.MaxLength)
		}
	}
	if length < least || p.MaxLength > 0 && length > p.MaxLength || length > 256 {
		return "", ErrLength
	}
	for range 1000 {
		out, err := compose(random, sets, length)
		if err != nil {
			return "", err
		}
		if p.classes(out) == nil && !Common(out) {
			return out, nil
		}
	}
	return "", ErrLength.Because(io.ErrNoProgress)
}

// sets are the alphabets of which a password has one sign each at least.
func (p Policy) sets() []string {
	var out []string
	for _, of := range []struct {
		alphabet string
		n        int
	}{{lowers, max(p.Lower, 1)}, {uppers, max(p.Upper, 1)}, {digits, max(p.Digits, 1)}, {symbols, p.Symbols}} {
		out = append(out, slices.Repeat([]string{of.alphabet}, of.n)...)
	}
	if p.Symbol && p.Symbols == 0 {
		out = append(out, symbols)
	}
	if p.Unicode {
		out = append(out, beyond)
	}
	return out
}

// compose draws one sign of each set and the rest of all, and shuffles.
func compose(random io.Reader, sets []string, length int) (string, error) {
	var pool []rune
	for _, s := range sets {
		pool = append(pool, []rune(s)...)
	}
	out := make([]rune, 0, length)
	for i := range length {
		from := pool
		if i < len(sets) {
			from = []rune(sets[i])
		}
		n, err := draw(random, len(from))
		if err != nil {
			return "", err
		}
		out = append(out, from[n])
	}
	for i := len(out) - 1; i > 0; i-- {
		j, err := draw(random, i+1)
		if err != nil {
			return "", err
		}
		out[i], out[j] = out[j], out[i]
	}
	return string(out), nil
}

func draw(random io.Reader, below int) (int, error) {
	n, err := rand.Int(random, big.NewInt(int64(below)))
	if err != nil {
		return 0, err
	}
	return int(n.Int64()), nil
}
