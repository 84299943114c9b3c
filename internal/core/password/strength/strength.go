// Package strength estimates how hard a password is to guess, as zxcvbn does: it finds what people make passwords of
// (words, names, keyboard walks, repeats, sequences, dates) and takes the cheapest way to put the password together.
//
// Word lists, entropies and scoring are those of github.com/ccojocar/zxcvbn-go. The search is our own because that
// module's reads all lists when a program starts, which took a hundred milliseconds and twenty megabytes of each start;
// here they are read when the first password is measured.
package strength

import (
	"encoding/json"
	"strings"
	"sync"

	"github.com/ccojocar/zxcvbn-go/data"
	"github.com/ccojocar/zxcvbn-go/entropy"
	"github.com/ccojocar/zxcvbn-go/match"
	"github.com/ccojocar/zxcvbn-go/scoring"
)

// Score is from 0, guessed at once, to 4, out of reach. known are words that a guesser knows of the person. It takes
// about a millisecond, and longer the first time.
func Score(plain string, known []string) int {
	dictionaries := append([]dictionary{ranked("known", known)}, lists()...)
	var all []match.Match
	for _, text := range append([]string{plain}, unleet(plain)...) {
		for _, d := range dictionaries {
			all = append(all, d.words(text)...)
		}
	}
	all = append(all, walks(plain)...)
	all = append(all, repeats(plain)...)
	all = append(all, sequences(plain)...)
	all = append(all, dates(plain)...)
	return scoring.MinimumEntropyMatchSequence(plain, all).Score
}

// Common are the most used passwords, some seven thousand, the most used first.
func Common() []string { return asset("Passwords") }

// asset reads a word list that the module carries in compressed form.
func asset(name string) []string {
	var out struct{ List []string }
	raw, err := data.Asset("data/" + name + ".json")
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		panic("strength: " + err.Error()) // it is compiled in
	}
	return out.List
}

// dictionary ranks words by how often they are used, from 1.
type dictionary struct {
	name    string
	rank    map[string]int
	longest int
}

// lists are the dictionaries that are always searched.
var lists = sync.OnceValue(func() []dictionary {
	var out []dictionary
	for _, name := range []string{"Passwords", "English", "Surnames", "FemaleNames", "MaleNames"} {
		out = append(out, ranked(name, asset(name)))
	}
	return out
})

func ranked(name string, words []string) dictionary {
	d := dictionary{name: name, rank: make(map[string]int, len(words))}
	for i, w := range words {
		d.rank[lower(w)] = i + 1
		d.longest = max(d.longest, len(w))
	}
	return d
}

// lower lowers ASCII letters and nothing else, so that places stay the same.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// words finds every word of the dictionary in text.
func (d dictionary) words(text string) (out []match.Match) {
	low := lower(text)
	for i := range len(low) {
		for j := i; j < min(len(low), i+d.longest); j++ {
			rank, ok := d.rank[low[i:j+1]]
			if !ok {
				continue
			}
			m := match.Match{Pattern: "dictionary", DictionaryName: d.name, I: i, J: j, Token: text[i : j+1]}
			m.Entropy = entropy.DictionaryEntropy(m, float64(rank))
			out = append(out, m)
		}
	}
	return out
}

// letters are what people write for letters.
var letters = map[byte]string{
	'4': "a", '@': "a", '8': "b", '(': "c", '{': "c", '[': "c", '<': "c", '3': "e", '6': "g", '9': "g", '1': "il", '!': "i",
	'|': "il", '7': "lt", '0': "o", '$': "s", '5': "s", '+': "t", '%': "x", '2': "z",
}

// unleet reads signs as the letters that they may stand for, all of them at once: where one means itself, the plain text
// is searched anyway. A guesser tries that too, nearly for nothing.
func unleet(plain string) []string {
	readings := []string{plain}
	seen := map[byte]bool{}
	for i := range len(plain) {
		sign := plain[i]
		options := letters[sign]
		if options == "" || seen[sign] {
			continue
		}
		seen[sign] = true
		var next []string
		for _, r := range readings {
			for k := range len(options) {
				next = append(next, strings.ReplaceAll(r, string(rune(sign)), options[k:k+1]))
			}
		}
		readings = next
	}
	if len(seen) == 0 {
		return nil
	}
	return readings
}
