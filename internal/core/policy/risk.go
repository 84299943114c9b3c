package policy

import (
	"context"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/risk"
)

// propRisk is the property of conditions about the level of risk, folded.
const propRisk = "risklevel"

// levels reads the value of a condition about risk: levels with commas between, of which one is enough; false when it is none.
func levels(value string) (out []risk.Level, ok bool) {
	for word := range strings.SplitSeq(value, ",") {
		at := slices.IndexFunc(risk.Levels, func(l risk.Level) bool { return strings.EqualFold(string(l), strings.TrimSpace(word)) })
		if at < 0 {
			return nil, false
		}
		out = append(out, risk.Levels[at])
	}
	return out, true
}

// atRisk tests a condition about the level of risk. A sign-in whose risk is Unknown fits conditions alone that name Unknown: neither a rule that lets in
// below a level nor one that asks for more above it may take it for what it is not.
func atRisk(cond Condition, at risk.Level) (bool, string) {
	if at == "" {
		return false, "the risk is not rated"
	}
	of, ok := levels(cond.Val)
	if !ok {
		return false, "the value is no level of risk"
	}
	why := "the risk is " + string(at)
	rank := func(l risk.Level) int { return slices.Index(risk.Levels, l) }
	in := slices.Contains(of, at)
	switch op := strings.ToLower(cond.Op); {
	case op == "opequal":
		return in, why
	case op != "opnotequal" && op != "opgreaterthan" && op != "oplessthan":
		return false, noOp(cond)
	case at == risk.Unknown:
		return false, why
	case op == "opnotequal":
		return !in, why
	case len(of) != 1 || of[0] == risk.Unknown:
		return false, "the value is no level to compare with"
	case op == "opgreaterthan":
		return rank(at) > rank(of[0]), why
	}
	return rank(at) < rank(of[0]), why
}

// misfitRisk completes "a condition whose value ..."; empty when it fits. Operators that are not known here are kept, as everywhere.
func misfitRisk(cond Condition) string {
	of, ok := levels(cond.Val)
	if !ok {
		return "must be Normal, Low, Medium, High or Unknown, several with commas between"
	}
	switch strings.ToLower(cond.Op) {
	case "opgreaterthan", "oplessthan":
		if len(of) != 1 || of[0] == risk.Unknown {
			return "must be one of Normal, Low, Medium and High, to be compared with"
		}
	}
	return ""
}

// rated completes a situation of the call by the level of risk where rules look at it and nobody has rated it yet.
func (p *Policies) rated(ctx context.Context, c *call.Call, at Situation, rules []Rule) (Situation, error) {
	looks := slices.ContainsFunc(rules, func(r Rule) bool {
		return slices.ContainsFunc(r.Conditions, func(cond Condition) bool { return strings.EqualFold(cond.Prop, propRisk) })
	})
	if at.Risk != "" || at.person == "" || p.Risk == nil || !looks {
		return at, nil
	}
	var err error
	at.Risk, err = p.Risk(ctx, c, at.person)
	return at, err
}
