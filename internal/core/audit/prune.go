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

const pruneBatch = 500

var (
	checkpointBefore = dbx.Q[signedEnd]("audit.checkpoint_before", `SELECT seq, chain, at, key_id, signature FROM event_checkpoint
		WHERE tenant = ? AND at < ? ORDER BY seq DESC LIMIT 1`)
	chainAt = dbx.Q[[]byte]("audit.chain_at", `SELECT chain FROM event_seal WHERE tenant = ? AND seq = ?`)
	anchor  = dbx.E("audit.anchor_set", `INSERT INTO event_anchor (tenant, seq, chain, at, key_id, signature) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant) DO UPDATE SET seq = excluded.seq, chain = excluded.chain, at = excluded.at, key_id = excluded.key_id,
		signature = excluded.signature WHERE event_anchor.seq < excluded.seq`)
	pruneEvents = dbx.E("audit.prune_events", `DELETE FROM event WHERE tenant = ? AND id IN
		(SELECT event FROM event_seal WHERE tenant = ? AND seq <= ? ORDER BY seq LIMIT ?)`)
	pruneLinks = dbx.E("audit.prune_links", `DELETE FROM event_seal WHERE tenant = ? AND seq IN
		(SELECT seq FROM event_seal WHERE tenant = ? AND seq <= ? ORDER BY seq LIMIT ?)`)
	pruneSigns = dbx.E("audit.prune_checkpoints", `DELETE FROM event_checkpoint WHERE tenant = ? AND seq <= ?`)
)

// Prune removes the events of a tenant that were sealed up to the last checkpoint before the given time, with their links.
// A signed anchor takes their place, from which the rest of the chain stays verifiable. It is meant for a daily sweep; one
// that is interrupted goes on where it was.
func (l *Log) Prune(ctx context.Context, tenant string, before time.Time) (removed int64, err error) {
	seq, err := l.cut(ctx, tenant, before)
	if err != nil || seq == 0 {
		return 0, err
	}
	for n := int64(pruneBatch); n == pruneBatch; {
		err := l.DB.Write(ctx, func(tx *dbx.Tx) error {
			if _, err := pruneEvents.Do(ctx, tx, tenant, tenant, seq, pruneBatch); err != nil {
				return err
			}
			n, err = pruneLinks.Do(ctx, tx, tenant, tenant, seq, pruneBatch)
			if err != nil || n == pruneBatch {
				return err
			}
			_, err = pruneSigns.Do(ctx, tx, tenant, seq)
			return err
		})
		if err != nil {
			return removed, err
		}
		removed += n
	}
	return removed, nil
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
