package app

import (
	"encoding/json"
	"testing"
)

// An application with rules of its own is ruled by them, and open to nobody where nothing can decide them.
func TestGuarded(t *testing.T) {
	const open, ruled, closed = 0, 1, 2
	for members, want := range map[string]int{
		`{}`:                                         open,
		`{"DefaultAuthProfile":"AlwaysAllowed"}`:     open,
		`{"DefaultAuthProfile":"-1"}`:                ruled,
		`{"DefaultAuthProfile":"0b1c"}`:              ruled,
		`{"PolicyScript":""}`:                        open,
		`{"PolicyScript":" @Empty"}`:                 ruled,
		`{"PolicyScript":"@Empty"}`:                  open,
		`{"PolicyScript":"policy.Locked = true"}`:    ruled,
		`{"AuthRules":{"Enabled":true,"_Value":[]}}`: open,
		`{"AuthRules":{"Enabled":true,"_Value":[{"ProfileId":"AlwaysAllowed"}]}}`:  ruled,
		`{"AuthRules":{"Enabled":false,"_Value":[{"ProfileId":"AlwaysAllowed"}]}}`: open,
		`{"AuthRules":"x"}`: closed,
	} {
		var it App
		if err := json.Unmarshal([]byte(members), &it.Members); err != nil {
			t.Fatal(err)
		}
		it.Profile = &Profile{}
		got, err := it.client()
		if err != nil || got.Guarded != (want == closed) || got.Ruled != (want == ruled) {
			t.Errorf("%s: closed %v, ruled %v, want %v %v", members, got.Guarded, got.Ruled, want, err)
		}
	}
}
