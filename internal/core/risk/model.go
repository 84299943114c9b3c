package risk

import (
	"context"

	"limen/internal/call"
)

// Model is how sign-ins of the tenant are rated.
type Model struct {
	Features          []Feature
	Low, Medium, High int // sums of weights from which a sign-in has these levels
}

// Feature is a reason that may be found.
type Feature struct {
	Name   string
	Means  string // when it is found, for people
	Weight int    // 0: it is not looked for
	Lacks  string // what it would go by and is not there, for people; empty: it has what it needs
}

// meanings say when reasons are found.
var meanings = map[string]string{
	NewDevice:        "The person has not signed in completely on the device before.",
	ImpossibleTravel: "Nobody comes so fast from where the person signed in last.",
	AccountFailures:  "Many attempts at the account failed not long ago.",
	NetworkFailures:  "Many attempts at other accounts failed not long ago from the network.",
	BadNetwork:       "The address is in a list of networks of ill repute.",
	LeakedPassword:   "The password that was typed is in the list of leaked ones.",
}

// Model says how sign-ins are rated.
func (r *Risks) Model(ctx context.Context, c *call.Call) (Model, error) {
	values, err := r.Settings.Get(ctx, c)
	if err != nil {
		return Model{}, err
	}
	v := &values.Risk
	out := Model{Low: v.Low, Medium: v.Medium, High: v.High, Features: make([]Feature, len(reasons))}
	for i, one := range reasons {
		out.Features[i] = Feature{one.name, meanings[one.name], one.weight(v), r.lacks(one.name)}
	}
	return out, nil
}

// lacks says what a reason would go by that the server was not given.
func (r *Risks) lacks(name string) string {
	switch {
	case name == ImpossibleTravel && r.Place == nil:
		return "The server has no database of places."
	case name == BadNetwork && r.Listed == nil:
		return "The server has no list of networks."
	case name == LeakedPassword && !r.Leaks:
		return "The server has no list of leaked passwords."
	}
	return ""
}
