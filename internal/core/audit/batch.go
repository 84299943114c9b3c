package audit

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strings"

	"limen/internal/core/lease"
	"limen/internal/dbx"
)

type queued struct {
	Tenant string `db:"tenant"`
	Event  string `db:"event"`
	Hash   []byte `db:"hash"` // nil when the event has vanished
}

const (
	sealBatch = 2000 // events sealed by one transaction: all writers of SQLite wait behind it
	sealLinks = 400  // links written by one transaction
	wide      = 200  // ids in one statement
)

var (
	queue = dbx.Q[queued]("audit.queue", `SELECT q.tenant, q.event, e.hash FROM event_queue q
		LEFT JOIN event e ON e.tenant = q.tenant AND e.id = q.event ORDER BY q.event, q.tenant LIMIT ?`)
	unqueue = dbx.E("audit.unqueue", `DELETE FROM event_queue WHERE event IN (`+marks+`)`)
	seal    = dbx.E("audit.seal", `INSERT INTO event_seal (tenant, seq, first, at, low, chain, events, hashes)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`)
	headOf   = dbx.Q[head]("audit.head", `SELECT tenant, seq, chain, signed, since FROM event_head WHERE tenant = ?`)
	headNew  = dbx.E("audit.head_new", `INSERT INTO event_head (tenant, seq, chain, signed, since) VALUES (?, ?, ?, 0, ?)`)
	headMove = dbx.E("audit.head_move", `UPDATE event_head SET seq = ?, chain = ?, since = ? WHERE tenant = ? AND seq = ?`)
	lastLink = dbx.Q[end]("audit.last_link", `SELECT seq, chain FROM event_seal WHERE tenant = ? ORDER BY seq DESC LIMIT 1`)
	anchored = dbx.Q[end]("audit.anchored", `SELECT seq, chain FROM event_anchor WHERE tenant = ?`)
)

// marks are the placeholders of a statement for wide ids.
var marks = strings.TrimSuffix(strings.Repeat("?, ", wide), ", ")

// widely runs f for the ids, wide at a time. Where they do not fill up, the last one is repeated: there is one statement, and
// what it means does not change.
func widely(ids []string, f func(args []any) error) error {
	for from := 0; from < len(ids); from += wide {
		args := make([]any, wide)
		for i := range args {
			args[i] = ids[min(from+i, len(ids)-1)]
		}
		if err := f(args); err != nil {
			return err
		}
	}
	return nil
}

// chain is a tenant's chain while it grows by some links.
type chain struct {
	head
	from  int64 // where it ended in the store
	fresh bool  // the store has no head
	links []*link
}

// batch is what one transaction of the sealer writes.
type batch struct {
	chains []*chain
	gone   []string // ids that wait no longer
	links  int
	more   bool // others wait
}

// gather reads what waits and makes the links of it. What has been committed does not change, so that this is done in a
// snapshot: the transaction that writes has the less to do.
func (l *Log) gather(ctx context.Context) (b batch, err error) {
	now := l.now().UnixMilli()
	err = l.DB.Read(ctx, func(tx *dbx.Tx) error {
		b = batch{}
		waiting, err := queue.All(ctx, tx, sealBatch)
		if err != nil {
			return err
		}
		b.more = len(waiting) == sealBatch
		of := map[string]*chain{}
		for _, q := range waiting {
			id, ok := identity(q.Event)
			if !ok {
				l.log().Error("what waited to be sealed has no UUID for an id, and was left out", slog.String("event", q.Event))
				b.gone = append(b.gone, q.Event)
				continue
			}
			c := of[q.Tenant]
			if c == nil || !c.links[len(c.links)-1].holds(id) {
				if b.links == sealLinks {
					b.more = true
					break
				}
				if c == nil {
					if c, err = begin(ctx, tx, q.Tenant); err != nil {
						return err
					}
					of[q.Tenant], b.chains = c, append(b.chains, c)
				}
				c.links = append(c.links, &link{First: c.Seq + 1, At: now})
				b.links++
			}
			c.links[len(c.links)-1].add(id, q.Hash)
			c.Seq++
			b.gone = append(b.gone, q.Event)
		}
		return nil
	})
	for _, c := range b.chains {
		c.close(now)
	}
	return b, err
}

// begin reads the end of a tenant's chain, or begins a chain.
func begin(ctx context.Context, tx *dbx.Tx, tenant string) (*chain, error) {
	h, err := headOf.One(ctx, tx, tenant)
	if !errors.Is(err, dbx.ErrNoRow) {
		return &chain{head: h, from: h.Seq}, err
	}
	// Who deletes the head must not stop the sealing: the chain goes on from its last link, and the verifier compares.
	c := &chain{head: head{Tenant: tenant, Chain: make([]byte, 32)}, fresh: true}
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
		c.Seq, c.Chain = ends[0].Seq, ends[0].Chain
	}
	return c, nil
}

// close computes the values of the new links.
func (c *chain) close(now int64) {
	c.Since = cmp.Or(c.Since, now)
	for _, k := range c.links {
		k.Seq = k.First + int64(k.size()) - 1
		k.Chain = k.sum(c.Chain, c.Tenant)
		c.Chain = k.Chain
	}
}

// commit writes a batch.
func (l *Log) commit(ctx context.Context, b batch) error {
	return l.DB.Write(ctx, func(tx *dbx.Tx) error {
		if err := lease.Fence(ctx, tx); err != nil {
			return err
		}
		for _, c := range b.chains {
			if err := c.store(ctx, tx); err != nil {
				return err
			}
		}
		return widely(b.gone, func(ids []any) error {
			_, err := unqueue.Do(ctx, tx, ids...)
			return err
		})
	})
}

func (c *chain) store(ctx context.Context, tx *dbx.Tx) error {
	var moved int64
	var err error
	if c.fresh {
		moved, err = headNew.Do(ctx, tx, c.Tenant, c.Seq, c.Chain, c.Since)
	} else {
		moved, err = headMove.Do(ctx, tx, c.Seq, c.Chain, c.Since, c.Tenant, c.from)
	}
	if err != nil {
		return err
	}
	if moved != 1 {
		return errMoved
	}
	for _, k := range c.links {
		if _, err := seal.Do(ctx, tx, c.Tenant, k.Seq, k.First, k.At, k.Low, k.Chain, k.Events, k.Hashes); err != nil {
			return err
		}
	}
	return nil
}
