// Command kill shows that nothing acknowledged is lost. It runs the real program under a load of writers and ends it
// with SIGKILL at a random moment, again and again; or it does the same to the PostgreSQL server beneath it. After each
// blow every write that was acknowledged must be there, none may be half there, and the audit trail must verify.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	rounds := flag.Int("rounds", 100, "how often the program is killed")
	blows := flag.Int("blows", 20, "how often PostgreSQL is restarted or killed beneath the program")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := both(ctx, *rounds, *blows)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "kill:", err)
		os.Exit(1)
	}
}

func both(ctx context.Context, rounds, blows int) error {
	dir, err := os.MkdirTemp("", "limen-kill")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
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
