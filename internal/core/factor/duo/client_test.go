package duo_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"limen/internal/core/factor/duo/duotest"
)

// Duo's own client signs in at the double: it is as strict as Duo's server, and no stricter. LIMEN_TEST_DUO is a Python that has the client's
// package (test/peers/run duo).
func TestPublishedClient(t *testing.T) {
	python := os.Getenv("LIMEN_TEST_DUO")
	if python == "" {
		t.Skip("LIMEN_TEST_DUO names no Python with Duo's client")
	}
	srv := duotest.New(t)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, srv.PEM, 0o600); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join("..", "..", "..", "..", "test", "peers", "duo.py")
	cmd := exec.CommandContext(t.Context(), python, script, srv.Host, ca, duotest.ClientID, duotest.Secret) //nolint:gosec // what the test names
	var wrong bytes.Buffer                                                                                  // warnings, too
	cmd.Stderr = &wrong
	if out, err := cmd.Output(); err != nil || string(out) != "ok\n" {
		t.Fatalf("%v\n%s%s\n%v", err, out, &wrong, srv.Refused)
	}
}
