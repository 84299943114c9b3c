package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"limen/internal/dbx"
	"limen/internal/fault"
)

// ErrBroken keeps retention from removing what it would hide: the chain before a checkpoint is not what was signed.
var ErrBroken = fault.New(fault.Conflict, "event.broken", "The audit log was altered; it is kept until an administrator has looked at it.")

const pruneBatch = 500 // events removed by one transaction

var (
	checkpointBefore = dbx.Q[signedEnd]("audit.checkpoint_before", `SELECT seq, chain, at, key_id, signature FROM event_checkpoint
		WHERE tenant = ? AND at < ? ORDER BY seq DESC LIMIT 1`)
	chainAt = dbx.Q[[]byte]("audit.chain_at", `SELECT chain FROM event_seal WHERE tenant = ? AND seq = ?`)
	anchor  = dbx.E("audit.anchor_set", `INSERT INTO event_anchor (tenant, seq, chain, at, key_id, signature) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant) DO UPDATE SET seq = excluded.seq, chain = excluded.chain, at = excluded.at, key_id = excluded.key_id,
		signature = excluded.signature WHERE event_anchor.seq < excluded.seq`)
	pruneEvents = dbx.E("audit.prune_events", `DELETE FROM event WHERE tenant = ? AND id IN (`+marks+`)`)
	pruneLinks  = dbx.E("audit.prune_links", `DELETE FROM event_seal WHERE tenant = ? AND seq <= ?`)
	pruneSigns  = dbx.S("audit.prune_checkpoints", "event_checkpoint", "tenant, seq", "tenant = ? AND seq <= ?")
)

// Prune removes the events of a tenant that were sealed up to the last checkpoint before the given time, with their links, and
// gives the number of events removed.
// A signed anchor takes their place, from which the rest of the chain stays verifiable. It is meant for a daily sweep; one
// that is interrupted goes on where it was.
func (l *Log) Prune(ctx context.Context, tenant string, before time.Time) (removed int64, err error) {
	seq, err := l.cut(ctx, tenant, before)
	if err != nil || seq == 0 {
		return 0, err
	}
	for {
		var links []link
		if err := l.DB.Read(ctx, func(tx *dbx.Tx) (err error) {
			links, err = linksOf(ctx, tx, pruneBatch, tenant, 0, seq)
			return err
		}); err != nil {
			return removed, err
		}
		if len(links) == 0 {
			break
		}
		n, err := l.remove(ctx, tenant, links)
		if removed += n; err != nil {
			return removed, err
		}
	}
	return removed, pruneSigns.Run(ctx, l.DB, tenant, seq)
}

// remove removes the events that the first links of a chain name, and with the last of them the links.
func (l *Log) remove(ctx context.Context, tenant string, links []link) (removed int64, err error) {
	for ids := identities(links); ; {
		part := ids[:min(pruneBatch, len(ids))]
		ids = ids[len(part):]
		var n int64
		if err := l.DB.Write(ctx, func(tx *dbx.Tx) error {
			n = 0
			err := widely(part, func(ids []any) error {
				gone, err := pruneEvents.Do(ctx, tx, append([]any{tenant}, ids...)...)
				n += gone
				return err
			})
			if err == nil && len(ids) == 0 {
				_, err = pruneLinks.Do(ctx, tx, tenant, links[len(links)-1].Seq)
			}
			return err
		}); err != nil {
			return removed, err
		}
		if removed += n; len(ids) == 0 {
			return removed, nil
		}
	}
}

// cut sets the anchor and gives the last link to be removed, 0 when there is none.
func (l *Log) cut(ctx context.Context, tenant string, before time.Time) (seq int64, err error) {
	var c signedEnd
	var stored []byte
	err = l.DB.Read(ctx, func(tx *dbx.Tx) error {
		now, err := anchored.One(ctx, tx, tenant)
		if err != nil && !errors.Is(err, dbx.ErrNoRow) {
			return err
		}
		seq = now.Seq // an earlier call may have been interrupted
		if c, err = checkpointBefore.One(ctx, tx, tenant, before.UnixMilli()); err != nil {
			return err
		}
		if c.Seq <= seq {
			return dbx.ErrNoRow
		}
		if stored, err = chainAt.One(ctx, tx, tenant, c.Seq); errors.Is(err, dbx.ErrNoRow) {
			stored, err = nil, nil
		}
		return err
	})
	if errors.Is(err, dbx.ErrNoRow) {
		return seq, nil
	}
	if err != nil {
		return 0, err
	}
	good, err := l.Check(ctx, tenant, c.Key, statement("checkpoint", tenant, c.Seq, c.Chain, c.At), c.Signature)
	if err != nil {
		return 0, err
	}
	if !good || !bytes.Equal(stored, c.Chain) {
		return 0, ErrBroken.Because(fmt.Errorf("checkpoint %d of %s", c.Seq, tenant))
	}
	now := l.now().UnixMilli()
	key, signature, err := l.Sign(ctx, tenant, statement("anchor", tenant, c.Seq, c.Chain, now))
	if err != nil {
		return 0, err
	}
	return c.Seq, l.DB.Write(ctx, func(tx *dbx.Tx) error {
		_, err := anchor.Do(ctx, tx, tenant, c.Seq, c.Chain, now, key, signature)
		return err
	})
}
