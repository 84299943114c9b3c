package policy_test

import (
	"encoding/json"
	"testing"

	"limen/internal/core/policy"
)

// FuzzCheck gives values of every kind of setting whatever bytes a client might send: they are refused, or can be read back.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{
		`true`, `"5"`, `5.0`, `null`, `""`, `"AlwaysAllowed"`, `[]`, `{"_Type":"RowSet","Enabled":"true","_Value":[]}`,
		`{"_Value":[{"Conditions":[{"Prop":"Time","Op":"OpBetween","Val":"L,22:00,06:00"}],"ProfileId":"-1"}]}`,
		`{"_Value":[{"Conditions":[{"Prop":"DateRange","Op":"OpBetween","Val":"U,08/26/2020,08/29/2020"}],"ProfileId":5}]}`,
		`"{\"_Value\":[]}"`,
	} {
		f.Add([]byte(seed))
	}
	p := &policy.Policies{}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) {
			return // the codec gives JSON
		}
		for _, k := range policy.Keys() {
			if k.Kind == policy.Secret {
				continue // it is sealed, which needs keys
			}
			s, err := p.Check(t.Context(), nil, map[string]json.RawMessage{k.Path: raw})
			if err != nil && len(s) > 1 {
				t.Fatalf("%s: %v", k.Path, s)
			}
			again, err2 := p.Check(t.Context(), nil, s)
			if err == nil && (err2 != nil || len(again) != len(s)) {
				t.Fatalf("%s: what was taken is refused: %v", k.Path, err2)
			}
		}
	})
}
