package revocation_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/revocation"
	"limen/internal/dbx"
	made "limen/internal/wire/certificate/certificatetest"
)

const here, there = "http://crl.acme.test/a", "http://crl.acme.test/b"

// shelf is where lists lie.
type shelf struct {
	mu    sync.Mutex
	files map[string][]byte
	asked atomic.Int64
}

func (s *shelf) put(uri string, file []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.files == nil {
		s.files = map[string][]byte{}
	}
	s.files[uri] = file
}

func (s *shelf) fetch(_ context.Context, uri string) ([]byte, error) {
	s.asked.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.files[uri]; f != nil {
		return f, nil
	}
	return nil, errors.New("no answer")
}

func TestCheck(t *testing.T) {
	root, stranger := made.Root(t, "Root"), made.Root(t, "Root")
	good, bad := root.Issue(t, made.Listed(here)), root.Issue(t, made.Listed(here))
	from := func(ago, until time.Duration) func(*x509.RevocationList) {
		return func(l *x509.RevocationList) { l.ThisUpdate, l.NextUpdate = time.Now().Add(-ago), time.Now().Add(until) }
	}
	twice := root.Issue(t, made.Listed(there, here))
	for name, tt := range map[string]struct {
		file []byte
		cert tls.Certificate
		at   string
		want error
	}{
		"good":                     {root.List(t, nil, bad), good, "", nil},
		"revoked":                  {root.List(t, nil, bad), bad, "", revocation.ErrRevoked},
		"nothing there":            {nil, good, "", revocation.ErrUnknown},
		"no list":                  {[]byte("hello"), good, "", revocation.ErrUnknown},
		"a stranger's list":        {stranger.List(t, nil), good, "", revocation.ErrUnknown},
		"out of date":              {root.List(t, from(2*time.Hour, -time.Hour)), good, "", revocation.ErrUnknown},
		"of the future":            {root.List(t, from(-time.Hour, 2*time.Hour)), good, "", revocation.ErrUnknown},
		"names none":               {nil, root.Issue(t), "", revocation.ErrNoList},
		"names one of a directory": {nil, root.Issue(t, made.Listed("ldap://dc.acme.test/cn=crl")), "", revocation.ErrNoList},
		"the authority's says":     {root.List(t, nil, bad), root.Issue(t), here, nil},
		"the second answers":       {root.List(t, nil), twice, "", nil},
		"the second says no":       {root.List(t, nil, twice), twice, "", revocation.ErrRevoked},
		"the authority's counts":   {root.List(t, nil), bad, there, revocation.ErrUnknown},
	} {
		s := &shelf{}
		if tt.file != nil {
			s.put(here, tt.file)
		}
		l := &revocation.Lists{Fetch: s.fetch}
		if err := l.Check(t.Context(), &call.Call{Now: time.Now()}, tt.cert.Leaf, root.Cert, tt.at); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRemembered goes through the life of a list: when it is fetched, how long it stands for one that cannot be had, and that an older one
// does not come back.
func TestRemembered(t *testing.T) {
	root := made.Root(t, "Root")
	cert := root.Issue(t, made.Listed(here))
	s := &shelf{}
	l := &revocation.Lists{Fetch: s.fetch}
	begin := time.Now()
	check := func(what string, after time.Duration, asked int64, want error) {
		t.Helper()
		err := l.Check(t.Context(), &call.Call{Now: begin.Add(after)}, cert.Leaf, root.Cert, "")
		if !errors.Is(err, want) || s.asked.Load() != asked {
			t.Errorf("%s: %v, asked %d times", what, err, s.asked.Load())
		}
	}
	old := root.List(t, func(l *x509.RevocationList) {
		l.ThisUpdate = begin.Add(-time.Hour)
		l.NextUpdate = begin.Add(3 * time.Hour)
	})
	newer := root.List(t, func(l *x509.RevocationList) { l.NextUpdate = begin.Add(3 * time.Hour) }, cert)
	check("nothing yet", 0, 1, revocation.ErrUnknown)
	check("not asked again at once", time.Second, 1, revocation.ErrUnknown)
	s.put(here, old)
	check("asked again", time.Minute, 2, nil)
	check("remembered", 5*time.Minute, 2, nil)
	s.put(here, nil)
	check("due again, and not to be had", 15*time.Minute, 3, nil)
	check("not asked again at once, and stands", 15*time.Minute+time.Second, 3, nil)
	check("asked again soon", 16*time.Minute, 4, nil)
	s.put(here, newer)
	check("a new one", 30*time.Minute, 5, revocation.ErrRevoked)
	s.put(here, old)
	check("the old one brought back", 45*time.Minute, 6, revocation.ErrRevoked)
	s.put(here, nil)
	check("all are out of date", 4*time.Hour, 7, revocation.ErrUnknown)
}

// Nothing is fetched within a transaction; what is remembered counts there.
func TestWithinTransaction(t *testing.T) {
	root := made.Root(t, "Root")
	cert := root.Issue(t, made.Listed(here))
	s := &shelf{}
	s.put(here, root.List(t, nil))
	l := &revocation.Lists{Fetch: s.fetch}
	in := &call.Call{Now: time.Now(), Tx: &dbx.Tx{}}
	if err := l.Check(t.Context(), in, cert.Leaf, root.Cert, ""); !errors.Is(err, revocation.ErrUnknown) || s.asked.Load() != 0 {
		t.Error("fetched within a transaction:", err)
	}
	if err := l.Check(t.Context(), &call.Call{Now: in.Now}, cert.Leaf, root.Cert, ""); err != nil {
		t.Error(err)
	}
	if err := l.Check(t.Context(), in, cert.Leaf, root.Cert, ""); err != nil {
		t.Error(err)
	}
}

// An authority's list is no other's, even at the same address, and many authorities push nobody's out for good.
func TestApart(t *testing.T) {
	a, b := made.Root(t, "Root"), made.Root(t, "Root")
	cert, other := a.Issue(t, made.Listed(here)), b.Issue(t, made.Listed(here))
	s := &shelf{}
	s.put(here, a.List(t, nil, cert))
	l := &revocation.Lists{Fetch: s.fetch}
	c := &call.Call{Now: time.Now()}
	if err := l.Check(t.Context(), c, other.Leaf, b.Cert, ""); !errors.Is(err, revocation.ErrUnknown) {
		t.Error("another authority's list counts:", err)
	}
	for i := range 300 {
		uri := fmt.Sprint("http://crl.acme.test/", i)
		s.put(uri, a.List(t, nil))
		if err := l.Check(t.Context(), c, cert.Leaf, a.Cert, uri); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Check(t.Context(), c, cert.Leaf, a.Cert, ""); !errors.Is(err, revocation.ErrRevoked) {
		t.Error(err)
	}
}

func TestOneFetch(t *testing.T) {
	root := made.Root(t, "Root")
	cert := root.Issue(t, made.Listed(here))
	release, asked := make(chan struct{}), atomic.Int64{}
	file := root.List(t, nil)
	l := &revocation.Lists{Fetch: func(context.Context, string) ([]byte, error) {
		asked.Add(1)
		<-release
		return file, nil
	}}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if err := l.Check(context.Background(), &call.Call{Now: time.Now()}, cert.Leaf, root.Cert, ""); err != nil {
				t.Error(err)
			}
		})
	}
	for asked.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(20 * time.Millisecond)
	close(release)
	all.Wait()
	if n := asked.Load(); n > 20/2 {
		t.Error("fetched", n, "times for callers at the same time")
	}
}
