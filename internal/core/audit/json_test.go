package audit

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
)

// What is hashed is the text, so that it may not depend on how a value was handed over.
func TestEncode(t *testing.T) {
	type person struct {
		Name string `json:"name"`
		Born time.Time
	}
	deep := any("x")
	for range maxDeep {
		deep = []any{deep}
	}
	for want, v := range map[string]any{
		`null`:                         nil,
		`true`:                         true,
		`-5`:                           -5,
		`12345678901234567`:            int64(12345678901234567),
		`1.50`:                         json.Number("1.50"),
		`1.5`:                          1.5,
		`"Zoë <b>&\"\\\n\u0001\u2028"`: "Zoë <b>&\"\\\n\x01\u2028",
		"\"a\uFFFDb\"":                 "a\x00b",
		"\"\uFFFD\uFFFD\"":             "\xff\xfe",
		`"` + strings.Repeat("x", maxValue) + `"`: strings.Repeat("x", maxValue+1),
		`["a","b"]`:                []string{"a", "b"},
		`[]`:                       []string{},
		`{}`:                       map[string]any{},
		`{"a":1,"b":[null,false]}`: map[string]any{"b": []any{nil, false}, "a": 1},
		`{"new":2,"old":null}`:     call.Change{New: 2},
		`{"Born":"0001-01-01T00:00:00Z","name":"<>"}`:                               person{Name: "<>"},
		strings.Repeat("[", maxDeep-1) + `["..."]` + strings.Repeat("]", maxDeep-1): deep,
	} {
		if got, err := encode(&Log{}, "test", map[string]any{"K": v}); got != `{"K":`+want+`}` || err != nil {
			t.Errorf("%#v: %s, not %s: %v", v, got, want, err)
		}
	}
	for want, v := range map[string]any{`null`: []string(nil), `null `: map[string]any(nil), `null  `: []any(nil), `null   `: (*person)(nil)} {
		if got, err := encode(&Log{}, "test", map[string]any{"K": v}); got != `{"K":`+strings.TrimSpace(want)+`}` || err != nil {
			t.Errorf("%#v: %s, %v", v, got, err)
		}
	}
	if got, err := encode(&Log{}, "test", map[string]any{"K": make([]int, maxJSON/2)}); got != `{"truncated":true}` || err != nil {
		t.Errorf("%.50s, %v", got, err)
	}
	if _, err := encode(&Log{}, "test", map[string]any{"K": func() {}}); err == nil {
		t.Error("a function was written")
	}
}
