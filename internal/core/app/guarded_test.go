package app

import (
	"encoding/json"
	"testing"
)

// An application with rules of its own is open to nobody while nothing decides them.
func TestGuarded(t *testing.T) {
	for members, want := range map[string]bool{
		`{}`:                                         false,
		`{"DefaultAuthProfile":"AlwaysAllowed"}`:     false,
		`{"DefaultAuthProfile":"-1"}`:                true,
		`{"DefaultAuthProfile":"0b1c"}`:              true,
		`{"PolicyScript":""}`:                        false,
		`{"PolicyScript":"policy.Locked = true"}`:    true,
		`{"AuthRules":{"Enabled":true,"_Value":[]}}`: false,
		`{"AuthRules":{"Enabled":true,"_Value":[{"ProfileId":"AlwaysAllowed"}]}}`:  true,
		`{"AuthRules":{"Enabled":false,"_Value":[{"ProfileId":"AlwaysAllowed"}]}}`: false,
		`{"AuthRules":"x"}`: true,
	} {
		var it App
		if err := json.Unmarshal([]byte(members), &it.Members); err != nil {
			t.Fatal(err)
		}
		it.Profile = &Profile{}
		got, err := it.client()
		if err != nil || got.Guarded != want {
			t.Errorf("%s: guarded is %v, want %v %v", members, got.Guarded, want, err)
		}
	}
}
