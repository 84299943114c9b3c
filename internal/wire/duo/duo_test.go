package duo_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"limen/internal/wire/duo"
)

var app = duo.Application{
	Host: "api-1234abcd.duosecurity.com", ID: "DIABCDEFGHIJ12345678", Secret: strings.Repeat("s", duo.SecretLength), Redirect: "https://id.acme.test/login/duo",
}

// What is no request is not made, and nothing is signed with another secret than Duo gives.
func TestRequests(t *testing.T) {
	long := strings.Repeat("x", 22)
	for _, w := range []duo.Wish{{"", long, long}, {"anna", long[1:], long}, {"anna", long, ""}, {"anna", strings.Repeat("x", 1025), long}} {
		if at, err := app.Authorize(w, time.Now()); err == nil {
			t.Errorf("%+v: %s", w, at)
		}
	}
	at, err := app.Authorize(duo.Wish{"anna", long, long}, time.Now())
	if err != nil || !strings.HasPrefix(at, "https://api-1234abcd.duosecurity.com/oauth/v1/authorize?") {
		t.Error(at, err)
	}
	for _, secret := range []string{"", strings.Repeat("s", 39), strings.Repeat("s", 41)} {
		bad := app
		bad.Secret = secret
		if _, err := bad.Health(long, time.Now()); err == nil {
			t.Error("a secret of", len(secret))
		}
		if bad.Proves("eyJhbGciOiJIUzUxMiJ9.e30.AAAA", duo.Wish{}, time.Now()) == nil {
			t.Error("a secret of", len(secret))
		}
	}
}

// Answers of Duo that say nothing good say that something is wrong.
func TestAnswers(t *testing.T) {
	for _, body := range []string{"", "{}", "[]", `{"stat":"FAIL"}`, `{"stat":1}`} {
		if duo.ParseHealth([]byte(body)) == nil {
			t.Error(body)
		}
	}
	for _, body := range []string{"", "{}", `{"id_token":"x"}`, `{"id_token":"x","token_type":"MAC"}`, `{"token_type":"Bearer"}`, `{"id_token":"x","token_type":"Bearer","error":"e"}`} {
		if text, err := duo.ParseToken([]byte(body)); err == nil {
			t.Error(body, text)
		}
	}
	if err := duo.ParseHealth([]byte(`{"stat":"OK","response":{"timestamp":1}}`)); err != nil {
		t.Error(err)
	}
}

// What a browser brings back is read as it was written, whatever it is.
func FuzzParseBack(f *testing.F) {
	for _, s := range []string{"duo_code=a&state=" + strings.Repeat("x", 22), "https://id.acme.test/login/duo?duo_code=a&state=" + strings.Repeat("x", 30), "?", "%", "state=a&state=b", "AUTH|x|y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, ok := duo.ParseBack(text)
		if !ok {
			return
		}
		again, ok := duo.ParseBack(b.Query())
		if q, err := url.ParseQuery(b.Query()); !ok || again != b || err != nil || q.Get("state") != b.State {
			t.Errorf("%q: %+v %+v", text, b, again)
		}
	})
}

// No bytes are taken for an ID token that are none of the application's.
func FuzzProves(f *testing.F) {
	for _, s := range []string{"", "..", "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJIUzUxMiJ9.e30.AAAA", "{}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if app.Proves(text, duo.Wish{User: "anna", Nonce: "n"}, time.Unix(1_800_000_000, 0)) == nil {
			t.Error(text)
		}
		_, _ = duo.ParseToken([]byte(text))
		_ = duo.ParseHealth([]byte(text))
	})
}
