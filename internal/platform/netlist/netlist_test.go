package netlist

import (
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestLists(t *testing.T) {
	dir := t.TempDir()
	drop, own := filepath.Join(dir, "drop.txt"), filepath.Join(dir, "own.txt")
	for path, text := range map[string]string{
		drop: "; a list\n192.0.2.0/24 ; SBL1\r\n2001:db8:1::/48\n\n# end",
		own:  "198.51.100.7\t2026-11-22\n::ffff:203.0.113.0/120",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	l := New([]string{drop, own}, slog.New(slog.DiscardHandler), func() time.Time { return now })
	find := func(ip, want string, unread error) {
		t.Helper()
		got, err := l.Find(netip.MustParseAddr(ip))
		if got != want || !errors.Is(err, unread) {
			t.Errorf("%s is in %q, %v", ip, got, err)
		}
	}
	find("192.0.2.200", "drop.txt", nil)
	find("::ffff:192.0.2.1", "drop.txt", nil)
	find("2001:db8:1::9%eth0", "drop.txt", nil)
	find("198.51.100.7", "own.txt", nil)
	find("203.0.113.9", "own.txt", nil)
	for _, ip := range []string{"198.51.100.8", "2001:db8:2::1", "192.0.3.1"} {
		find(ip, "", nil)
	}
	if got, err := l.Find(netip.Addr{}); got != "" || err != nil {
		t.Error(got, err)
	}
	l = New([]string{drop, filepath.Join(dir, "gone")}, slog.New(slog.DiscardHandler), nil)
	find("192.0.2.1", "drop.txt", nil)
	find("198.51.100.7", "", ErrUnread)
}

func TestLinesThatAreNoNetworks(t *testing.T) {
	for _, text := range []string{"192.0.2.0/33", "0.0.0.0/0", "::/0", "::ffff:0.0.0.0/96", "example.com", "1.2.3.0/24\n<html>", "10.0.0.1-10.0.0.9"} {
		if _, err := parse([]byte(text)); err == nil {
			t.Error(text)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("192.0.2.0/24 ; x\n2001:db8::/32\n# y"))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := parse(text)
		if err == nil && (l.has(netip.MustParseAddr("192.0.2.1")) && len(l.sizes[0]) == 0) {
			t.Error("an address in an empty list")
		}
	})
}
