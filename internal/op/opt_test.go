package op

import (
	"encoding/json"
	"testing"
)

func TestOpt(t *testing.T) {
	type in struct {
		A Opt[bool]   `json:"a,omitzero"`
		B Opt[string] `json:"b,omitzero"`
		C Opt[int]    `json:"c,omitzero"`
	}
	var x in
	if err := json.Unmarshal([]byte(`{"a":false,"b":null}`), &x); err != nil {
		t.Fatal(err)
	}
	if !x.A.Given() || x.A.Null() || x.A.Or(true) {
		t.Error("a present false", x.A)
	}
	if !x.B.Given() || !x.B.Null() || x.B.Or("d") != "d" {
		t.Error("b null", x.B)
	}
	if x.C.Given() || x.C.Or(7) != 7 {
		t.Error("c absent", x.C)
	}
	b, err := json.Marshal(x)
	if err != nil || string(b) != `{"a":false,"b":null}` {
		t.Errorf("%s %v", b, err)
	}
}
