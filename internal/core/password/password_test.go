package password_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"limen/internal/call"
	"limen/internal/core/password"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

var tenants atomic.Int64

type world struct {
	t  *testing.T
	db *dbx.DB
	c  *call.Call
	password.Passwords
	pol    password.Policy
	forced []bool
}

func build(t *testing.T, db *dbx.DB) *world {
	w := &world{t: t, db: db, pol: password.Policy{MinLength: 4, History: 3}}
	w.c = &call.Call{Tenant: call.Tenant{ID: fmt.Sprintf("PWD%04d", tenants.Add(1))}, Now: time.Now(), Rand: rand.Reader}
	w.c.Snapshot = func(ctx context.Context, f func() error) error {
		return db.Read(ctx, func(tx *dbx.Tx) error {
			w.c.Tx = tx
			defer func() { w.c.Tx = nil }()
			return f()
		})
	}
	w.Passwords = password.Passwords{
		Hasher: &crypt.Hasher{Memory: 64, Random: rand.Reader},
		Policy: func(context.Context, *call.Call, string) (password.Policy, error) { return w.pol, nil },
		Changed: func(_ context.Context, _ *call.Call, _ string, force bool) error {
			w.forced = append(w.forced, force)
			return nil
		},
	}
	return w
}

func (w *world) put(n password.New, force bool) error {
	return w.db.Write(w.t.Context(), func(tx *dbx.Tx) error {
		w.c.Tx = tx
		defer func() { w.c.Tx = nil }()
		return w.Put(w.t.Context(), w.c, "u", n, force)
	})
}

func (w *world) change(plain string) error {
	n, err := w.Prepare(w.t.Context(), w.c, password.Change{User: "u", Plain: plain})
	if err != nil {
		return err
	}
	return w.put(n, false)
}

func (w *world) current() (cur password.Current) {
	w.t.Helper()
	if err := w.c.Snapshot(w.t.Context(), func() (err error) { cur, err = w.Find(w.t.Context(), w.c, "u"); return err }); err != nil {
		w.t.Fatal(err)
	}
	return cur
}

func (w *world) fits(plain string) bool {
	w.t.Helper()
	v, err := w.Verify(w.t.Context(), w.current(), plain)
	if err != nil {
		w.t.Fatal(err)
	}
	return v.OK
}

func TestChangeAndHistory(t *testing.T) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		w := build(t, db)
		if w.fits("one-1") {
			t.Fatal("no password fits where there is none")
		}
		for i, plain := range []string{"one-1", "two-2", "three-3"} {
			if err := w.change(plain); err != nil {
				t.Fatal(plain, err)
			}
			if !w.fits(plain) || w.current().Version != int64(i+1) {
				t.Fatal(plain, w.current())
			}
		}
		if w.fits("two-2") {
			t.Fatal("an old password still fits")
		}
		for _, plain := range []string{"one-1", "two-2", "three-3"} {
			if err := w.change(plain); !errors.Is(err, password.ErrUsed) {
				t.Fatal(plain, err)
			}
		}
		if err := w.change("four-4"); err != nil {
			t.Fatal(err)
		}
		if err := w.change("one-1"); err != nil {
			t.Fatal("one-1 is four back and may return:", err)
		}
		if len(w.forced) != 5 {
			t.Fatal(w.forced)
		}
	})
}

func TestTwoChangesAtOnce(t *testing.T) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		w := build(t, db)
		for range 2 { // the first password of a person, and a later one
			var prepared []password.New
			for _, plain := range []string{"first-1" + rand.Text(), "second-2" + rand.Text()} {
				n, err := w.Prepare(t.Context(), w.c, password.Change{User: "u", Plain: plain})
				if err != nil {
					t.Fatal(err)
				}
				prepared = append(prepared, n)
			}
			if err := w.put(prepared[0], false); err != nil {
				t.Fatal(err)
			}
			if err := w.put(prepared[1], false); !errors.Is(err, password.ErrChanged) {
				t.Fatal(err)
			}
		}
	})
}

func TestImportedHashIsMadeAnew(t *testing.T) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		w := build(t, db)
		foreign, err := bcrypt.GenerateFromPassword([]byte("brought along"), 4)
		if err != nil {
			t.Fatal(err)
		}
		n, err := password.Imported(string(foreign), w.current())
		if err != nil {
			t.Fatal(err)
		}
		if err := w.put(n, false); err != nil {
			t.Fatal(err)
		}
		cur := w.current()
		v, err := w.Verify(t.Context(), cur, "brought along")
		if err != nil || !v.OK {
			t.Fatal(v, err)
		}
		if err := w.db.Write(t.Context(), func(tx *dbx.Tx) error {
			w.c.Tx = tx
			defer func() { w.c.Tx = nil }()
			return w.Keep(t.Context(), w.c, "u", cur, v)
		}); err != nil {
			t.Fatal(err)
		}
		now := w.current()
		if !strings.HasPrefix(now.Hash, "$argon2id$") || now.Version != cur.Version || !w.fits("brought along") {
			t.Fatal(now)
		}
		if _, err := password.Imported("plain text", cur); !errors.Is(err, crypt.ErrHash) {
			t.Fatal(err)
		}
	})
}

func TestPolicy(t *testing.T) {
	full := password.Policy{MinLength: 8, MaxLength: 20, Digit: true, MixedCase: true, Symbol: true, Repeated: 2}
	names := password.Names{Login: "Alice@acme.test", Display: "Alice von Ärmel", Mail: "a@acme.test"}
	for _, tc := range []struct {
		name  string
		pol   password.Policy
		plain string
		want  error
	}{
		{"all classes", full, "Xy9-Qu4rz_Lo", nil},
		{"short", full, "Xy9-Qu", password.ErrPolicy},
		{"long", full, "Xy9-Qu4rz_LoXy9-Qu4rz_Lo", password.ErrPolicy},
		{"length counts characters", password.Policy{MinLength: 4}, "äöü", password.ErrPolicy},
		{"no digit", full, "Xyq-Quarz_Lo", password.ErrPolicy},
		{"one case", full, "xy9-qu4rz_lo", password.ErrPolicy},
		{"no symbol", full, "Xy9aQu4rzLoo", password.ErrPolicy},
		{"run", full, "Xy9-Quuu4rz_", password.ErrPolicy},
		{"login", full, "xALICEy9-_zA", password.ErrPolicy},
		{"display", full, "9-ÄRMELx_yzA", password.ErrPolicy},
		{"login allowed", password.Policy{AllowLogin: true, AllowDisplay: true}, "xALICEy9-_zA", nil},
		{"not ASCII", password.Policy{Unicode: true}, "abcdef", password.ErrPolicy},
		{"not text", password.Policy{}, "abc\xff\xfe", password.ErrPolicy},
		{"empty", password.Policy{}, "", password.ErrPolicy},
		{"common", password.Policy{RefuseWeak: true}, "Dragon", password.ErrCommon},
		{"common and digits", password.Policy{RefuseWeak: true}, "Password1!", password.ErrCommon},
		{"guessable", password.Policy{MinScore: 3}, "acme.test2024", password.ErrWeak},
		{"strong", password.Policy{MinScore: 4, RefuseWeak: true}, "correct horse battery staple", nil},
		{"two digits", password.Policy{Digits: 2}, "a1b", password.ErrPolicy},
		{"two digits of two", password.Policy{Digits: 2}, "a1b2", nil},
		{"two upper", password.Policy{Upper: 2}, "aBc", password.ErrPolicy},
		{"two upper of two", password.Policy{Upper: 2}, "aBC", nil},
		{"two lower", password.Policy{Lower: 2}, "aBC", password.ErrPolicy},
		{"two symbols", password.Policy{Symbols: 2}, "a!§€", password.ErrPolicy},
		{"all of them", password.Policy{Symbols: 32}, "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", nil},
		{"default", password.Default, "Tulip-Crane-77", nil},
	} {
		if err := tc.pol.Check(tc.plain, names); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

func TestMinAge(t *testing.T) {
	w := build(t, dbxtest.Fresh(t, dbx.SQLite))
	w.pol.MinAge = time.Hour
	if err := w.change("one-1"); err != nil {
		t.Fatal("the first one:", err)
	}
	if err := w.change("two-2"); !errors.Is(err, password.ErrTooYoung) {
		t.Fatal(err)
	}
	n, err := w.Prepare(t.Context(), w.c, password.Change{User: "u", Plain: "two-2", Reset: true})
	if err != nil || w.put(n, true) != nil || !w.forced[1] {
		t.Fatal("a reset does not wait", err, w.forced)
	}
	w.c.Now = w.c.Now.Add(time.Hour)
	if err := w.change("three-3"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Prepare(t.Context(), w.c, password.Change{User: "u", Plain: "x", Any: true, Reset: true}); err != nil {
		t.Fatal("any password will do at first:", err)
	}
}

func TestExpired(t *testing.T) {
	p := password.Policy{MaxAge: time.Hour}
	now := time.Now()
	if p.Expired(now.UnixMilli(), now.Add(59*time.Minute)) || !p.Expired(now.UnixMilli(), now.Add(61*time.Minute)) || p.Expired(0, now) {
		t.Fatal("expiry")
	}
	if (password.Policy{}).Expired(1, now) {
		t.Fatal("0 never expires")
	}
	p.BlockAfter = time.Hour
	if p.Blocked(now.UnixMilli(), now.Add(119*time.Minute)) || !p.Blocked(now.UnixMilli(), now.Add(121*time.Minute)) || p.Blocked(0, now) {
		t.Fatal("the end of what is expired")
	}
	if p.MaxAge = 0; p.Blocked(1, now) {
		t.Fatal("what never expires never ends")
	}
}

func TestGenerate(t *testing.T) {
	seen := map[string]bool{}
	for _, pol := range []password.Policy{password.Default, {MinLength: 20, Symbol: true, Unicode: true, Digit: true, MixedCase: true, Repeated: 1}, {MaxLength: 6}, {Upper: 3, Digits: 4, Symbols: 6}, {MaxLength: 20, Lower: 9, Symbols: 9}} {
		for range 200 {
			plain, err := pol.Generate(rand.Reader, 0)
			if err != nil {
				t.Fatal(err)
			}
			if err := pol.Check(plain, password.Names{}); err != nil || seen[plain] {
				t.Fatal(plain, err)
			}
			seen[plain] = true
		}
	}
	if plain, err := password.Default.Generate(rand.Reader, 30); err != nil || len(plain) != 30 {
		t.Fatal(plain, err)
	}
	for _, n := range []int{-1, 3, 7, 65, 1 << 30} {
		if _, err := password.Default.Generate(rand.Reader, n); !errors.Is(err, password.ErrLength) {
			t.Fatal(n, err)
		}
	}
}

func TestDrop(t *testing.T) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		w := build(t, db)
		for _, plain := range []string{"one-1", "two-2"} {
			if err := w.change(plain); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.db.Write(t.Context(), func(tx *dbx.Tx) error {
			w.c.Tx = tx
			defer func() { w.c.Tx = nil }()
			return w.Drop(t.Context(), w.c, "u")
		}); err != nil {
			t.Fatal(err)
		}
		if w.fits("two-2") || w.current() != (password.Current{}) {
			t.Fatal("still there")
		}
		if err := w.change("one-1"); err != nil {
			t.Fatal("the history is gone too:", err)
		}
	})
}
