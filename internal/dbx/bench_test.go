package dbx_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

var callers = []int{1, 16, 64}

func benchEach(b *testing.B, f func(b *testing.B, db *dbx.DB, callers int)) {
	for _, e := range dbxtest.Engines {
		b.Run(e.String(), func(b *testing.B) {
			db := prepare(b, dbxtest.BareWith(b, e, dbx.Options{Conns: 64}))
			err := db.Write(context.Background(), func(tx *dbx.Tx) error {
				for i := range 10_000 {
					if _, err := putItem.Do(context.Background(), tx, "a", fmt.Sprintf("id%05d", i), fmt.Sprint("name", i), true, i); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
			for _, n := range callers {
				b.Run(fmt.Sprint("callers=", n), func(b *testing.B) { f(b, db, n) })
			}
		})
	}
}

// spread shares b.N calls among n goroutines.
func spread(b *testing.B, n int, f func(i int64) error) {
	var wg sync.WaitGroup
	var next atomic.Int64
	b.ReportAllocs()
	b.ResetTimer()
	before := cpu(b)
	for range n {
		wg.Go(func() {
			for {
				i := next.Add(1)
				if i > int64(b.N) {
					return
				}
				if err := f(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
	// What a loaded machine does not change: the processor time of this process.
	b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
}

func cpu(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// BenchmarkPointRead reads one row by its primary key in a transaction of its own.
func BenchmarkPointRead(b *testing.B) {
	benchEach(b, func(b *testing.B, db *dbx.DB, n int) {
		ctx := context.Background()
		ids := make([]string, 10_000)
		for i := range ids {
			ids[i] = fmt.Sprintf("id%05d", i)
		}
		spread(b, n, func(i int64) error {
			return db.Read(ctx, func(tx *dbx.Tx) error {
				_, err := itemByID.One(ctx, tx, "a", ids[i*7919%10_000])
				return err
			})
		})
	})
}

var serialNumber atomic.Int64

// BenchmarkSmallWrite inserts one row in a transaction of its own; every answer waits for the disk.
func BenchmarkSmallWrite(b *testing.B) {
	benchEach(b, func(b *testing.B, db *dbx.DB, n int) {
		ctx := context.Background()
		spread(b, n, func(int64) error {
			id := fmt.Sprint(serialNumber.Add(1))
			return db.Write(ctx, func(tx *dbx.Tx) error {
				_, err := putItem.Do(ctx, tx, "w", id, id, true, 1)
				return err
			})
		})
	})
}

// BenchmarkReadBesideWrites is a point read by n callers while one more caller writes all the time.
func BenchmarkReadBesideWrites(b *testing.B) {
	benchEach(b, func(b *testing.B, db *dbx.DB, n int) {
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		wg.Go(func() {
			for ctx.Err() == nil {
				id := fmt.Sprint(serialNumber.Add(1))
				db.Write(context.Background(), func(tx *dbx.Tx) error {
					_, err := putItem.Do(ctx, tx, "w", id, id, true, 1)
					return err
				})
			}
		})
		spread(b, n, func(i int64) error {
			return db.Read(context.Background(), func(tx *dbx.Tx) error {
				_, err := itemByID.One(ctx, tx, "a", fmt.Sprintf("id%05d", i%10_000))
				return err
			})
		})
		cancel()
		wg.Wait()
	})
}
