package script

import (
	"errors"
	"io"
	"runtime/debug"
	"strconv"
	"time"
)

// Verb is the argument with which the program runs as a child. It is no command for people.
const Verb = "script-child"

// Child answers batches from in until it ends, and gives the exit code. Before it reads any, it gives up what it does not
// need: args has what Pool wrote there, the most memory in bytes.
func Child(args []string, in io.Reader, out io.Writer) int {
	if len(args) != 1 {
		return 2
	}
	memory, err := strconv.ParseInt(args[0], 10, 64)
	if err != nil || memory <= 0 {
		return 2
	}
	debug.SetMaxStack(16 << 20)
	debug.SetMemoryLimit(memory / 2)            // from there on garbage is collected eagerly
	time.AfterFunc(time.Hour, func() {}).Stop() // the runtime's timers need a file of their own, which can be had now only
	if err := confine(memory); err != nil {
		return 3
	}
	for {
		var b Batch
		if err := read(in, &b); err != nil {
			if errors.Is(err, io.EOF) {
				return 0
			}
			return 4
		}
		a := judge(b)
		a.CPU = used().Milliseconds()
		if err := write(out, a); err != nil {
			return 5
		}
	}
}
