package login

import (
	"context"
	"slices"

	"limen/internal/call"
	"limen/internal/core/factor"
)

// alone adds to the first challenge the mechanisms of which one ends the sign-in by itself, as far as the person shown has enrolled
// them; or puts them in place of challenges that would not let in.
func (l *Logins) alone(ctx context.Context, c *call.Call, s *state, who subject, p Profile, instead bool) error {
	made, err := l.singles(ctx, c, who, p)
	if err != nil || len(made) == 0 {
		return err
	}
	for _, ch := range made {
		s.Single = append(s.Single, ch.Name)
	}
	if instead || len(s.Challenges) == 0 {
		s.Challenges, s.Lone = [][]factor.Challenge{made}, slices.Clone(s.Single)
		return nil
	}
	for _, ch := range made {
		if !slices.ContainsFunc(s.Challenges[0], func(has factor.Challenge) bool { return has.Name == ch.Name }) {
			s.Challenges[0], s.Lone = append(s.Challenges[0], ch), append(s.Lone, ch.Name)
		}
	}
	return nil
}

// singles are challenges of the mechanisms that end a sign-in by themselves.
func (l *Logins) singles(ctx context.Context, c *call.Call, who subject, p Profile) (out []factor.Challenge, err error) {
	for _, name := range p.Single {
		ch, ok, err := l.offer(ctx, c, who, l.mechanism(name))
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, ch)
		}
	}
	return out, nil
}

// ends says whether a mechanism that is passed now ends the sign-in, whatever else was to be answered.
func (s *state) ends(name string) bool {
	return s.At == 0 && !s.Recovery && !s.beside() && slices.Contains(s.Single, name)
}
