package audit

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"limen/internal/dbx"
)

// The kinds of problems that Verify finds.
const (
	Altered  = "altered"  // an event is not what it was when it was sealed
	Missing  = "missing"  // a sealed event, or a link of the chain, is gone
	Broken   = "chain"    // a link does not follow from the one before: links were altered, inserted or reordered
	Forged   = "forged"   // the chain, or its beginning, is not what was signed
	Stray    = "stray"    // an event was neither sealed nor waits for it: it was put in, or kept from being sealed
	Unsigned = "unsigned" // the end of the chain should have been signed long ago: checkpoints were removed, or nobody signs
)

// Problem is something that Verify found.
type Problem struct {
	Kind   string
	Seq    int64  // place in the chain; 0 for a stray
	Event  string // id of the event, when one is concerned
	Detail string
}

// Report is what Verify found out about a tenant's chain.
type Report struct {
	Tenant      string
	From, To    int64 // first and last link looked at; what was before From was removed by retention
	Events      int64 // that are as they were sealed
	Checkpoints int   // whose signature and chain value are right
	Covered     int64 // the last link that such a checkpoint covers; an event after it is protected by its hash alone
	Unsealed    int64 // events that wait to be sealed: protected by nothing yet
	Problems    []Problem
	More        int64 // problems beyond those listed
}

// Whole says whether nothing was found.
func (r *Report) Whole() bool { return len(r.Problems) == 0 }

type sealed struct {
	Seq   int64  `db:"seq"`
	Event string `db:"event"`
	Hash  []byte `db:"hash"`
	Chain []byte `db:"chain"`
	At    int64  `db:"at"`
}

type signedEnd struct {
	Seq       int64  `db:"seq"`
	Chain     []byte `db:"chain"`
	At        int64  `db:"at"`
	Key       string `db:"key_id"`
	Signature []byte `db:"signature"`
}

const (
	verifyPage  = 500
	maxProblems = 1000
	maxUnsigned = 10 * time.Minute
)

var (
	linksAfter = dbx.Q[sealed]("audit.links", `SELECT seq, event, hash, chain, at FROM event_seal
		WHERE tenant = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?`)
	eventsOf = dbx.Q[Row]("audit.events_of", `SELECT `+columns+` FROM event WHERE tenant = ? AND id IN
		(SELECT event FROM event_seal WHERE tenant = ? AND seq >= ? AND seq <= ?)`)
	checkpointsOf = dbx.Q[signedEnd]("audit.checkpoints", `SELECT seq, chain, at, key_id, signature FROM event_checkpoint
		WHERE tenant = ? AND seq > ? AND seq <= ? ORDER BY seq`)
	lastCheckpoint = dbx.Q[signedEnd]("audit.last_checkpoint", `SELECT seq, chain, at, key_id, signature FROM event_checkpoint
		WHERE tenant = ? ORDER BY seq DESC LIMIT 1`)
	anchorOf = dbx.Q[signedEnd]("audit.anchor", `SELECT seq, chain, at, key_id, signature FROM event_anchor WHERE tenant = ?`)
	waiting  = dbx.Q[int64]("audit.waiting", `SELECT COUNT(*) FROM event_queue WHERE tenant = ?`)
	strays   = dbx.Q[string]("audit.strays", `SELECT id FROM event e WHERE tenant = ?
		AND NOT EXISTS (SELECT 1 FROM event_seal s WHERE s.tenant = e.tenant AND s.event = e.id)
		AND NOT EXISTS (SELECT 1 FROM event_queue q WHERE q.tenant = e.tenant AND q.event = e.id) ORDER BY id LIMIT ?`)
)

// verifier walks along a chain.
type verifier struct {
	l      *Log
	tenant string
	r      Report
	prev   []byte // chain value of the last link
	last   int64  // its seq
	since  int64  // when the first link behind the last good checkpoint was sealed
}

// Verify looks at every sealed event of a tenant, its link and its checkpoint. It reads in pages, so that it may run beside a
// busy server; progress, which may be nil, is called after each with the links done and the links in all. An error means
// that the log could not be read; what is wrong with it is in the Report.
func (l *Log) Verify(ctx context.Context, tenant string, progress func(done, total int64)) (Report, error) {
	v := &verifier{l: l, tenant: tenant, r: Report{Tenant: tenant}, prev: make([]byte, 32)}
	to, err := v.start(ctx)
	if err != nil {
		return v.r, err
	}
	for v.last < to {
		n, err := v.page(ctx, to)
		if err != nil {
			return v.r, err
		}
		if progress != nil {
			progress(min(v.last, to)-v.r.From+1, to-v.r.From+1)
		}
		if n == 0 {
			v.found(Problem{Kind: Missing, Seq: v.last + 1, Detail: fmt.Sprintf("the links %d to %d are gone", v.last+1, to)})
			break
		}
	}
	return v.r, v.finish(ctx)
}

func (v *verifier) found(p Problem) {
	if len(v.r.Problems) >= maxProblems {
		v.r.More++
		return
	}
	v.r.Problems = append(v.r.Problems, p)
}

// start finds where the chain begins and where it ends now: at its head, or where the last checkpoint says it went.
func (v *verifier) start(ctx context.Context) (to int64, err error) {
	var anchor, checkpoints []signedEnd
	var heads []head
	var ends []end
	err = v.l.DB.Read(ctx, func(tx *dbx.Tx) (err error) {
		if anchor, err = anchorOf.All(ctx, tx, v.tenant); err != nil {
			return err
		}
		if checkpoints, err = lastCheckpoint.All(ctx, tx, v.tenant); err != nil {
			return err
		}
		if heads, err = headOf.All(ctx, tx, v.tenant); err != nil {
			return err
		}
		ends, err = lastLink.All(ctx, tx, v.tenant)
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, a := range anchor {
		good, err := v.l.Check(ctx, v.tenant, a.Key, statement("anchor", v.tenant, a.Seq, a.Chain, a.At), a.Signature)
		if err != nil {
			return 0, err
		}
		if !good {
			v.found(Problem{Kind: Forged, Seq: a.Seq, Detail: "what is said to be removed by retention was not signed"})
		}
		v.prev, v.last, v.r.Covered, to = a.Chain, a.Seq, a.Seq, a.Seq
	}
	for _, h := range heads {
		to = max(to, h.Seq)
	}
	for _, e := range ends {
		to = max(to, e.Seq)
	}
	for _, c := range checkpoints {
		to = max(to, c.Seq)
	}
	v.r.From = v.last + 1
	return to, nil
}

// page verifies the next links.
func (v *verifier) page(ctx context.Context, to int64) (n int, err error) {
	var links []sealed
	var signs []signedEnd
	events := map[string]Row{}
	err = v.l.DB.Read(ctx, func(tx *dbx.Tx) (err error) {
		clear(events)
		if links, err = linksAfter.All(ctx, tx, v.tenant, v.last, to, verifyPage); err != nil || len(links) == 0 {
			return err
		}
		first, last := links[0].Seq, links[len(links)-1].Seq
		if signs, err = checkpointsOf.All(ctx, tx, v.tenant, v.last, last); err != nil {
			return err
		}
		return eventsOf.Each(ctx, tx, func(r Row) error { events[r.ID] = r; return nil }, v.tenant, v.tenant, first, last)
	})
	if err != nil {
		return 0, err
	}
	for _, s := range links {
		for len(signs) > 0 && signs[0].Seq < s.Seq { // its link is missing, which is reported there
			signs = signs[1:]
		}
		v.link(s)
		v.event(s, events)
		if len(signs) > 0 && signs[0].Seq == s.Seq {
			if err := v.checkpoint(ctx, signs[0], s); err != nil {
				return 0, err
			}
		}
	}
	return len(links), nil
}

func (v *verifier) link(s sealed) {
	switch {
	case s.Seq > v.last+1:
		v.found(Problem{Kind: Missing, Seq: v.last + 1, Detail: fmt.Sprintf("the links %d to %d are gone", v.last+1, s.Seq-1)})
	case !bytes.Equal(s.Chain, link(v.prev, v.tenant, s.Seq, s.Event, s.Hash, s.At)):
		v.found(Problem{Kind: Broken, Seq: s.Seq, Event: s.Event, Detail: "the link does not follow from the one before"})
	}
	if v.since == 0 {
		v.since = s.At
	}
	// Going on from the stored value shows where the chain is broken, instead of everywhere behind.
	v.prev, v.last, v.r.To = s.Chain, s.Seq, s.Seq
}

func (v *verifier) event(s sealed, events map[string]Row) {
	r, ok := events[s.Event]
	switch {
	case !ok && len(s.Hash) == 0:
		v.found(Problem{Kind: Missing, Seq: s.Seq, Event: s.Event, Detail: "the event vanished before it was sealed"})
	case !ok:
		v.found(Problem{Kind: Missing, Seq: s.Seq, Event: s.Event, Detail: "the event is gone"})
	case !bytes.Equal(r.Sum(), s.Hash) && bytes.Equal(r.Hash, s.Hash):
		v.found(Problem{Kind: Altered, Seq: s.Seq, Event: s.Event, Detail: "the content is not what its hash says"})
	case !bytes.Equal(r.Sum(), s.Hash):
		v.found(Problem{Kind: Altered, Seq: s.Seq, Event: s.Event, Detail: "content and hash are not what was sealed"})
	case !bytes.Equal(r.Hash, s.Hash):
		v.found(Problem{Kind: Altered, Seq: s.Seq, Event: s.Event, Detail: "the hash of the row is not what was sealed"})
	default:
		v.r.Events++
	}
}

func (v *verifier) checkpoint(ctx context.Context, c signedEnd, s sealed) error {
	good, err := v.l.Check(ctx, v.tenant, c.Key, statement("checkpoint", v.tenant, c.Seq, c.Chain, c.At), c.Signature)
	switch {
	case err != nil:
		return err
	case !good:
		v.found(Problem{Kind: Forged, Seq: c.Seq, Detail: "the signature of the checkpoint is not valid"})
	case !bytes.Equal(c.Chain, s.Chain):
		v.found(Problem{Kind: Forged, Seq: c.Seq, Detail: fmt.Sprintf("the chain from %d to %d is not what was signed", v.r.Covered+1, c.Seq)})
	default:
		v.r.Checkpoints++
		v.r.Covered, v.since = c.Seq, 0
	}
	return nil
}

// finish looks at what is not in the chain, and forgives what retention removed meanwhile.
func (v *verifier) finish(ctx context.Context) error {
	var stray []string
	var now end
	err := v.l.DB.Read(ctx, func(tx *dbx.Tx) (err error) {
		if v.r.Unsealed, err = waiting.One(ctx, tx, v.tenant); err != nil {
			return err
		}
		if now, err = anchored.One(ctx, tx, v.tenant); err != nil && !errors.Is(err, dbx.ErrNoRow) {
			return err
		}
		stray, err = strays.All(ctx, tx, v.tenant, maxProblems)
		return err
	})
	if err != nil {
		return err
	}
	kept := v.r.Problems[:0]
	for _, p := range v.r.Problems {
		if p.Seq > now.Seq || now.Seq < v.r.From {
			kept = append(kept, p)
		}
	}
	v.r.Problems = kept
	for _, id := range stray {
		v.found(Problem{Kind: Stray, Event: id, Detail: "the event was never sealed and does not wait for it"})
	}
	if v.since > 0 && v.since < v.l.now().Add(-maxUnsigned-cmp.Or(v.l.Age, time.Minute)).UnixMilli() {
		v.found(Problem{Kind: Unsigned, Seq: v.r.Covered + 1, Detail: "the end of the chain was not signed in time"})
	}
	return nil
}
