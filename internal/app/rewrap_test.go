package app_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"limen/internal/app"
	"limen/internal/config"
	"limen/internal/crypt"
)

// Another master key takes the place of the one so far: with it all opens as before, and with the old one nothing.
func TestRewrapKeys(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	c := app.Wire(strings.NewReader(""), &out)
	settings := func(more ...string) config.Settings {
		s, err := config.Load(append([]string{"--data", dir}, more...), nil, "")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	old, other := filepath.Join(dir, "master.key"), filepath.Join(dir, "other.key")
	if err := c.Tenant(t.Context(), settings(), app.NewTenant{ID: "ABC1234", Suffixes: []string{"example.test"}, Hosts: []string{"id.example.test"}}); err != nil {
		t.Fatal(err)
	}
	moved := settings("--master-key-file", other)
	if err := c.Rewrap(t.Context(), moved, filepath.Join(dir, "none.key")); !errors.Is(err, crypt.ErrMasterInvalid) {
		t.Errorf("from a key that is not there: %v", err)
	}
	if err := c.Check(t.Context(), settings()); err != nil {
		t.Fatal("before:", err)
	}
	if err := c.Rewrap(t.Context(), moved, old); err != nil || !strings.Contains(out.String(), "wraps all") {
		t.Fatal(err, out.String())
	}
	if err := c.Check(t.Context(), moved); err != nil {
		t.Error("behind:", err)
	}
	if err := c.Check(t.Context(), settings()); !errors.Is(err, app.ErrCheck) {
		t.Errorf("with the old key: %v", err)
	}
	if err := c.Rewrap(t.Context(), moved, old); !errors.Is(err, crypt.ErrMaster) {
		t.Errorf("once more: %v", err)
	}
	if _, err := os.Stat(old); err != nil {
		t.Error("the old key, which backups need, is gone")
	}
}
