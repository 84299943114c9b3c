package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"limen/internal/core/lease"
	"limen/internal/dbx"
	"limen/internal/fault"
)

type queued struct {
	Tenant string `db:"tenant"`
	Event  string `db:"event"`
	Hash   []byte `db:"hash"` // nil when the event has vanished
}

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
	sealBatch = 500
	wide      = 20 // rows written by one statement when there are many
	leaseName = "audit.seal"
	leaseTime = 15 * time.Second
	lookAlone = 5 * time.Second // SQLite: what the command line wrote is found by looking
)

var (
	queue = dbx.Q[queued]("audit.queue", `SELECT q.tenant, q.event, e.hash FROM event_queue q
		LEFT JOIN event e ON e.tenant = q.tenant AND e.id = q.event ORDER BY q.event, q.tenant LIMIT ?`)
	unqueue     = dbx.E("audit.unqueue", `DELETE FROM event_queue WHERE event IN (?)`)
	unqueueMany = dbx.E("audit.unqueue_many", `DELETE FROM event_queue WHERE event IN (`+rows(1)+`)`)
	seal        = dbx.E("audit.seal", `INSERT INTO event_seal (tenant, seq, event, hash, chain, at) VALUES (?, ?, ?, ?, ?, ?)`)
	sealMany    = dbx.E("audit.seal_many", `INSERT INTO event_seal (tenant, seq, event, hash, chain, at) VALUES `+rows(6))
	headOf      = dbx.Q[head]("audit.head", `SELECT tenant, seq, chain, signed, since FROM event_head WHERE tenant = ?`)
	headNew     = dbx.E("audit.head_new", `INSERT INTO event_head (tenant, seq, chain, signed, since) VALUES (?, ?, ?, 0, ?)`)
	headMove    = dbx.E("audit.head_move", `UPDATE event_head SET seq = ?, chain = ?, since = ? WHERE tenant = ? AND seq = ?`)
	headSigned  = dbx.E("audit.head_signed", `UPDATE event_head SET signed = ?, since = ? WHERE tenant = ? AND signed < ?`)
	unsigned    = dbx.Q[head]("audit.unsigned", `SELECT tenant, seq, chain, signed, since FROM event_head
		WHERE seq > signed AND (seq - signed >= ? OR since <= ?) LIMIT 200`)
	checkpoint = dbx.E("audit.checkpoint", `INSERT INTO event_checkpoint (tenant, seq, chain, at, key_id, signature)
		VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, seq) DO NOTHING`)
	lastLink = dbx.Q[end]("audit.last_link", `SELECT seq, chain FROM event_seal WHERE tenant = ? ORDER BY seq DESC LIMIT 1`)
	anchored = dbx.Q[end]("audit.anchored", `SELECT seq, chain FROM event_anchor WHERE tenant = ?`)
	sealedAt = dbx.Q[int64]("audit.sealed_at", `SELECT at FROM event_seal WHERE tenant = ? AND seq = ?`)
)

// rows is the placeholders of a statement for many rows.
func rows(columns int) string {
	row := "?"
	if columns > 1 {
		row = "(" + strings.TrimSuffix(strings.Repeat("?, ", columns), ", ") + ")"
	}
	return strings.TrimSuffix(strings.Repeat(row+", ", wide), ", ")
}

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
		n := 0
		err := l.DB.Read(ctx, func(tx *dbx.Tx) error {
			waiting, err := queue.All(ctx, tx, 1)
			n = len(waiting)
			return err
		})
		if err != nil || n == 0 {
			return sealed, err
		}
		if n, err = l.batch(ctx); err != nil {
			return sealed, err
		}
		if sealed += n; n < sealBatch {
			return sealed, nil
		}
		// A chain that grows fast is signed while it grows.
		if _, err := l.checkpoints(ctx); err != nil {
			return sealed, err
		}
	}
}

// batch seals up to sealBatch events of all tenants in one transaction.
func (l *Log) batch(ctx context.Context) (n int, err error) {
	err = l.DB.Write(ctx, func(tx *dbx.Tx) error {
		if err := lease.Fence(ctx, tx); err != nil {
			return err
		}
		waiting, err := queue.All(ctx, tx, sealBatch)
		if err != nil {
			return err
		}
		n = len(waiting)
		now := l.now().UnixMilli()
		var links, gone []any
		heads, order := map[string]*head{}, []*head{}
		was := map[string]int64{}
		for _, q := range waiting {
			h := heads[q.Tenant]
			if h == nil {
				if h, err = begin(ctx, tx, q.Tenant, now); err != nil {
					return err
				}
				heads[q.Tenant], was[q.Tenant] = h, h.Seq
				order = append(order, h)
			}
			h.Seq++
			if q.Hash == nil {
				q.Hash = []byte{}
			}
			h.Chain = link(h.Chain, h.Tenant, h.Seq, q.Event, q.Hash, now)
			if h.Since == 0 {
				h.Since = now
			}
			links = append(links, h.Tenant, h.Seq, q.Event, q.Hash, h.Chain, now)
			gone = append(gone, q.Event)
		}
		if err := many(ctx, tx, sealMany, seal, 6, links); err != nil {
			return err
		}
		if err := many(ctx, tx, unqueueMany, unqueue, 1, gone); err != nil {
			return err
		}
		for _, h := range order {
			moved, err := headMove.Do(ctx, tx, h.Seq, h.Chain, h.Since, h.Tenant, was[h.Tenant])
			if err != nil {
				return err
			}
			if moved != 1 {
				return errMoved
			}
		}
		return nil
	})
	return n, err
}

// begin reads the end of a tenant's chain, or begins a chain.
func begin(ctx context.Context, tx *dbx.Tx, tenant string, now int64) (*head, error) {
	h, err := headOf.One(ctx, tx, tenant)
	if !errors.Is(err, dbx.ErrNoRow) {
		return &h, err
	}
	// Who deletes the head must not stop the sealing: the chain goes on from its last link, and the verifier compares.
	h = head{Tenant: tenant, Chain: make([]byte, 32), Since: now}
	ends, err := lastLink.All(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	if len(ends) == 0 {
		if ends, err = anchored.All(ctx, tx, tenant); err != nil {
			return nil, err
		}
	}
	if len(ends) > 0 {
		h.Seq, h.Chain = ends[0].Seq, ends[0].Chain
	}
	_, err = headNew.Do(ctx, tx, tenant, h.Seq, h.Chain, now)
	return &h, err
}

// many runs a statement for the rows of args, most of them wide rows at a time.
func many(ctx context.Context, tx *dbx.Tx, several, single dbx.Exec, columns int, args []any) error {
	for len(args) > 0 {
		e, n := single, columns
		if len(args) >= wide*columns {
			e, n = several, wide*columns
		}
		if _, err := e.Do(ctx, tx, args[:n]...); err != nil {
			return err
		}
		args = args[n:]
	}
	return nil
}

// checkpoints signs the ends of the chains that grew enough, or long ago.
func (l *Log) checkpoints(ctx context.Context) (signed int, err error) {
	for {
		var due []head
		err := l.DB.Read(ctx, func(tx *dbx.Tx) (err error) {
			due, err = unsigned.All(ctx, tx, cmp.Or(l.Links, 1000), l.now().Add(-cmp.Or(l.Age, time.Minute)).UnixMilli())
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
		since, err := sealedAt.One(ctx, tx, h.Tenant, h.Seq+1) // the chain may have grown while this was signed
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
