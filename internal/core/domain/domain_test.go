package domain_test

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/domain"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
	"limen/internal/fault"
)

// world is a tenant with an outside that answers as it is told.
type world struct {
	*testing.T
	*domain.Domains
	id    string
	now   time.Time
	event *call.Event
	lost  []string // events of domains that were lost

	records map[string][]string // TXT records by name
	files   map[string]string   // bodies by address
	silent  bool                // the domain name system gives no answer
}

func each(t *testing.T, f func(w *world)) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		w := &world{T: t, id: "DOM" + call.NewID(time.Now(), rand.Reader)[24:], now: time.Now().Truncate(time.Second), records: map[string][]string{}, files: map[string]string{}}
		w.Domains = &domain.Domains{DB: db, TXT: func(_ context.Context, name string) ([]string, error) {
			if w.silent {
				return nil, errors.New("silence")
			}
			return w.records[name], nil
		}, Page: func(_ context.Context, url string) (int, []byte, error) {
			body, ok := w.files[url]
			if !ok {
				return 0, nil, errors.New("no such host")
			}
			if body == "404" {
				return 404, nil, nil
			}
			return 200, []byte(body), nil
		}, Act: func(ctx context.Context, tenant, kind string, f func(ctx context.Context, c *call.Call) error) error {
			return db.Write(ctx, func(tx *dbx.Tx) error {
				c := &call.Call{Tenant: call.Tenant{ID: tenant}, Now: w.now, Rand: rand.Reader, Tx: tx, Event: &call.Event{Type: kind}}
				err := f(ctx, c)
				if err == nil && tenant == w.id {
					w.lost = append(w.lost, c.Event.Name)
				}
				return err
			})
		}}
		f(w)
	})
}

func (w *world) call(tx *dbx.Tx) *call.Call {
	w.event = &call.Event{}
	c := &call.Call{Tenant: call.Tenant{ID: w.id}, Now: w.now, Rand: rand.Reader, Tx: tx, Event: w.event}
	c.Snapshot = func(ctx context.Context, f func() error) error {
		return w.DB.Read(ctx, func(tx *dbx.Tx) error {
			c.Tx = tx
			defer func() { c.Tx = nil }()
			return f()
		})
	}
	return c
}

func (w *world) write(want error, f func(c *call.Call) error) {
	w.Helper()
	err := w.DB.Write(w.Context(), func(tx *dbx.Tx) error { return f(w.call(tx)) })
	if !errors.Is(err, want) {
		w.Fatalf("got %v, want %v", err, want)
	}
}

func (w *world) issue(want error, org, name string) (d domain.Domain) {
	w.Helper()
	w.write(want, func(c *call.Call) (err error) {
		d, err = w.Issue(w.Context(), c, org, name)
		return err
	})
	return d
}

// verify looks and, when that finds something, proves.
func (w *world) verify(want error, org, name string, by domain.Method) {
	w.Helper()
	p, err := w.Look(w.Context(), w.call(nil), org, name, by)
	if err != nil {
		if !errors.Is(err, want) {
			w.Fatalf("looking: got %v, want %v", err, want)
		}
		return
	}
	w.write(want, func(c *call.Call) error {
		_, err := w.Prove(w.Context(), c, org, p)
		return err
	})
}

// state is that of an organization's domain; empty when it has no such.
func (w *world) state(what, org, name string, want domain.State) {
	w.Helper()
	err := w.DB.Read(w.Context(), func(tx *dbx.Tx) error {
		d, err := w.Find(w.Context(), w.call(tx), org, name)
		if d.State != want {
			w.Errorf("%s: %s is %q, want %q", what, name, d.State, want)
		}
		if errors.Is(err, domain.ErrNotFound) {
			err = nil
		}
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
}

func TestNormalize(t *testing.T) {
	for in, want := range map[string]string{
		"Example.COM": "example.com", " example.com. ": "example.com", "a.b.Example.com": "a.b.example.com", "Bücher.Example": "xn--bcher-kva.example",
		"xn--bcher-kva.example": "xn--bcher-kva.example", "straße.example": "xn--strae-oqa.example", "corp.internal": "corp.internal",
	} {
		if got, err := domain.Normalize(in); got != want || err != nil {
			t.Errorf("%q: %q %v", in, got, err)
		}
	}
	for in, want := range map[string]error{
		"": domain.ErrName, "com": domain.ErrName, "localhost": domain.ErrName, "127.0.0.1": domain.ErrName, "example..com": domain.ErrName, "a_b.example.com": domain.ErrName,
		"example.com/x": domain.ErrName, "exa mple.com": domain.ErrName, "me@example.com": domain.ErrName, "-a.example.com": domain.ErrName, "1.2": domain.ErrName,
		strings.Repeat("a", 64) + ".com": domain.ErrName, strings.Repeat("a.", 130) + "com": domain.ErrName, "[::1]": domain.ErrName, "xn--\x00.com": domain.ErrName,
		"gmail.com": domain.ErrPublic, "GMail.com.": domain.ErrPublic, "co.uk": domain.ErrPublic, "github.io": domain.ErrPublic, "ｇmail.com": domain.ErrPublic,
	} {
		if got, err := domain.Normalize(in); got != "" || !errors.Is(err, want) {
			t.Errorf("%q: %q %v, want %v", in, got, err, want)
		}
	}
}

func TestOf(t *testing.T) {
	for in, want := range map[string]string{
		"a@example.com": "example.com", "a@EXAMPLE.com": "example.com", `"a@b"@example.com`: "example.com", "a@bücher.example": "xn--bcher-kva.example",
		"": "", "a": "", "a@": "", "a@ex ample.com": "",
	} {
		if got := domain.Of(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzNormalize(f *testing.F) {
	for _, s := range []string{"example.com", "Bücher.example", "xn--bcher-kva.example", "a..b", "1.2.3.4", "\u200dx.com"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		out, err := domain.Normalize(in)
		if err != nil {
			return
		}
		if again, err := domain.Normalize(out); again != out || err != nil {
			t.Errorf("%q gives %q, which gives %q, %v", in, out, again, err)
		}
		if domain.Of("x@"+out) != out {
			t.Errorf("%q: the domain of its addresses is %q", out, domain.Of("x@"+out))
		}
	})
}

func TestProof(t *testing.T) {
	each(t, func(w *world) {
		w.verify(domain.ErrNoCode, "A", "example.com", domain.TXT)
		d := w.issue(nil, "A", "Example.com")
		if again := w.issue(nil, "A", "example.com."); again != d {
			t.Errorf("another code while the first holds: %+v, %+v", d, again)
		}
		if other := w.issue(nil, "B", "example.com"); other.Code == d.Code || len(other.Code) != 40 {
			t.Errorf("codes %s and %s", d.Code, other.Code)
		} else {
			w.records["example.com"] = []string{"v=spf1 -all", d.Record() + "x", other.Record()}
			w.files["https://example.com/"+domain.FilePath] = other.Record()
		}
		w.verify(domain.ErrMethod, "A", "example.com", "FAX")
		w.verify(domain.ErrNoProof, "A", "example.com", domain.TXT)
		w.verify(domain.ErrNoProof, "A", "example.com", domain.File)
		w.silent = true
		w.verify(domain.ErrUnseen, "A", "example.com", domain.TXT)
		w.silent = false
		w.state("nothing is proved", "A", "example.com", domain.Pending)

		w.records["example.com"] = append(w.records["example.com"], d.Record())
		w.verify(nil, "A", "example.com", domain.TXT)
		w.state("proved", "A", "example.com", domain.Verified)
		w.verify(domain.ErrTaken, "B", "example.com", domain.TXT)
		w.issue(domain.ErrTaken, "B", "EXAMPLE.com")
		w.issue(domain.ErrTaken, "C", "example.com")
		w.issue(domain.ErrPublic, "A", "gmail.com")

		s := w.issue(nil, "A", "sub.example.com")
		w.files["https://sub.example.com/"+domain.FilePath] = "\n" + s.Record() + "\r\n"
		w.verify(nil, "A", "sub.example.com", domain.File)
		w.files["https://sub.example.com/"+domain.FilePath] = "404"
		w.verify(domain.ErrNoProof, "A", "sub.example.com", domain.File)
		w.state("a later look that finds nothing", "A", "sub.example.com", domain.Verified)

		w.write(nil, func(c *call.Call) error { return w.Remove(w.Context(), c, "A", "Example.com") })
		w.write(domain.ErrNotFound, func(c *call.Call) error { return w.Remove(w.Context(), c, "A", "example.com") })
		w.write(domain.ErrNotFound, func(c *call.Call) error { return w.Remove(w.Context(), c, "B", s.ID) })
		w.verify(nil, "B", "example.com", domain.TXT)
		w.write(nil, func(c *call.Call) error { return w.Gone(w.Context(), c, "B") })
		w.state("with its organization", "B", "example.com", "")
		w.state("another organization's", "A", "sub.example.com", domain.Verified)
	})
}

// Codes end, and a proof that was found for one that was replaced meanwhile is none.
func TestCodesEnd(t *testing.T) {
	each(t, func(w *world) {
		d := w.issue(nil, "A", "example.com")
		w.records["example.com"] = []string{d.Record()}
		p, err := w.Look(t.Context(), w.call(nil), "A", "example.com", domain.TXT)
		if err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(domain.CodeLife)
		w.verify(domain.ErrNoCode, "A", "example.com", domain.TXT)
		w.write(domain.ErrChanged, func(c *call.Call) error {
			_, err := w.Prove(t.Context(), c, "A", p)
			return err
		})
		if again := w.issue(nil, "A", "example.com"); again.Code == d.Code || again.ID != d.ID {
			t.Errorf("after its end: %+v", again)
		}
		w.write(domain.ErrChanged, func(c *call.Call) error {
			_, err := w.Prove(t.Context(), c, "A", p)
			return err
		})
		if err := w.Sweep(t.Context(), w.DB, w.now.Add(36*24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		w.state("not old enough", "A", "example.com", domain.Pending)
		if err := w.Sweep(t.Context(), w.DB, w.now.Add(38*24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		w.state("old", "A", "example.com", "")
	})
}

// Two organizations that find their codes at the same moment do not both get the domain.
func TestOneOrganization(t *testing.T) {
	each(t, func(w *world) {
		proofs := map[string]domain.Proof{}
		for _, org := range []string{"A", "B"} {
			d := w.issue(nil, org, "example.com")
			w.records["example.com"] = append(w.records["example.com"], d.Record())
		}
		for _, org := range []string{"A", "B"} {
			p, err := w.Look(t.Context(), w.call(nil), org, "example.com", domain.TXT)
			if err != nil {
				t.Fatal(err)
			}
			proofs[org] = p
		}
		got := make(chan error, 2)
		for org, p := range proofs {
			go func() {
				got <- w.DB.Write(t.Context(), func(tx *dbx.Tx) error {
					c := &call.Call{Tenant: call.Tenant{ID: w.id}, Now: w.now, Rand: rand.Reader, Tx: tx}
					_, err := w.Prove(t.Context(), c, org, p)
					return err
				})
			}()
		}
		if a, b := <-got, <-got; (a == nil) == (b == nil) || !errors.Is(errors.Join(a, b), domain.ErrTaken) {
			t.Errorf("%v, %v", a, b)
		}
	})
}

func (w *world) recheck(later time.Duration) {
	w.Helper()
	w.now = w.now.Add(later)
	if err := w.Recheck(w.Context(), w.now); err != nil {
		w.Fatal(err)
	}
}

func TestRecheck(t *testing.T) {
	each(t, func(w *world) {
		d := w.issue(nil, "A", "example.com")
		w.records["example.com"] = []string{d.Record()}
		w.verify(nil, "A", "example.com", domain.TXT)
		w.recheck(domain.Every)
		delete(w.records, "example.com")
		w.recheck(domain.Every - time.Second)
		w.recheck(time.Second) // missing for the first time
		w.silent = true
		w.recheck(domain.Every)
		w.recheck(domain.Every)
		w.state("missing for two days", "A", "example.com", domain.Verified)
		w.silent, w.records["example.com"] = false, []string{d.Record()}
		w.recheck(domain.Every)
		w.state("there again", "A", "example.com", domain.Verified)
		delete(w.records, "example.com")
		for range 3 {
			w.recheck(domain.Every)
			w.state("missing again", "A", "example.com", domain.Verified)
		}
		w.recheck(domain.Every)
		w.state("missing for three days", "A", "example.com", domain.Lost)
		w.recheck(domain.Every)
		if len(w.lost) != 1 || w.lost[0] != "example.com" {
			t.Errorf("events: %q", w.lost)
		}
		w.records["example.com"] = []string{d.Record()} // what was published long ago may be anybody's by now
		w.verify(domain.ErrNoCode, "A", "example.com", domain.TXT)
		if again := w.issue(nil, "A", "example.com"); again.Code == d.Code {
			t.Error("the code of a lost domain serves again")
		}
		b := w.issue(nil, "B", "example.com")
		w.records["example.com"] = []string{b.Record()}
		w.verify(nil, "B", "example.com", domain.TXT)
		w.state("the next one's", "B", "example.com", domain.Verified)
	})
}

func TestManages(t *testing.T) {
	each(t, func(w *world) {
		d := w.issue(nil, "A", "example.com")
		w.issue(nil, "A", "pending.example")
		w.records["example.com"] = []string{d.Record()}
		w.verify(nil, "A", "example.com", domain.TXT)
		for _, x := range []struct {
			what string
			u    user.User
			want bool
		}{
			{"nobody's", user.User{Mail: "a@Example.com"}, true}, {"the organization's own", user.User{Mail: "a@example.com", Org: "A"}, true},
			{"another organization's", user.User{Mail: "a@example.com", Org: "B"}, false}, {"a domain below", user.User{Mail: "a@sub.example.com"}, false},
			{"a longer name", user.User{Mail: "a@notexample.com"}, false}, {"one to be proved", user.User{Mail: "a@pending.example"}, false},
			{"an address that is not proved", user.User{Mail: "a@example.com", MailUnproved: true}, false}, {"no address", user.User{Name: "a@example.com"}, false},
			{"a program", user.User{Mail: "a@example.com", Service: true}, false}, {"a client", user.User{Mail: "a@example.com", OAuthClient: true}, false},
		} {
			w.write(nil, func(c *call.Call) error {
				verified, err := w.Verified(t.Context(), c, "A")
				if err != nil {
					return err
				}
				got, err := w.Manages(t.Context(), c, "A", verified, x.u)
				if got != x.want {
					t.Errorf("%s: %v", x.what, got)
				}
				return err
			})
		}
		w.write(nil, func(c *call.Call) error {
			by, err := w.Holder(t.Context(), c, "x@EXAMPLE.com")
			none, err2 := w.Holder(t.Context(), c, "x@pending.example")
			if by != "A" || none != "" {
				t.Errorf("holders %q, %q", by, none)
			}
			return errors.Join(err, err2)
		})
	})
}

// Nothing of an address that a server may not reach is told.
func TestSilentAboutNetworks(t *testing.T) {
	each(t, func(w *world) {
		w.issue(nil, "A", "example.com")
		_, err := w.Look(t.Context(), w.call(nil), "A", "example.com", domain.File)
		before := fault.Of(err).Public
		w.files["https://example.com/"+domain.FilePath] = "404"
		_, err = w.Look(t.Context(), w.call(nil), "A", "example.com", domain.File)
		if after := fault.Of(err).Public; before != after || before == "" {
			t.Errorf("%q, then %q", before, after)
		}
	})
}
