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

// collectAt is how far the heap grows between collections, in percent: half the collections of Go's own setting, for at
// most the memory that a few password hashes take anyway.
const collectAt = 200

// giveBack returns idle memory to the system until ctx ends.
func giveBack(ctx context.Context) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	t := time.NewTicker(memoryEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			trim()
		}
	}
}

// trim gives idle memory back at once, when there is enough of it to be worth a collection.
func trim() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.HeapSys-m.HeapReleased > live[0].Value.Uint64()+idleMemory {
		debug.FreeOSMemory()
	}
}
