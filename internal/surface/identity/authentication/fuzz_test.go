package authentication

import (
	"encoding/json"
	"testing"
)

// Whatever a client sends as an answer is read as a text or as texts by question, and nothing else.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{``, `null`, `"text"`, `123456`, `012345`, `{"u_1":"a","u_2":2}`, `{"u_1":null}`, `[1]`, `"\ud800"`, `{`, `true`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		a := answerOf(json.RawMessage(raw))
		if len(a.Text) > len(raw)*3 || a.Text != "" && a.Parts != nil {
			t.Fatalf("%q became %+v", raw, a)
		}
		for _, do := range []string{"", "answer", "STARTOOB", string(raw)} {
			got := action(do, "m", raw)
			if got.Do == "" && (do == "" || do == "answer" || do == "STARTOOB") {
				t.Fatal("a known action is not known", do)
			}
		}
	})
}
