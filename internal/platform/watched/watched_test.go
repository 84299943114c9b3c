package watched

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAFileThatIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	var log strings.Builder
	f := &File[string]{
		Path: path, What: "the list", Most: 8, Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(&log, nil)),
		Read: func(b []byte) (*string, error) {
			if string(b) == "bad" {
				return nil, errors.New("it makes no sense")
			}
			s := string(b)
			return &s, nil
		},
	}
	says := func(want string) {
		t.Helper()
		got := f.Get()
		if want == "" && got != nil || want != "" && (got == nil || *got != want) {
			t.Errorf("%v, want %q; %s", got, want, log.String())
		}
	}
	put := func(text string) {
		t.Helper()
		now = now.Add(Every)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now, now); err != nil {
			t.Fatal(err)
		}
	}
	says("")
	if strings.Count(log.String(), "the list cannot be read") != 1 {
		t.Error(log.String())
	}
	put("one")
	says("one")
	put("two")
	says("two")
	for _, text := range []string{"bad", "much too long"} {
		put(text)
		says("two")
	}
	now = now.Add(-Every / 2) // looked at not long ago
	put("three")
	now = now.Add(-Every / 2)
	says("two")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * Every)
	says("two")
}

func TestOnlyFilesAreRead(t *testing.T) {
	f := &File[string]{Path: t.TempDir(), Most: 8, Read: func([]byte) (*string, error) { return nil, nil }}
	if _, err := f.read(); err == nil {
		t.Error("a directory")
	}
}
