package address_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/address"
	"limen/internal/core/link"
	"limen/internal/core/login/logintest"
	"limen/internal/core/message"
	"limen/internal/core/outbox"
	"limen/internal/core/post"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
)

// world is a tenant with somebody who has not shown yet that the address is theirs.
type world struct {
	*logintest.World
	t *testing.T
	address.Addresses
	anna user.User
	sent []byte // the newest letter, before it is sealed
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	logintest.Each(t, func(t *testing.T, l *logintest.World) {
		w := &world{World: l, t: t}
		w.Addresses = address.Addresses{
			People: l.People, Post: &post.Post{Outbox: &outbox.Outbox{DB: l.DB, Seal: func(_ context.Context, _ string, plain []byte, _ string) (string, error) {
				w.sent = plain
				return "sealed", nil
			}}},
			Links: link.Links{Throttle: throttle.Throttle{Limits: func(context.Context, *call.Call, throttle.Kind) (throttle.Limits, error) {
				return throttle.Limits{Network: 3}, nil
			}}},
		}
		w.anna = l.Add("anna", func(n *user.New) { n.Mail, n.MailUnproved = "anna@example.com", true })
		f(t, w)
	})
}

// ask sends a link, and gives what the mail holds.
func (w *world) ask(u user.User) (token string) {
	w.t.Helper()
	w.Write(func(ctx context.Context, c *call.Call) error { return w.Ask(ctx, c, u) })
	var l post.Letter
	if err := json.Unmarshal(w.sent, &l); err != nil {
		w.t.Fatal(err)
	}
	at, err := url.Parse(l.Data.Link)
	if err != nil || at.Scheme != "https" || at.Host != w.Tenant.Host || at.Path != address.Path || l.To != u.Mail || l.Kind != message.VerifyMail || l.Data.Lasts != address.Lasts {
		w.t.Fatalf("%v: %+v", err, l)
	}
	return at.Query().Get("token")
}

// confirm uses a link; a fault does not undo what was counted.
func (w *world) confirm(token string, want error) {
	w.t.Helper()
	w.Write(func(ctx context.Context, c *call.Call) error {
		if s, err := w.Confirm(ctx, c, token); !errors.Is(err, want) || err == nil && s.Person.ID != w.anna.ID {
			w.t.Errorf("%v %v, want %v", s.Person.ID, err, want)
		}
		return nil
	})
}

func (w *world) look(token string, want error) {
	w.t.Helper()
	w.Write(func(ctx context.Context, c *call.Call) error {
		if u, err := w.Look(ctx, c, token); !errors.Is(err, want) || err == nil && u.ID != w.anna.ID {
			w.t.Errorf("%v %v, want %v", u.ID, err, want)
		}
		return nil
	})
}

// A link works once, and looking at it is not using it.
func TestConfirm(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		token := w.ask(w.anna)
		w.look(token, nil)
		w.look(token, nil)
		if !w.Get(w.anna.ID).MailUnproved {
			t.Error("looking proved it")
		}
		w.confirm(token, nil)
		if w.Get(w.anna.ID).MailUnproved {
			t.Error("it is not proved")
		}
		w.change(user.Change{MailUnproved: new(true)}) // to be shown again, and not by the same link
		w.look(token, address.ErrLink)
		w.confirm(token, address.ErrLink)
	})
}

func (w *world) change(ch user.Change) {
	w.t.Helper()
	w.Write(func(ctx context.Context, c *call.Call) error {
		_, err := w.Addresses.People.Change(ctx, c, w.anna.ID, ch)
		return err
	})
}

// What a link is about may have changed since it was sent.
func TestLinksEnd(t *testing.T) {
	for name, then := range map[string]func(w *world){
		"its time is over": func(w *world) { w.Now = w.Now.Add(address.Lasts) },
		"a newer one":      func(w *world) { w.ask(w.anna) },
		"another address":  func(w *world) { w.change(user.Change{Mail: new("other@example.com"), MailUnproved: new(true)}) },
		"shown otherwise":  func(w *world) { w.change(user.Change{MailUnproved: new(false)}) },
		"nobody": func(w *world) {
			w.Write(func(ctx context.Context, c *call.Call) error { return w.Addresses.People.Delete(ctx, c, w.anna.ID) })
		},
		"dropped": func(w *world) {
			w.Write(func(ctx context.Context, c *call.Call) error { return w.Drop(ctx, c, w.anna.ID) })
		},
		"another tenant": func(w *world) { w.Tenant.ID = "0" + w.Tenant.ID[1:] }, // ids begin with a letter
		"swept": func(w *world) {
			if err := w.Sweep(w.t.Context(), w.DB, w.Now.Add(address.Lasts+time.Minute)); err != nil {
				w.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(_ *testing.T, w *world) {
				token := w.ask(w.anna)
				then(w)
				w.look(token, address.ErrLink)
				w.confirm(token, address.ErrLink)
			})
		})
	}
}

// Who tries too many links is refused, also with a good one, and only from their network; looking counts nothing.
func TestGuesses(t *testing.T) {
	each(t, func(_ *testing.T, w *world) {
		token := w.ask(w.anna)
		for _, bad := range []string{"", strings.Repeat("x", 300), "guess", token + "x", "more"} {
			w.look(bad, address.ErrLink)
		}
		w.look(token, nil)
		for range 3 {
			w.confirm("guess", address.ErrLink)
		}
		w.confirm(token, address.ErrWait)
		w.look(token, address.ErrWait)
		w.Client.IP = netip.MustParseAddr("198.51.100.1")
		w.confirm(token, nil)
	})
}

// Nobody is written to who has no address.
func TestNoAddress(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.anna.Mail = ""
		err := w.Try(func(ctx context.Context, c *call.Call) error { return w.Ask(ctx, c, w.anna) })
		if !errors.Is(err, post.ErrNoMail) {
			t.Error(err)
		}
	})
}

// What is known of an address follows what was asked, opened and changed.
func TestStatus(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		status := func(want address.State, sent, shown time.Time) {
			t.Helper()
			w.Write(func(ctx context.Context, c *call.Call) error {
				got, err := w.Status(ctx, c, w.Get(w.anna.ID))
				if err == nil && (got.State != want || !got.Sent.Equal(sent) || !got.Shown.Equal(shown)) {
					t.Errorf("%+v, want %s %v %v", got, want, sent, shown)
				}
				return err
			})
		}
		var never time.Time
		status(address.NotStarted, never, never)
		asked := w.Now.Truncate(time.Millisecond)
		token := w.ask(w.anna)
		status(address.Pending, asked, never)
		w.Now = w.Now.Add(address.Lasts)
		status(address.Expired, asked, never)
		w.Now = w.Now.Add(-time.Hour)
		w.confirm(token, nil)
		status(address.Verified, asked, w.Now.Truncate(time.Millisecond))
		w.change(user.Change{Mail: new("other@example.com"), MailUnproved: new(true)})
		status(address.NotStarted, never, never)
		w.change(user.Change{MailUnproved: new(false)}) // an administrator vouches for it
		status(address.Verified, never, never)
	})
}

// People who ask get one link a minute, and none when their address is shown.
func TestAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		again := func(want error) {
			t.Helper()
			err := w.Try(func(ctx context.Context, c *call.Call) error {
				return w.Again(ctx, c, w.Get(w.anna.ID), "https://x.example/")
			})
			if !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
		}
		first := w.ask(w.anna)
		again(address.ErrSoon)
		w.Now = w.Now.Add(time.Minute)
		again(nil)
		w.look(first, address.ErrLink)
		w.change(user.Change{MailUnproved: new(false)})
		w.Now = w.Now.Add(time.Hour)
		again(address.ErrShown)
	})
}
