package op_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"limen/internal/op"
)

func TestDocument(t *testing.T) {
	d, err := op.NewDocument(map[string]int{"a": 1}, 300)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(tags string) *http.Response {
		r, w := httptest.NewRequest(http.MethodGet, "/", http.NoBody), httptest.NewRecorder()
		if tags != "" {
			r.Header.Set("If-None-Match", tags)
		}
		d.Write(w, r)
		w.Header().Add("Etag", "of this answer alone")
		return w.Result()
	}
	first := ask("")
	tag := first.Header.Get("Etag")
	if first.StatusCode != 200 || tag == "" || first.Header.Get("Cache-Control") != "public, max-age=300" || first.ContentLength != 7 {
		t.Errorf("%d %v", first.StatusCode, first.Header)
	}
	for tags, want := range map[string]int{tag: 304, "W/" + tag: 304, `"x", ` + tag: 304, "*": 304, `"x"`: 200, tag[:5]: 200} {
		if got := ask(tags); got.StatusCode != want || got.Header.Get("Etag") != tag {
			t.Errorf("%s: %d with %v", tags, got.StatusCode, got.Header)
		}
	}
}
