package policy_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"limen/internal/call"
	"limen/internal/core/login"
	"limen/internal/core/policy"
	"limen/internal/core/risk"
)

// A sign-in of unknown risk fits no condition but one that names Unknown, however it is put: it is neither let in as one of low risk nor shut out as one
// of high risk.
func TestUnknownRiskFitsWhatNamesItAlone(t *testing.T) {
	each(t, func(w *world) {
		for cond, want := range map[policy.Condition]bool{
			{Prop: "RiskLevel", Op: "OpEqual", Val: "Unknown"}:      true,
			{Prop: "RiskLevel", Op: "OpEqual", Val: "High,Unknown"}: true,
			{Prop: "RiskLevel", Op: "OpEqual", Val: "Normal,High"}:  false,
			{Prop: "RiskLevel", Op: "OpNotEqual", Val: "High"}:      false,
			{Prop: "RiskLevel", Op: "OpNotEqual", Val: "Normal"}:    false,
			{Prop: "RiskLevel", Op: "OpNotEqual", Val: "Unknown"}:   false,
			{Prop: "RiskLevel", Op: "OpLessThan", Val: "High"}:      false,
			{Prop: "RiskLevel", Op: "OpGreaterThan", Val: "Normal"}: false,
		} {
			w.save("Rules", everybody, values{enabled: true, otherwise: w.weak, rulesKey: rule(policy.Never, cond)})
			w.read(func(ctx context.Context, c *call.Call) error {
				e, err := w.p.Explain(ctx, c, w.anna.ID, policy.Situation{Risk: risk.Unknown})
				if got := e.Verdict == policy.Refused; got != want {
					t.Errorf("%+v: %v", cond, got)
				}
				return err
			})
		}
	})
}

func TestValuesOfRiskConditions(t *testing.T) {
	for cond, want := range map[policy.Condition]string{
		{Prop: "RiskLevel", Op: "OpEqual", Val: "Grave"}:          "Normal, Low, Medium, High or Unknown",
		{Prop: "risklevel", Op: "OpEqual"}:                        "Normal, Low, Medium, High or Unknown",
		{Prop: "RiskLevel", Op: "OpGreaterThan", Val: "Unknown"}:  "compared with",
		{Prop: "RiskLevel", Op: "OpLessThan", Val: "Low,High"}:    "compared with",
		{Prop: "RiskLevel", Op: "OpEqual", Val: " low , Unknown"}: "",
		{Prop: "RiskLevel", Op: "OpGreaterThan", Val: "low"}:      "",
		{Prop: "RiskLevel", Op: "OpElsewhere", Val: "low"}:        "",
	} {
		raw, _ := json.Marshal(rule("x", cond))
		if got := policy.MisfitRules(raw); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%+v: %q", cond, got)
		}
	}
}

// The level that a sign-in was given as it began is what its rules go by; what is decided elsewhere is rated where a rule looks at it, and not else.
func TestRulesGoByTheRatingOfTheSignIn(t *testing.T) {
	each(t, func(w *world) {
		asked := 0
		w.p.Risk = func(context.Context, *call.Call, string) (risk.Level, error) { asked++; return risk.High, nil }
		high := policy.Condition{Prop: "RiskLevel", Op: "OpEqual", Val: "High"}
		app, _ := json.Marshal(rule(policy.Never, high))
		plain, _ := json.Marshal(rule(policy.Never, policy.Condition{Prop: "IdentityCookie", Op: "OpExists"}))
		for _, x := range []struct {
			rules []byte
			want  policy.Verdict
			asked int
		}{{app, policy.Refused, 1}, {plain, policy.ByLeast, 0}} {
			asked = 0
			w.read(func(ctx context.Context, c *call.Call) error {
				d, err := w.p.Judge(ctx, c, w.anna.ID, x.rules, "")
				if d.Verdict != x.want || asked != x.asked {
					t.Errorf("%s: %s after %d ratings", x.rules, d.Verdict, asked)
				}
				return err
			})
		}
		w.save("Rules", everybody, values{enabled: true, otherwise: w.weak, rulesKey: rule(policy.Never, high)})
		w.l.Logins.Risks = &risk.Risks{Settings: w.l.Settings, Throttle: w.l.Throttle}
		asked = 0
		w.read(func(ctx context.Context, c *call.Call) error {
			p, err := w.p.Login(ctx, c, w.anna, login.Profile{Risk: risk.Low})
			if p.Refused != "" || asked != 0 {
				t.Error(p.Refused, asked)
			}
			return err
		})
	})
}
