package profile

import (
	"math/bits"
	"slices"
)

// trait is what a mechanism proves.
type trait uint8

const (
	knowledge  trait = 1 << iota // something known
	possession                   // something held
	inherence                    // something of the body
	resistant                    // a page that only looks like ours gets nothing from it
	hardware                     // its key does not leave the thing that holds it, as that says itself

	categories = knowledge | possession | inherence
)

type mechanism struct {
	traits trait
	alone  bool // may end a sign-in by itself
	second bool // never begins one
}

// mechanisms are the codes that profiles may name (policies.yaml n 168, mechanism_codes). A mechanism counts for what it
// proves in any case: what stands behind RADIUS may be a password; a passkey may have been copied between devices, and
// where the key of an on-device authenticator lies is not known without attestation. RECOVERY is this program's own.
var mechanisms = map[string]mechanism{
	"UP": {traits: knowledge}, "SQ": {traits: knowledge}, "RADIUS": {traits: knowledge},
	"OTP": {traits: possession}, "PF": {traits: possession}, "SMS": {traits: possession}, "EMAIL": {traits: possession},
	"OATH": {traits: possession}, "DUO": {traits: possession}, "QR": {traits: possession, alone: true},
	"U2F": {traits: possession | resistant | hardware}, "U2FONDEVICE": {traits: possession | inherence | resistant},
	"PASSKEY": {traits: possession | inherence | resistant, alone: true}, "RECOVERY": {traits: possession, second: true},
}

// Mechanisms lists the codes that profiles may name.
func Mechanisms() []string {
	return []string{"UP", "OTP", "PF", "SMS", "EMAIL", "OATH", "SQ", "QR", "U2F", "U2FONDEVICE", "PASSKEY", "RADIUS", "DUO", "RECOVERY"}
}

// Score is how much a profile assures at least: of all ways through it, the weakest counts.
type Score struct {
	Level  int   // 1 to 3, after the levels of NIST SP 800-63B
	Points int   // 10 for each category of factors, 5 when one resists phishing, 5 when that is bound to hardware: 10 to 40
	Rounds []int // level of each round by itself
}

// Assure scores rounds of known codes. One category of factors is level 1, two are level 2, and a key in hardware that
// resists phishing together with another category is level 3. A mechanism does not count twice: when it has been used in
// the first round it is not offered in the second.
func Assure(rounds [][]string) Score {
	out := Score{Rounds: make([]int, len(rounds))}
	for i, r := range rounds {
		out.Rounds[i], _ = weakest([][]string{r})
	}
	out.Level, out.Points = weakest(rounds)
	return out
}

// weakest goes through all ways to pass the rounds.
func weakest(rounds [][]string) (level, points int) {
	level, points = 4, 0
	var walk func(at int, used []string, have trait) bool
	walk = func(at int, used []string, have trait) (passed bool) {
		if at == len(rounds) {
			if l, p := have.score(); l < level || l == level && p < points {
				level, points = l, p
			}
			return true
		}
		for _, code := range rounds[at] {
			if !slices.Contains(used, code) && walk(at+1, append(slices.Clone(used), code), have|mechanisms[code].traits) {
				passed = true
			}
		}
		return passed
	}
	if !walk(0, nil, 0) && len(rounds) > 1 { // the rounds are one and the same mechanism
		return weakest(rounds[:1])
	}
	if level > 3 {
		return 0, 0
	}
	return level, points
}

// Reached is the level that somebody reaches who has passed some mechanisms: 1 or 2, and 0 for none. Where a key lies is the authenticator's own
// word, since no attestation is asked for: what others are told of a sign-in does not rest on it.
func Reached(passed []string) int {
	var have trait
	for _, code := range passed {
		have |= mechanisms[code].traits
	}
	level, _ := (have &^ hardware).score()
	return level
}

// Raising are those of some mechanisms with one of which somebody reaches a level.
func Raising(passed []string, level int, among []string) (out []string) {
	for _, code := range among {
		if !slices.Contains(passed, code) && Reached(append(slices.Clone(passed), code)) >= level {
			out = append(out, code)
		}
	}
	return out
}

func (t trait) score() (level, points int) {
	n := bits.OnesCount8(uint8(t & categories))
	level, points = min(n, 2), 10*n
	if t&resistant != 0 {
		points += 5
		if t&hardware != 0 {
			points += 5
			if n > 1 {
				level = 3
			}
		}
	}
	return level, points
}
