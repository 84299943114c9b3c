// Command kill shows that nothing acknowledged is lost. It runs the real program under a load of writers and ends it
// with SIGKILL at a random moment, again and again; or it does the same to the PostgreSQL server beneath it. After each
// blow every write that was acknowledged must be there, none may be half there, and the audit trail must verify. The same goes for
// what the program does by itself, imports and the members that scripts decide; and of tokens, which are good until they are rotated,
// revoked or shown twice, and never again.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"limen/test/rig"
)

func main() {
	rounds := flag.Int("rounds", 100, "how often the program is killed")
	blows := flag.Int("blows", 20, "how often PostgreSQL is restarted or killed beneath the program")
	works := flag.Int("works", 20, "how often the program is killed during imports, recomputations and the issue of tokens, on each database")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := both(ctx, *rounds, *blows, *works)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "kill:", err)
		os.Exit(1)
	}
}

func both(ctx context.Context, rounds, blows, works int) error {
	dir, err := os.MkdirTemp("", "limen-kill")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := workers(ctx, dir, works); err != nil || rounds == 0 {
		return err
	}
	began := time.Now()
	sum, err := killProgram(ctx, dir, rounds, os.Stdout)
	if err != nil {
		return err
	}
	fmt.Printf("program killed %d times in %v: %s\n", rounds, time.Since(began).Round(time.Second), sum)
	if blows == 0 {
		return nil
	}
	began = time.Now()
	sum, err = hitDatabase(ctx, dir, blows, os.Stdout)
	if err != nil {
		return err
	}
	fmt.Printf("database hit %d times in %v: %s\n", blows, time.Since(began).Round(time.Second), sum)
	return nil
}

// workers kills the program while it works by itself, on SQLite and on a PostgreSQL server of its own.
func workers(ctx context.Context, dir string, works int) error {
	if works == 0 {
		return nil
	}
	root, err := rig.Root()
	if err != nil {
		return err
	}
	at, err := os.MkdirTemp("", "limen-kill-postgres") // PostgreSQL does not run as root and must be able to reach its files
	if err != nil {
		return err
	}
	defer os.RemoveAll(at)
	c := cluster{root, at}
	address, err := c.do(ctx, "start")
	if err != nil {
		return err
	}
	defer c.do(context.WithoutCancel(ctx), "kill")
	binary, err := rig.Build(ctx, dir)
	if err != nil {
		return err
	}
	for engine, address := range map[string]string{"SQLite": "", "PostgreSQL": address} {
		for _, k := range kinds {
			began := time.Now()
			cut, err := k.kill(ctx, place{binary, filepath.Join(dir, engine+k.name), address, os.Stdout}, works)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", engine, k.name, err)
			}
			fmt.Printf("%s, %s: %d rounds in %v, in which %d blows fell into the work\n", engine, k.name, works, time.Since(began).Round(time.Second), cut)
		}
	}
	return nil
}

// kinds are the works.
var kinds = []struct {
	name string
	kill func(ctx context.Context, p place, rounds int) (cut int, err error)
}{{"imports", killImports}, {"recomputations", killPasses}, {"tokens", killTokens}}
