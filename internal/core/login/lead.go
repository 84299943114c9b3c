package login

import (
	"context"
	"slices"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/user"
)

// leads says whether a mechanism leads people elsewhere.
func leads(m factor.Mechanism) bool {
	_, ok := m.(factor.Leader)
	return ok
}

// second says whether a mechanism stands behind another one only: whoever found a printed code would need nothing else, and whoever is led
// to Duo in a name that it does not know enrols a device of theirs for it.
func second(name string) bool { return name == factor.Recovery || name == factor.Duo }

// behind are challenges without what never begins a sign-in, where it does.
func behind(challenges [][]string) [][]string {
	if len(challenges) == 0 || !slices.ContainsFunc(challenges[0], second) {
		return challenges
	}
	out := slices.Clone(challenges)
	out[0] = slices.DeleteFunc(slices.Clone(out[0]), second)
	return out
}

// shown says whether something was shown before: in the conversation, or for the session that it raises.
func (s *state) shown() bool { return len(s.Passed) > 0 || s.Raised != "" }

// lead finds out where a mechanism leads that is to be started; nil where that is nowhere, or it is not its turn. Names that do not exist
// are led as others are.
func (l *Logins) lead(ctx context.Context, c *call.Call, s *state, people [2]user.User, id string) (*factor.Away, error) {
	ch, at := s.challenge(id)
	if ch == nil || at != s.At || ch.Passed || !s.shown() {
		return nil, nil
	}
	m, ok := l.mechanism(ch.Name).(factor.Leader)
	if !ok {
		return nil, nil
	}
	return m.Lead(ctx, c, l.answering(s, people, ch.Name), *ch)
}
