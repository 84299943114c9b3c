package op

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"strconv"
	"time"
)

// StrictCSP is the policy of pages and files: nothing but what the server itself sends, no script from text.
const StrictCSP = "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

func setCookies(w http.ResponseWriter, cs []*http.Cookie) {
	for _, c := range cs {
		http.SetCookie(w, c)
	}
}

func disposition(w http.ResponseWriter, name string) {
	if name != "" {
		w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	}
}

// Write sends the file, honouring ranges and preconditions.
func (f File) Write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.Type)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", StrictCSP+"; sandbox")
	h.Set("Cache-Control", "no-store")
	if f.MaxAge > 0 {
		h.Set("Cache-Control", "private, max-age="+strconv.Itoa(f.MaxAge))
	}
	if f.Download {
		disposition(w, f.Name)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		_, _ = w.Write(f.Body) // the client is gone when this fails, and nothing else can be told
		return
	}
	http.ServeContent(w, r, "", f.Modified, bytes.NewReader(f.Body))
}

// Write sends the redirect.
func (d Redirect) Write(w http.ResponseWriter, _ *http.Request) {
	setCookies(w, d.Cookie)
	w.Header().Set("Location", d.URL)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(orCode(d.Code, http.StatusFound))
}

// Write sends the page.
func (p Page) Write(w http.ResponseWriter, _ *http.Request) {
	setCookies(w, p.Cookie)
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	csp := p.CSP
	if csp == "" {
		csp = StrictCSP
	}
	h.Set("Content-Security-Policy", csp)
	w.WriteHeader(orCode(p.Code, http.StatusOK))
	_, _ = w.Write(p.HTML)
}

// Write sends the stream. A failure in the middle ends the connection, so that the client does not take it as whole.
func (s Stream) Write(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", s.Type)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	disposition(w, s.Name)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
	if err := s.Copy(w); err != nil && r.Context().Err() == nil {
		panic(http.ErrAbortHandler)
	}
}

// Write sends the JSON.
func (j JSON) Write(w http.ResponseWriter, _ *http.Request) {
	b, err := json.Marshal(j.Body)
	if err != nil {
		panic(err)
	}
	setCookies(w, j.Cookie)
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	if j.MaxAge > 0 {
		h.Set("Cache-Control", "public, max-age="+strconv.Itoa(j.MaxAge))
	}
	h.Set("Content-Length", strconv.Itoa(len(b))) // one write, and no chunks
	w.WriteHeader(orCode(j.Code, http.StatusOK))
	_, _ = w.Write(b)
}

func orCode(code, def int) int {
	if code == 0 {
		return def
	}
	return code
}
