package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"limen/internal/core/lease"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// head is the end of a tenant's chain.
type head struct {
	Tenant string `db:"tenant"`
	Seq    int64  `db:"seq"`
	Chain  []byte `db:"chain"`
	Signed int64  `db:"signed"`
	Since  int64  `db:"since"`
}

// end is a place in a chain.
type end struct {
	Seq   int64  `db:"seq"`
	Chain []byte `db:"chain"`
}

const (
	leaseName = "audit.seal"
	leaseTime = 15 * time.Second
	lookAlone = 5 * time.Second // SQLite: what the command line wrote is found by looking
)

var (
	headSigned = dbx.E("audit.head_signed", `UPDATE event_head SET signed = ?, since = ? WHERE tenant = ? AND signed < ?`)
	unsigned   = dbx.Q[head]("audit.unsigned", `SELECT tenant, seq, chain, signed, since FROM event_head
		WHERE seq > signed AND (seq - signed >= ? OR since <= ?) LIMIT 200`)
	checkpoint = dbx.E("audit.checkpoint", `INSERT INTO event_checkpoint (tenant, seq, chain, at, key_id, signature)
		VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, seq) DO NOTHING`)
	sealedAfter = dbx.Q[int64]("audit.sealed_after", `SELECT at FROM event_seal WHERE tenant = ? AND seq > ? ORDER BY seq LIMIT 1`)
)

var errMoved = fault.New(fault.Conflict, "event.sealer", "Another server seals the audit log.")

// wake has the sealer of this process look soon.
func (l *Log) wake() {
	select {
	case l.ring() <- struct{}{}:
	default:
	}
}

func (l *Log) ring() chan struct{} {
	l.once.Do(func() { l.bell = make(chan struct{}, 1) })
	return l.bell
}

// Run seals while this node has the lease, until ctx ends.
func (l *Log) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := l.Leases.Hold(ctx, leaseName, leaseTime, l.lead); err != nil && ctx.Err() == nil {
			l.log().Error("the audit log cannot be sealed", slog.String("error", err.Error()))
			pause(ctx, 5*time.Second)
		}
	}
	return nil
}

// lead seals round by round. With nothing to do, a round is one query of an empty table.
func (l *Log) lead(ctx context.Context) error {
	every := cmp.Or(l.Every, time.Second)
	idle := every
	if l.DB.Engine() == dbx.SQLite {
		idle = max(lookAlone, every)
	}
	var signs time.Time // when checkpoints were last looked for
	for {
		n, err := l.Seal(ctx)
		if err == nil && (n > 0 || time.Since(signs) > cmp.Or(l.Age, time.Minute)/4) {
			signs = time.Now()
			_, err = l.checkpoints(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // the end of the process is no failure
		case err != nil:
			return err
		}
		if pause(ctx, every) && n == 0 {
			select {
			case <-ctx.Done():
			case <-l.ring():
			case <-time.After(idle - every):
			}
		}
	}
}

// Seal seals everything that waits, oldest first, and gives the number of events sealed.
func (l *Log) Seal(ctx context.Context) (sealed int, err error) {
	for {
		b, err := l.gather(ctx)
		if err == nil && len(b.gone) > 0 {
			err = l.commit(ctx, b)
		}
		if err != nil {
			return sealed, err
		}
		if sealed += len(b.gone); !b.more {
			return sealed, nil
		}
		// A chain that grows fast is signed while it grows.
		if _, err := l.checkpoints(ctx); err != nil {
			return sealed, err
		}
	}
}

// checkpoints signs the ends of the chains that grew enough, or long ago.
func (l *Log) checkpoints(ctx context.Context) (signed int, err error) {
	for {
		var due []head
		err := l.DB.Read(ctx, func(tx *dbx.Tx) (err error) {
			due, err = unsigned.All(ctx, tx, cmp.Or(l.Links, 10_000), l.now().Add(-cmp.Or(l.Age, time.Minute)).UnixMilli())
			return err
		})
		if err != nil || len(due) == 0 {
			return signed, err
		}
		for _, h := range due {
			if err := l.sign(ctx, h); err != nil {
				return signed, err
			}
			signed++
		}
	}
}

func (l *Log) sign(ctx context.Context, h head) error {
	now := l.now().UnixMilli()
	key, signature, err := l.Sign(ctx, h.Tenant, statement("checkpoint", h.Tenant, h.Seq, h.Chain, now))
	if err != nil {
		return fmt.Errorf("checkpoint of %s: %w", h.Tenant, err)
	}
	return l.DB.Write(ctx, func(tx *dbx.Tx) error {
		if err := lease.Fence(ctx, tx); err != nil {
			return err
		}
		if _, err := checkpoint.Do(ctx, tx, h.Tenant, h.Seq, h.Chain, now, key, signature); err != nil {
			return err
		}
		since, err := sealedAfter.One(ctx, tx, h.Tenant, h.Seq) // the chain may have grown while this was signed
		if errors.Is(err, dbx.ErrNoRow) {
			since, err = 0, nil
		}
		if err != nil {
			return err
		}
		_, err = headSigned.Do(ctx, tx, h.Seq, since, h.Tenant, h.Seq)
		return err
	})
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
