package captcha_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/captcha"
	"limen/internal/core/login/logintest"
)

type world struct {
	*logintest.World
	t *testing.T
	captcha.Captchas
}

func each(t *testing.T, f func(w *world)) {
	logintest.Each(t, func(t *testing.T, l *logintest.World) {
		w := &world{World: l, t: t}
		w.Captchas = captcha.Captchas{Ring: l.Logins.Ring, Settings: l.Settings}
		f(w)
	})
}

// challenge makes work that is little.
func (w *world) challenge() captcha.Challenge {
	w.t.Helper()
	ch, err := w.New(w.t.Context(), w.Call())
	if err != nil {
		w.t.Fatal(err)
	}
	return ch
}

// solve does it as a browser does.
func solve(t *testing.T, ch captcha.Challenge) map[string]any {
	t.Helper()
	for n := range ch.Most + 1 {
		sum := sha256.Sum256([]byte(ch.Salt + strconv.FormatInt(n, 10)))
		if hex.EncodeToString(sum[:]) == ch.Challenge {
			return map[string]any{"algorithm": ch.Algorithm, "challenge": ch.Challenge, "number": n, "salt": ch.Salt, "signature": ch.Signature}
		}
	}
	t.Fatal("no number solves it")
	return nil
}

func packed(v any) string {
	b, _ := json.Marshal(v)
	return base64.StdEncoding.EncodeToString(b)
}

func (w *world) check(answer string, want error) captcha.Proof {
	w.t.Helper()
	p, err := w.Check(w.t.Context(), w.Call(), answer)
	if !errors.Is(err, want) {
		w.t.Errorf("%v, want %v", err, want)
	}
	return p
}

func (w *world) use(p captcha.Proof, want error) {
	w.t.Helper()
	err := w.Try(func(ctx context.Context, c *call.Call) error { return w.Captchas.Use(ctx, c, p) })
	if !errors.Is(err, want) {
		w.t.Errorf("%v, want %v", err, want)
	}
}

// Work that was done is good once.
func TestWork(t *testing.T) {
	each(t, func(w *world) {
		w.Set("Captcha.Work", "1000")
		s := solve(w.t, w.challenge())
		p, q := w.check(packed(s), nil), w.check(packed(s), nil)
		w.use(p, nil)
		w.use(p, captcha.ErrWrong)
		w.use(q, captcha.ErrWrong)
		w.check(packed(s), captcha.ErrWrong)
		w.use(w.check(packed(solve(w.t, w.challenge())), nil), nil)
	})
}

// Work that was not done, or for somebody else, or too long ago, is good for nothing.
func TestForgedWork(t *testing.T) {
	each(t, func(w *world) {
		w.Set("Captcha.Work", "1000")
		good := solve(w.t, w.challenge())
		for name, forge := range map[string]func(s map[string]any){
			"another number":    func(s map[string]any) { s["number"] = s["number"].(int64) + 1 },
			"a negative number": func(s map[string]any) { s["number"] = -1 },
			"one's own challenge": func(s map[string]any) {
				sum := sha256.Sum256([]byte(s["salt"].(string) + "7"))
				s["challenge"], s["number"] = hex.EncodeToString(sum[:]), 7
			},
			"a longer life": func(s map[string]any) {
				salt := "00?expires=" + strconv.FormatInt(w.Now.Add(15*time.Minute).Unix(), 10)
				sum := sha256.Sum256([]byte(salt + "7"))
				s["salt"], s["challenge"], s["number"] = salt, hex.EncodeToString(sum[:]), 7
			},
			"digits moved from the number into the salt": func(s map[string]any) {
				n := strconv.FormatInt(s["number"].(int64)+0, 10)
				s["salt"] = s["salt"].(string) + n[:1]
				rest, _ := strconv.Atoi("0" + n[1:])
				s["number"] = rest
			},
			"another signature": func(s map[string]any) { s["signature"] = strings.Repeat("0", 64) },
			"another algorithm": func(s map[string]any) { s["algorithm"] = "MD5" },
			"no salt":           func(s map[string]any) { s["salt"] = "" },
		} {
			forged := map[string]any{}
			for k, v := range good {
				forged[k] = v
			}
			forge(forged)
			if _, err := w.Check(w.t.Context(), w.Call(), packed(forged)); !errors.Is(err, captcha.ErrWrong) {
				w.t.Errorf("%s: %v", name, err)
			}
		}
		for _, text := range []string{"", "x", "e30=", packed("x"), packed(nil), strings.Repeat("A", 5000)} {
			w.check(text, captcha.ErrWrong)
		}
		w.Now = w.Now.Add(10 * time.Minute)
		w.check(packed(good), captcha.ErrWrong)
	})
}

// What was used is forgotten when it is of no use any more.
func TestSweep(t *testing.T) {
	each(t, func(w *world) {
		w.Set("Captcha.Work", "1000")
		p := w.check(packed(solve(w.t, w.challenge())), nil)
		w.use(p, nil)
		if err := w.Sweep(w.t.Context(), w.DB, w.Now); err != nil {
			w.t.Error(err)
		}
		w.use(p, captcha.ErrWrong)
		if err := w.Sweep(w.t.Context(), w.DB, w.Now.Add(time.Hour)); err != nil {
			w.t.Error(err)
		}
		w.use(p, nil)
	})
}

// A service that the tenant names is asked in place of work, as reCAPTCHA is (developers.google.com/recaptcha/docs/verify).
func TestService(t *testing.T) {
	answers := map[string]string{
		"good": `{"success": true, "hostname": "x.example"}`, "bot": `{"success": true, "score": 0.1}`, "person": `{"success": true, "score": 0.9}`,
		"bad": `{"success": false, "error-codes": ["timeout-or-duplicate"]}`, "odd": `<html>`,
	}
	service := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.PostFormValue("secret") != "hush" || r.PostFormValue("remoteip") == "" {
			rw.WriteHeader(http.StatusBadRequest)
			return
		}
		_, _ = rw.Write([]byte(answers[r.PostFormValue("response")]))
	}))
	defer service.Close()
	each(t, func(w *world) {
		w.Post = func(_ context.Context, address string, form url.Values) (int, []byte, error) {
			a, err := service.Client().PostForm(address, form)
			if err != nil {
				return 0, nil, err
			}
			defer func() { _ = a.Body.Close() }()
			body, err := io.ReadAll(a.Body)
			return a.StatusCode, body, err
		}
		w.Set("Captcha.Service", service.URL)
		w.Set("Captcha.Secret", "hush")
		w.Set("Customer.ReCaptchaThreshold", "50")
		for answer, want := range map[string]error{"good": nil, "person": nil, "bot": captcha.ErrWrong, "bad": captcha.ErrWrong, "odd": captcha.ErrService, "": captcha.ErrWrong} {
			w.use(w.check(answer, want), nil)
		}
		w.Set("Captcha.Secret", "another")
		w.check("good", captcha.ErrService)
	})
}

// FuzzAnswer reads answers of strangers.
func FuzzAnswer(f *testing.F) {
	f.Add(packed(map[string]any{"algorithm": "SHA-256", "challenge": "00", "number": 1, "salt": "00?expires=1", "signature": "x"}))
	f.Add("e30")
	f.Fuzz(func(t *testing.T, answer string) {
		if number, salt, ok := captcha.Parsed(answer); ok && (number < 0 || len(salt) > len(answer)) {
			t.Errorf("%d %q", number, salt)
		}
	})
}
