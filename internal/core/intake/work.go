package intake

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"limen/internal/call"
	"limen/internal/core/job"
	"limen/internal/core/password"
	"limen/internal/core/right"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Work is the job. Its cursor is the number of rows that are done; the tally is written by the same transactions.
func (i *Imports) Work(ctx context.Context, r *job.Run) error {
	var w work
	if err := r.Payload(&w.payload); err != nil {
		return err
	}
	w.i, w.r = i, r
	if err := w.open(ctx); err != nil {
		return err
	}
	for w.tally.Done < len(w.people) {
		w.show()
		if err := w.step(ctx); err != nil {
			return err
		}
	}
	w.show()
	return nil
}

// work is a job while it runs.
type work struct {
	payload
	i      *Imports
	r      *job.Run
	at     call.Tenant
	people []Person
	tally  Tally
}

// open reads the file and how far an earlier run came.
func (w *work) open(ctx context.Context) error {
	var row fileRow
	err := w.i.DB.Read(ctx, func(tx *dbx.Tx) (err error) { row, err = findFile.One(ctx, tx, w.r.Tenant, w.File); return err })
	if errors.Is(err, dbx.ErrNoRow) || err == nil && row.Job != w.r.ID {
		return ErrGone
	}
	if err != nil {
		return err
	}
	content, err := w.i.Open(ctx, w.r.Tenant, row.Body, aad(w.File))
	if err != nil {
		return err
	}
	parts, err := unpack(content)
	if err != nil {
		return err
	}
	f, err := read(parts)
	if err != nil {
		return err
	}
	w.people = f.People
	if w.tally, err = tallyOf(row.Tally); err != nil {
		return err
	}
	w.at, err = w.i.Tenants.ByID(ctx, w.r.Tenant)
	return err
}

// show tells how far it is, and what will stay of it should it end here.
func (w *work) show() {
	w.r.Progress(int64(w.tally.Done), int64(len(w.people)), fmt.Sprintf("%d of %d users created", w.tally.Made, len(w.people)))
	w.r.Result(w.tally.report(len(w.people)))
}

// step does the next batch: the hashes first, outside transactions, then the rows.
func (w *work) step(ctx context.Context) error {
	batch := w.people[w.tally.Done:]
	batch = batch[:min(len(batch), large)]
	if slices.ContainsFunc(batch, func(p Person) bool { return p.Password != "" }) {
		batch = batch[:min(len(batch), small)]
	}
	hashes, err := w.hash(ctx, batch)
	if err != nil {
		return err
	}
	var after Tally
	err = w.r.Do(ctx, strconv.Itoa(w.tally.Done+len(batch)), func(ctx context.Context, c *call.Call) error {
		if after, err = w.make(ctx, c, batch, hashes); err != nil {
			return err
		}
		text, err := json.Marshal(after)
		if err != nil {
			return fault.ErrInternal.Because(err)
		}
		_, err = noteTally.Do(ctx, c.Tx, string(text), c.Tenant.ID, w.File)
		return err
	})
	if err == nil {
		w.tally = after
	}
	return err
}

// hashed is a password that is ready to be stored.
type hashed struct {
	password.New
	no string // why it cannot be
}

// hash makes the hashes of a batch on all processors. The hasher's own queue keeps it from taking them from sign-ins: each
// waits for its turn.
func (w *work) hash(ctx context.Context, batch []Person) ([]hashed, error) {
	out := make([]hashed, len(batch))
	errs := make([]error, min(runtime.GOMAXPROCS(0), len(batch)))
	var wg sync.WaitGroup
	for n := range errs {
		wg.Go(func() {
			for k := n; k < len(batch) && errs[n] == nil; k += len(errs) {
				out[k], errs[n] = w.hashOne(ctx, &batch[k])
			}
		})
	}
	wg.Wait()
	return out, errors.Join(errs...)
}

func (w *work) hashOne(ctx context.Context, p *Person) (h hashed, err error) {
	if p.Password == "" {
		return h, ctx.Err()
	}
	c := &call.Call{ID: "job/" + w.r.ID, Tenant: w.at, Now: time.Now(), Rand: rand.Reader}
	w.i.Bind(c)
	for {
		h.New, err = w.i.Passwords.Prepare(ctx, c, password.Change{Names: p.names(), Plain: p.Password, Reset: true})
		f := fault.Of(err)
		switch {
		case err == nil || ctx.Err() != nil:
			return h, errors.Join(err, ctx.Err())
		case !errors.Is(err, crypt.ErrBusy):
			if f.Kind == fault.Invalid {
				h.no, err = why(err), nil
			}
			return h, err
		}
		select {
		case <-ctx.Done():
			return h, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// shell is who acts when an import was started at the server's own command line.
func shell(now time.Time) *call.Caller {
	return &call.Caller{Name: "command line", Means: call.ByShell, Proved: now, Held: right.Held{Tenant: right.Of(right.System)}}
}
