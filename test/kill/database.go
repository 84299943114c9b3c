package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"limen/test/rig"
)

// cluster is a PostgreSQL server of its own, run by test/postgres.
type cluster struct{ root, dir string }

func (c cluster) do(ctx context.Context, what string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(c.root, "test", "postgres"), what, c.dir)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("test/postgres %s: %w\n%s", what, err, errs.String())
	}
	return strings.TrimSpace(string(out)), err
}

// hit restarts the cluster: in order, with its connections cut, or after a stop as by a power cut.
func (c cluster) hit(ctx context.Context, hard bool) error {
	if !hard {
		_, err := c.do(ctx, "restart")
		return err
	}
	_, err := c.do(ctx, "kill")
	if err == nil {
		_, err = c.do(ctx, "start")
	}
	return err
}

// hitDatabase restarts and kills PostgreSQL beneath the program under load. The program goes on by itself; a call that
// arrives while the database is away is tried again until its deadline, so that clients get an answer and no error.
func hitDatabase(ctx context.Context, dir string, blows int, out io.Writer) (sum total, err error) {
	root, err := rig.Root()
	if err != nil {
		return sum, err
	}
	// PostgreSQL does not run as root and must be able to reach its files.
	at, err := os.MkdirTemp("", "limen-kill-postgres")
	if err != nil {
		return sum, err
	}
	defer os.RemoveAll(at)
	c := cluster{root, at}
	address, err := c.do(ctx, "start")
	if err != nil {
		return sum, err
	}
	defer c.do(context.WithoutCancel(ctx), "kill")
	db, _, err := rig.Database(ctx, address)
	if err != nil {
		return sum, err
	}
	binary, err := rig.Build(ctx, dir)
	if err != nil {
		return sum, err
	}
	s, err := rig.New(rig.Options{Binary: binary, Data: filepath.Join(dir, "beneath"), DB: db, Args: []string{"--log-level", "warn"}})
	if err != nil {
		return sum, err
	}
	defer s.Close()
	if err := s.Start(ctx); err != nil {
		return sum, err
	}
	writers, err := writersOf(ctx, s, 6)
	if err != nil {
		return sum, err
	}
	for blow := 1; blow <= blows; blow++ {
		l := start(ctx, writers, true)
		time.Sleep(time.Duration(100+rand.IntN(600)) * time.Millisecond)
		hard := blow%2 == 0
		err := c.hit(ctx, hard)
		time.Sleep(500 * time.Millisecond) // the program finds its database again
		l.end()
		if err = errors.Join(err, ctx.Err()); err != nil {
			return sum, err
		}
		if sum, err = check(ctx, s, writers); err == nil {
			err = verified(ctx, s)
		}
		if err != nil {
			return sum, fmt.Errorf("blow %d (hard: %v): %w\nserver's log:\n%s", blow, hard, err, s.Log(20))
		}
		fmt.Fprintf(out, "blow %d (%s): %s\n", blow, map[bool]string{false: "restart", true: "as by a power cut"}[hard], sum)
	}
	return sum, s.Stop()
}
