package rpc

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

type word string

type loud string

func (l loud) MarshalText() ([]byte, error) { return []byte(string(l) + "!"), nil }

type inner struct{ A string }

type simple struct {
	Text   string `json:"Text"`
	Word   word   `json:"word_2"`
	On     bool   `json:"On"`
	N      int64  `json:"N"`
	Small  int8   `json:"small"`
	hidden string
	At     Time `json:"At"`
}

func standard(t interface{ Fatal(...any) }, v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

func TestFlatIsAsTheStandardWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := simple{
			Text: rapid.String().Draw(t, "text"), Word: word(rapid.SliceOf(rapid.Byte()).Draw(t, "word")), On: rapid.Bool().Draw(t, "on"),
			N: rapid.Int64().Draw(t, "n"), Small: rapid.Int8().Draw(t, "small"), hidden: "x",
			At: Time(time.UnixMilli(rapid.Int64Range(minMillis, maxMillis).Draw(t, "at"))),
		}
		if rapid.Bool().Draw(t, "unset") {
			v.At = Time{}
		}
		got, ok := appendFlat([]byte("x"), v)
		if want := "x" + standard(t, v); !ok || string(got) != want {
			t.Fatalf("%s, want %s", got, want)
		}
	})
}

// Whatever has a way of its own is left to encoding/json.
func TestNotFlat(t *testing.T) {
	for _, v := range []any{
		struct{}{}, struct{ A string }{"a"}, struct {
			A string `json:"A,omitempty"`
		}{}, struct {
			A string `json:"-"`
		}{}, struct {
			inner
			B string `json:"B"`
		}{}, struct {
			L loud `json:"L"`
		}{"hey"}, struct {
			N json.Number `json:"N"`
		}{"5"}, struct {
			P *string `json:"P"`
		}{}, struct {
			F float64 `json:"F"`
		}{1}, loud("a"), map[string]string{}, []string{"a"}, 5.0,
	} {
		if got, ok := appendFlat(nil, v); ok {
			t.Errorf("%T is flat: %s", v, got)
		}
		if got, err := appendValue(nil, v); err != nil || string(got) != standard(t, v) {
			t.Errorf("%T: %s %v", v, got, err)
		}
	}
}
