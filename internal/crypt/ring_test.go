package crypt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"limen/internal/fault"
)

// shelf is a store of keys as a database behaves: rows are never replaced.
type shelf struct {
	mu    sync.Mutex
	rows  []Sealed
	loads int
	fail  error
}

func (s *shelf) load(context.Context) ([]Sealed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loads++
	return append([]Sealed(nil), s.rows...), s.fail
}

func (s *shelf) store(_ context.Context, k Sealed) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rows {
		if r.Tenant == k.Tenant && r.Purpose == k.Purpose && r.Version == k.Version {
			return ErrKeyTaken
		}
	}
	s.rows = append(s.rows, k)
	return s.fail
}

func testMaster(t testing.TB, b byte) *Master {
	t.Helper()
	m, err := NewMaster(bytes.Repeat([]byte{b}, keySize))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

type watch struct {
	mu  sync.Mutex
	now time.Time
}

func (w *watch) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *watch) add(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func newWatch() *watch { return &watch{now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)} }

func testRing(t testing.TB) (*Ring, *shelf, *watch) {
	s, w := &shelf{}, newWatch()
	return &Ring{Master: testMaster(t, 7), Load: s.load, Store: s.store, Now: w.Now}, s, w
}

func TestSealOpen(t *testing.T) {
	ctx := context.Background()
	r, _, _ := testRing(t)
	for _, plain := range []string{"", "x", strings.Repeat("long ", 10000)} {
		sealed, err := r.Seal(ctx, "t1", "secret", []byte(plain), "row/1")
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.Open(ctx, "t1", "secret", sealed, "row/1")
		if err != nil || string(got) != plain {
			t.Fatalf("%q: %v", got, err)
		}
		if !strings.HasPrefix(sealed, "s1.1.") {
			t.Fatal(sealed)
		}
	}
	a, _ := r.Seal(ctx, "t1", "secret", []byte("x"), "")
	b, _ := r.Seal(ctx, "t1", "secret", []byte("x"), "")
	if a == b {
		t.Fatal("sealing the same twice gave the same text")
	}
}

func TestOpenElsewhere(t *testing.T) {
	ctx := context.Background()
	r, _, _ := testRing(t)
	if err := errors.Join(r.Ensure(ctx, "t2", "secret", "mail"), r.Ensure(ctx, "t1", "mail")); err != nil {
		t.Fatal(err)
	}
	sealed, err := r.Seal(ctx, "t1", "secret", []byte("hidden"), "row/1")
	if err != nil {
		t.Fatal(err)
	}
	flipped := []byte(sealed)
	flipped[len(flipped)-5] ^= 1
	for name, c := range map[string][4]string{
		"tenant":       {"t2", "secret", sealed, "row/1"},
		"purpose":      {"t1", "mail", sealed, "row/1"},
		"row":          {"t1", "secret", sealed, "row/2"},
		"bit":          {"t1", "secret", string(flipped), "row/1"},
		"version":      {"t1", "secret", strings.Replace(sealed, "s1.1.", "s1.2.", 1), "row/1"},
		"zero":         {"t1", "secret", strings.Replace(sealed, "s1.1.", "s1.01.", 1), "row/1"},
		"sign":         {"t1", "secret", strings.Replace(sealed, "s1.1.", "s1.+1.", 1), "row/1"},
		"line break":   {"t1", "secret", sealed[:20] + "\n" + sealed[20:], "row/1"},
		"short":        {"t1", "secret", sealed[:12], "row/1"},
		"empty":        {"t1", "secret", "", "row/1"},
		"as a MAC":     {"t1", "secret", strings.Replace(sealed, "s1.", "m1.", 1), "row/1"},
		"huge version": {"t1", "secret", strings.Replace(sealed, "s1.1.", "s1.99999999999999999999.", 1), "row/1"},
	} {
		if got, err := r.Open(ctx, c[0], c[1], c[2], c[3]); !errors.Is(err, ErrUnopenable) || got != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestSealLimits(t *testing.T) {
	ctx := context.Background()
	r, _, _ := testRing(t)
	if _, err := r.Seal(ctx, "t", "p", make([]byte, maxPlain+1), ""); !errors.Is(err, ErrTooLong) {
		t.Error(err)
	}
	largest, err := r.Seal(ctx, "t", "p", make([]byte, maxPlain), "")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.Open(ctx, "t", "p", largest, ""); err != nil || len(got) != maxPlain {
		t.Error(len(got), err)
	}
	for _, s := range []slot{{"t", ""}, {strings.Repeat("t", 129), "p"}, {"t", strings.Repeat("p", 129)}} {
		if _, err := r.Seal(ctx, s.tenant, s.purpose, nil, ""); !errors.Is(err, ErrSlot) {
			t.Error(s, err)
		}
	}
}

func TestRotateKeepsOldReadable(t *testing.T) {
	ctx := context.Background()
	r, s, w := testRing(t)
	other := &Ring{Master: r.Master, Load: s.load, Store: s.store, Now: w.Now}
	old, _ := r.Seal(ctx, "t", "p", []byte("old"), "")
	if _, err := other.Open(ctx, "t", "p", old, ""); err != nil {
		t.Fatal(err)
	}
	if v, err := r.Rotate(ctx, "t", "p"); v != 2 || err != nil {
		t.Fatal(v, err)
	}
	young, err := r.Seal(ctx, "t", "p", []byte("new"), "")
	if v, _ := Version(young); err != nil || v != 2 {
		t.Fatal(young, err)
	}
	for text, want := range map[string]string{old: "old", young: "new"} {
		if got, err := r.Open(ctx, "t", "p", text, ""); err != nil || string(got) != want {
			t.Errorf("%q, %v", got, err)
		}
	}
	// The other node read its keys before the rotation; it finds the new version, though not more than once a second.
	loads := s.loads
	if _, err := other.Open(ctx, "t", "p", young, ""); err == nil || s.loads != loads {
		t.Error("an unknown version was looked up at once", err)
	}
	w.add(rereadAfter)
	if got, err := other.Open(ctx, "t", "p", young, ""); err != nil || string(got) != "new" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestTwoNodesMakeOneKey(t *testing.T) {
	ctx := context.Background()
	s, w := &shelf{}, newWatch()
	var wg sync.WaitGroup
	texts := make([]string, 16)
	rings := make([]*Ring, 4)
	for i := range rings {
		rings[i] = &Ring{Master: testMaster(t, 7), Load: s.load, Store: s.store, Now: w.Now}
	}
	for i := range texts {
		wg.Go(func() {
			var err error
			if texts[i], err = rings[i%4].Seal(ctx, "t", "p", fmt.Appendf(nil, "%d", i), ""); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(s.rows) != 1 {
		t.Fatalf("%d keys", len(s.rows))
	}
	for i, text := range texts {
		if got, err := rings[(i+1)%4].Open(ctx, "t", "p", text, ""); err != nil || string(got) != fmt.Sprint(i) {
			t.Errorf("%q, %v", got, err)
		}
	}
}

func TestStoreDown(t *testing.T) {
	ctx := context.Background()
	r, s, _ := testRing(t)
	sealed, _ := r.Seal(ctx, "t", "p", []byte("x"), "")
	s.fail = errors.New("disk")
	if _, err := r.Seal(ctx, "t2", "p", []byte("x"), ""); fault.Of(err).Kind != fault.Unavailable {
		t.Error(err)
	}
	if _, err := r.Open(ctx, "t", "p", sealed, ""); err != nil {
		t.Error("a known key needed the store:", err)
	}
}

func TestCheckFindsTheWrongMaster(t *testing.T) {
	ctx := context.Background()
	r, s, w := testRing(t)
	sealed, _ := r.Seal(ctx, "t", "p", []byte("x"), "")
	if err := r.Check(ctx); err != nil {
		t.Fatal(err)
	}
	wrong := &Ring{Master: testMaster(t, 8), Load: s.load, Store: s.store, Now: w.Now}
	if err := wrong.Check(ctx); !errors.Is(err, ErrMaster) {
		t.Fatal(err)
	}
	if _, err := wrong.Open(ctx, "t", "p", sealed, ""); !errors.Is(err, ErrMaster) {
		t.Fatal(err)
	}
	// A key moved to another tenant's row does not open either.
	moved := s.rows[0]
	moved.Tenant = "u"
	s.rows = append(s.rows, moved)
	if err := r.Check(ctx); !errors.Is(err, ErrUnopenable) {
		t.Fatal(err)
	}
}

func TestRewrap(t *testing.T) {
	ctx := context.Background()
	r, s, w := testRing(t)
	sealed, _ := r.Seal(ctx, "t", "p", []byte("x"), "")
	rows, err := r.Rewrap(ctx, testMaster(t, 8))
	if err != nil {
		t.Fatal(err)
	}
	s.rows = rows
	next := &Ring{Master: testMaster(t, 8), Load: s.load, Store: s.store, Now: w.Now}
	if got, err := next.Open(ctx, "t", "p", sealed, ""); err != nil || string(got) != "x" {
		t.Fatal(got, err)
	}
}

// flaky is a wrapper that fails the first time, as a token on a network may.
type flaky struct {
	Wrapper
	failed bool
}

func (f *flaky) Unwrap(ctx context.Context, b, aad []byte) ([]byte, error) {
	if !f.failed {
		f.failed = true
		return nil, errors.New("token away")
	}
	return f.Wrapper.Unwrap(ctx, b, aad)
}

func TestWrapperIsAskedAgain(t *testing.T) {
	ctx := context.Background()
	r, s, w := testRing(t)
	sealed, _ := r.Seal(ctx, "t", "p", []byte("x"), "")
	again := &Ring{Master: &flaky{Wrapper: r.Master}, Load: s.load, Store: s.store, Now: w.Now}
	if _, err := again.Open(ctx, "t", "p", sealed, ""); err == nil {
		t.Fatal("the failing wrapper was not asked")
	}
	if _, err := again.Open(ctx, "t", "p", sealed, ""); err != nil {
		t.Fatal(err)
	}
}

func TestMAC(t *testing.T) {
	ctx := context.Background()
	r, _, w := testRing(t)
	mac, err := r.MAC(ctx, "t", "code", []byte("m"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Rotate(ctx, "t", "code"); err != nil {
		t.Fatal(err)
	}
	if err := r.Ensure(ctx, "u", "code"); err != nil {
		t.Fatal(err)
	}
	w.add(time.Minute)
	for name, c := range map[string]struct {
		tenant, message, mac string
		want                 bool
	}{
		"same, after a rotation": {"t", "m", mac, true},
		"message":                {"t", "n", mac, false},
		"tenant":                 {"u", "m", mac, false},
		"other version":          {"t", "m", strings.Replace(mac, "m1.1.", "m1.2.", 1), false},
		"unknown version":        {"t", "m", strings.Replace(mac, "m1.1.", "m1.9.", 1), false},
		"cut":                    {"t", "m", mac[:len(mac)-4], false},
		"none":                   {"t", "m", "", false},
	} {
		if ok, err := r.CheckMAC(ctx, c.tenant, "code", []byte(c.message), c.mac); ok != c.want || err != nil {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
	}
}

func TestBindIsUnambiguous(t *testing.T) {
	if bytes.Equal(bind("l", []byte("ab"), []byte("c")), bind("l", []byte("a"), []byte("bc"))) {
		t.Fatal("two lists, one text")
	}
}

func FuzzOpen(f *testing.F) {
	ctx := context.Background()
	r, s, _ := testRing(f)
	for _, plain := range []string{"", "secret"} {
		sealed, err := r.Seal(ctx, "t", "p", []byte(plain), "a")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(sealed)
	}
	mac, _ := r.MAC(ctx, "t", "p", []byte("m"))
	f.Add(mac)
	f.Add("s1.1.")
	f.Add("s1.999999999.AAAA")
	made := map[string]bool{}
	f.Fuzz(func(t *testing.T, text string) {
		plain, err := r.Open(ctx, "t", "p", text, "a")
		if err != nil && !errors.Is(err, ErrUnopenable) {
			t.Fatal(err)
		}
		if err == nil && string(plain) != "" && string(plain) != "secret" {
			t.Fatalf("opened to %q (%v)", plain, made)
		}
		if v, err := Version(text); err == nil && v < 1 {
			t.Fatal(v)
		}
		if len(s.rows) != 1 {
			t.Fatal("reading made a key")
		}
	})
}
