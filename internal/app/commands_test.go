package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"limen/internal/config"
)

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	s, err := config.Load([]string{"--data", dir}, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	c := Wire(strings.NewReader(""), &out)
	if err := c.Check(context.Background(), s); err != nil || !strings.Contains(out.String(), "flag --data") || !strings.Contains(out.String(), "does not exist yet") {
		t.Fatal(out.String(), err)
	}
	if files, _ := os.ReadDir(dir); len(files) > 0 {
		t.Fatal("a check made something")
	}
	key := filepath.Join(dir, "master.key")
	if err := errors.Join(os.WriteFile(key, make([]byte, 32), 0o644), os.Chmod(key, 0o644)); err != nil {
		t.Fatal(err)
	}
	if err := c.Check(context.Background(), s); !errors.Is(err, ErrCheck) || !strings.Contains(err.Error(), "chmod 600") {
		t.Fatal(err)
	}
}

func TestVersion(t *testing.T) {
	var out strings.Builder
	if err := Wire(nil, &out).Version(context.Background()); err != nil || !strings.HasPrefix(out.String(), "limen ") || !strings.Contains(out.String(), " go1.") {
		t.Fatal(out.String(), err)
	}
}
