package rpc

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestRest(t *testing.T) {
	type bag struct {
		Name string         `json:"Name"`
		Rest map[string]any `json:"*" rpc:"rest"`
	}
	for body, want := range map[string]bag{
		`{}`:                                  {},
		`{"name":"n"}`:                        {Name: "n"},
		`{"name":"n","A":1,"b":{"c":[true]}}`: {"n", map[string]any{"A": json.Number("1"), "b": map[string]any{"c": []any{true}}}},
		`{"*":null}`:                          {Rest: map[string]any{"*": nil}},
	} {
		var got bag
		n, err := Bind(Request{Body: []byte(body)}, &got)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v %v", body, got, err)
		}
		if (n > 0) != (body != `{}`) {
			t.Errorf("%s: %d parameters", body, n)
		}
	}
	var got bag
	if _, err := Bind(Request{Body: []byte(`{"A":1,"A":2}`)}, &got); err == nil {
		t.Error("one name with two values")
	}
	if _, err := Bind(Request{Body: []byte(`{"A":[[[[[1]]]]]}`), MaxDepth: 3}, &got); err == nil {
		t.Error("nested too deeply")
	}
	if err := Check(&struct {
		Rest map[string]string `rpc:"rest"`
	}{}); err == nil {
		t.Error("a rest of texts")
	}
}
