package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"limen/bench/load"
)

// TestRowsWork measures every row for a moment on each engine there is: a bench that nobody runs for a month should still
// run. No number is looked at.
func TestRowsWork(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "limen")
	if out, err := exec.Command("go", "build", "-o", binary, "limen/cmd/limen").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	engines := map[string]string{"sqlite": "unused"}
	if url := os.Getenv("LIMEN_TEST_POSTGRES"); url != "" {
		engines["postgres"] = url
	}
	for engine, url := range engines {
		t.Run(engine, func(t *testing.T) {
			var out bytes.Buffer
			err := run(context.Background(), []string{"-quick", "-engine", engine, "-binary", binary, "-postgres", url}, &out)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"sign-in with password", "sign-in with a security key", "WhoAmI", "CreateUser, 64 callers", map[string]string{"sqlite": "raw, 4 rows", "postgres": "raw, 5 rows"}[engine], "import of 100, no passwords", "import of 2 with passwords", "GetUsers, all 60", "PVWA users, all, extended", "Redrock by prefix", "client credentials, service user, 64", "code flow, ES256 ID token, 16", "refresh, opaque, 64", "introspection, JWT, 16", "UserInfo, opaque, 1", "JWKS, 64", "tokens issued, 500 rows", "100 expired rows leave", "idle memory", "rights of one person", "rights after a role changed",
				"resultant policy", "first page of 260 members, direct", "last page, 8 deep", "add a member to 250, 64 callers", "remove a member of 250", "scripts of 4 run", "SCIM last page of 100", "SCIM PATCH, 16 callers",
				"start to first healthy answer, large", "most memory meanwhile",
			} {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %q in\n%s", want, out.String())
				}
			}
		})
	}
}

func TestAims(t *testing.T) {
	for _, c := range []struct {
		r   row
		met bool
	}{
		{row{unit: perSecond, limit: 100, ours: 50, ratio: 0.5}, true},
		{row{unit: perSecond, limit: 100, ours: 49, ratio: 0.5}, false},
		{row{unit: perSecond, limit: 100, ours: 90, ratio: 0.5, aim: 91}, false},
		{row{unit: perSecond, limit: 100, ours: 91, ratio: 0.5, aim: 91}, true},
		{row{unit: duration, ours: 0.06, aim: 0.06}, true},
		{row{unit: duration, ours: 0.061, aim: 0.06}, false},
		{row{unit: share, ours: 2}, true},
		{row{unit: number, limit: 3, ours: 3, ratio: 1}, true},
		{row{unit: duration, limit: 1, ours: 1.3, ratio: 1.2}, false},
	} {
		if c.r.met() != c.met {
			t.Errorf("%+v: met is %v", c.r, c.r.met())
		}
	}
}

// TestClientLooksAtAnswers shows the client answers that are none.
func TestClientLooksAtAnswers(t *testing.T) {
	e, err := newEcho()
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	c, err := load.Dial(t.Context(), e.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 3 {
		body, err := c.Succeed(load.Request("h", "/x", "A: b", `{"a":1}`))
		if err != nil || string(body) != `{"success":true,"Result":{"a":1}}` {
			t.Fatal(string(body), err)
		}
	}
	if _, err := c.Succeed([]byte("GET * HTTP/1.1\r\n\r\n")); err == nil {
		t.Error("an answer with status 400 counts as a success")
	}
}

func TestRawRowsDifferWhereTheyMust(t *testing.T) {
	r := rawRow{values: []any{"id1", "sample@x", int64(7), "sample and sample", "same"}}
	r.cut([]string{"sample", "id1"})
	got := r.with([]string{"raw1", "id2"})
	want := []any{"id2", "raw1@x", int64(7), "raw1 and raw1", "same"}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("value %d is %v, not %v", i, got[i], want[i])
		}
	}
}
