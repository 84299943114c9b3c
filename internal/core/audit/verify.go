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
	From, To    int64 // places of the first and the last event looked at; what was before From was removed by retention
	Events      int64 // that are as they were sealed
	Checkpoints int   // whose signature and chain value are right
	Covered     int64 // the last place that such a checkpoint covers; an event after it is protected by its hash alone
	Unsealed    int64 // events that wait to be sealed: protected by nothing yet
	Problems    []Problem
	More        int64 // problems beyond those listed
}

// Whole says whether nothing was found.
func (r *Report) Whole() bool { return len(r.Problems) == 0 }

type signedEnd struct {
	Seq       int64  `db:"seq"`
	Chain     []byte `db:"chain"`
	At        int64  `db:"at"`
	Key       string `db:"key_id"`
	Signature []byte `db:"signature"`
}

const (
	verifyPage  = 1000 // events of the links looked at together
	maxProblems = 1000
	maxUnsigned = 10 * time.Minute
)

var (
	linksAfter = dbx.Q[link]("audit.links", `SELECT seq, first, at, low, chain, events, hashes FROM event_seal
		WHERE tenant = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?`)
	eventsOf      = dbx.Q[Row]("audit.events_of", `SELECT `+columns+` FROM event WHERE tenant = ? AND id IN (`+marks+`)`)
	checkpointsOf = dbx.Q[signedEnd]("audit.checkpoints", `SELECT seq, chain, at, key_id, signature FROM event_checkpoint
		WHERE tenant = ? AND seq > ? AND seq <= ? ORDER BY seq`)
	lastCheckpoint = dbx.Q[signedEnd]("audit.last_checkpoint", `SELECT seq, chain, at, key_id, signature FROM event_checkpoint
		WHERE tenant = ? ORDER BY seq DESC LIMIT 1`)
	anchorOf = dbx.Q[signedEnd]("audit.anchor", `SELECT seq, chain, at, key_id, signature FROM event_anchor WHERE tenant = ?`)
	waiting  = dbx.Q[int64]("audit.waiting", `SELECT COUNT(*) FROM event_queue WHERE tenant = ?`)
)

// verifier walks along a chain.
type verifier struct {
	l      *Log
	tenant string
	r      Report
	prev   []byte // chain value of the last link
	last   int64  // place where it ends
	since  int64  // when the first link behind the last good checkpoint was sealed
}

// Verify looks at every sealed event of a tenant, its link and its checkpoint. It reads in pages, so that it may run beside a
// busy server; progress, which may be nil, is called after each with the places done and the places in all. An error means
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
			v.found(Problem{Kind: Missing, Seq: v.last + 1, Detail: fmt.Sprintf("the links of %d to %d are gone", v.last+1, to)})
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

// stored is what the table has of an event: the hash that its content should have, and the one that it has.
type stored struct{ sum, hash []byte }

// errFull ends the reading of a page.
var errFull = errors.New("the page is full")

// page verifies the next links.
func (v *verifier) page(ctx context.Context, to int64) (n int, err error) {
	var links []link
	var signs []signedEnd
	var events map[string]stored
	err = v.l.DB.Read(ctx, func(tx *dbx.Tx) (err error) {
		if links, err = linksOf(ctx, tx, verifyPage, v.tenant, v.last, to); err != nil || len(links) == 0 {
			return err
		}
		if signs, err = checkpointsOf.All(ctx, tx, v.tenant, v.last, links[len(links)-1].Seq); err != nil {
			return err
		}
		events, err = eventsIn(ctx, tx, v.tenant, links)
		return err
	})
	if err != nil {
		return 0, err
	}
	for i := range links {
		k := &links[i]
		v.link(k)
		for i := range k.size() {
			v.event(k, i, events)
		}
		for len(signs) > 0 && signs[0].Seq <= k.Seq {
			if err := v.checkpoint(ctx, signs[0], k); err != nil {
				return 0, err
			}
			signs = signs[1:]
		}
		v.prev, v.last, v.r.To = k.Chain, k.Seq, k.Seq
	}
	return len(links), nil
}

// linksOf reads the links behind a place, as many as have most events or a few more.
func linksOf(ctx context.Context, tx *dbx.Tx, most int, tenant string, after, to int64) (links []link, err error) {
	n := 0
	err = linksAfter.Each(ctx, tx, func(k link) error {
		links = append(links, k)
		if n += k.size(); n >= most {
			return errFull
		}
		return nil
	}, tenant, after, to, most)
	if errors.Is(err, errFull) {
		err = nil
	}
	return links, err
}

// eventsIn reads the events that links name, by id.
func eventsIn(ctx context.Context, tx *dbx.Tx, tenant string, links []link) (map[string]stored, error) {
	events := map[string]stored{}
	err := widely(identities(links), func(ids []any) error {
		return eventsOf.Each(ctx, tx, func(r Row) error {
			events[r.ID] = stored{r.Sum(), r.Hash}
			return nil
		}, append([]any{tenant}, ids...)...)
	})
	return events, err
}

// identities are the ids of the events that links name.
func identities(links []link) (ids []string) {
	for i := range links {
		for n := range links[i].size() {
			ids = append(ids, links[i].id(n).String())
		}
	}
	return ids
}

func (v *verifier) link(k *link) {
	if k.First > v.last+1 {
		v.found(Problem{Kind: Missing, Seq: v.last + 1, Detail: fmt.Sprintf("the links of %d to %d are gone", v.last+1, k.First-1)})
	}
	switch {
	case k.First <= v.last || !k.shaped():
		v.found(Problem{Kind: Broken, Seq: k.First, Detail: fmt.Sprintf("the link of %d to %d is none that is ever made", k.First, k.Seq)})
	case k.First == v.last+1 && !bytes.Equal(k.Chain, k.sum(v.prev, v.tenant)):
		v.found(Problem{Kind: Broken, Seq: k.First, Detail: fmt.Sprintf("the link of %d to %d does not follow from the one before", k.First, k.Seq)})
	}
	// page goes on from the stored value, which shows where the chain is broken, instead of everywhere behind.
	if v.since == 0 {
		v.since = k.At
	}
}

func (v *verifier) event(k *link, i int, events map[string]stored) {
	id, hash := k.id(i).String(), k.hash(i)
	r, ok := events[id]
	found := func(kind, detail string) {
		v.found(Problem{Kind: kind, Seq: k.First + int64(i), Event: id, Detail: detail})
	}
	switch {
	case !ok && hash == nil:
		found(Missing, "the event vanished before it was sealed")
	case !ok:
		found(Missing, "the event is gone")
	case hash == nil:
		found(Altered, "the event had no valid hash when it was sealed, or was not there")
	case !bytes.Equal(r.sum, hash) && bytes.Equal(r.hash, hash):
		found(Altered, "the content is not what its hash says")
	case !bytes.Equal(r.sum, hash):
		found(Altered, "content and hash are not what was sealed")
	case !bytes.Equal(r.hash, hash):
		found(Altered, "the hash of the row is not what was sealed")
	default:
		v.r.Events++
	}
}

// checkpoint looks at one whose place is in the link, or in those missing before it.
func (v *verifier) checkpoint(ctx context.Context, c signedEnd, k *link) error {
	if c.Seq < k.First {
		return nil // that its link is missing has been said
	}
	good, err := v.l.Check(ctx, v.tenant, c.Key, statement("checkpoint", v.tenant, c.Seq, c.Chain, c.At), c.Signature)
	switch {
	case err != nil:
		return err
	case !good:
		v.found(Problem{Kind: Forged, Seq: c.Seq, Detail: "the signature of the checkpoint is not valid"})
	case c.Seq != k.Seq:
		v.found(Problem{Kind: Forged, Seq: c.Seq, Detail: fmt.Sprintf("the link of %d to %d was signed as one that ends at %d", k.First, k.Seq, c.Seq)})
	case !bytes.Equal(c.Chain, k.Chain):
		v.found(Problem{Kind: Forged, Seq: c.Seq, Detail: fmt.Sprintf("the chain from %d to %d is not what was signed", v.r.Covered+1, c.Seq)})
	default:
		v.r.Checkpoints++
		v.r.Covered, v.since = c.Seq, 0
	}
	return nil
}

// finish looks at what is not in the chain, and forgives what retention removed meanwhile.
func (v *verifier) finish(ctx context.Context) error {
	var now end
	err := v.l.DB.Read(ctx, func(tx *dbx.Tx) (err error) {
		if v.r.Unsealed, err = waiting.One(ctx, tx, v.tenant); err != nil {
			return err
		}
		if now, err = anchored.One(ctx, tx, v.tenant); errors.Is(err, dbx.ErrNoRow) {
			err = nil
		}
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
	if err := v.strays(ctx); err != nil {
		return err
	}
	if v.since > 0 && v.since < v.l.now().Add(-maxUnsigned-cmp.Or(v.l.Age, time.Minute)).UnixMilli() {
		v.found(Problem{Kind: Unsigned, Seq: v.r.Covered + 1, Detail: "the end of the chain was not signed in time"})
	}
	return nil
}
