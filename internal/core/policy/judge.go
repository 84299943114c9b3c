package policy

import (
	"context"
	"encoding/json"
	"strings"

	"limen/internal/call"
)

// Judge decides by rules that are no policy set's, such as an application's own: the first rule that fits says how, else fallback does. Where
// neither says anything, nothing more is asked than to be signed in.
func (p *Policies) Judge(ctx context.Context, c *call.Call, personID string, rules json.RawMessage, fallback string) (Decision, error) {
	all, err := readRules(rules)
	if err != nil {
		return Decision{Verdict: Refused, Why: "The rules cannot be read."}, nil //nolint:nilerr // nobody gets in by a mistake
	}
	at, err := p.Here(ctx, c, personID)
	if err != nil {
		return Decision{}, err
	}
	if at, err = p.rated(ctx, c, at, all); err != nil {
		return Decision{}, err
	}
	d, reference := Decision{}, strings.TrimSpace(fallback)
	if reference == "" {
		reference = Always
	}
	for i, rule := range all {
		t, err := p.try(ctx, c, at, i+1, rule)
		if err != nil {
			return d, err
		}
		d.Tried = append(d.Tried, t)
		if t.Fits {
			reference = t.Profile
			break
		}
	}
	return d, p.resolve(ctx, c, &d, reference, nil)
}
