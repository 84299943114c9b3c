package app

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Password hashes take 46 MiB each for a moment, and the runtime keeps what it got for minutes. Where much of it lies
// idle, it goes back to the system.
const (
	idleMemory  = 32 << 20
	memoryEvery = 30 * time.Second
)

// startTakes is when what a start alone needed goes back to the system.
const startTakes = 3 * time.Second

// collectAt is how far the heap grows between collections, in percent: half the collections of Go's own setting, for at
// most the memory that a few password hashes take anyway.
const collectAt = 200

// A program with a bound (Settings.Memory) may use all of it for a moment. Of what is only remembered it forgets everything
// when what is in use for longer passes a part of the bound; the rest is for requests, hashes and what is not on the heap.
const (
	relieveEvery = time.Second
	relieveRest  = 10 * time.Second // between two times: what is not remembered does not get less by forgetting
	heapShare    = 0.75             // of the bound is what the runtime is told to stay within
	keptShare    = 0.4
	sessionShare = 0.125
	sessionBytes = 2500 // of a remembered session, about
)

// boundMemory tells the runtime and the largest cache of the bound, before the program serves.
func (a *App) boundMemory() {
	bound := float64(a.Settings.MemoryBound())
	if bound == 0 {
		return
	}
	debug.SetMemoryLimit(int64(heapShare * bound))
	a.Sessions.Max = int(sessionShare * bound / sessionBytes)
}

// giveBack returns idle memory to the system until ctx ends, and keeps what is remembered within the bound.
func (a *App) giveBack(ctx context.Context) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	t, r, begun := time.NewTicker(memoryEvery), time.NewTicker(relieveEvery), time.NewTimer(startTakes)
	defer begun.Stop()
	defer t.Stop()
	defer r.Stop()
	var last time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-begun.C:
			debug.FreeOSMemory()
			unmapStart()
		case <-t.C:
			trim()
		case <-r.C:
			if bound := a.Settings.MemoryBound(); bound > 0 && live() > int64(keptShare*float64(bound)) && time.Since(last) > relieveRest {
				a.Changes.Forget()
				a.Roles.Forget()
				last = time.Now()
			}
		}
	}
}

// live is what was in use when memory was last collected.
func live() int64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64())
}

// trim gives idle memory back at once, when there is enough of it to be worth a collection.
func trim() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if int64(m.HeapSys-m.HeapReleased) > live()+idleMemory {
		debug.FreeOSMemory()
	}
}
