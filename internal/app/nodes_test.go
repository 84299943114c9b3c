package app_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"limen/internal/app"
	"limen/internal/config"
	"limen/internal/core/audit"
	"limen/internal/core/session"
	"limen/internal/core/tenant"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
	"limen/internal/platform/web"
)

// wire is a TCP proxy that can be cut.
type wire struct {
	net.Listener
	to    string
	mu    sync.Mutex
	cut   bool
	conns []net.Conn
}

func newWire(t *testing.T, to string) *wire {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{Listener: l, to: to}
	t.Cleanup(func() { l.Close(); w.set(true) })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			w.join(in)
		}
	}()
	return w
}

func (w *wire) join(in net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out, err := net.Dial("tcp", w.to)
	if w.cut || err != nil {
		in.Close()
		return
	}
	w.conns = append(w.conns, in, out)
	go func() { _, _ = io.Copy(in, out); in.Close() }()
	go func() { _, _ = io.Copy(out, in); out.Close() }()
}

// set cuts every connection and refuses new ones, or lets them through again.
func (w *wire) set(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
	for _, c := range w.conns {
		c.Close()
	}
	w.conns = nil
}

// node is one process of several on the same database and master key.
type node struct {
	*app.App
	url string
}

func startNode(t *testing.T, db, name string) *node {
	t.Helper()
	const key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	s, err := config.Load([]string{"--db", db, "--data", t.TempDir(), "--dev", "--tls", "off", "--node", name}, []string{"LIMEN_MASTER_KEY=" + key}, "")
	if err != nil {
		t.Fatal(err)
	}
	a, err := app.Open(t.Context(), s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	a.Hasher.Memory = 64
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, w := range a.Workers() {
		running.Go(func() { _ = w.Run(ctx) })
	}
	ready := &web.Ready{}
	front := httptest.NewServer(a.Handler(ready))
	t.Cleanup(func() { front.Close(); stop(); running.Wait(); _ = a.Close() })
	return &node{a, front.URL}
}

// whoAmI asks a node with a session's token, and gives the status.
func (n *node) whoAmI(t *testing.T, token string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, n.url+"/CDirectoryService/GetUserAttributes", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}

// TestTwoNodes shows what a second node sees of the first one's changes, and that a node which is cut off from the
// database refuses rather than answers from what it remembers.
func TestTwoNodes(t *testing.T) {
	address, err := url.Parse(dbxtest.Address(t, dbx.Postgres, true))
	if err != nil {
		t.Fatal(err)
	}
	through := newWire(t, address.Host)
	one := startNode(t, address.String(), "one")
	address.Host = through.Addr().String()
	two := startNode(t, address.String(), "two")
	two.Kernel.Deadline = 2 * time.Second // of its questions while it is cut off, and nobody else's: a busy machine makes keys for longer

	made, admin, _, err := one.AddTenant(t.Context(), tenant.New{Name: "Nodes", Suffix: "nodes.test"}, app.Admin{Name: "admin@nodes.test", Password: "Correct-Horse-7"})
	if err != nil {
		t.Fatal(err)
	}
	// Of several tenants, none is the only one: a suffix is found by what a node remembers of it.
	if _, _, _, err := one.AddTenant(t.Context(), tenant.New{Name: "More", Suffix: "more.test"}, app.Admin{Name: "admin@more.test", Password: "Correct-Horse-7"}); err != nil {
		t.Fatal(err)
	}
	signIn := func() (token, id string) {
		c := one.Shell(made.ID)
		err := one.Write(t.Context(), c, audit.Login, func(ctx context.Context) error {
			tok, s, err := one.Sessions.Create(ctx, c, session.New{User: admin.ID})
			token, id = tok, s.ID
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return token, id
	}
	token, id := signIn()
	kept, _ := signIn()
	for _, tok := range []string{token, kept} {
		if got := two.whoAmI(t, tok); got != 200 {
			t.Fatalf("the second node does not know a session of the first: %d", got)
		}
	}

	c := one.Shell(made.ID)
	if err := one.Write(t.Context(), c, audit.Logout, func(ctx context.Context) error { return one.Sessions.End(ctx, c, id) }); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Second, "the second node still takes an ended session", func() bool { return two.whoAmI(t, token) == 401 })
	if got := two.whoAmI(t, kept); got != 200 {
		t.Fatalf("the other session ended too: %d", got)
	}

	readOwnWrites(t, one, two, kept)

	through.set(true)
	eventually(t, 10*time.Second, "a node that is cut off still answers", func() bool { return two.whoAmI(t, kept) != 200 })
	if got := one.whoAmI(t, kept); got != 200 {
		t.Fatalf("the node that is not cut off refuses: %d", got)
	}
	through.set(false)
	eventually(t, 15*time.Second, "the node does not come back", func() bool { return two.whoAmI(t, kept) == 200 })
}

// readOwnWrites stores something on one node and reads it on the other at once, fifty times, as a client that keeps cookies.
func readOwnWrites(t *testing.T, one, two *node, token string) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	ask := func(n *node, path, body string) string {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, n.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for i := range 50 {
		suffix := fmt.Sprintf("own%d.test", i)
		if got := ask(one, "/Core/StoreAlias", `{"alias":"`+suffix+`","domain":"`+suffix+`"}`); !strings.Contains(got, `"success":true`) {
			t.Fatal(got)
		}
		if got := ask(two, "/Security/StartAuthentication", `{"User":"@`+suffix+`","Version":"1.0"}`); !strings.Contains(got, `"PodFqdn"`) {
			t.Fatalf("write %d is not read on the other node: %s", i, got)
		}
	}
}

// eventually waits for what another process brings about.
func eventually(t *testing.T, within time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(within + 10*time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatal(what)
}
