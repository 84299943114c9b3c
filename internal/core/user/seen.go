package user

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"limen/internal/dbx"
)

// seen gathers sign-ins until they are written together.
type seen struct {
	mu sync.Mutex
	at map[[2]string]int64 // tenant and user -> ms
}

const (
	flushEvery = 5 * time.Second
	maxSeen    = 100_000 // sign-ins kept between flushes; what is beyond is not noted
	flushBatch = 500
)

// Saw notes a complete sign-in; Run writes it some seconds later.
func (d *Directory) Saw(tenant, userID string, at time.Time) {
	d.seen.mu.Lock()
	defer d.seen.mu.Unlock()
	if d.seen.at == nil {
		d.seen.at = map[[2]string]int64{}
	}
	if len(d.seen.at) < maxSeen {
		d.seen.at[[2]string{tenant, userID}] = at.UnixMilli()
	}
}

// Run writes the sign-ins that Saw noted until ctx ends, and once more then.
func (d *Directory) Run(ctx context.Context) error {
	t := time.NewTicker(flushEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return d.Flush(context.WithoutCancel(ctx))
		case <-t.C:
			if err := d.Flush(ctx); err != nil {
				slog.WarnContext(ctx, "the times of the last sign-ins were not written", slog.String("error", err.Error()))
			}
		}
	}
}

// Flush writes what Saw noted; what cannot be written is kept for the next time.
func (d *Directory) Flush(ctx context.Context) error {
	d.seen.mu.Lock()
	all := d.seen.at
	d.seen.at = nil
	d.seen.mu.Unlock()
	keys := make([][2]string, 0, len(all))
	for k := range all {
		keys = append(keys, k)
	}
	for len(keys) > 0 {
		n := min(len(keys), flushBatch)
		err := d.DB.Write(ctx, func(tx *dbx.Tx) error {
			for _, k := range keys[:n] {
				if err := saw.Later(ctx, tx, k[0], k[1], all[k]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			d.again(keys, all)
			return err
		}
		keys = keys[n:]
	}
	return nil
}

func (d *Directory) again(keys [][2]string, all map[[2]string]int64) {
	d.seen.mu.Lock()
	defer d.seen.mu.Unlock()
	if d.seen.at == nil {
		d.seen.at = map[[2]string]int64{}
	}
	for _, k := range keys {
		if _, newer := d.seen.at[k]; !newer && len(d.seen.at) < maxSeen {
			d.seen.at[k] = all[k]
		}
	}
}
