// Package rig runs the real program for tests and tools: it builds the binary, starts it on a free port as an operator
// would, reads what it prints, talks to it over HTTPS with nothing but its own authority trusted, and stops or kills it.
package rig

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	_ "limen/internal/app" // see Build
)

// Build builds the program into dir and gives the binary's path. Under the race detector the program is built with it.
//
// The go command remembers the outcome of tests by what they import and read, and does not see what another go command
// builds. So that a changed program is tested again, this package imports all of it but its main package, and reads
// that; tests must call Build after testing.M.Run has begun.
func Build(ctx context.Context, dir string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	files, err := filepath.Glob(filepath.Join(root, "cmd", "limen", "*.go"))
	if err != nil {
		return "", err
	}
	for _, f := range append(files, filepath.Join(root, "go.mod")) {
		if _, err := os.ReadFile(f); err != nil {
			return "", err
		}
	}
	binary := filepath.Join(dir, "limen")
	cmd := exec.CommandContext(ctx, "go", append(append([]string{"build"}, flags...), "-o", binary, "./cmd/limen")...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return binary, nil
}

// Root is the top of the source tree that the working directory is in.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "cmd", "limen", "main.go")); err == nil {
			return dir, nil
		}
	}
	return "", errors.New("not inside the source tree")
}

// FreePort is a TCP port of the loopback that nobody listens on now. It is none of those that systems give out by themselves, so that it is free still when
// a program comes back to it.
func FreePort() (int, error) {
	var err error
	for range 100 {
		var l net.Listener
		port := 10_000 + mathrand.IntN(20_000)
		if l, err = net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, err
}

// Environ is a small environment without the caller's settings, and with env.
func Environ(env ...string) []string {
	var out []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "GOCOVERDIR"} {
		if v, ok := os.LookupEnv(name); ok {
			out = append(out, name+"="+v)
		}
	}
	return append(out, env...)
}

// Done is how a command ended.
type Done struct {
	Code     int
	Out, Err string
}

// Command runs the program to its end. in may be nil.
func Command(ctx context.Context, binary string, in io.Reader, env []string, args ...string) (Done, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var out, errs strings.Builder
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = Environ(env...), in, &out, &errs
	err := cmd.Run()
	d := Done{Code: cmd.ProcessState.ExitCode(), Out: out.String(), Err: errs.String()}
	if _, ended := errors.AsType[*exec.ExitError](err); ended {
		err = ctx.Err() // an exit code is an answer, not an error
	}
	return d, err
}

// Name is a login name's first part that nobody has.
func Name() string { return "u" + strings.ToLower(rand.Text()[:16]) }
