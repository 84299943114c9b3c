package op_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"limen/internal/op"
)

func TestRawResults(t *testing.T) {
	cookie := []*http.Cookie{{Name: "a", Value: "b"}}
	for name, c := range map[string]struct {
		out     op.Raw
		status  int
		body    string
		headers map[string]string
	}{
		"file": {op.File{Type: "image/png", Body: []byte("PNG"), MaxAge: 60}, 200, "PNG",
			map[string]string{"Content-Type": "image/png", "Cache-Control": "private, max-age=60", "X-Content-Type-Options": "nosniff"}},
		"download": {op.File{Type: "text/csv", Name: `a "b".csv`, Body: []byte("x"), Download: true}, 200, "x",
			map[string]string{"Content-Disposition": `attachment; filename="a \"b\".csv"`, "Cache-Control": "no-store"}},
		"redirect": {op.Redirect{URL: "/login", Cookie: cookie}, 302, "", map[string]string{"Location": "/login", "Set-Cookie": "a=b"}},
		"page": {op.Page{HTML: []byte("<p>")}, 200, "<p>",
			map[string]string{"Content-Security-Policy": op.StrictCSP, "Referrer-Policy": "no-referrer"}},
		"json": {op.JSON{Code: 404, Body: map[string]int{"a": 1}}, 404, `{"a":1}`, map[string]string{"Cache-Control": "no-store"}},
		"stream": {op.Stream{Type: "text/plain", Name: "x.txt", Copy: func(w io.Writer) error { _, err := io.WriteString(w, "long"); return err }}, 200, "long",
			map[string]string{"Content-Disposition": "attachment; filename=x.txt"}},
	} {
		w := httptest.NewRecorder()
		c.out.Write(w, httptest.NewRequest("GET", "/", nil))
		if w.Code != c.status || w.Body.String() != c.body {
			t.Errorf("%s: %d %q", name, w.Code, w.Body)
		}
		for k, v := range c.headers {
			if got := w.Header().Get(k); got != v {
				t.Errorf("%s: %s is %q, want %q", name, k, got, v)
			}
		}
	}
}

func TestAFileIsSentInParts(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Range", "bytes=2-3")
	w := httptest.NewRecorder()
	op.File{Type: "text/plain", Body: []byte("abcdef")}.Write(w, r)
	if w.Code != http.StatusPartialContent || w.Body.String() != "cd" {
		t.Error(w.Code, w.Body)
	}
}

func TestABrokenStreamEndsTheConnection(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		op.Stream{Type: "text/plain", Copy: func(w io.Writer) error {
			_, _ = io.WriteString(w, strings.Repeat("x", 1<<16))
			return errors.New("the source broke")
		}}.Write(w, r)
	}))
	defer srv.Close()
	res, err := http.Get(srv.URL)
	if err == nil {
		_, err = io.ReadAll(res.Body)
		res.Body.Close()
	}
	if err == nil {
		t.Error("the client takes half a stream for a whole one")
	}
}
