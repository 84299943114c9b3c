package profile

import "slices"

// Lacking are the rounds that are still to be passed by somebody who has passed some mechanisms, without these mechanisms: one of them
// answers one round. A round that nothing else could answer counts as passed, as at sign-in.
func Lacking(rounds [][]string, passed []string) (out [][]string) {
	for _, round := range unanswered(rounds, passed) {
		rest := slices.DeleteFunc(slices.Clone(round), func(code string) bool { return slices.Contains(passed, code) })
		if len(rest) > 0 {
			out = append(out, rest)
		}
	}
	return out
}

// unanswered leaves as few rounds as possible.
func unanswered(rounds [][]string, passed []string) [][]string {
	if len(rounds) == 0 {
		return nil
	}
	best := append([][]string{rounds[0]}, unanswered(rounds[1:], passed)...)
	for i, code := range passed {
		if !slices.Contains(rounds[0], code) {
			continue
		}
		if rest := unanswered(rounds[1:], slices.Delete(slices.Clone(passed), i, i+1)); len(rest) < len(best) {
			best = rest
		}
	}
	return best
}
