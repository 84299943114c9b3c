package strength

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/ccojocar/zxcvbn-go/adjacency"
	"github.com/ccojocar/zxcvbn-go/entropy"
	"github.com/ccojocar/zxcvbn-go/match"
)

// least is the shortest walk, repeat or sequence that counts as one.
const least = 3

// walks finds runs over neighbouring keys.
func walks(plain string) (out []match.Match) {
	for _, keyboard := range []string{"qwerty", "dvorak", "keypad", "macKeypad"} {
		g := adjacency.GraphMap[keyboard]
		for i := 0; i < len(plain)-1; {
			w := walk{direction: -1}
			j := i + 1
			for j < len(plain) && w.step(g.Graph[plain[j-1:j]], plain[j]) {
				j++
			}
			if j-i >= least {
				m := match.Match{Pattern: "spatial", DictionaryName: g.Name, I: i, J: j - 1, Token: plain[i:j]}
				m.Entropy = entropy.SpatialEntropy(m, w.turns, w.shifted)
				out = append(out, m)
			}
			i = j
		}
	}
	return out
}

// walk is a run over a keyboard so far.
type walk struct{ direction, turns, shifted int }

// step goes on to the key of c when it is a neighbour: each is what the key gives, without and with shift.
func (w *walk) step(neighbours []string, c byte) bool {
	for direction, key := range neighbours {
		at := strings.IndexByte(key, c)
		if at < 0 {
			continue
		}
		if at == 1 {
			w.shifted++
		}
		if w.direction != direction {
			w.turns++
			w.direction = direction
		}
		return true
	}
	return false
}

// repeats finds one sign again and again, whatever its case.
func repeats(plain string) (out []match.Match) {
	low := lower(plain)
	for i := 0; i < len(low); {
		j := i + 1
		for j < len(low) && low[j] == low[i] {
			j++
		}
		if j-i >= least {
			m := match.Match{Pattern: "repeat", I: i, J: j - 1, Token: low[i:j]}
			m.Entropy = entropy.RepeatEntropy(m)
			out = append(out, m)
		}
		i = j
	}
	return out
}

// sequences finds runs through the alphabet or the digits, in either direction.
func sequences(plain string) (out []match.Match) {
	for i := 0; i < len(plain); {
		size, j := alphabet(plain[i]), i+1
		if j == len(plain) {
			break
		}
		step := int(plain[j]) - int(plain[i])
		for j < len(plain) && (step == 1 || step == -1) && size > 0 && alphabet(plain[j]) == size && int(plain[j])-int(plain[j-1]) == step &&
			(plain[j]^plain[i])&0x20 == 0 {
			j++
		}
		if j-i >= least {
			m := match.Match{Pattern: "sequence", I: i, J: j - 1, Token: plain[i:j]}
			m.Entropy = entropy.SequenceEntropy(m, size, step == 1)
			out = append(out, m)
			i = j
			continue
		}
		i++
	}
	return out
}

// alphabet is the size of the sequence that c belongs to; 0: none.
func alphabet(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return 10
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		return 26
	}
	return 0
}

var (
	separated = regexp.MustCompile(`(\d{1,4})([\s/\\_.-])(\d{1,2})[\s/\\_.-](\d{1,4})`)
	digits    = regexp.MustCompile(`\d{4,8}`)
)

// dates finds days of these times, with separators or without.
func dates(plain string) (out []match.Match) {
	add := func(from, to, year int, separator string) {
		d := match.DateMatch{Pattern: "date", I: from, J: to - 1, Token: plain[from:to], Separator: separator, Year: int64(year)}
		out = append(out, match.Match{Pattern: "date", I: d.I, J: d.J, Token: d.Token, Entropy: entropy.DateEntropy(d)})
	}
	for _, at := range separated.FindAllStringSubmatchIndex(plain, -1) {
		a, b, c := plain[at[2]:at[3]], plain[at[6]:at[7]], plain[at[8]:at[9]]
		if year, ok := date(a, b, c); ok {
			add(at[0], at[1], year, plain[at[4]:at[5]])
		} else if year, ok := date(c, b, a); ok {
			add(at[0], at[1], year, plain[at[4]:at[5]])
		}
	}
	for _, at := range digits.FindAllStringIndex(plain, -1) {
		s := plain[at[0]:at[1]]
		for _, cut := range cuts[len(s)] {
			year, ok := date(s[cut[0][0]:cut[0][1]], s[cut[1][0]:cut[1][1]], s[cut[2][0]:cut[2][1]])
			if ok {
				add(at[0], at[1], year, "")
				break
			}
		}
	}
	return out
}

// cuts are the ways to read so many digits as year, month and day.
var cuts = map[int][][3][2]int{
	4: {{{0, 2}, {2, 3}, {3, 4}}, {{2, 4}, {0, 1}, {1, 2}}},
	5: {{{0, 2}, {2, 4}, {4, 5}}, {{0, 2}, {2, 3}, {3, 5}}, {{3, 5}, {0, 2}, {2, 3}}, {{3, 5}, {0, 1}, {1, 3}}},
	6: {{{0, 2}, {2, 4}, {4, 6}}, {{4, 6}, {0, 2}, {2, 4}}, {{0, 4}, {4, 5}, {5, 6}}, {{2, 6}, {0, 1}, {1, 2}}},
	7: {{{0, 4}, {4, 6}, {6, 7}}, {{0, 4}, {4, 5}, {5, 7}}, {{3, 7}, {0, 2}, {2, 3}}, {{3, 7}, {0, 1}, {1, 3}}},
	8: {{{0, 4}, {4, 6}, {6, 8}}, {{4, 8}, {0, 2}, {2, 4}}},
}

// date says whether year, month and day make a date that people use, whichever of the latter two comes first.
func date(y, m, d string) (year int, ok bool) {
	year, yerr := strconv.Atoi(y)
	month, merr := strconv.Atoi(m)
	day, derr := strconv.Atoi(d)
	if yerr != nil || merr != nil || derr != nil || len(y) == 3 || len(y) == 1 || len(d) > 2 {
		return 0, false
	}
	low, high := min(month, day), max(month, day)
	return year, low >= 1 && low <= 12 && high <= 31 && (len(y) == 2 || year >= 1900 && year <= 2050)
}
