package dialects

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// ask sends a request as the administrator, and gives status and body.
func (w *world) ask(method, path string, body any, header ...string) (int, []byte) {
	w.t.Helper()
	res, b := w.send(method, path, body, header...)
	return res.StatusCode, b
}

// send is ask with all of the answer; its body is read.
func (w *world) send(method, path string, body any, header ...string) (*http.Response, []byte) {
	w.t.Helper()
	text, ok := body.(string)
	if !ok && body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			w.t.Fatal(err)
		}
		text = string(b)
	}
	r, err := http.NewRequest(method, w.site.URL+path, strings.NewReader(text))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Host = w.site.Host
	r.Header.Set("Authorization", "Bearer "+w.site.TokenOf(w.t, "admin"))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := w.site.HTTP.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return res, b
}

type object = map[string]any

func truth(is bool) string {
	if is {
		return "true"
	}
	return "false"
}
