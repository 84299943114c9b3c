package passcode_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/login/logintest"
	"limen/internal/core/message"
	"limen/internal/core/outbox"
	"limen/internal/core/passcode"
	"limen/internal/core/post"
	"limen/internal/core/user"
)

// world is a tenant with somebody on the telephone.
type world struct {
	*logintest.World
	t *testing.T
	p passcode.Passcodes

	anna user.User
	sent post.Letter // the newest
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	logintest.Each(t, func(t *testing.T, l *logintest.World) {
		w := &world{World: l, t: t}
		w.p = passcode.Passcodes{Codes: factor.Codes{Ring: l.Logins.Ring}, Post: &post.Post{Outbox: &outbox.Outbox{
			DB: l.DB, Seal: func(_ context.Context, _ string, plain []byte, _ string) (string, error) {
				w.sent = post.Letter{}
				return "sealed", json.Unmarshal(plain, &w.sent)
			},
		}}}
		if err := w.p.Ensure(t.Context(), l.Tenant.ID); err != nil {
			t.Fatal(err)
		}
		w.anna = l.Add("anna", func(n *user.New) { n.Mail, n.Mobile = "anna@example.com", "+12065550100" })
		f(t, w)
	})
}

// send sends a code and gives it.
func (w *world) send(sms bool) string {
	w.t.Helper()
	w.Write(func(ctx context.Context, c *call.Call) error { return w.p.Send(ctx, c, w.anna, sms) })
	return w.sent.Data.Code
}

func (w *world) refused(want error, sms bool) {
	w.t.Helper()
	err := w.Try(func(ctx context.Context, c *call.Call) error { return w.p.Send(ctx, c, w.anna, sms) })
	if !errors.Is(err, want) {
		w.t.Errorf("%v, want %v", err, want)
	}
}

// check reads a code out; what is counted stays.
func (w *world) check(code string, right bool, want error) {
	w.t.Helper()
	w.Write(func(ctx context.Context, c *call.Call) error {
		if ok, err := w.p.Check(ctx, c, w.anna.ID, code); ok != right || !errors.Is(err, want) {
			w.t.Errorf("%s: %v %v, want %v %v", code, ok, err, right, want)
		}
		return nil
	})
}

// other is a code that is not this one.
func other(code string) string { return code[:len(code)-1] + string('0'+(code[len(code)-1]-'0'+1)%10) }

// A code is good once, wherever it was sent.
func TestCheck(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.check("123456", false, passcode.ErrNone)
		for _, sms := range []bool{false, true} {
			code := w.send(sms)
			if to := map[bool]string{false: "anna@example.com", true: "+12065550100"}[sms]; w.sent.To != to || w.sent.Kind != message.IdentityCode || code == "" {
				t.Fatalf("%+v", w.sent)
			}
			w.check(other(code), false, nil)
			w.check(code, true, nil)
			w.check(code, false, passcode.ErrNone)
			w.Now = w.Now.Add(time.Hour)
		}
	})
}

// Guesses are counted, and a code that was guessed at too often is good no more.
func TestGuesses(t *testing.T) {
	each(t, func(_ *testing.T, w *world) {
		code := w.send(false)
		for range 5 {
			w.check(other(code), false, nil)
		}
		w.check(code, false, passcode.ErrTries)
	})
}

// A code ends: by its time, with the person, for another person and in another tenant.
func TestCodesEnd(t *testing.T) {
	for name, then := range map[string]func(w *world){
		"time": func(w *world) { w.Now = w.Now.Add(w.sent.Data.Lasts) },
		"dropped": func(w *world) {
			w.Write(func(ctx context.Context, c *call.Call) error { return w.p.Drop(ctx, c, w.anna.ID) })
		},
		"somebody else": func(w *world) { w.anna.ID = "somebody" },
		"swept": func(w *world) {
			if err := w.p.Sweep(w.t.Context(), w.DB, w.Now.Add(24*time.Hour)); err != nil {
				w.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(_ *testing.T, w *world) {
				code := w.send(false)
				then(w)
				w.check(code, false, passcode.ErrNone)
			})
		})
	}
}

// Codes are not sent again at once, nor where the person has shown no address of theirs.
func TestSends(t *testing.T) {
	each(t, func(_ *testing.T, w *world) {
		w.send(false)
		w.refused(passcode.ErrSends, true)
		w.Now = w.Now.Add(time.Hour)
		w.anna.MailUnproved = true
		w.refused(post.ErrNoMail, false)
		w.anna.Mobile = ""
		w.refused(post.ErrNoMobile, true)
	})
}
