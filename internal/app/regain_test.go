package app_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/regain"
	"limen/internal/core/user"
)

// lost is a tenant whose policies let people regain their account, and somebody who has lost all.
type lost struct {
	*testing.T
	site   *apptest.Site
	who    apptest.Person
	mobile string
	rounds int // waiting times that went by
}

func withLost(t *testing.T, s *apptest.Server) *lost {
	l := &lost{T: t, site: s.Tenant(t), mobile: "+41790000001"}
	l.who = l.site.Lost(t, "lost", l.mobile)
	return l
}

func (l *lost) change(id string, ch user.Change) {
	l.Helper()
	l.site.Do(l.T, audit.UserChange, func(ctx context.Context, c *call.Call) error {
		_, err := l.site.App.People.Change(ctx, c, id, ch)
		return err
	})
}

// ask gives a name, as a stranger does from an address of its own each time.
func (l *lost) ask(name string) {
	l.Helper()
	l.site.Do(l.T, audit.RegainAsk, func(ctx context.Context, c *call.Call) error {
		c.Caller, c.Client = nil, call.Client{IP: netip.MustParseAddr("203.0.113.9")}
		return errors.Join(l.site.App.Throttle.Clear(ctx, c, name), l.site.App.Regains.Ask(ctx, c, name))
	})
	l.site.Tick(l.T, time.Now())
}

// pass lets time pass.
func (l *lost) pass(d time.Duration) {
	l.Helper()
	l.site.Pass(l.T, d)
}

// wait passes the whole waiting time as it goes.
func (l *lost) wait() {
	l.Helper()
	l.rounds++
	for range regain.Steps {
		l.pass(6*time.Hour + time.Minute)
	}
}

func (l *lost) open(id string) (one regain.Regain, ok bool) {
	l.Helper()
	c := l.site.App.Shell(l.site.ID)
	err := c.Snapshot(l.Context(), func() (err error) { one, err = l.site.App.Regains.Open(l.Context(), c, id); return err })
	if err != nil && !errors.Is(err, regain.ErrNone) {
		l.Fatal(err)
	}
	return one, err == nil
}

// link is the secret of the newest link of mails, and code that of text messages, once there are as many as rounds.
func (l *lost) link(to, path string) string {
	l.Helper()
	_, token, _ := strings.Cut(l.newest(to, regexp.MustCompile(regexp.QuoteMeta(path)+`\?token=\S+`)), "token=")
	return token
}

func (l *lost) code() string {
	l.Helper()
	return l.newest(l.mobile, regexp.MustCompile(`\b\d{8}\b`))
}

func (l *lost) newest(to string, what *regexp.Regexp) string {
	l.Helper()
	for range 2000 {
		found := map[string]bool{}
		last := ""
		for _, m := range l.site.App.Tray.To(to) {
			if text := what.FindString(m.Text); text != "" && m.Tenant == l.site.ID && !found[text] {
				if found[text] = true; last == "" { // the newest come first
					last = text
				}
			}
		}
		if len(found) >= max(l.rounds, 1) {
			return last
		}
		time.Sleep(5 * time.Millisecond)
	}
	l.Fatal("nothing was sent to", to)
	return ""
}

const regained = "Violet-Harbor-93"

// finish opens the link at the end; the fault is what the form would say.
func (l *lost) finish(token, code string) (out regain.Finished, err error) {
	l.Helper()
	in := regain.Answer{Token: token, Code: code, Plain: regained, Again: regained}
	at := func(c *call.Call) { c.Caller, c.Client = nil, call.Client{IP: netip.MustParseAddr("203.0.113.9")} }
	c := l.site.App.Shell(l.site.ID)
	at(c)
	ch, err := l.site.App.Regains.Prepare(l.Context(), c, in)
	if err != nil {
		return out, err
	}
	l.site.Do(l.T, audit.RegainFinish, func(ctx context.Context, c *call.Call) error {
		at(c)
		out, err = l.site.App.Regains.Finish(ctx, c, in, ch)
		if errors.Is(err, regain.ErrLink) || errors.Is(err, regain.ErrCode) {
			return nil // counted
		}
		return err
	})
	return out, err
}

func (l *lost) told(to string, n int, what string) {
	l.Helper()
	l.site.Mailed(l.T, to, regexp.MustCompile(what))
	got := 0
	for range 200 {
		got = 0
		for _, m := range l.site.App.Tray.To(to) {
			if m.Tenant == l.site.ID && strings.Contains(m.Text, what) {
				got++
			}
		}
		if got >= n {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	l.Errorf("%s was told %d times of %q, want %d", to, got, what, n)
}

// Somebody who lost all waits, chooses a password by link and code, and gets a session that sets up factors and does nothing else.
func TestRegain(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		l := withLost(t, s)
		l.ask(l.who.Name)
		if one, ok := l.open(l.who.ID); !ok || one.Ends() != one.Started+24*time.Hour.Milliseconds() {
			t.Fatal("it is not under way", one)
		}
		l.wait()
		l.told(l.who.Mail, regain.Steps, "has started to regain it")
		l.told(l.mobile, regain.Steps, "regaining your account")
		if out, err := l.finish(l.link(l.who.Mail, regain.FinishPath), l.code()); err != nil || out.Auth == "" {
			t.Fatal(err)
		} else {
			l.limited(out.Auth)
		}
		if _, err := l.finish(l.link(l.who.Mail, regain.FinishPath), l.code()); !errors.Is(err, regain.ErrLink) {
			t.Error("the link works twice:", err)
		}
	})
}

// limited sees that a session sets up factors, and that nobody is signed in to all else.
func (l *lost) limited(auth string) {
	l.Helper()
	for path, open := range map[string]bool{
		"/CDirectoryService/GetUser": false, "/UserMgmt/ChangeUserPassword": false, "/OAuth2/GetBackchannelRequests": false, "/Mobile/GetUserThirdPartyOtp": true,
	} {
		_, body := l.site.Call(l.T, auth, "POST", path, map[string]any{"ID": l.who.ID})
		if open && !strings.Contains(string(body), `"success":true`) || !open && !strings.Contains(string(body), "auth.setup") {
			l.Errorf("%s: %s", path, body)
		}
	}
	r, err := http.NewRequestWithContext(l.Context(), http.MethodGet, l.site.URL+"/passkeys", nil)
	if err != nil {
		l.Fatal(err)
	}
	r.Host = l.site.Host
	r.AddCookie(&http.Cookie{Name: ".ASPXAUTH", Value: auth})
	res, err := l.site.HTTP.Do(r)
	if err != nil {
		l.Fatal(err)
	}
	defer res.Body.Close()
	if page, _ := io.ReadAll(res.Body); !strings.Contains(string(page), l.who.Name) {
		l.Errorf("no passkey can be set up: %d %s", res.StatusCode, page)
	}
}

// Attack: recovery by somebody who holds only the mailbox. They get the link and not the code, which five guesses make useless; and who has no
// mobile number does not regain the account by themselves, unless the tenant says so.
func TestRegainByTheMailboxAlone(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		l := withLost(t, s)
		l.ask(l.who.Name)
		l.wait()
		token := l.link(l.who.Mail, regain.FinishPath)
		code := l.code()
		wrong := "00000000"
		if code == wrong {
			wrong = "00000001"
		}
		for i, guess := range []string{"", wrong, wrong[:7], wrong + "0"} {
			if _, err := l.finish(token, guess); !errors.Is(err, regain.ErrCode) {
				t.Error(i, err)
			}
		}
		for _, guess := range []string{wrong, code} {
			if _, err := l.finish(token, guess); !errors.Is(err, regain.ErrLink) {
				t.Error("the link outlives five wrong codes:", err)
			}
		}
		bare := l.site.Person(t, "bare")
		l.site.Settle(t, bare.ID, "", "")
		if l.ask(bare.Name); l.has(bare.ID) {
			t.Error("a mailbox is enough")
		}
		l.site.Set(t, "Recovery.MailAlone", "true")
		if l.ask(bare.Name); !l.has(bare.ID) {
			t.Error("a mailbox is not enough where the tenant says so")
		}
	})
}

func (l *lost) has(id string) bool {
	l.Helper()
	_, ok := l.open(id)
	return ok
}

// Attack: recovery by a stolen session. It neither hastens nor sees anything; an address that it changes ends what is under way, holds off the next
// one, and the address that was there before is told as well.
func TestRegainByAChangedAddress(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		l := withLost(t, s)
		l.ask(l.who.Name)
		thief := "thief@example.org"
		l.change(l.who.ID, user.Change{Mail: &thief})
		if l.has(l.who.ID) {
			t.Error("it goes on to another address")
		}
		l.told(l.who.Mail, 1, "was stopped or is over")
		l.told(thief, 1, "was stopped or is over")
		l.told(l.mobile, 1, "Nobody is regaining your account")
		l.pass(regain.Hold - time.Hour)
		if l.ask(l.who.Name); l.has(l.who.ID) {
			t.Error("a new address regains the account")
		}
		l.pass(2 * time.Hour)
		if l.ask(l.who.Name); !l.has(l.who.ID) {
			t.Fatal("the address is never old enough")
		}
		l.told(l.who.Mail, 2, "has started to regain it")
		l.told(thief, 1, "has started to regain it")
	})
}

// Attack: a new number instead of the mail address.
func TestRegainByAChangedNumber(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		l := withLost(t, s)
		l.ask(l.who.Name)
		other := "+41790000009"
		l.change(l.who.ID, user.Change{Mobile: &other})
		if l.has(l.who.ID) {
			t.Error("it goes on to another number")
		}
		l.told(l.mobile, 1, "Nobody is regaining your account")
	})
}

// A sign-in, the link of a notice, the person, and an administrator each stop it; afterwards the link that was sent is dead.
func TestRegainIsStopped(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		l := withLost(t, s)
		stops := []struct {
			name string
			stop func(ctx context.Context, c *call.Call) error
		}{
			{"a sign-in", func(ctx context.Context, c *call.Call) error {
				u, err := s.App.People.ByID(ctx, c, l.who.ID)
				return errors.Join(err, s.App.Logins.Alarm(ctx, c, u, []string{"UP"}))
			}},
			{"a notice", func(ctx context.Context, c *call.Call) error {
				c.Caller = nil
				_, err := s.App.Regains.StopBy(ctx, c, l.link(l.who.Mail, regain.StopPath))
				return err
			}},
			{"an administrator", func(ctx context.Context, c *call.Call) error { return s.App.Regains.Stop(ctx, c, l.who.ID) }},
		}
		for _, one := range stops {
			l.ask(l.who.Name)
			l.wait()
			token, code := l.link(l.who.Mail, regain.FinishPath), l.code()
			l.site.Do(t, audit.RegainStop, one.stop)
			if l.has(l.who.ID) {
				t.Error(one.name, "does not stop it")
			}
			if _, err := l.finish(token, code); !errors.Is(err, regain.ErrLink) {
				t.Error("after", one.name, "the link works:", err)
			}
			l.pass(24 * time.Hour)
		}
	})
}

// Attack: enumeration. What is answered and written is the same for a name that nobody has, one that may not, and one that may; what differs
// happens later.
func TestRegainTellsNobody(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		l := withLost(t, s)
		l.site.Do(t, audit.RegainAsk, func(ctx context.Context, c *call.Call) error {
			c.Caller, c.Client = nil, call.Client{IP: netip.MustParseAddr("203.0.113.9")}
			for _, name := range []string{l.who.Name, l.site.Admin.Name, "nobody@" + l.site.Suffix, "x"} {
				if err := s.App.Regains.Ask(ctx, c, name); err != nil {
					t.Error(name, err)
				}
				if len(c.Also) > 0 || c.Event.Target != "" {
					t.Error(name, "is told of", c.Also)
				}
			}
			return nil
		})
		if l.has(l.who.ID) {
			t.Error("it is decided while somebody waits for the answer")
		}
		var pages []string
		for _, name := range []string{l.who.Name, "nobody@" + l.site.Suffix} {
			res, err := l.site.HTTP.Do(l.form("/recover", url.Values{"user": {name}}))
			if err != nil {
				t.Fatal(err)
			}
			page, err := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if err != nil || res.StatusCode != http.StatusOK {
				t.Error(res.StatusCode, err)
			}
			pages = append(pages, string(page))
		}
		if pages[0] != pages[1] {
			t.Error("the pages differ")
		}
		if l.site.Tick(l.T, time.Now()); !l.has(l.who.ID) || l.has(l.site.Admin.ID) {
			t.Error("who may does not, or who administers does")
		}
	})
}

func (l *lost) form(path string, v url.Values) *http.Request {
	l.Helper()
	r, err := http.NewRequestWithContext(l.Context(), http.MethodPost, l.site.URL+path, strings.NewReader(v.Encode()))
	if err != nil {
		l.Fatal(err)
	}
	r.Host = l.site.Host
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "http://"+l.site.Host)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r
}

// Attack: two starts at once, and one after another, to have the notices of one pass for the other's, or to flood the person.
func TestRegainStartsOnce(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		l := withLost(t, s)
		l.ask(l.who.Name)
		first, _ := l.open(l.who.ID)
		l.ask(strings.ToUpper(l.who.Name))
		l.pass(time.Hour)
		l.ask(l.who.Name)
		if now, _ := l.open(l.who.ID); now.ID != first.ID || now.Step != 1 {
			t.Error("it was started anew", now)
		}
		l.site.Do(t, audit.RegainStop, func(ctx context.Context, c *call.Call) error { return s.App.Regains.Stop(ctx, c, l.who.ID) })
		if l.ask(l.who.Name); l.has(l.who.ID) {
			t.Error("it was started twice within a day")
		}
		l.pass(24 * time.Hour)
		if l.ask(l.who.Name); !l.has(l.who.ID) {
			t.Error("it is never started again")
		}
	})
}

// Attack: a clock that jumps ahead. It takes one step, and the notices that are left still come, each with its time before the next.
func TestRegainWithAClockThatJumps(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		l := withLost(t, s)
		l.ask(l.who.Name)
		now := time.Now()
		for range regain.Steps - 1 {
			now = now.Add(30 * 24 * time.Hour)
			l.site.Tick(l.T, now)
			l.site.Tick(l.T, now)
			l.site.Tick(l.T, now.Add(time.Hour))
			if one, ok := l.open(l.who.ID); !ok || one.State != regain.Waiting {
				t.Fatal("it is over:", one)
			}
		}
		at, _ := l.open(l.who.ID)
		if l.site.Tick(l.T, now.Add(-60*24*time.Hour)); at.Step != regain.Steps {
			t.Error("notices are left out:", at.Step)
		}
		if one, _ := l.open(l.who.ID); one.State != regain.Waiting || one.Due != at.Due {
			t.Error("a clock that is put back changes something")
		}
	})
}

// What was true at the start must be true at each step: a policy that no longer allows it, a right that was given, a lock.
func TestRegainEndsWithItsReasons(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		l := withLost(t, s)
		l.ask(l.who.Name)
		l.wait()
		token, code := l.link(l.who.Mail, regain.FinishPath), l.code()
		l.site.Settle(t, l.who.ID, "", "") // another password, by an administrator
		if _, err := l.finish(token, code); !errors.Is(err, regain.ErrLink) || l.has(l.who.ID) {
			t.Error("after another password the link works:", err)
		}
		l.pass(24 * time.Hour)
		l.ask(l.who.Name)
		l.site.Settle(t, l.who.ID, "", "sysadmin") // ends it by its password
		l.pass(24 * time.Hour)
		if l.ask(l.who.Name); l.has(l.who.ID) {
			t.Error("rights over others are regained by waiting")
		}
	})
}
