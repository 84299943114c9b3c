package explanations

import (
	"context"
	"fmt"
	"strings"

	"limen/internal/core/policy"
	"limen/internal/core/role"
	"limen/internal/core/simulation"
	"limen/internal/core/user"
	"limen/internal/op"
	"limen/internal/surface/identity/policies"
)

// SignInAnswer is how somebody signs in, and why.
type SignInAnswer struct {
	policies.Explanation
	// Account says why the account cannot be used at all, as Locked or Suspended; empty when it can.
	Account string `json:"Account"`
	// Challenges are what is asked on a device that stands in for nothing: lists of mechanisms that the user has, of each of
	// which one is enough.
	Challenges [][]string `json:"Challenges"`
	// Refused is why nobody gets in, whatever is answered; empty: they may.
	Refused string `json:"Refused"`
	// RolePath leads from the user to Role; empty for sets that are everybody's.
	RolePath []Hop `json:"RolePath"`
}

func (a asked) signIn(ctx context.Context) error {
	at, err := a.situation(ctx)
	if err != nil {
		return err
	}
	w, _, err := a.Simulator.Explain(ctx, a.c, a.q.found.ID, at)
	if err != nil {
		return err
	}
	out := SignInAnswer{Account: barred(a.q.found, a.c), Challenges: rounds(w.Challenges), Refused: w.Refused, RolePath: []Hop{}}
	out.Explanation = policies.Explained(policy.Explained{Decision: w.Decision, Able: w.Refused == ""})
	if from := w.Decision.From.Role; from != "" && from != role.Everybody && a.full {
		if out.RolePath, err = a.to(ctx, from); err != nil {
			return err
		}
	}
	if !a.full {
		out.hide()
	}
	a.out.SignIn, a.out.Summary = &out, out.summary(a.q.found.Name)
	return nil
}

// situation is the one that was told, or that of the call where somebody asks about themselves and may not tell one.
func (a asked) situation(ctx context.Context) (policy.Situation, error) {
	if a.full {
		return a.q.Situation.At(a.c), nil
	}
	if a.q.Situation != (policies.Situation{}) {
		return policy.Situation{}, ErrOwn
	}
	return a.Policies.Here(ctx, a.c, a.q.found.ID)
}

// hide leaves out what would show the gaps of a policy.
func (s *SignInAnswer) hide() {
	s.Explanation = policies.Explanation{Verdict: s.Verdict, CanSignIn: s.CanSignIn, Rules: []policies.Tried{}, Why: "Ask an administrator for the reasons."}
	if s.Refused != "" {
		s.Refused = "You could not sign in from here."
	}
}

func (s *SignInAnswer) summary(name string) string {
	var why string
	if s.PolicySet != "" {
		why = " The policy set " + s.PolicySet + " decides"
		if n := len(s.Rules); n > 0 && s.Rules[n-1].Fits {
			why += fmt.Sprintf(" by its rule %d", s.Rules[n-1].Rule)
		} else if n > 0 {
			why += ", none of whose rules fits"
		}
		why += "."
	}
	switch {
	case s.Account != "":
		return fmt.Sprintf("%s cannot sign in: the account is %s.%s", name, s.Account, why)
	case s.Refused != "":
		return fmt.Sprintf("%s cannot sign in: %s.%s", name, strings.TrimSuffix(s.Refused, "."), why)
	}
	return fmt.Sprintf("%s signs in with %s.%s", name, spell(s.Challenges), why)
}

// spell writes challenges for people.
func spell(rounds [][]string) string {
	out := make([]string, len(rounds))
	for i, r := range rounds {
		out[i] = strings.Join(r, " or ")
	}
	return strings.Join(out, ", then ")
}

// rounds is never null.
func rounds(of [][]string) [][]string {
	if of == nil {
		return [][]string{}
	}
	return of
}

// barred says why an account cannot be used.
func barred(u user.User, c *op.Call) string {
	for why, is := range map[string]bool{"Locked": u.Locked || u.CloudLocked, "Disabled": u.Disabled, "Suspended": u.Suspended, "Expired": u.Expired || u.Ended(c.Now)} {
		if is {
			return why
		}
	}
	return ""
}

// way writes one side of a comparison.
func way(w *simulation.Way) *Way {
	if w == nil {
		return nil
	}
	out := Way{
		Verdict: string(w.Decision.Verdict), Why: w.Decision.Why, ProfileID: w.Profile, Profile: w.Name, Challenges: rounds(w.Challenges), Refused: w.Refused,
		Setting: w.Decision.From.Key, PolicySet: w.Decision.From.Block, Role: w.Decision.From.Role,
	}
	if n := len(w.Decision.Tried); n > 0 && w.Decision.Tried[n-1].Fits {
		out.Rule = w.Decision.Tried[n-1].Rule
	}
	return &out
}
