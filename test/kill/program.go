package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"time"

	"limen/test/rig"
)

// writersOf are clients that share the administrator's session, which must survive whatever happens to the server.
func writersOf(ctx context.Context, s *rig.Server, n int) ([]*writer, error) {
	c, err := s.Client()
	if err != nil {
		return nil, err
	}
	c.HTTP.Timeout = 20 * time.Second
	if c, err = c.SignIn(ctx, s.Admin, s.Password); err != nil {
		return nil, err
	}
	out := make([]*writer, n)
	for i := range out {
		out[i] = &writer{number: i, client: c, rand: rand.New(rand.NewPCG(uint64(i), uint64(time.Now().UnixNano()))), statuses: map[int]int{}}
	}
	return out, nil
}

// killProgram kills the program under load, on the embedded database.
func killProgram(ctx context.Context, dir string, rounds int, out io.Writer) (sum total, err error) {
	binary, err := rig.Build(ctx, dir)
	if err != nil {
		return sum, err
	}
	s, err := rig.New(rig.Options{Binary: binary, Data: filepath.Join(dir, "program"), Args: []string{"--log-level", "warn"}})
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
	for round := 1; round <= rounds; round++ {
		l := start(ctx, writers, false)
		time.Sleep(time.Duration(20+rand.IntN(900)) * time.Millisecond)
		s.Kill()
		l.end()
		if ctx.Err() != nil {
			return sum, ctx.Err()
		}
		if err := s.Start(ctx); err != nil {
			return sum, fmt.Errorf("round %d: %w", round, err)
		}
		if sum, err = check(ctx, s, writers); err == nil {
			err = verified(ctx, s)
		}
		if err != nil {
			return sum, fmt.Errorf("round %d: %w\nserver's log:\n%s", round, err, s.Log(20))
		}
		if round%10 == 0 || round == rounds {
			fmt.Fprintf(out, "round %d: %s\n", round, sum)
		}
	}
	return sum, s.Stop()
}
