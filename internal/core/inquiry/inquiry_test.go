package inquiry

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"limen/internal/fault"
)

var secrets = map[string]string{"STAND-IN": `pa"ss&w=1`}

func TestRequest(t *testing.T) {
	s := Service{URL: "https://old.example.com/check?v=1", Header: "X-Api-Key", Key: "hush", Names: []string{"request", "verdict"}}
	for result, want := range map[string]string{
		`{"json":{"u":"a","p":"STAND-IN","deep":[{"p":"STAND-IN"}]}}`: `POST https://old.example.com/check?v=1 application/json  {"deep":[{"p":"pa\"ss\u0026w=1"}],"p":"pa\"ss\u0026w=1","u":"a"}`,
		`{"json":"x STAND-IN"}`:                          `POST https://old.example.com/check?v=1 application/json  "x STAND-IN"`,
		`{"form":{"u":"a b","p":"STAND-IN"}}`:            `POST https://old.example.com/check?v=1 application/x-www-form-urlencoded  p=pa%22ss%26w%3D1&u=a+b`,
		`{"basic":{"user":"a","password":"STAND-IN"}}`:   `GET https://old.example.com/check?v=1  Basic YTpwYSJzcyZ3PTE= `,
		`{"query":{"n":"a&b","v":"2"}}`:                  `GET https://old.example.com/check?n=a%26b&v=2   `,
		`{"query":{"n":"STAND-IN"}}`:                     "!in the address",
		`{"json":1,"form":{}}`:                           "!go not together",
		`{"basic":{"user":"a:b","password":"STAND-IN"}}`: "!no colon",
		`{"form":{"a":1}}`:                               "!must return an object",
		`null`:                                           "!must return an object",
		`[]`:                                             "!must return an object",
		``:                                               "!must return an object",
		`{"query":{"n":"` + strings.Repeat("x", 5000) + `"}}`: "!too long",
	} {
		out, err := s.request(json.RawMessage(result), secrets)
		if why, wrong := strings.CutPrefix(want, "!"); wrong {
			if !errors.Is(err, ErrScript) || !strings.Contains(fault.Of(err).Public, why) {
				t.Errorf("%s: %v", result, err)
			}
			continue
		}
		got := strings.Join([]string{out.Method, out.URL, out.Header.Get("Content-Type"), out.Header.Get("Authorization"), string(out.Body)}, " ")
		if err != nil || got != want || out.Header.Get("X-Api-Key") != "hush" {
			t.Errorf("%s: %s %v, want %s", result, got, err, want)
		}
	}
}

func TestShown(t *testing.T) {
	for body, want := range map[string]string{
		`{"valid":true}`: `{"status":200,"type":"text/html","text":"{\"valid\":true}","json":{"valid":true}}`,
		`yes`:            `{"status":200,"type":"text/html","text":"yes","json":null}`,
		"\xff":           `{"status":200,"type":"text/html","text":"` + "\ufffd" + `","json":null}`,
		``:               `{"status":200,"type":"text/html","text":"","json":null}`,
	} {
		got, err := shown(Answer{Status: http.StatusOK, Type: "Text/HTML", Body: []byte(body)})
		if err != nil || string(got) != want {
			t.Errorf("%q: %s %v", body, got, err)
		}
	}
	if got, err := shown(Answer{Body: []byte(strings.Repeat("[", 1000) + strings.Repeat("]", 1000))}); err != nil || !strings.HasSuffix(string(got), `"json":null}`) {
		t.Errorf("%s %v", got, err)
	}
	if _, err := shown(Answer{Body: make([]byte, maxAnswer+1)}); !errors.Is(err, ErrService) {
		t.Error(err)
	}
}

// What a service answers is shown as JSON, whatever it is, and never deeper than the engine can take.
func FuzzShown(f *testing.F) {
	for _, seed := range []string{`{"a":["\"]["]}`, `[[[]]]`, "\xff", `"`, `{"a":1}x`, ``} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		raw, err := shown(Answer{Status: 200, Body: []byte(body)})
		if err != nil {
			return
		}
		var back struct{ JSON any }
		if err := json.Unmarshal(raw, &back); err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		if n := height(back.JSON); n > maxDeep {
			t.Fatalf("%q: %d levels", body, n)
		}
	})
}

func height(v any) (n int) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			n = max(n, height(e))
		}
		return n + 1
	case map[string]any:
		for _, e := range v {
			n = max(n, height(e))
		}
		return n + 1
	}
	return 0
}
