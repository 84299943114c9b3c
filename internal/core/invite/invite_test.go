package invite_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/invite"
	"limen/internal/core/link"
	"limen/internal/core/password"
	"limen/internal/core/role"
	"limen/internal/core/session"
	"limen/internal/core/tenant"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

const good = "Heron-Lagoon-42-Brass"

// world is a tenant of its own with one person.
type world struct {
	*invite.Invites
	t      *testing.T
	db     *dbx.DB
	tenant call.Tenant
	from   netip.Addr
	now    time.Time
	person user.User
}

func build(t *testing.T, db *dbx.DB) *world {
	changes := &change.Log{DB: db}
	index := &tenant.Index{DB: db, Changes: changes}
	if err := index.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	roles := &role.Roles{Changes: changes}
	people := &user.Directory{DB: db, Changes: changes, Tenants: index, Roles: roles}
	passwords := password.Passwords{Hasher: &crypt.Hasher{Random: rand.Reader, Memory: 64}, Changed: people.PasswordSet}
	w := &world{t: t, db: db, now: time.Now(), from: netip.MustParseAddr("192.0.2.1"), Invites: &invite.Invites{
		People: people, Passwords: passwords,
		Sessions: &session.Sessions{DB: db, Put: changes.Put},
		Links: link.Links{Throttle: throttle.Throttle{Limits: func(context.Context, *call.Call, throttle.Kind) (throttle.Limits, error) {
			return throttle.Limits{Network: 3}, nil
		}}},
	}}
	people.Gone = append(people.Gone, passwords.Drop, w.Drop)
	people.Outdated = append(people.Outdated, w.Drop)
	all := &tenant.Tenants{Index: index, Changes: changes, Roles: roles}
	w.write(nil, func(ctx context.Context, c *call.Call) error {
		made, err := all.Create(ctx, c, tenant.New{Name: "Test"})
		w.tenant = call.Tenant{ID: made.ID, Host: "id.example.com"}
		return err
	})
	suffix := "s" + w.tenant.ID + ".test"
	w.write(nil, func(ctx context.Context, c *call.Call) (err error) {
		if err = all.SetSuffix(ctx, c, tenant.Suffix{Name: suffix, Cds: true}); err != nil {
			return err
		}
		w.person, err = people.Create(ctx, c, user.New{Name: "anna@" + suffix, Display: "Anna Ode"})
		return err
	})
	return w
}

func (w *world) call() *call.Call {
	c := &call.Call{Tenant: w.tenant, Now: w.now, Rand: rand.Reader, Client: call.Client{IP: w.from}}
	c.Snapshot = func(ctx context.Context, f func() error) error {
		return w.db.Read(ctx, func(tx *dbx.Tx) error {
			c.Tx = tx
			defer func() { c.Tx = nil }()
			return f()
		})
	}
	return c
}

// write runs f in a transaction, which ends with want. As in the kernel, a refusal commits.
func (w *world) write(want error, f func(ctx context.Context, c *call.Call) error) {
	w.t.Helper()
	c := w.call()
	var got error
	err := w.db.Write(w.t.Context(), func(tx *dbx.Tx) error {
		c.Tx = tx
		defer func() { c.Tx = nil }()
		c.Event = &call.Event{}
		got = f(context.WithoutCancel(w.t.Context()), c)
		return nil
	})
	if err != nil || !errors.Is(got, want) {
		w.t.Fatalf("got %v (%v), want %v", got, err, want)
	}
}

func (w *world) make() (token string) {
	w.t.Helper()
	w.write(nil, func(ctx context.Context, c *call.Call) error {
		u, err := w.People.ByID(ctx, c, w.person.ID)
		if err != nil {
			return err
		}
		link, err := w.Make(ctx, c, u, time.Hour)
		if err != nil {
			return err
		}
		at, err := url.Parse(link)
		if err == nil {
			token = at.Query().Get("token")
		}
		return err
	})
	return token
}

func (w *world) looks(want error, token string) {
	w.t.Helper()
	c := w.call()
	err := c.Snapshot(w.t.Context(), func() error {
		u, err := w.Look(w.t.Context(), c, token)
		if err == nil && u.ID != w.person.ID {
			w.t.Errorf("it invites %q", u.Name)
		}
		return err
	})
	if !errors.Is(err, want) {
		w.t.Fatalf("Look gives %v, want %v", err, want)
	}
}

func (w *world) accepts(want error, token, plain, again string) {
	w.t.Helper()
	ch, err := w.Prepare(w.t.Context(), w.call(), token, plain, again)
	if err != nil {
		if !errors.Is(err, want) {
			w.t.Fatalf("Prepare gives %v, want %v", err, want)
		}
		return
	}
	w.write(want, func(ctx context.Context, c *call.Call) error {
		_, err := w.Accept(ctx, c, token, ch)
		return err
	})
}

func (w *world) opens(plain string) bool {
	w.t.Helper()
	c := w.call()
	var cur password.Current
	err := c.Snapshot(w.t.Context(), func() (err error) {
		cur, err = w.Passwords.Find(w.t.Context(), c, w.person.ID)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	v, err := w.Passwords.Verify(w.t.Context(), cur, plain)
	if err != nil {
		w.t.Fatal(err)
	}
	return v.OK
}

func (w *world) sessions() int {
	w.t.Helper()
	c, n := w.call(), 0
	if err := c.Snapshot(w.t.Context(), func() error {
		all, err := w.Sessions.List(w.t.Context(), c, w.person.ID)
		n = len(all)
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return n
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) { f(t, build(t, db)) })
}

func TestInvitationSetsTheFirstPasswordOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		token := w.make()
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			_, _, err := w.Sessions.Create(ctx, c, session.New{User: w.person.ID})
			return err
		})
		w.looks(nil, token)
		w.accepts(invite.ErrDiffer, token, good, good+"x")
		w.accepts(password.ErrPolicy, token, "short", "short")
		w.accepts(password.ErrPolicy, token, "Xanna-Heron-42-Brass", "Xanna-Heron-42-Brass")
		if w.opens("short") || w.sessions() != 1 {
			t.Fatal("a refused password changed something")
		}
		w.looks(nil, token)
		w.accepts(nil, token, good, good)
		if !w.opens(good) {
			t.Error("the password does not open the account")
		}
		if n := w.sessions(); n != 0 {
			t.Errorf("%d sessions outlive the new password", n)
		}
		w.looks(invite.ErrLink, token)
		w.accepts(invite.ErrLink, token, good+"2", good+"2")
		if w.opens(good + "2") {
			t.Error("the invitation worked twice")
		}
	})
}

func TestOfTwoAtOnceOneIsTaken(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		token := w.make()
		first, err := w.Prepare(t.Context(), w.call(), token, good, good)
		if err != nil {
			t.Fatal(err)
		}
		w.accepts(nil, token, good+"2", good+"2")
		w.write(invite.ErrLink, func(ctx context.Context, c *call.Call) error {
			_, err := w.Accept(ctx, c, token, first)
			return err
		})
		if !w.opens(good + "2") {
			t.Error("the second took the place of the first")
		}
	})
}

func TestLinksThatOpenNothing(t *testing.T) {
	change := func(ch user.Change) func(w *world) {
		return func(w *world) {
			w.write(nil, func(ctx context.Context, c *call.Call) error {
				_, err := w.People.Change(ctx, c, w.person.ID, ch)
				return err
			})
		}
	}
	for name, do := range map[string]func(w *world){
		"a newer one was sent": func(w *world) { w.make() },
		"its time is over":     func(w *world) { w.now = w.now.Add(time.Hour) },
		"locked":               change(user.Change{State: &user.State{Locked: true}}),
		"disabled":             change(user.Change{State: &user.State{Disabled: true}}),
		"suspended": func(w *world) {
			w.write(nil, func(ctx context.Context, c *call.Call) error { return w.People.Suspend(ctx, c, w.person.ID, true) })
		},
		"signed in meanwhile": func(w *world) {
			w.write(nil, func(ctx context.Context, c *call.Call) error { return w.People.Activate(ctx, c, w.person) })
		},
		"deleted": func(w *world) {
			w.write(nil, func(ctx context.Context, c *call.Call) error { return w.People.Delete(ctx, c, w.person.ID) })
		},
		"sent to another address":   change(user.Change{Mail: new("other@example.com")}),
		"sent to another telephone": change(user.Change{Mobile: new("+12065550123")}),
		"a password was set": func(w *world) {
			c := w.call()
			fresh, err := w.Passwords.Prepare(w.t.Context(), c, password.Change{User: w.person.ID, Plain: "Purple-Staple-7-Wagon", Reset: true})
			if err != nil {
				w.t.Fatal(err)
			}
			w.write(nil, func(ctx context.Context, c *call.Call) error {
				return w.Passwords.Put(ctx, c, w.person.ID, fresh, false)
			})
		},
		"another tenant's": func(w *world) { w.tenant.ID = "ZZZ0000" },
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				token := w.make()
				prepared, err := w.Prepare(t.Context(), w.call(), token, good, good)
				if err != nil {
					t.Fatal(err)
				}
				w.looks(nil, token)
				do(w)
				w.looks(invite.ErrLink, token)
				w.accepts(invite.ErrLink, token, good, good)
				w.write(invite.ErrLink, func(ctx context.Context, c *call.Call) error {
					_, err := w.Accept(ctx, c, token, prepared)
					return err
				})
				if w.opens(good) {
					t.Error("it set the password")
				}
			})
		})
	}
}

func TestWhoHasSignedInIsSentToTheFrontPage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.write(nil, func(ctx context.Context, c *call.Call) error { return w.People.Activate(ctx, c, w.person) })
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			u, err := w.People.ByID(ctx, c, w.person.ID)
			if err != nil {
				return err
			}
			link, err := w.Make(ctx, c, u, time.Hour)
			if link != "https://id.example.com/" {
				t.Errorf("the link is %s", link)
			}
			return err
		})
	})
}

func TestLinksNameTheHostAndTheScheme(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for insecure, want := range map[bool]string{true: "http://id.example.com/invitation?token=", false: "https://id.example.com/invitation?token="} {
			w.Links.Insecure = insecure
			w.write(nil, func(ctx context.Context, c *call.Call) error {
				link, err := w.Make(ctx, c, w.person, time.Hour)
				if rest, ok := strings.CutPrefix(link, want); !ok || len(rest) != 43 {
					t.Errorf("the link is %s", link)
				}
				return err
			})
		}
	})
}

func TestGuessesOfTokensAreCountedPerNetwork(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		token := w.make()
		for _, guess := range []string{"", strings.Repeat("x", 300), "guess"} {
			w.looks(invite.ErrLink, guess)
			w.accepts(invite.ErrLink, guess, good, good)
		}
		w.looks(invite.ErrWait, token)
		w.accepts(invite.ErrWait, token, good, good)
		w.from = netip.MustParseAddr("192.0.2.2")
		w.accepts(nil, token, good, good)
	})
}

func TestSweepForgetsWhatIsOver(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		token := w.make()
		if err := w.Sweep(t.Context(), w.db, w.now); err != nil {
			t.Fatal(err)
		}
		w.looks(nil, token)
		if err := w.Sweep(t.Context(), w.db, w.now.Add(2*time.Hour)); err != nil {
			t.Fatal(err)
		}
		w.looks(invite.ErrLink, token)
	})
}
