package e2e

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// twilio is a gateway that keeps to the contract of Twilio's Messages and Calls resources (API 2010-04-01): the paths, basic
// authentication, the form's fields, status 201 and the answer's members.
type twilio struct {
	*httptest.Server
	SID, Token string

	mu   sync.Mutex
	got  []url.Values
	rang chan url.Values // calls
}

func newTwilio(t *testing.T) *twilio {
	w := &twilio{SID: "AC0123456789abcdef0123456789abcdef", Token: "token-of-the-account", rang: make(chan url.Values, 10)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2010-04-01/Accounts/{sid}/Messages.json", w.message)
	mux.HandleFunc("POST /2010-04-01/Accounts/{sid}/Calls.json", w.call)
	w.Server = httptest.NewServer(mux)
	t.Cleanup(w.Close)
	return w
}

func (w *twilio) message(out http.ResponseWriter, r *http.Request) {
	user, token, _ := r.BasicAuth()
	switch {
	case user != w.SID || token != w.Token || r.PathValue("sid") != w.SID:
		w.answer(out, http.StatusUnauthorized, map[string]any{"code": 20003, "message": "Authenticate", "status": 401})
		return
	case r.ParseForm() != nil || r.PostForm.Get("To") == "" || r.PostForm.Get("Body") == "":
		w.answer(out, http.StatusBadRequest, map[string]any{"code": 21604, "message": "A 'To' phone number is required.", "status": 400})
		return
	}
	w.mu.Lock()
	w.got = append(w.got, r.PostForm)
	w.mu.Unlock()
	id := make([]byte, 16)
	rand.Read(id)
	w.answer(out, http.StatusCreated, map[string]any{
		"sid": "SM" + hex.EncodeToString(id), "account_sid": w.SID, "status": "queued", "to": r.PostForm.Get("To"), "from": r.PostForm.Get("From"),
		"body": r.PostForm.Get("Body"), "num_segments": "1", "direction": "outbound-api", "error_code": nil, "error_message": nil,
		"date_created": time.Now().UTC().Format(time.RFC1123Z),
	})
}

func (w *twilio) answer(out http.ResponseWriter, status int, body any) {
	out.Header().Set("Content-Type", "application/json")
	out.WriteHeader(status)
	_ = json.NewEncoder(out).Encode(body)
}

// to gives the texts sent to a number, oldest first.
func (w *twilio) to(number string) (out []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.got {
		if f.Get("To") == number {
			out = append(out, f.Get("Body"))
		}
	}
	return out
}
